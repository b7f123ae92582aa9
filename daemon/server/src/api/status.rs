//! The state of everything.

use axum::Json;
use axum::extract::State;
use queue::Target;

use crate::app::{App, Inner};
use crate::problem::Problem;
use crate::view::{Pause, RecipientView, RootView, StatusView};

/// Failures that are listed.
const FAILURES: u32 = 10;

/// The state of everything, in a few numbers.
#[utoipa::path(get, path = "/api/v1/status", tag = "status",
    responses((status = 200, description = "The state", body = StatusView)))]
pub(super) async fn status(State(app): State<App>) -> Result<Json<StatusView>, Problem> {
    app.blocking(status_view).await.map(Json)
}

/// What `/api/v1/status` answers.
fn status_view(inner: &Inner) -> queue::Result<StatusView> {
    let status = inner.store.status()?;
    let recipients = inner.store.recipients()?;
    let failures = inner.store.failures(FAILURES)?;
    let pauses: Vec<(Target, Pause)> = status
        .holds
        .into_iter()
        .map(|hold| (hold.target, hold.into()))
        .collect();
    let paused = pauses
        .iter()
        .find(|(target, _)| *target == Target::All)
        .map(|(_, pause)| pause.clone());
    Ok(StatusView {
        version: inner.options.version.clone(),
        boot_id: inner.store.boot_id().to_owned(),
        started_at: inner.started_at.into(),
        paused,
        pauses: pauses.into_iter().map(|(_, pause)| pause).collect(),
        tasks: status.tasks.into(),
        plates: status.plates.into(),
        files: status.files.into(),
        throughput: inner.store.throughput()?.into(),
        workers: inner
            .control
            .workers()
            .into_iter()
            .map(Into::into)
            .collect(),
        gpu: inner.control.gpu(),
        roots: status
            .roots
            .into_iter()
            .map(|root| RootView::new(root, &*inner.control))
            .collect(),
        disk: inner.control.disks(),
        recipients: recipients
            .into_iter()
            .filter(|row| row.active)
            .map(RecipientView::from)
            .collect(),
        failures: failures.into_iter().map(Into::into).collect(),
        last_event: status.last_event.0,
    })
}
