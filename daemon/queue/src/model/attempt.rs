//! Executions of tasks.

use jiff::Timestamp;
use rusqlite::Row;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::columns::Columns;
use crate::ids::{AttemptId, PassId, TaskId};
use crate::model::Failure;
use crate::states::AttemptOutcome;

/// One execution of a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttemptRow {
    /// Identifier.
    pub id: AttemptId,
    /// The task.
    pub task: TaskId,
    /// The pass that it belonged to.
    pub pass: PassId,
    /// Counts the executions of the task, interrupted ones included; the first is 1.
    pub number: u32,
    /// The worker.
    pub worker: String,
    /// The worker's process.
    pub pid: Option<u32>,
    /// The run of the daemon.
    pub boot_id: String,
    /// When it was claimed.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// What went wrong.
    pub error: Option<Failure>,
    /// The end of what the worker wrote to stderr, at most 64 KiB.
    pub log: Option<String>,
    /// What the worker measured.
    pub timings: Option<Value>,
    /// Largest resident size of the worker, bytes.
    pub peak_rss: Option<i64>,
}

pub(crate) const ATTEMPT_COLUMNS: &str = "attempt.id, attempt.task_id, attempt.pass_id, attempt.number, pass.worker, \
     pass.pid, pass.boot_id, attempt.started_at, attempt.ended_at, attempt.outcome, attempt.error, attempt.log, \
     attempt.timings, attempt.peak_rss";

impl AttemptRow {
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let mut columns = Columns::of(row);
        Ok(Self {
            id: columns.next()?,
            task: columns.next()?,
            pass: columns.next()?,
            number: columns.next()?,
            worker: columns.next()?,
            pid: columns.next()?,
            boot_id: columns.next()?,
            started_at: columns.time()?,
            ended_at: columns.optional_time()?,
            outcome: columns.next()?,
            error: columns.optional_json()?,
            log: columns.next()?,
            timings: columns.optional_json()?,
            peak_rss: columns.next()?,
        })
    }
}
