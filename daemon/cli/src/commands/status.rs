//! `wellspring status`.

use jiff::Timestamp;

use super::{Client, ClientOptions, Console, Exit, Result, roots, tasks};
use crate::sheet::{Sheet, Tone};
use crate::wire::{Gpu, Pause, Recipient, Status};
use crate::words::{ago, bytes, harmless, span};

/// A file system with less than this part free is shown as a problem.
const FULL: f64 = 0.05;

/// Shows what the daemon is doing.
pub(super) fn run(options: &ClientOptions, console: &Console) -> Result<Exit> {
    let client = Client::new(options)?;
    let answer = client.get("/api/v1/status", &[])?;
    if console.mode.json {
        console.json(&answer.value()?)?;
        return Ok(Exit::Success);
    }
    let status: Status = answer.read()?;
    if console.mode.tables {
        tell(&status, &client.address().url, console)?;
    } else {
        console.sheet(&lines(&status, &client.address().url))?;
    }
    Ok(Exit::Success)
}

/// For programs: what, which, value.
fn lines(status: &Status, url: &str) -> Sheet {
    let mut sheet = Sheet::new(&["WHAT", "WHICH", "VALUE"]);
    let mut row = |what: &str, which: &str, value: String| {
        sheet.row(vec![what.into(), which.into(), value.into()]);
    };
    row("daemon", "version", status.version.clone());
    row("daemon", "address", url.to_owned());
    if let Some(at) = status.started_at {
        row("daemon", "started", at.to_string());
    }
    for pause in pauses(status) {
        row(
            "paused",
            &target(pause),
            format!("{}: {}", pause.holder, pause.reason),
        );
    }
    for (state, number) in status.tasks.words() {
        row("tasks", state, number.to_string());
    }
    for (state, number) in &status.plates {
        row("plates", state, number.to_string());
    }
    for worker in &status.workers {
        let parts = [&worker.plate, &worker.subject, &worker.job]
            .map(|part| part.as_deref().unwrap_or_default());
        row(
            "worker",
            &worker.id.to_string(),
            format!("{} {}", worker.state, parts.join(" "))
                .trim()
                .to_owned(),
        );
    }
    if let Some(gpu) = &status.gpu {
        row("gpu", gpu.adapter.as_deref().unwrap_or_default(), did(gpu));
    }
    for root in &status.roots {
        row(
            "root",
            &root.path,
            format!("{} {}, {} settling", root.state, root.mode, root.settling),
        );
    }
    for disk in &status.disk {
        row(
            "disk",
            &disk.path,
            format!("{} of {} bytes free", disk.free_bytes, disk.total_bytes),
        );
    }
    for recipient in &status.recipients {
        row("notify", &recipient.name, told(recipient));
    }
    for task in &status.failures {
        let message = task
            .error
            .as_ref()
            .map(|error| error.message.as_str())
            .unwrap_or_default();
        row(
            "failure",
            &task.id.to_string(),
            format!(
                "{} {} {}: {message}",
                task.plate_name, task.subject_name, task.job
            ),
        );
    }
    sheet
}

