//! Watched folders.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use queue::RootId;

use crate::app::App;
use crate::extract::Id;
use crate::problem::Problem;
use crate::view::{Page, RootView};

/// Watched folders.
#[utoipa::path(get, path = "/api/v1/roots", tag = "roots",
    responses((status = 200, description = "The folders, all of them", body = Page<RootView>)))]
pub(super) async fn list(State(app): State<App>) -> Result<Json<Page<RootView>>, Problem> {
    app.blocking(|inner| {
        let view = |root: queue::RootRow| RootView::new(root, &*inner.control);
        let items = inner.store.roots()?.into_iter().map(view).collect();
        Ok::<_, queue::Error>(Json(Page { items, next: None }))
    })
    .await
}

/// Lists a folder again, now.
#[utoipa::path(post, path = "/api/v1/roots/{id}/rescan", tag = "roots",
    params(("id" = i64, Path, description = "The root")),
    responses(
        (status = 202, description = "The scan was asked for"),
        (status = 404, description = "No such root", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn rescan(
    State(app): State<App>,
    Id(root): Id<RootId>,
) -> Result<StatusCode, Problem> {
    app.blocking(move |inner| inner.control.rescan(root))
        .await?;
    Ok(StatusCode::ACCEPTED)
}
