//! What the API shows: the queue's rows as JSON, with their description for OpenAPI.

mod estimate;
mod event;
pub(crate) mod moment;
mod plate;
mod status;
mod subject;
mod task;
mod words;
mod workflow;

use serde::Serialize;
use utoipa::ToSchema;

pub(crate) use estimate::{EstimateView, ThroughputView};
pub(crate) use event::EventView;
pub(crate) use moment::Moment;
pub(crate) use plate::{PlateView, WellView};
pub(crate) use status::{Pause, Readiness, RecipientView, RootView, StatusView};
pub(crate) use subject::SubjectView;
pub(crate) use task::{AttemptView, CancelledView, Requeued, TaskDetailView, TaskView};
pub(crate) use words::{
    AttemptOutcomeWord, EventKindWord, FailureClassWord, FileStateWord, GateWord, PlateStateWord,
    RequireWord, RootStateWord, SubjectKindWord, SubjectStateWord, TaskStateWord,
};
pub(crate) use workflow::{WorkflowDetailView, WorkflowView};

/// Numbers of tasks by state.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct Counts {
    /// Waiting for something that will come by itself.
    pub waiting: u64,
    /// Waiting for something that only a requeue, or a missing plane, can bring.
    pub blocked: u64,
    /// Can be claimed.
    pub ready: u64,
    /// Being run.
    pub running: u64,
    /// Published.
    pub succeeded: u64,
    /// To be tried again.
    pub retrying: u64,
    /// Failed for good.
    pub failed: u64,
    /// Taken out because workers died over them.
    pub quarantined: u64,
    /// Stopped by a person.
    pub cancelled: u64,
}

impl From<queue::TaskCounts> for Counts {
    fn from(counts: queue::TaskCounts) -> Self {
        let queue::TaskCounts {
            waiting,
            blocked,
            ready,
            running,
            succeeded,
            retrying,
            failed,
            quarantined,
            cancelled,
        } = counts;
        Self {
            waiting,
            blocked,
            ready,
            running,
            succeeded,
            retrying,
            failed,
            quarantined,
            cancelled,
        }
    }
}

/// Part of a list, and where the next part starts.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Pass this as `after` for the next part; null after the last one.
    pub next: Option<i64>,
}

impl<T> Page<T> {
    pub(crate) fn of<R>(page: queue::Page<R>, view: impl FnMut(R) -> T) -> Self {
        Self {
            items: page.items.into_iter().map(view).collect(),
            next: page.next,
        }
    }
}

/// A path as text: bytes that are not UTF-8 become U+FFFD, as JSON has no other place for them.
fn text(path: &std::path::Path) -> String {
    path.to_string_lossy().into_owned()
}