/// For people.
fn tell(status: &Status, url: &str, console: &Console) -> Result<()> {
    let now = Timestamp::now();
    let up = status
        .started_at
        .map(|at| format!(", up {}", span(now.duration_since(at).as_secs())));
    console.line(format!(
        "wellspring {}{}, {url}",
        status.version,
        up.unwrap_or_default()
    ))?;
    for pause in pauses(status) {
        let since = pause
            .at
            .map(|at| format!(", {}", ago(at, now)))
            .unwrap_or_default();
        let text = harmless(&format!(
            "paused: {} by {}: {}{since}",
            target(pause),
            pause.holder,
            pause.reason
        ));
        console.data(&format!("{}\n", console.toned(&text, Tone::Busy)))?;
    }
    let busy = status
        .workers
        .iter()
        .filter(|worker| worker.state == "running")
        .count();
    let plates = status.plates.iter().filter(|(_, number)| **number > 0);
    let plates: Vec<_> = plates
        .map(|(state, number)| format!("{number} {state}"))
        .collect();
    console.line(format!(
        "plates   {}",
        if plates.is_empty() {
            "none".to_owned()
        } else {
            plates.join(", ")
        }
    ))?;
    console.line(format!("tasks    {}", status.tasks.text()))?;
    console.line(format!(
        "workers  {busy} running, {} idle",
        status.workers.len() - busy
    ))?;
    // One of which nothing was asked is not worth a line.
    if let Some(gpu) = status
        .gpu
        .as_ref()
        .filter(|gpu| !gpu.used.is_empty() || !gpu.fallbacks.is_empty())
    {
        let name = gpu.adapter.as_deref().unwrap_or("none");
        console.line(harmless(&format!("gpu      {name}: {}", did(gpu))))?;
    }
    for disk in &status.disk {
        let free = disk.free_bytes as f64 / disk.total_bytes.max(1) as f64;
        let tone = if free < FULL { Tone::Bad } else { Tone::Plain };
        let text = format!(
            "{} of {} free",
            bytes(disk.free_bytes),
            bytes(disk.total_bytes)
        );
        console.data(&format!(
            "disk     {} {}\n",
            console.toned(&text, tone),
            harmless(&disk.path)
        ))?;
    }
    // Who is told without trouble is not worth a line.
    let troubled = |recipient: &&Recipient| {
        recipient.last_error.is_some() || recipient.given_up > 0 || recipient.waiting > 0
    };
    for recipient in status.recipients.iter().filter(troubled) {
        let tone = if recipient.last_error.is_some() {
            Tone::Bad
        } else {
            Tone::Plain
        };
        let text = harmless(&format!("{}: {}", recipient.name, told(recipient)));
        console.data(&format!("notify   {}\n", console.toned(&text, tone)))?;
    }
    let mut working = Sheet::new(&["WORKER", "PLATE", "SUBJECT", "JOB", "SINCE"]);
    for worker in status
        .workers
        .iter()
        .filter(|worker| worker.state == "running")
    {
        let cell = |part: &Option<String>| part.clone().unwrap_or_default().into();
        working.row(vec![
            worker
                .pid
                .map_or_else(
                    || worker.id.to_string(),
                    |pid| format!("{} (pid {pid})", worker.id),
                )
                .into(),
            cell(&worker.plate),
            cell(&worker.subject),
            cell(&worker.job),
            worker
                .since
                .map(|at| ago(at, now))
                .unwrap_or_default()
                .into(),
        ]);
    }
    for sheet in [
        roots::sheet(&status.roots),
        working,
        tasks::sheet(&status.failures),
    ] {
        if !sheet.is_empty() {
            console.line("")?;
            console.sheet(&sheet)?;
        }
    }
    if status.tasks.broken() > 0 {
        console.note("next: `wellspring tasks list --failed`, and after the cause is gone `wellspring tasks requeue --failed`");
    }
    Ok(())
}

/// What a GPU did, and what it should have done.
fn did(gpu: &Gpu) -> String {
    let calls: u64 = gpu.used.values().map(|used| used.calls).sum();
    let seconds: f64 = gpu.used.values().map(|used| used.device_seconds).sum();
    let mut text = format!("{calls} operations in {seconds:.1} s");
    for (reason, number) in &gpu.fallbacks {
        text.push_str(&format!(", {number} on processors instead ({reason})"));
    }
    text
}

/// What became of the messages to somebody.
fn told(recipient: &Recipient) -> String {
    let mut text = format!("{} sent, {} waiting", recipient.sent, recipient.waiting);
    if recipient.given_up > 0 {
        text.push_str(&format!(", {} given up", recipient.given_up));
    }
    if let Some(error) = &recipient.last_error {
        text.push_str(&format!("; the last try failed: {error}"));
    }
    text
}

/// All pauses; an older daemon names that of everything only.
fn pauses(status: &Status) -> impl Iterator<Item = &Pause> {
    let only = status.paused.as_ref().filter(|_| status.pauses.is_empty());
    status.pauses.iter().chain(only)
}

/// What a pause concerns.
fn target(pause: &Pause) -> String {
    match (pause.root, pause.plate) {
        (Some(root), _) => format!("root {root}"),
        (_, Some(plate)) => format!("plate {plate}"),
        _ => "everything".to_owned(),
    }
}
