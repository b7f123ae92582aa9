//! Tasks, attempts, and what requeueing and cancelling did.

use queue::{
    AttemptOutcome, AttemptRow, Cancelled, Failure, FailureClass, Gate, Neighbour, Require,
    TaskDetail, TaskRow, TaskState,
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{AttemptOutcomeWord, FailureClassWord, GateWord, Moment, RequireWord, TaskStateWord};

/// Why a task failed.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Failure)]
pub(crate) struct FailureView {
    /// Whether trying again can help.
    #[schema(value_type = FailureClassWord)]
    pub class: FailureClass,
    /// A stable word for programs, for example `tiff_truncated`.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it; empty where there is no advice.
    pub remedy: String,
    /// The file at fault.
    pub path: Option<String>,
}

impl From<Failure> for FailureView {
    fn from(failure: Failure) -> Self {
        Self {
            class: failure.class,
            code: failure.code,
            message: failure.message,
            remedy: failure.remedy,
            path: failure.path,
        }
    }
}

/// One job on one subject.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Task)]
pub(crate) struct TaskView {
    /// Identifier.
    pub id: i64,
    /// The plate.
    pub plate: i64,
    /// The plate's name.
    pub plate_name: String,
    /// The subject.
    pub subject: i64,
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
    #[schema(value_type = GateWord)]
    pub gate: Gate,
    /// Place in the order of the workflow.
    pub position: i64,
    /// Larger is claimed first.
    pub priority: i64,
    /// Where it stands.
    #[schema(value_type = TaskStateWord)]
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
    /// Attempts that ended through no fault of the task.
    pub interruptions: u32,
    /// Times that the worker died over it.
    pub crashes: u32,
    /// Attempts before a transient failure is final.
    pub max_attempts: u32,
    /// When a retrying task is ready again.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ready_at: Option<Moment>,
    /// The pass that it is running in.
    pub pass: Option<i64>,
    /// Whether it was asked to stop.
    pub cancel_requested: bool,
    /// The last failure; none after a success.
    pub error: Option<FailureView>,
    /// What the job recorded about its result.
    pub result: Option<Value>,
    /// When it was planned.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Moment,
    /// When it was last claimed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub started_at: Option<Moment>,
    /// When it last ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub finished_at: Option<Moment>,
}

impl From<TaskRow> for TaskView {
    fn from(row: TaskRow) -> Self {
        Self {
            id: row.id.0,
            plate: row.plate.0,
            plate_name: row.plate_name,
            subject: row.subject.0,
            subject_name: row.subject_name,
            well: row.well,
            workflow: row.workflow,
            workflow_version: row.workflow_version,
            job: row.job,
            kind: row.kind,
            scope: row.scope,
            gate: row.gate,
            position: row.position,
            priority: row.priority,
            state: row.state,
            blocked: row.blocked,
            key: row.key,
            ingredients: row.ingredients,
            because: row.because,
            revision: row.revision,
            attempts: row.attempts,
            interruptions: row.interruptions,
            crashes: row.crashes,
            max_attempts: row.max_attempts,
            ready_at: row.ready_at.map(Moment::from),
            pass: row.pass.map(|id| id.0),
            cancel_requested: row.cancel_requested,
            error: row.error.map(Into::into),
            result: row.result,
            created_at: row.created_at.into(),
            started_at: row.started_at.map(Moment::from),
            finished_at: row.finished_at.map(Moment::from),
        }
    }
}

/// A task before or behind another one.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Neighbour)]
pub(crate) struct NeighbourView {
    /// The task.
    pub task: i64,
    /// Its subject.
    pub subject: i64,
    /// Its subject's name.
    pub subject_name: String,
    /// Its job.
    pub job: String,
    /// Where it stands.
    #[schema(value_type = TaskStateWord)]
    pub state: TaskState,
    /// What the one behind needs of the one before.
    #[schema(value_type = RequireWord)]
    pub require: Require,
}

impl From<Neighbour> for NeighbourView {
    fn from(neighbour: Neighbour) -> Self {
        Self {
            task: neighbour.task.0,
            subject: neighbour.subject.0,
            subject_name: neighbour.subject_name,
            job: neighbour.job,
            state: neighbour.state,
            require: neighbour.require,
        }
    }
}

/// A task with its place in the graph.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = TaskDetail)]
pub(crate) struct TaskDetailView {
    /// The task.
    #[serde(flatten)]
    pub task: TaskView,
    /// Tasks that it needs, those that have not succeeded first; at most 200.
    pub upstream: Vec<NeighbourView>,
    /// Tasks that need it; at most 200.
    pub downstream: Vec<NeighbourView>,
}

impl From<TaskDetail> for TaskDetailView {
    fn from(detail: TaskDetail) -> Self {
        Self {
            task: detail.task.into(),
            upstream: detail.upstream.into_iter().map(Into::into).collect(),
            downstream: detail.downstream.into_iter().map(Into::into).collect(),
        }
    }
}

/// One execution of a task.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Attempt)]
pub(crate) struct AttemptView {
    /// Identifier.
    pub id: i64,
    /// The task.
    pub task: i64,
    /// The pass that it belonged to.
    pub pass: i64,
    /// Counts the executions of the task, interrupted ones included; the first is 1.
    pub number: u32,
    /// The worker.
    pub worker: String,
    /// The worker's process.
    pub pid: Option<u32>,
    /// The run of the daemon.
    pub boot_id: String,
    /// When it was claimed.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Moment,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Moment>,
    /// How it ended.
    #[schema(value_type = AttemptOutcomeWord)]
    pub outcome: AttemptOutcome,
    /// What went wrong.
    pub error: Option<FailureView>,
    /// The end of what the worker wrote to stderr, at most 64 KiB.
    pub log: Option<String>,
    /// What the worker measured.
    pub timings: Option<Value>,
    /// Largest resident size of the worker, bytes.
    pub peak_rss: Option<i64>,
}

impl From<AttemptRow> for AttemptView {
    fn from(row: AttemptRow) -> Self {
        Self {
            id: row.id.0,
            task: row.task.0,
            pass: row.pass.0,
            number: row.number,
            worker: row.worker,
            pid: row.pid,
            boot_id: row.boot_id,
            started_at: row.started_at.into(),
            ended_at: row.ended_at.map(Moment::from),
            outcome: row.outcome,
            error: row.error.map(Into::into),
            log: row.log,
            timings: row.timings,
            peak_rss: row.peak_rss,
        }
    }
}

/// What a requeue did, or would do.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Requeued {
    /// The tasks that were requeued; with `dry_run`, that would be. What depends on them follows by itself.
    pub tasks: Vec<i64>,
    /// How many.
    pub count: usize,
    /// How many tasks run again after them because they depend on them.
    pub following: usize,
    /// Whether nothing was changed.
    pub dry_run: bool,
}

impl Requeued {
    pub(crate) fn nothing(dry_run: bool) -> Self {
        Self {
            tasks: Vec::new(),
            count: 0,
            following: 0,
            dry_run,
        }
    }
}

/// What a cancellation did.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Cancelled)]
pub(crate) struct CancelledView {
    /// Tasks that are cancelled now.
    pub tasks: Vec<i64>,
    /// Running tasks that were asked to stop.
    pub stopping: Vec<i64>,
}

impl From<&Cancelled> for CancelledView {
    fn from(cancelled: &Cancelled) -> Self {
        let ids = |tasks: &[queue::TaskId]| tasks.iter().map(|task| task.0).collect();
        Self {
            tasks: ids(&cancelled.tasks),
            stopping: ids(&cancelled.stopping),
        }
    }
}
