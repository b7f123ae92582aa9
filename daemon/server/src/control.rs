//! What only a running daemon knows or can do.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use queue::{PassId, PlateId, RootId, TaskRow};
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::Problem;

/// The running daemon, as far as the server needs it. Methods may block.
pub trait Control: Send + Sync {
    /// Lists a root again, now.
    ///
    /// # Errors
    /// If there is no such root.
    fn rescan(&self, root: RootId) -> Result<(), Problem>;

    /// Decides, on a person's word, that a plate has all it will get.
    ///
    /// # Errors
    /// If there is no such plate, or the queue fails.
    fn finalize(&self, plate: PlateId) -> Result<(), Problem>;

    /// Gives all tasks of a plate, those to come included, a priority; larger is run first. Returns whether that changed
    /// anything.
    ///
    /// # Errors
    /// If there is no such plate, or the queue fails.
    fn prioritise(&self, plate: PlateId, priority: i64) -> Result<bool, Problem>;

    /// Writes BatchLib's status and log files of a plate that has ended.
    ///
    /// # Errors
    /// If there is no such plate, it has not ended (409), or its folder cannot be written to (503).
    fn write_status_files(&self, plate: PlateId) -> Result<StatusFilesInfo, Problem>;

    /// What a ready task waits for, besides its turn: a named limit, memory.
    fn waiting_for(&self, task: &TaskRow) -> Option<String>;

    /// What a running pass has written so far, as its log will be; `None` if it is not running, or nothing is known.
    fn running_log(&self, pass: PassId) -> Option<String> {
        let _ = pass;
        None
    }

    /// The workflows of the watched folders, as they are configured now: one for each name and content, by name.
    fn workflows(&self) -> Vec<WorkflowInfo> {
        Vec::new()
    }

    /// The workers.
    fn workers(&self) -> Vec<WorkerInfo>;

    /// What is known about a path below a root: settling, registered, ignored and why. `None` below no root.
    fn explain_path(&self, path: &Path) -> Option<serde_json::Value>;

    /// Whether the daemon can do its work, check by check.
    fn readiness(&self) -> Vec<Check>;

    /// How a root is being watched now; `None` while it is offline.
    fn watching(&self, root: RootId) -> Option<Watching> {
        let _ = root;
        None
    }

    /// How many files of a root are seen but not yet whole.
    fn settling(&self, root: RootId) -> u64;

    /// How many of those lie below a folder of the root, for example that of a plate.
    fn settling_below(&self, root: RootId, folder: &Path) -> u64 {
        let _ = (root, folder);
        0
    }

    /// Ends the workers of these passes: their tasks were cancelled.
    fn stop_passes(&self, passes: &[PassId]);

    /// The file systems that the daemon writes to.
    fn disks(&self) -> Vec<DiskInfo>;

    /// Free space below which nothing is started, bytes.
    fn min_free(&self) -> u64 {
        0
    }

    /// What a GPU did since the start; `None` where none may be used.
    fn gpu(&self) -> Option<GpuInfo> {
        None
    }
}

/// What a GPU did since the daemon's start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
#[schema(as = Gpu)]
pub struct GpuInfo {
    /// Its name, once it was used.
    pub adapter: Option<String>,
    /// What it did, by operation.
    pub used: BTreeMap<String, GpuUse>,
    /// What it should have done and a processor did instead, by reason.
    pub fallbacks: BTreeMap<String, u64>,
    /// How often its process was started.
    pub starts: u64,
    /// How often that ended because of the device or a crash.
    pub failures: u64,
}

/// What one operation used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct GpuUse {
    /// How often it was run.
    pub calls: u64,
    /// Kernels that were dispatched.
    pub dispatches: u64,
    /// Pixels that it ran on.
    pub pixels: u64,
    /// Seconds on the device, transfers included.
    pub device_seconds: f64,
    /// Seconds that workers waited for it.
    pub wall_seconds: f64,
}

/// How a root is being watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watching {
    /// `native` or `poll`.
    pub mode: String,
    /// Why.
    pub reason: String,
    /// Name of the file system.
    pub file_system: String,
}

/// A workflow as it is configured.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = ConfiguredWorkflow)]
pub struct WorkflowInfo {
    /// Its name.
    pub name: String,
    /// Its version, as its author counts.
    pub version: String,
    /// The watched folders that use it.
    pub roots: Vec<i64>,
    /// Roles by microscope channel; null drops the channel. Empty: every channel keeps its own name. A plate with a
    /// `channel_mapping.json` of its own has others, and with `each` other jobs.
    pub channels: BTreeMap<String, Option<String>>,
    /// Its jobs in the order in which they run, those of `each` one by one.
    pub jobs: Vec<JobInfo>,
}

/// A job of a workflow as it is configured.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = ConfiguredJob)]
pub struct JobInfo {
    /// Its name, unique in the workflow.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// What its kind does, in a sentence or two.
    pub about: String,
    /// What one of its tasks works on: `image_set` or `plate`.
    pub scope: String,
    /// Names that it reads, by port.
    pub inputs: BTreeMap<String, Vec<String>>,
    /// Names that it writes, by port.
    pub outputs: BTreeMap<String, Vec<String>>,
    /// Jobs that must come before.
    pub needs: Vec<EdgeInfo>,
    /// Parameters, defaults included.
    #[schema(value_type = Object)]
    pub parameters: serde_json::Value,
    /// Whether its outputs are stored, or only handed to later jobs.
    pub keep: bool,
    /// Longest time of one attempt, seconds; null: the daemon's.
    pub time_limit_secs: Option<u64>,
    /// Name of the limit that it shares with others.
    pub limit: Option<String>,
}

/// A job that must come before another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ConfiguredEdge)]
pub struct EdgeInfo {
    /// The job.
    pub job: String,
    /// Its outputs that are read; none where only `after` says so.
    pub names: Vec<String>,
}

/// BatchLib's status and log files of a plate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct StatusFilesInfo {
    /// Their folder, in the plate's results.
    pub folder: String,
    /// Their names: those of the jobs in the order of the workflow, then those of the workflow.
    pub names: Vec<String>,
}

/// A worker process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct WorkerInfo {
    /// Number of the worker.
    pub id: u64,
    /// Its process; none before it was first needed.
    pub pid: Option<u32>,
    /// The pass that it runs.
    pub pass: Option<i64>,
    /// Name of the plate that it works on.
    pub plate: Option<String>,
    /// Name of the subject that it works on.
    pub subject: Option<String>,
    /// The job that it runs.
    pub job: Option<String>,
    /// Since when it has been running or idle.
    #[schema(value_type = String, format = DateTime)]
    #[serde(serialize_with = "crate::view::moment::serialize")]
    pub since: Timestamp,
}

/// One answer to "can the daemon do its work?".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Check {
    /// What was checked.
    pub name: String,
    /// Whether it is well.
    pub ok: bool,
    /// What was found.
    pub detail: String,
    /// What a person can do about it.
    pub remedy: Option<String>,
}

/// A file system that the daemon writes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DiskInfo {
    /// A folder on it.
    pub path: String,
    /// Bytes that the daemon may still write.
    pub free_bytes: u64,
    /// Its size, bytes.
    pub total_bytes: u64,
}
