//! Workflows.

use axum::Json;
use axum::extract::State;

use crate::app::App;
use crate::extract::Id;
use crate::problem::Problem;
use crate::view::{Page, WorkflowDetailView, WorkflowView};
use crate::workflows::{self, Named};

/// Workflows that are configured or have tasks, by name.
#[utoipa::path(get, path = "/api/v1/workflows", tag = "workflows",
    responses((status = 200, description = "The workflows, all of them", body = Page<WorkflowView>)))]
pub(super) async fn list(State(app): State<App>) -> Result<Json<Page<WorkflowView>>, Problem> {
    app.blocking(|inner| {
        let found = workflows::all(inner)?.into_iter();
        let items = found.map(|(name, named)| summary(name, &named)).collect();
        Ok::<_, queue::Error>(Json(Page { items, next: None }))
    })
    .await
}

/// One workflow: its jobs with what they need, and the plates that used it.
#[utoipa::path(get, path = "/api/v1/workflows/{name}", tag = "workflows",
    params(("name" = String, Path, description = "The workflow")),
    responses(
        (status = 200, description = "The workflow", body = WorkflowDetailView),
        (status = 404, description = "No such workflow", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn show(
    State(app): State<App>,
    Id(name): Id<String>,
) -> Result<Json<WorkflowDetailView>, Problem> {
    app.blocking(move |inner| {
        let named = workflows::one(inner, &name)?;
        let jobs = inner.store.workflow_jobs(&name)?;
        Ok::<_, Problem>(Json(WorkflowDetailView {
            workflow: summary(name, &named),
            configured: named.configured,
            jobs: jobs.into_iter().map(Into::into).collect(),
            uses: named.uses.into_iter().map(Into::into).collect(),
        }))
    })
    .await
}

fn summary(name: String, named: &Named) -> WorkflowView {
    WorkflowView {
        name,
        versions: named.versions(),
        roots: named.roots(),
        plates: named.plates(),
        counts: named.tasks().into(),
    }
}
