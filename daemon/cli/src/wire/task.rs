//! Tasks and their attempts.

use jiff::Timestamp;
use serde::Deserialize;

/// Why a task failed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Failure {
    pub class: String,
    pub code: String,
    pub message: String,
    pub remedy: String,
    pub path: Option<String>,
}

/// A task.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Task {
    pub id: i64,
    pub plate: i64,
    pub plate_name: String,
    pub subject_name: String,
    pub workflow: String,
    pub workflow_version: String,
    pub job: String,
    pub kind: String,
    pub state: String,
    pub blocked: bool,
    pub attempts: u32,
    pub interruptions: u32,
    pub crashes: u32,
    pub max_attempts: u32,
    pub ready_at: Option<Timestamp>,
    pub cancel_requested: bool,
    pub error: Option<Failure>,
    pub created_at: Option<Timestamp>,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
}

impl Task {
    /// Where it stands; a task that waits in vain is `blocked`.
    pub(crate) fn standing(&self) -> &str {
        if self.blocked { "blocked" } else { &self.state }
    }
}

/// A task with its neighbours.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct TaskDetail {
    #[serde(flatten)]
    pub task: Task,
    pub upstream: Vec<Neighbour>,
    pub downstream: Vec<Neighbour>,
}

/// A task before or behind another one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Neighbour {
    pub task: i64,
    pub subject_name: String,
    pub job: String,
    pub state: String,
}

/// One execution of a task.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Attempt {
    pub number: u32,
    pub worker: String,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub outcome: String,
    pub error: Option<Failure>,
    pub peak_rss: Option<u64>,
}

/// What a requeue did, or would do.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Requeued {
    pub tasks: Vec<i64>,
    pub following: u64,
    pub dry_run: bool,
}

/// What a cancellation did.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Cancelled {
    pub tasks: Vec<i64>,
    pub stopping: Vec<i64>,
}

/// Why a task is where it is.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Explanation {
    pub state: String,
    pub because: Vec<String>,
}
