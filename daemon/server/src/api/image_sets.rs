//! Image sets of a plate.

use axum::Json;
use axum::extract::State;
use queue::{PlateId, SubjectFilter, SubjectId, SubjectKind, SubjectState};
use serde::Deserialize;
use utoipa::IntoParams;

use super::cursor;
use crate::app::App;
use crate::extract::{Id, Params, empty_is_none};
use crate::problem::Problem;
use crate::published::image_set;
use crate::view::{Page, SubjectStateWord, SubjectView};

/// Which image sets.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ImageSetQuery {
    /// Only of this well.
    #[serde(default, deserialize_with = "empty_is_none")]
    well: Option<String>,
    /// Only in this state.
    #[serde(default, deserialize_with = "empty_is_none")]
    #[param(value_type = Option<SubjectStateWord>)]
    state: Option<SubjectState>,
    /// The `next` of the part before.
    #[serde(default, deserialize_with = "empty_is_none")]
    after: Option<i64>,
    /// Most rows, at most 1000; 100 unless said.
    #[serde(default, deserialize_with = "empty_is_none")]
    limit: Option<u32>,
}

/// Image sets of a plate in the order in which they came.
#[utoipa::path(get, path = "/api/v1/plates/{id}/image-sets", tag = "plates",
    params(("id" = i64, Path, description = "The plate"), ImageSetQuery),
    responses(
        (status = 200, description = "Image sets", body = Page<SubjectView>),
        (status = 404, description = "No such plate", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn list(
    State(app): State<App>,
    Id(plate): Id<PlateId>,
    Params(query): Params<ImageSetQuery>,
) -> Result<Json<Page<SubjectView>>, Problem> {
    let filter = SubjectFilter {
        kind: Some(SubjectKind::ImageSet),
        well: query.well.map(canonical),
        state: query.state,
    };
    let cursor = cursor(query.after, query.limit);
    app.blocking(move |inner| {
        inner.store.plate(plate)?;
        let page = inner.store.subjects(plate, &filter, cursor)?;
        Ok::<_, queue::Error>(Json(Page::of(page, Into::into)))
    })
    .await
}

/// One image set.
#[utoipa::path(get, path = "/api/v1/image-sets/{id}", tag = "plates",
    params(("id" = i64, Path, description = "The image set")),
    responses(
        (status = 200, description = "The image set", body = SubjectView),
        (status = 404, description = "No such image set", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn show(
    State(app): State<App>,
    Id(id): Id<SubjectId>,
) -> Result<Json<SubjectView>, Problem> {
    app.blocking(move |inner| image_set(inner, id))
        .await
        .map(|summary| Json(summary.into()))
}

/// `a1` is `A01`. What is no well name is left as it is, and finds nothing.
fn canonical(well: String) -> String {
    match well.parse::<plate::WellName>() {
        Ok(name) => name.to_string(),
        Err(_) => well,
    }
}
