//! What only a running daemon knows or can do.

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

    /// Ends the workers of these passes: their tasks were cancelled.
    fn stop_passes(&self, passes: &[PassId]);

    /// The file systems that the daemon writes to.
    fn disks(&self) -> Vec<DiskInfo>;
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
