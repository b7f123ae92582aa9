//! `wellspring tasks show` and `wellspring tasks log`.

use jiff::Timestamp;

use super::{Client, Console, Exit, Result};
use crate::sheet::{Cell, Sheet};
use crate::wire::{Attempt, Page, TaskDetail};
use crate::words::{bytes, harmless, number, span};

/// Shows a task, its attempts, and what it waits for.
pub(super) fn show(client: &Client, id: i64, console: &Console) -> Result<Exit> {
    let answer = client.get(&format!("/api/v1/tasks/{id}"), &[])?;
    if console.mode.json {
        console.json(&answer.value()?)?;
        return Ok(Exit::Success);
    }
    let detail: TaskDetail = answer.read()?;
    for (name, value) in facts(&detail) {
        if console.mode.tables {
            console.line(format!("{name:<11} {value}"))?;
        } else {
            console.data(&format!("{name}\t{}\n", harmless(&value)))?;
        }
    }
    if console.mode.tables {
        let attempts: Page<Attempt> = client
            .get(&format!("/api/v1/tasks/{id}/attempts"), &[])?
            .read()?;
        if !attempts.items.is_empty() {
            console.line("")?;
            console.sheet(&sheet(&attempts.items))?;
        }
    }
    Ok(Exit::Success)
}

/// What is known about a task.
fn facts(detail: &TaskDetail) -> Vec<(&'static str, String)> {
    let task = &detail.task;
    let mut facts = vec![
        (
            "task",
            format!(
                "{}: {} ({}) on {}",
                task.id, task.job, task.kind, task.subject_name
            ),
        ),
        ("plate", format!("{} {}", task.plate, task.plate_name)),
        (
            "workflow",
            format!("{} {}", task.workflow, task.workflow_version),
        ),
        ("state", task.standing().to_owned()),
    ];
    if task.cancel_requested {
        facts.push(("asked to", "stop".to_owned()));
    }
    let mut attempts = format!("{} of {}", task.attempts, task.max_attempts);
    for (count, what) in [
        (task.crashes, "crash"),
        (task.interruptions, "interruption"),
    ] {
        if count > 0 {
            attempts.push_str(&format!(", {what}: {count}"));
        }
    }
    facts.push(("attempts", attempts));
    for (name, at) in [
        ("planned", task.created_at),
        ("started", task.started_at),
        ("ended", task.finished_at),
        ("retried at", task.ready_at),
    ] {
        facts.extend(at.map(|at| (name, at.to_string())));
    }
    if let Some(error) = &task.error {
        facts.push((
            "error",
            format!("{} ({}, {})", error.message, error.class, error.code),
        ));
        facts.extend(error.path.iter().map(|path| ("file", path.clone())));
        if !error.remedy.is_empty() {
            facts.push(("hint", error.remedy.clone()));
        }
    }
    for before in detail
        .upstream
        .iter()
        .filter(|before| before.state != "succeeded")
    {
        let text = format!(
            "{} ({} on {}), which is {}",
            before.task, before.job, before.subject_name, before.state
        );
        facts.push(("waits for", text));
    }
    if !detail.downstream.is_empty() {
        facts.push(("needed by", number(detail.downstream.len() as u64, "task")));
    }
    facts
}

fn sheet(attempts: &[Attempt]) -> Sheet {
    let mut sheet = Sheet::new(&[
        "ATTEMPT", "OUTCOME", "STARTED", "TOOK", "MEMORY", "WORKER", "ERROR",
    ]);
    for attempt in attempts {
        let took = attempt.started_at.map(|start| {
            let end = attempt.ended_at.unwrap_or_else(Timestamp::now);
            span(end.duration_since(start).as_secs())
        });
        sheet.row(vec![
            attempt.number.into(),
            Cell::state(&attempt.outcome),
            attempt
                .started_at
                .map(|at| format!("{at:.0}"))
                .unwrap_or_default()
                .into(),
            took.unwrap_or_default().into(),
            attempt.peak_rss.map(bytes).unwrap_or_default().into(),
            (&attempt.worker).into(),
            attempt
                .error
                .as_ref()
                .map(|error| error.message.clone())
                .unwrap_or_default()
                .into(),
        ]);
    }
    sheet
}

/// Prints what the worker wrote.
pub(super) fn log(
    client: &Client,
    id: i64,
    attempt: Option<u32>,
    console: &Console,
) -> Result<Exit> {
    let query: Vec<_> = attempt
        .iter()
        .map(|number| ("attempt", number.to_string()))
        .collect();
    let text = client.get(&format!("/api/v1/tasks/{id}/log"), &query)?.text;
    if console.mode.json {
        console.json(&serde_json::json!({ "task": id, "log": text }))?;
    } else if text.is_empty() {
        console.note("the worker wrote nothing");
    } else if console.mode.tables {
        for line in text.lines() {
            console.line(line)?;
        }
    } else {
        console.data(&text)?;
    }
    Ok(Exit::Success)
}
