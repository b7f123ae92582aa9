//! The API under `/api/v1`, and what machines ask beside it.
#![allow(
    unused_qualifications,
    reason = "`utoipa::path` writes the parameters' types with a path"
)]

mod events;
mod files;
mod health;
mod heat_map;
mod image_sets;
mod metrics;
mod pictures;
mod plates;
mod queue_pause;
mod requeue;
mod roots;
mod status;
mod tables;
mod tasks;
mod workflows;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

pub(crate) use events::Feed;
pub(crate) use health::readiness;
pub(crate) use heat_map::question as heat_map_question;
pub(crate) use queue_pause::USER;
pub(crate) use requeue::{cancel_task, check_job, requeue, requeue_task};
pub(crate) use tasks::{TaskQuery, explained, log_of};

/// Rows of a page unless the request says otherwise.
const LIMIT: u32 = 100;

/// Most rows of a page.
const MOST: u32 = 1000;

/// The documented routes.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(health::livez))
        .routes(routes!(health::readyz))
        .routes(routes!(metrics::serve))
        .routes(routes!(status::status))
        .routes(routes!(roots::list))
        .routes(routes!(roots::rescan))
        .routes(routes!(files::list))
        .routes(routes!(files::explain))
        .routes(routes!(plates::list))
        .routes(routes!(plates::show))
        .routes(routes!(plates::wells))
        .routes(routes!(image_sets::list))
        .routes(routes!(image_sets::show))
        .routes(routes!(pictures::contents))
        .routes(routes!(pictures::preview))
        .routes(routes!(pictures::tile))
        .routes(routes!(pictures::labels))
        .routes(routes!(tables::of_image_set))
        .routes(routes!(tables::list))
        .routes(routes!(tables::of_plate))
        .routes(routes!(heat_map::show))
        .routes(routes!(plates::finalize))
        .routes(routes!(plates::prioritise))
        .routes(routes!(plates::status_files))
        .routes(routes!(plates::pause))
        .routes(routes!(plates::resume))
        .routes(routes!(requeue::plate))
        .routes(routes!(tasks::list))
        .routes(routes!(requeue::many))
        .routes(routes!(tasks::show))
        .routes(routes!(tasks::attempts))
        .routes(routes!(tasks::log))
        .routes(routes!(tasks::explain))
        .routes(routes!(requeue::task))
        .routes(routes!(requeue::cancel))
        .routes(routes!(workflows::list))
        .routes(routes!(workflows::show))
        .routes(routes!(queue_pause::pause))
        .routes(routes!(queue_pause::resume))
        .routes(routes!(events::events))
}

/// Which part of a list.
fn cursor(after: Option<i64>, limit: Option<u32>) -> queue::Cursor {
    queue::Cursor {
        after: after.unwrap_or(0).max(0),
        limit: limit.unwrap_or(LIMIT).clamp(1, MOST),
    }
}

/// Why something is paused.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PauseRequest {
    /// Shown to everybody who wonders.
    #[serde(default, deserialize_with = "crate::extract::short")]
    pub reason: Option<String>,
}

/// Whether something is paused now.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct PauseState {
    /// Whether it is paused by a person now.
    pub paused: bool,
    /// Whether it was not before.
    pub changed: bool,
}
