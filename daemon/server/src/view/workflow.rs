//! Workflows, as they are configured and as they are used.

use queue::{JobUse, WorkflowUse};
use serde::Serialize;
use utoipa::ToSchema;

use super::Counts;
use crate::control::WorkflowInfo;

/// A workflow in the list.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Workflow)]
pub(crate) struct WorkflowView {
    /// Its name.
    pub name: String,
    /// The versions that are configured now; none if only tasks of before are left.
    pub versions: Vec<String>,
    /// The watched folders that use it now.
    pub roots: Vec<i64>,
    /// How many plates have tasks of it.
    pub plates: usize,
    /// Its tasks by state, on all plates.
    pub counts: Counts,
}

/// A workflow with its graph and where it was used.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = WorkflowDetail)]
pub(crate) struct WorkflowDetailView {
    /// In the list.
    #[serde(flatten)]
    pub workflow: WorkflowView,
    /// As it is configured now: one for each content, where folders use different files of one name.
    pub configured: Vec<WorkflowInfo>,
    /// Its jobs that have tasks, in the order in which they run.
    pub jobs: Vec<JobUseView>,
    /// The plates that have tasks of it, newest first, by version.
    pub uses: Vec<WorkflowUseView>,
}

/// A job that has tasks.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = JobUse)]
pub(crate) struct JobUseView {
    /// The job.
    pub job: String,
    /// Its kind.
    pub kind: String,
    /// What its tasks work on.
    pub scope: String,
    /// Its tasks by state, on all plates and of all versions.
    pub counts: Counts,
}

impl From<JobUse> for JobUseView {
    fn from(one: JobUse) -> Self {
        Self {
            job: one.job,
            kind: one.kind,
            scope: one.scope,
            counts: one.tasks.into(),
        }
    }
}

/// A plate with tasks of a version of a workflow.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = WorkflowUse)]
pub(crate) struct WorkflowUseView {
    /// The plate.
    pub plate: i64,
    /// The plate's name.
    pub plate_name: String,
    /// The version.
    pub version: String,
    /// Its tasks of this version by state.
    pub counts: Counts,
}

impl From<WorkflowUse> for WorkflowUseView {
    fn from(one: WorkflowUse) -> Self {
        Self {
            plate: one.plate.0,
            plate_name: one.plate_name,
            version: one.version,
            counts: one.tasks.into(),
        }
    }
}
