//! Numbers for Prometheus. All of them come from tallies or memory, and no label grows with the work.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use queue::{RecipientRow, RootState, Target};

use crate::app::{App, Inner};
use crate::control::{GpuInfo, GpuUse};
use crate::problem::Problem;

const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Numbers in the text format of Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "health",
    responses((status = 200, description = "The numbers", body = String, content_type = "text/plain")))]
pub(super) async fn serve(State(app): State<App>) -> Result<impl IntoResponse, Problem> {
    let text = app.blocking(metrics).await?;
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], text))
}

/// Families about messages to people: name, type, help, value.
type OfRecipient = (
    &'static str,
    &'static str,
    &'static str,
    fn(&RecipientRow) -> u64,
);
const NOTICES: [OfRecipient; 4] = [
    (
        "notices_waiting",
        "gauge",
        "Messages to people that wait to be delivered",
        |row| row.waiting,
    ),
    (
        "notices_sent_total",
        "counter",
        "Messages delivered",
        |row| row.sent,
    ),
    (
        "notices_failed_total",
        "counter",
        "Tries to deliver a message that failed",
        |row| row.failed,
    ),
    (
        "notices_given_up_total",
        "counter",
        "Messages that were not delivered in the end",
        |row| row.given_up,
    ),
];

/// Families about a GPU, by operation: name, help, value.
type OfOperation = (&'static str, &'static str, fn(&GpuUse) -> f64);
const GPU: [OfOperation; 5] = [
    ("gpu_calls_total", "Operations that ran on a GPU", |used| {
        used.calls as f64
    }),
    (
        "gpu_dispatches_total",
        "Kernels that were dispatched for them",
        |used| used.dispatches as f64,
    ),
    ("gpu_pixels_total", "Pixels that they ran on", |used| {
        used.pixels as f64
    }),
    (
        "gpu_device_seconds_total",
        "Time on the device, transfers included",
        |used| used.device_seconds,
    ),
    (
        "gpu_wait_seconds_total",
        "Time that workers waited for them",
        |used| used.wall_seconds,
    ),
];

/// What a GPU did.
fn gpu(info: &GpuInfo, out: &mut Metrics) {
    out.family("gpu_info", "gauge", "The GPU that was used");
    if let Some(adapter) = &info.adapter {
        out.sample(&[("adapter", adapter)], 1.0);
    }
    for (name, help, number) in GPU {
        out.family(name, "counter", help);
        for (operation, used) in &info.used {
            out.sample(&[("operation", operation)], number(used));
        }
    }
    out.family(
        "gpu_fallbacks_total",
        "counter",
        "Operations that a processor did because the GPU could not",
    );
    for (reason, n) in &info.fallbacks {
        out.sample(&[("reason", reason)], *n as f64);
    }
    for (name, help, n) in [
        (
            "gpu_process_starts_total",
            "Starts of the GPU's process",
            info.starts,
        ),
        (
            "gpu_process_failures_total",
            "Ends of the GPU's process because of the device or a crash",
            info.failures,
        ),
    ] {
        out.family(name, "counter", help);
        out.sample(&[], n as f64);
    }
}

