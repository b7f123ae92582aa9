//! Which path is answered by whom, and what every request passes on its way.

use std::any::Any;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

use crate::app::App;
use crate::problem::Problem;
use crate::security::{check_host, check_origin, check_token, harden};
use crate::{api, openapi, page};

/// How long a request may take until its answer begins.
const PATIENCE: Duration = Duration::from_secs(30);

/// All routes, with everything around them.
pub(crate) fn router(app: App) -> Router {
    let (documented, document) = openapi::documented();
    let max_body = app.options.max_body;
    // The first layer is the innermost one.
    documented
        .route("/api/openapi.json", get(async move || Json(document)))
        .route("/healthz", get(healthz))
        .merge(page::routes())
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(max_body))
        .layer(from_fn(hurry))
        .layer(from_fn(check_origin))
        .layer(from_fn_with_state(app.clone(), check_token))
        .layer(from_fn_with_state(app.clone(), check_host))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(app.clone(), finish_problem))
        .layer(from_fn(harden))
        .layer(CompressionLayer::new())
        .with_state(app)
}

async fn healthz(State(app): State<App>) -> Result<impl IntoResponse, Problem> {
    api::readiness(app).await
}

async fn not_found(request: Request) -> Problem {
    let path = request.uri().path();
    Problem::new(
        StatusCode::NOT_FOUND,
        "no_such_path",
        format!("there is nothing at {path}"),
    )
    .with_remedy("the API is described at /api/openapi.json, the pages start at /")
}

async fn method_not_allowed(method: Method) -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        format!("{method} is not possible here"),
    )
    .with_remedy("use a method that the `Allow` header names")
}

/// Gives up on answers that do not begin in time, for example because a disk hangs.
async fn hurry(request: Request, next: Next) -> Result<Response, Problem> {
    tokio::time::timeout(PATIENCE, next.run(request))
        .await
        .map_err(|_| {
            let detail = format!("there was no answer within {} s", PATIENCE.as_secs());
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too_slow", detail).with_remedy(
                "a change may have been recorded all the same: look before trying again, and check the state disk",
            )
        })
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the layer hands the panic over"
)]
fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let what = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("unknown");
    tracing::error!(panic = what, "a request handler panicked");
    Problem::internal("the daemon has a bug; the request was given up").into_response()
}

/// Adds the path to problems, logs those that are our fault, and makes pages of them for browsers.
async fn finish_problem(State(app): State<App>, request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let target = request
        .uri()
        .path_and_query()
        .map_or_else(|| path.clone(), ToString::to_string);
    let browses = !path.starts_with("/api/")
        && request
            .headers()
            .get(header::ACCEPT)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|accept| accept.contains("text/html"));
    let mut response = next.run(request).await;
    let Some(problem) = response.extensions_mut().remove::<Problem>() else {
        return response;
    };
    if problem.status.is_server_error() {
        tracing::warn!(%method, path, code = problem.code, detail = problem.detail, "request failed");
    }
    let problem = Problem {
        instance: Some(path),
        ..problem
    };
    let allow = response.headers().get(header::ALLOW).cloned();
    let mut finished = if browses {
        let target = (method == Method::GET).then_some(target);
        page::problem(&app, problem, target)
    } else {
        problem.into_json()
    };
    if let Some(allow) = allow {
        finished.headers_mut().insert(header::ALLOW, allow);
    }
    finished
}
