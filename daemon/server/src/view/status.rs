//! The state of everything.

use queue::{FileCounts, Hold, PlateCounts, RecipientRow, RootRow, RootState, Target};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Counts, Moment, RootStateWord, TaskView, ThroughputView, text};
use crate::control::{Check, Control, DiskInfo, GpuInfo, WorkerInfo};

/// A watched folder.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Root)]
pub(crate) struct RootView {
    /// Identifier.
    pub id: i64,
    /// Absolute path.
    pub path: String,
    /// Name for people.
    pub name: String,
    /// Where results go.
    pub output: String,
    /// Name of the workflow.
    pub workflow: String,
    /// Whether it is there.
    #[schema(value_type = RootStateWord)]
    pub state: RootState,
    /// How it is to be watched, as it is configured: `auto`, `native` or `poll`.
    pub mode: String,
    /// How it is watched now: `native` or `poll`; null while it is offline.
    pub watched: Option<String>,
    /// Why it is watched so; null while it is offline.
    pub watched_because: Option<String>,
    /// Name of its file system, where it can be seen.
    pub file_system: Option<String>,
    /// Why it is in this state, or what the watcher has to say.
    pub detail: Option<String>,
    /// Last change of this row.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Moment,
    /// Files that are seen but not yet whole.
    pub settling: u64,
}

impl RootView {
    pub(crate) fn new(row: RootRow, control: &dyn Control) -> Self {
        let (watched, watched_because, file_system) = match control.watching(row.id) {
            Some(now) => (Some(now.mode), Some(now.reason), Some(now.file_system)),
            None => (None, None, None),
        };
        Self {
            id: row.id.0,
            path: text(&row.path),
            output: text(&row.output),
            name: row.name,
            workflow: row.workflow,
            state: row.state,
            mode: row.mode,
            detail: row.detail,
            updated_at: row.updated_at.into(),
            settling: control.settling(row.id),
            watched,
            watched_because,
            file_system,
        }
    }
}

/// A pause in force.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Pause {
    /// The root that is paused; with neither root nor plate, everything is.
    pub root: Option<i64>,
    /// The plate that is paused.
    pub plate: Option<i64>,
    /// Who paused it: `user`, or the part of the daemon that will resume it by itself.
    pub holder: String,
    /// Why.
    pub reason: String,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub at: Moment,
}

impl From<Hold> for Pause {
    fn from(hold: Hold) -> Self {
        let (root, plate) = match hold.target {
            Target::All => (None, None),
            Target::Root(root) => (Some(root.0), None),
            Target::Plate(plate) => (None, Some(plate.0)),
        };
        Self {
            root,
            plate,
            holder: hold.holder,
            reason: hold.reason,
            at: hold.at.into(),
        }
    }
}

/// Numbers of plates by state.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct PlateTotals {
    /// More images are expected.
    pub arriving: u64,
    /// Tasks are still to be run.
    pub complete: u64,
    /// Everything succeeded.
    pub done: u64,
    /// Not everything succeeded.
    pub done_with_failures: u64,
    /// Plate results are out of date.
    pub stale: u64,
}

impl From<PlateCounts> for PlateTotals {
    fn from(counts: PlateCounts) -> Self {
        Self {
            arriving: counts.arriving,
            complete: counts.complete,
            done: counts.done,
            done_with_failures: counts.done_with_failures,
            stale: counts.stale,
        }
    }
}

/// Numbers of files by state.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct FileTotals {
    /// Planes and indexes.
    pub registered: u64,
    /// Names that fit no scheme.
    pub unmatched: u64,
    /// Deliberately not processed.
    pub ignored: u64,
    /// Cannot be decoded.
    pub unreadable: u64,
    /// Replaced by another file.
    pub superseded: u64,
    /// Of all of these, those that are gone; their results stay.
    pub vanished: u64,
}

impl From<FileCounts> for FileTotals {
    fn from(counts: FileCounts) -> Self {
        Self {
            registered: counts.registered,
            unmatched: counts.unmatched,
            ignored: counts.ignored,
            unreadable: counts.unreadable,
            superseded: counts.superseded,
            vanished: counts.vanished,
        }
    }
}

/// A worker, and whether it has work.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Worker {
    /// The worker.
    #[serde(flatten)]
    pub worker: WorkerInfo,
    /// `running` or `idle`.
    pub state: &'static str,
}

impl From<WorkerInfo> for Worker {
    fn from(worker: WorkerInfo) -> Self {
        let state = if worker.pass.is_some() {
            "running"
        } else {
            "idle"
        };
        Self { worker, state }
    }
}

/// Somebody who is told what becomes of the plates.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Recipient)]
pub(crate) struct RecipientView {
    /// The name in the configuration.
    pub name: String,
    /// Messages that wait to be delivered.
    pub waiting: u64,
    /// Messages delivered.
    pub sent: u64,
    /// Tries that failed.
    pub failed: u64,
    /// Messages that were not delivered in the end.
    pub given_up: u64,
    /// The last delivery.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_sent_at: Option<Moment>,
    /// Why the last try failed; null if it did not.
    pub last_error: Option<String>,
}

impl From<RecipientRow> for RecipientView {
    fn from(row: RecipientRow) -> Self {
        Self {
            name: row.name,
            waiting: row.waiting,
            sent: row.sent,
            failed: row.failed,
            given_up: row.given_up,
            last_sent_at: row.last_sent_at.map(Moment::from),
            last_error: row.last_error,
        }
    }
}

/// The state of everything.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Status)]
pub(crate) struct StatusView {
    /// Version of the program.
    pub version: String,
    /// This run of the daemon.
    pub boot_id: String,
    /// When it began to serve.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Moment,
    /// The pause of everything, where there is one.
    pub paused: Option<Pause>,
    /// All pauses in force.
    pub pauses: Vec<Pause>,
    /// Tasks by state.
    pub tasks: Counts,
    /// Plates by state.
    pub plates: PlateTotals,
    /// Files by state.
    pub files: FileTotals,
    /// How much ended lately.
    pub throughput: ThroughputView,
    /// Workers.
    pub workers: Vec<Worker>,
    /// What a GPU did since the start; null where none may be used.
    pub gpu: Option<GpuInfo>,
    /// Watched folders.
    pub roots: Vec<RootView>,
    /// File systems that the daemon writes to.
    pub disk: Vec<DiskInfo>,
    /// Those who are told what becomes of the plates.
    pub recipients: Vec<RecipientView>,
    /// The last failures, newest first; at most 10.
    pub failures: Vec<TaskView>,
    /// The newest event: pass it as `after` to follow what happens from here on.
    pub last_event: i64,
}

/// Whether the daemon can do its work.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Readiness {
    /// `ready` or `not_ready`.
    pub status: &'static str,
    /// What was checked.
    pub checks: Vec<Check>,
}
