//! Whether the process lives, and whether it can do its work.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use crate::app::{App, Inner};
use crate::control::Check;
use crate::problem::Problem;
use crate::view::Readiness;

/// Whether the process answers at all. Needs no token.
#[utoipa::path(get, path = "/livez", tag = "health",
    responses((status = 200, description = "It does", body = String, content_type = "text/plain")))]
pub(super) async fn livez() -> &'static str {
    "ok\n"
}

/// Whether the daemon can do its work, check by check. `/healthz` is the same.
#[utoipa::path(get, path = "/readyz", tag = "health",
    responses(
        (status = 200, description = "It can", body = Readiness),
        (status = 503, description = "It cannot; the checks say why", body = Readiness),
    ))]
pub(super) async fn readyz(
    State(app): State<App>,
) -> Result<(StatusCode, Json<Readiness>), Problem> {
    readiness(app).await
}

/// The answer to `/readyz` and `/healthz`.
pub(crate) async fn readiness(app: App) -> Result<(StatusCode, Json<Readiness>), Problem> {
    let checks = app
        .blocking(|inner| Ok::<_, Problem>(checks(inner)))
        .await?;
    let (code, status) = if checks.iter().all(|check| check.ok) {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not_ready")
    };
    Ok((code, Json(Readiness { status, checks })))
}

fn checks(inner: &Inner) -> Vec<Check> {
    let queue = match inner.store.setting("") {
        Ok(_) => Check {
            name: "queue".to_owned(),
            ok: true,
            detail: inner.store.path().display().to_string(),
            remedy: None,
        },
        Err(error) => Check {
            name: "queue".to_owned(),
            ok: false,
            detail: error.to_string(),
            remedy: error.remedy(),
        },
    };
    let mut checks = vec![queue];
    checks.extend(inner.control.readiness());
    checks
}
