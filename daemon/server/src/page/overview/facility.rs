//! Watched folders, workers, disks and recipients on the first page.

use jiff::Timestamp;
use queue::{RecipientRow, RootRow, RootState};

use super::super::show::{When, bytes, milliseconds, number};
use super::super::tone::{Pill, Tone};
use crate::app::Inner;

pub(in crate::page) struct RootItem {
    pub id: i64,
    pub name: String,
    pub path: String,
    pub output: String,
    pub workflow: String,
    /// `native` or `poll`; empty while it is offline.
    pub mode: String,
    /// Why, and on which file system.
    pub because: String,
    pub pill: Pill,
    pub detail: String,
    pub settling: u64,
}

pub(in crate::page) fn roots(inner: &Inner, rows: Vec<RootRow>) -> Vec<RootItem> {
    let rows = rows
        .into_iter()
        .filter(|root| root.state != RootState::Removed);
    rows.map(|root| {
        let watching = inner.control.watching(root.id);
        let because = watching.as_ref().map_or_else(String::new, |now| {
            format!("{}: {}", now.file_system, now.reason)
        });
        RootItem {
            settling: inner.control.settling(root.id),
            id: root.id.0,
            path: root.path.to_string_lossy().into_owned(),
            output: root.output.to_string_lossy().into_owned(),
            pill: Pill::new(Tone::of_root(root.state), root.state.as_str()),
            name: root.name,
            workflow: root.workflow,
            mode: watching.map(|now| now.mode).unwrap_or_default(),
            because,
            detail: root.detail.unwrap_or_default(),
        }
    })
    .collect()
}

pub(in crate::page) struct WorkerItem {
    pub id: u64,
    pub pid: String,
    pub pill: Pill,
    pub what: String,
    pub job: String,
    pub since: When,
}

pub(in crate::page) fn workers(inner: &Inner, now: Timestamp) -> Vec<WorkerItem> {
    let workers = inner.control.workers().into_iter();
    workers
        .map(|worker| WorkerItem {
            id: worker.id,
            pid: worker.pid.map(|pid| pid.to_string()).unwrap_or_default(),
            pill: match worker.pass {
                Some(_) => Pill::new(Tone::Running, "running"),
                None => Pill::new(Tone::Waiting, "idle"),
            },
            what: [worker.plate, worker.subject]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(" / "),
            job: worker.job.unwrap_or_default(),
            since: When::new(worker.since, now),
        })
        .collect()
}

/// A GPU of which there is something to tell.
pub(in crate::page) struct GpuItem {
    pub name: String,
    pub did: String,
    /// What it should have done and a processor did, with the reasons; empty if nothing.
    pub instead: String,
}

/// None where nothing was asked of one.
pub(in crate::page) fn gpu(inner: &Inner) -> Option<GpuItem> {
    let info = inner.control.gpu()?;
    if info.used.is_empty() && info.fallbacks.is_empty() {
        return None;
    }
    let calls: u64 = info.used.values().map(|used| used.calls).sum();
    let seconds: f64 = info.used.values().map(|used| used.device_seconds).sum();
    let did = match calls {
        0 => "did nothing yet".to_owned(),
        1 => format!("ran 1 operation in {}", milliseconds(seconds * 1000.0)),
        _ => format!(
            "ran {} operations in {}",
            number(calls),
            milliseconds(seconds * 1000.0)
        ),
    };
    let reasons: Vec<String> = info
        .fallbacks
        .iter()
        .map(|(reason, n)| format!("{} ({})", number(*n), reason.replace('_', " ")))
        .collect();
    Some(GpuItem {
        name: info.adapter.unwrap_or_else(|| "A GPU".to_owned()),
        did,
        instead: reasons.join(", "),
    })
}

pub(in crate::page) struct DiskItem {
    pub path: String,
    pub free: String,
    pub total: String,
    pub used: u64,
    /// From here on, percent, it nears the space that the daemon keeps free.
    pub near: u64,
    /// From here on nothing is started.
    pub full: u64,
    pub is_low: bool,
}

pub(in crate::page) fn disks(inner: &Inner) -> Vec<DiskItem> {
    let floor = inner.control.min_free();
    let mut disks = inner.control.disks();
    disks.sort_by(|one, other| one.path.cmp(&other.path));
    disks.dedup_by(|one, other| one.path == other.path);
    disks
        .into_iter()
        .map(|disk| {
            let used = disk.total_bytes.saturating_sub(disk.free_bytes);
            let percent = (used / 1024 * 100)
                .checked_div(disk.total_bytes / 1024)
                .unwrap_or(0);
            DiskItem {
                path: disk.path,
                free: bytes(disk.free_bytes),
                total: bytes(disk.total_bytes),
                used: percent,
                near: used_when_free(disk.total_bytes, floor.saturating_mul(2)),
                full: used_when_free(disk.total_bytes, floor),
                is_low: disk.free_bytes < floor,
            }
        })
        .collect()
}

/// How much of a disk is used, percent, when so much of it is free.
fn used_when_free(total: u64, free: u64) -> u64 {
    let used = u128::from(total.saturating_sub(free)) * 100;
    (used / u128::from(total.max(1))) as u64
}

/// Somebody who is told what becomes of the plates.
pub(in crate::page) struct RecipientItem {
    pub name: String,
    pub pill: Pill,
    pub sent: String,
    pub undelivered: String,
    pub error: String,
    pub last: Option<When>,
}

pub(in crate::page) fn recipients(rows: Vec<RecipientRow>, now: Timestamp) -> Vec<RecipientItem> {
    let active = rows.into_iter().filter(|row| row.active);
    active
        .map(|row| {
            let undelivered = [(row.waiting, "waiting"), (row.given_up, "given up")]
                .into_iter()
                .filter(|(n, _)| *n > 0)
                .map(|(n, word)| format!("{} {word}", number(n)))
                .collect::<Vec<_>>()
                .join(", ");
            let pill = match (row.last_error.is_some(), row.waiting) {
                (true, _) => Pill::new(Tone::Failed, "failing"),
                (false, 1..) => Pill::new(Tone::Waiting, "waiting"),
                (false, 0) => Pill::new(Tone::Done, "fine"),
            };
            RecipientItem {
                name: row.name,
                pill,
                sent: number(row.sent),
                undelivered,
                error: row.last_error.unwrap_or_default(),
                last: row.last_sent_at.map(|at| When::new(at, now)),
            }
        })
        .collect()
}
