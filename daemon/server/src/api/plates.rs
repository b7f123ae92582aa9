//! Plates.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use queue::{PlateFilter, PlateId, PlateState, RootId, Target};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::queue_pause::{USER, reason};
use super::{PauseRequest, PauseState, cursor};
use crate::app::App;
use crate::control::StatusFilesInfo;
use crate::estimate::Estimates;
use crate::extract::{Body, Id, Params, empty_is_none, words};
use crate::problem::Problem;
use crate::view::{Page, PlateView, WellView};

/// Which plates.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct PlateQuery {
    /// Only in these states, separated by commas.
    #[serde(default, deserialize_with = "words")]
    #[param(value_type = Option<String>, pattern = "^((arriving|complete|done|done_with_failures|stale)(,(?!$)|$))*$")]
    state: Vec<PlateState>,
    /// Only of this root.
    #[serde(default, deserialize_with = "empty_is_none")]
    #[param(value_type = Option<i64>)]
    root: Option<RootId>,
    /// Only where the name or the key contains this text.
    #[serde(default, deserialize_with = "empty_is_none")]
    q: Option<String>,
    /// The `next` of the part before.
    #[serde(default, deserialize_with = "empty_is_none")]
    after: Option<i64>,
    /// Most rows, at most 1000; 100 unless said.
    #[serde(default, deserialize_with = "empty_is_none")]
    limit: Option<u32>,
}

