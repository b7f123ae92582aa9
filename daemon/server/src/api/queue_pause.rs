//! Pausing everything.

use axum::Json;
use axum::extract::State;
use queue::Target;

use super::{PauseRequest, PauseState};
use crate::app::App;
use crate::extract::Body;
use crate::problem::Problem;

/// Who pauses over HTTP: a person. What the daemon paused by itself, it resumes by itself.
pub(crate) const USER: &str = queue::PERSON;

/// The reason that is recorded.
pub(super) fn reason(request: &PauseRequest) -> &str {
    match request.reason.as_deref().map(str::trim) {
        None | Some("") => "no reason given",
        Some(reason) => reason,
    }
}

/// Starts nothing more until it is resumed; what is running goes on.
#[utoipa::path(post, path = "/api/v1/queue/pause", tag = "queue", request_body = Option<PauseRequest>,
    responses((status = 200, description = "It is paused", body = PauseState)))]
pub(super) async fn pause(
    State(app): State<App>,
    Body(request): Body<PauseRequest>,
) -> Result<Json<PauseState>, Problem> {
    app.blocking(move |inner| {
        let changed = inner.store.pause(Target::All, USER, reason(&request))?;
        Ok::<_, queue::Error>(Json(PauseState {
            paused: true,
            changed,
        }))
    })
    .await
}

/// Ends a person's pause of everything.
#[utoipa::path(post, path = "/api/v1/queue/resume", tag = "queue",
    responses((status = 200, description = "It is not paused by a person", body = PauseState)))]
pub(super) async fn resume(State(app): State<App>) -> Result<Json<PauseState>, Problem> {
    app.blocking(move |inner| {
        let changed = inner.store.resume(Target::All, USER)?;
        Ok::<_, queue::Error>(Json(PauseState {
            paused: false,
            changed,
        }))
    })
    .await
}
