//! Tasks, and the plans that make them.

use jiff::Timestamp;
use rusqlite::Row;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::columns::Columns;
use crate::ids::{PassId, PlateId, SubjectId, TaskId};
use crate::model::Failure;
use crate::states::{Gate, Require, TaskState};

/// The jobs of one workflow on one subject.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The subject.
    pub subject: SubjectId,
    /// Name of the workflow.
    pub workflow: String,
    /// Version of the workflow.
    pub workflow_version: String,
    /// Its jobs, in any order.
    pub tasks: Vec<NewTask>,
    /// Whether tasks of this subject and workflow that the plan does not name are removed, as after
    /// a job was taken out of the workflow. Running ones are asked to stop and stay.
    pub retire_missing: bool,
}

/// One job of a [`Plan`].
#[derive(Clone, Debug, PartialEq)]
pub struct NewTask {
    /// Name of the job in its workflow.
    pub job: String,
    /// Kind of the job, for example `segment.watershed`.
    pub kind: String,
    /// What the job works on, for example `image_set`.
    pub scope: String,
    /// What must be true beside the upstream tasks.
    pub gate: Gate,
    /// Place in the order of the whole workflow. Every upstream task has a smaller one, which is
    /// what keeps the graph free of cycles.
    pub position: i64,
    /// Larger is claimed first.
    pub priority: i64,
    /// Attempts before a transient failure is final.
    pub max_attempts: u32,
    /// Key of the result; a task that succeeded is not run again while its key stays the same.
    pub key: Option<String>,
    /// What the key was made from; compared to say which part changed.
    pub ingredients: Value,
    /// What it needs first.
    pub upstream: Vec<Upstream>,
    /// A valid result with this very key that exists already (found in a container): the task
    /// succeeds without running, provided that everything upstream has succeeded.
    pub done: Option<Value>,
}

/// What a task needs first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upstream {
    /// A job of the same workflow on the same subject.
    Job(String),
    /// All tasks of a job in a well of the same plate and workflow, those still to come included.
    Well {
        /// The well.
        well: String,
        /// The job.
        job: String,
        /// What is needed of each.
        require: Require,
    },
    /// All tasks of a job in the same plate and workflow, those still to come included.
    Plate {
        /// The job.
        job: String,
        /// What is needed of each.
        require: Require,
    },
    /// A certain task of the same plate, also one of another workflow.
    Task {
        /// The task.
        task: TaskId,
        /// What is needed of it.
        require: Require,
    },
}

/// What planning did with one job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedTask {
    /// The task.
    pub id: TaskId,
    /// The job.
    pub job: String,
    /// Its state now.
    pub state: TaskState,
    /// What changed.
    pub change: Change,
}

/// What planning changed about a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It is new.
    Created,
    /// Its key is as before; nothing is computed again because of this plan.
    Unchanged,
    /// Its key differs: it and what depends on it are computed again.
    Recompute {
        /// The ingredients that differ, as dotted names.
        changed: Vec<String>,
    },
    /// A result with this key was found; it counts as succeeded.
    Adopted,
    /// The plan does not name it any more; it was removed.
    Retired,
}

/// One job on one subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskRow {
    /// Identifier.
    pub id: TaskId,
    /// The plate.
    pub plate: PlateId,
    /// The plate's name.
    pub plate_name: String,
    /// The subject.
    pub subject: SubjectId,
    /// The subject's name.
    pub subject_name: String,
    /// The subject's well.
    pub well: Option<String>,
    /// Name of the workflow.
    pub workflow: String,
    /// Version of the workflow.
    pub workflow_version: String,
    /// Name of the job in its workflow.
    pub job: String,
    /// Kind of the job.
    pub kind: String,
    /// What the job works on.
    pub scope: String,
    /// What must be true beside the upstream tasks.
    pub gate: Gate,
    /// Place in the order of the workflow.
    pub position: i64,
    /// Larger is claimed first.
    pub priority: i64,
    /// Where it stands.
    pub state: TaskState,
    /// Whether it waits for something that only a requeue (or a missing plane) can bring.
    pub blocked: bool,
    /// Key of the result.
    pub key: Option<String>,
    /// What the key was made from.
    pub ingredients: Value,
    /// Why it was last set back, where it was.
    pub because: Option<Value>,
    /// Rises whenever the task has to be computed again.
    pub revision: i64,
    /// Attempts that count: those that succeeded or failed.
    pub attempts: u32,
    /// Attempts that ended through no fault of the task; they do not count.
    pub interruptions: u32,
    /// Times that the worker died over it.
    pub crashes: u32,
    /// Attempts before a transient failure is final.
    pub max_attempts: u32,
    /// When a retrying task is ready again.
    pub ready_at: Option<Timestamp>,
    /// The pass that it is running in.
    pub pass: Option<PassId>,
    /// Whether it was asked to stop.
    pub cancel_requested: bool,
    /// The last failure; none after a success.
    pub error: Option<Failure>,
    /// What the job recorded about its result.
    pub result: Option<Value>,
    /// When it was planned.
    pub created_at: Timestamp,
    /// When it was last claimed.
    pub started_at: Option<Timestamp>,
    /// When it last ended.
    pub finished_at: Option<Timestamp>,
}

/// Everything of [`TaskRow`], to be followed by WHERE.
pub(crate) const TASK_SELECT: &str = "SELECT task.id, task.plate_id, plate.name, task.subject_id, subject.name, \
     subject.well, task.workflow, task.workflow_version, task.job, task.kind, task.scope, task.gate, task.position, \
     task.priority, task.state, task.state = 'waiting' AND (task.blocked > 0 OR task.gated = 2), task.key, \
     task.ingredients, task.because, task.revision, task.attempts, task.interruptions, task.crashes, \
     task.max_attempts, task.ready_at, task.pass_id, task.cancel_requested, task.error, task.result, \
     task.created_at, task.started_at, task.finished_at \
     FROM task JOIN subject ON subject.id = task.subject_id JOIN plate ON plate.id = task.plate_id ";

impl TaskRow {
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let mut columns = Columns::of(row);
        Ok(Self {
            id: columns.next()?,
            plate: columns.next()?,
            plate_name: columns.next()?,
            subject: columns.next()?,
            subject_name: columns.next()?,
            well: columns.next()?,
            workflow: columns.next()?,
            workflow_version: columns.next()?,
            job: columns.next()?,
            kind: columns.next()?,
            scope: columns.next()?,
            gate: columns.next()?,
            position: columns.next()?,
            priority: columns.next()?,
            state: columns.next()?,
            blocked: columns.next()?,
            key: columns.next()?,
            ingredients: columns.json()?,
            because: columns.optional_json()?,
            revision: columns.next()?,
            attempts: columns.next()?,
            interruptions: columns.next()?,
            crashes: columns.next()?,
            max_attempts: columns.next()?,
            ready_at: columns.optional_time()?,
            pass: columns.next()?,
            cancel_requested: columns.next()?,
            error: columns.optional_json()?,
            result: columns.optional_json()?,
            created_at: columns.time()?,
            started_at: columns.optional_time()?,
            finished_at: columns.optional_time()?,
        })
    }
}