/// Plates, newest first.
#[utoipa::path(get, path = "/api/v1/plates", tag = "plates", params(PlateQuery),
    responses(
        (status = 200, description = "Plates", body = Page<PlateView>),
        (status = 400, description = "A parameter makes no sense", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn list(
    State(app): State<App>,
    Params(query): Params<PlateQuery>,
) -> Result<Json<Page<PlateView>>, Problem> {
    let filter = PlateFilter {
        root: query.root,
        states: query.state,
        q: query.q,
    };
    let cursor = cursor(query.after, query.limit);
    app.blocking(move |inner| {
        let page = inner.store.plates(&filter, cursor)?;
        let estimates = Estimates::read(inner)?;
        let view = |summary| PlateView::new(summary, &estimates);
        Ok::<_, queue::Error>(Json(Page::of(page, view)))
    })
    .await
}

/// One plate.
#[utoipa::path(get, path = "/api/v1/plates/{id}", tag = "plates",
    params(("id" = i64, Path, description = "The plate")),
    responses(
        (status = 200, description = "The plate", body = PlateView),
        (status = 404, description = "No such plate", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn show(
    State(app): State<App>,
    Id(plate): Id<PlateId>,
) -> Result<Json<PlateView>, Problem> {
    app.blocking(move |inner| {
        let summary = inner.store.plate(plate)?;
        Ok::<_, queue::Error>(Json(PlateView::new(summary, &Estimates::read(inner)?)))
    })
    .await
}

/// The wells of a plate that have anything, by name.
#[utoipa::path(get, path = "/api/v1/plates/{id}/wells", tag = "plates",
    params(("id" = i64, Path, description = "The plate")),
    responses(
        (status = 200, description = "The wells, all of them", body = Page<WellView>),
        (status = 404, description = "No such plate", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn wells(
    State(app): State<App>,
    Id(plate): Id<PlateId>,
) -> Result<Json<Page<WellView>>, Problem> {
    app.blocking(move |inner| {
        inner.store.plate(plate)?;
        let items = inner.store.wells(plate)?;
        let items = items.into_iter().map(Into::into).collect();
        Ok::<_, queue::Error>(Json(Page { items, next: None }))
    })
    .await
}

/// Decides that a plate has all it will get: what waits for the whole plate is run with what is there.
#[utoipa::path(post, path = "/api/v1/plates/{id}/finalize", tag = "plates",
    params(("id" = i64, Path, description = "The plate")),
    responses(
        (status = 202, description = "The plate as it is now", body = PlateView),
        (status = 404, description = "No such plate", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn finalize(
    State(app): State<App>,
    Id(plate): Id<PlateId>,
) -> Result<(StatusCode, Json<PlateView>), Problem> {
    app.blocking(move |inner| {
        inner.store.plate(plate)?;
        inner.control.finalize(plate)?;
        let now = inner.store.plate(plate)?;
        let view = PlateView::new(now, &Estimates::read(inner)?);
        Ok::<_, Problem>((StatusCode::ACCEPTED, Json(view)))
    })
    .await
}

/// Writes BatchLib's status and log files of a plate that has ended into `batchlib/` in its results, as its tasks stand now.
#[utoipa::path(post, path = "/api/v1/plates/{id}/status-files", tag = "plates",
    params(("id" = i64, Path, description = "The plate")),
    responses(
        (status = 200, description = "They are written", body = StatusFilesInfo),
        (status = 404, description = "No such plate", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The plate has not ended", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Its folder cannot be written to", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn status_files(
    State(app): State<App>,
    Id(plate): Id<PlateId>,
) -> Result<Json<StatusFilesInfo>, Problem> {
    app.blocking(move |inner| {
        inner.store.plate(plate)?;
        inner.control.write_status_files(plate).map(Json)
    })
    .await
}

/// Which priority to give.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct PriorityRequest {
    /// Larger is run first; 0 is usual.
    priority: i32,
}

/// What became of a request for priority.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(super) struct PriorityState {
    /// The plate's priority now.
    priority: i32,
    /// Whether any task has another priority than before.
    changed: bool,
}

/// Gives all tasks of a plate, those to come included, a priority: the one with the largest is run first.
#[utoipa::path(post, path = "/api/v1/plates/{id}/priority", tag = "plates",
    params(("id" = i64, Path, description = "The plate")), request_body = Option<PriorityRequest>,
    responses(
        (status = 200, description = "It has this priority", body = PriorityState),
        (status = 404, description = "No such plate", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn prioritise(
    State(app): State<App>,
    Id(plate): Id<PlateId>,
    Body(request): Body<PriorityRequest>,
) -> Result<Json<PriorityState>, Problem> {
    app.blocking(move |inner| {
        inner.store.plate(plate)?;
        let priority = request.priority;
        let changed = inner.control.prioritise(plate, i64::from(priority))?;
        Ok::<_, Problem>(Json(PriorityState { priority, changed }))
    })
    .await
}

/// Starts nothing more of a plate until it is resumed; what is running goes on.
#[utoipa::path(post, path = "/api/v1/plates/{id}/pause", tag = "plates",
    params(("id" = i64, Path, description = "The plate")), request_body = Option<PauseRequest>,
    responses(
        (status = 200, description = "It is paused", body = PauseState),
        (status = 404, description = "No such plate", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn pause(
    State(app): State<App>,
    Id(plate): Id<PlateId>,
    Body(request): Body<PauseRequest>,
) -> Result<Json<PauseState>, Problem> {
    app.blocking(move |inner| {
        let reason = reason(&request);
        let changed = inner.store.pause(Target::Plate(plate), USER, reason)?;
        Ok::<_, queue::Error>(Json(PauseState {
            paused: true,
            changed,
        }))
    })
    .await
}

/// Ends a person's pause of a plate.
#[utoipa::path(post, path = "/api/v1/plates/{id}/resume", tag = "plates",
    params(("id" = i64, Path, description = "The plate")),
    responses(
        (status = 200, description = "It is not paused", body = PauseState),
        (status = 404, description = "No such plate", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn resume(
    State(app): State<App>,
    Id(plate): Id<PlateId>,
) -> Result<Json<PauseState>, Problem> {
    app.blocking(move |inner| {
        inner.store.plate(plate)?;
        let changed = inner.store.resume(Target::Plate(plate), USER)?;
        Ok::<_, queue::Error>(Json(PauseState {
            paused: false,
            changed,
        }))
    })
    .await
}