/// The text of `/metrics`.
fn metrics(inner: &Inner) -> queue::Result<String> {
    let status = inner.store.status()?;
    let mut out = Metrics::default();
    out.family("build_info", "gauge", "Version of the program");
    out.sample(&[("version", &inner.options.version)], 1.0);
    out.family(
        "start_time_seconds",
        "gauge",
        "When the server began, seconds since 1970",
    );
    out.sample(&[], inner.started_at.as_millisecond() as f64 / 1000.0);
    out.family("tasks", "gauge", "Tasks by state");
    let tasks = status.tasks;
    for (state, n) in [
        ("waiting", tasks.waiting),
        ("blocked", tasks.blocked),
        ("ready", tasks.ready),
        ("running", tasks.running),
        ("succeeded", tasks.succeeded),
        ("retrying", tasks.retrying),
        ("failed", tasks.failed),
        ("quarantined", tasks.quarantined),
        ("cancelled", tasks.cancelled),
    ] {
        out.sample(&[("state", state)], n as f64);
    }
    out.family("plates", "gauge", "Plates by state");
    let plates = status.plates;
    for (state, n) in [
        ("arriving", plates.arriving),
        ("complete", plates.complete),
        ("done", plates.done),
        ("done_with_failures", plates.done_with_failures),
        ("stale", plates.stale),
    ] {
        out.sample(&[("state", state)], n as f64);
    }
    out.family("files", "gauge", "Whole files by state");
    let files = status.files;
    for (state, n) in [
        ("registered", files.registered),
        ("unmatched", files.unmatched),
        ("ignored", files.ignored),
        ("unreadable", files.unreadable),
        ("superseded", files.superseded),
    ] {
        out.sample(&[("state", state)], n as f64);
    }
    out.family(
        "files_vanished",
        "gauge",
        "Files of all states that are gone",
    );
    out.sample(&[], files.vanished as f64);
    let settling = status
        .roots
        .iter()
        .map(|root| inner.control.settling(root.id))
        .sum::<u64>();
    out.family(
        "files_settling",
        "gauge",
        "Files that are seen but not yet whole",
    );
    out.sample(&[], settling as f64);
    out.family("roots", "gauge", "Watched folders by state");
    for state in RootState::ALL {
        let n = status.roots.iter().filter(|root| root.state == *state);
        out.sample(&[("state", state.as_str())], n.count() as f64);
    }
    let workers = inner.control.workers();
    let busy = workers
        .iter()
        .filter(|worker| worker.pass.is_some())
        .count();
    out.family("workers", "gauge", "Workers by state");
    out.sample(&[("state", "running")], busy as f64);
    out.sample(&[("state", "idle")], (workers.len() - busy) as f64);
    out.family("passes", "gauge", "Subjects that are being worked on");
    out.sample(&[], status.passes as f64);
    out.family("paused", "gauge", "Whether everything is paused");
    let paused = status.holds.iter().any(|hold| hold.target == Target::All);
    out.sample(&[], f64::from(u8::from(paused)));
    out.family("events_total", "counter", "Events ever recorded");
    out.sample(&[], status.last_event.0 as f64);
    let recipients = inner.store.recipients()?;
    for (name, kind, help, number) in NOTICES {
        out.family(name, kind, help);
        for recipient in recipients.iter().filter(|recipient| recipient.active) {
            out.sample(&[("recipient", &recipient.name)], number(recipient) as f64);
        }
    }
    if let Some(info) = inner.control.gpu() {
        gpu(&info, &mut out);
    }
    // Two roots may share a folder; a series must not come twice.
    let disks: BTreeMap<_, _> = inner
        .control
        .disks()
        .into_iter()
        .map(|disk| (disk.path, (disk.free_bytes, disk.total_bytes)))
        .collect();
    out.family(
        "disk_free_bytes",
        "gauge",
        "Bytes that the daemon may still write",
    );
    for (path, (free, _)) in &disks {
        out.sample(&[("volume", path)], *free as f64);
    }
    out.family("disk_size_bytes", "gauge", "Size of the file system");
    for (path, (_, total)) in &disks {
        out.sample(&[("volume", path)], *total as f64);
    }
    Ok(out.text)
}

/// The text format: a family's help and type, then its samples.
#[derive(Default)]
struct Metrics {
    text: String,
    name: String,
}

impl Metrics {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        self.name = format!("wellspring_{name}");
        let name = &self.name;
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "# HELP {name} {help}.\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, labels: &[(&str, &str)], value: f64) {
        let labels: Vec<_> = labels
            .iter()
            .map(|(name, value)| format!("{name}=\"{}\"", escape(value)))
            .collect();
        let labels = match labels.len() {
            0 => String::new(),
            _ => format!("{{{}}}", labels.join(",")),
        };
        let _ = writeln!(self.text, "{}{labels} {value}", self.name);
    }
}

fn escape(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped() {
        let mut out = Metrics::default();
        out.family("x", "gauge", "X");
        out.sample(&[("volume", "a\"b\\c\nd"), ("state", "s")], 1.5);
        let last = out.text.lines().last();
        assert_eq!(
            last,
            Some("wellspring_x{volume=\"a\\\"b\\\\c\\nd\",state=\"s\"} 1.5")
        );
    }
}
