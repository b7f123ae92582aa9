//! The web pages: rendered here, complete without any script. The script only fetches a page again when something
//! happened, and puts the new parts in place of the old.

mod actions;
mod assets;
mod failure;
mod grid;
mod layout;
mod login;
mod overview;
mod plate;
mod problem;
mod progress;
mod show;
mod site;
mod task;
mod tasks;
mod tone;
mod workflow;
mod workflow_list;

use askama::Template;
use axum::Router;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};

use crate::app::App;
use crate::problem::Problem;

pub(crate) use problem::problem;

/// The pages, what they are made of, and where their forms go.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/", get(overview::page))
        .route("/plates/{id}", get(plate::page))
        .route("/plates/{plate}/sites/{subject}", get(site::page))
        .route("/tasks", get(tasks::page))
        .route("/tasks/{id}", get(task::page))
        .route("/workflows", get(workflow_list::page))
        .route("/workflows/{name}", get(workflow::page))
        .route("/login", get(login::page).post(login::log_in))
        .route("/logout", post(login::log_out))
        .route(
            "/plates/{id}/recompute",
            get(plate::recompute::page).post(plate::recompute::run),
        )
        .route("/plates/{id}/requeue", post(actions::requeue_plate))
        .route("/plates/{id}/finalize", post(actions::finalize))
        .route("/plates/{id}/pause", post(actions::pause_plate))
        .route("/plates/{id}/resume", post(actions::resume_plate))
        .route("/tasks/requeue", post(actions::requeue_tasks))
        .route("/tasks/{id}/requeue", post(actions::requeue_task))
        .route("/tasks/{id}/cancel", post(actions::cancel_task))
        .route("/roots/{id}/rescan", post(actions::rescan))
        .route("/queue/pause", post(actions::pause))
        .route("/queue/resume", post(actions::resume))
        .route("/assets/{name}", get(assets::serve))
}

fn render(template: &impl Template) -> Result<Response, Problem> {
    match template.render() {
        Ok(text) => Ok(Html(text).into_response()),
        Err(error) => Err(Problem::internal(format!(
            "a page cannot be rendered: {error}"
        ))),
    }
}
