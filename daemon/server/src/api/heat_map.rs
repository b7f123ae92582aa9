//! A column of a plate's tables, well by well.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use queue::PlateId;
use serde::Deserialize;
use utoipa::IntoParams;
use viewer::{Ask, HeatMapForm, HeatMapSite};

use crate::app::{App, Inner};
use crate::extract::{Id, Params, bounded, empty_is_none};
use crate::problem::Problem;
use crate::published::{known, plate_table_of, respond};

/// What is shown.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct HeatMapQuery {
    /// A table of images or wells, for example `wells/default`.
    #[serde(deserialize_with = "bounded")]
    table: String,
    /// A column of it that holds numbers.
    #[serde(deserialize_with = "bounded")]
    column: String,
    /// Value of the first colour; the robust range (1st to 99th percentile) unless both ends are given.
    #[serde(default, deserialize_with = "empty_is_none")]
    low: Option<f64>,
    /// Value of the last colour.
    #[serde(default, deserialize_with = "empty_is_none")]
    high: Option<f64>,
    /// `json`, `svg` or `png`; `json` unless said.
    #[serde(default, deserialize_with = "empty_is_none")]
    #[param(value_type = Option<String>, pattern = "^(json|svg|png)$")]
    format: Option<HeatMapForm>,
}

/// The question that draws a column of a plate's table.
pub(crate) fn question(
    inner: &Inner,
    plate: &queue::PlateRow,
    (table, column): (String, String),
    range: Option<(f64, f64)>,
    form: HeatMapForm,
) -> queue::Result<Ask> {
    let size = |n: Option<u32>| n.and_then(|n| u16::try_from(n).ok());
    let sites = inner.store.sites(plate.id)?.into_iter().filter_map(|site| {
        Some(HeatMapSite {
            name: site.name,
            well: site.well?,
            failed: (site.has_failed && !site.has_container).then(|| "it failed".to_owned()),
        })
    });
    Ok(Ask::HeatMap {
        plate: plate.name.clone(),
        format: size(plate.rows).zip(size(plate.columns)),
        table,
        column,
        sites: sites.collect(),
        range,
        form,
    })
}

/// A heat map of a column: the value of each well, from a table of wells, or the median of its images without outliers.
#[utoipa::path(get, path = "/api/v1/plates/{id}/heatmap", tag = "tables",
    params(("id" = i64, Path, description = "The plate"), HeatMapQuery),
    responses(
        (status = 200, description = "JSON: `range` of the colours, `colors` (`viridis` or `diverging`), `values_are`, `notes`, and `wells` with `well`, `value` (null if there is none), `images` (with a value, outliers left out), `outlier` (why it is one)",
            content((Object = "application/json"), (String = "image/svg+xml"), (Vec<u8> = "image/png"))),
        (status = 304, description = "As the `If-None-Match` says"),
        (status = 400, description = "A parameter makes no sense", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such plate, table or column, or nothing published", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`low` and `high` are no range", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The file of plate tables is damaged", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "It cannot be read now", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn show(
    State(app): State<App>,
    Id(id): Id<PlateId>,
    headers: HeaderMap,
    Params(query): Params<HeatMapQuery>,
) -> Result<Response, Problem> {
    // One end alone is no range, which is told with whatever else does not fit the table.
    let low = query.low.filter(|low| low.is_finite());
    let high = query.high.filter(|high| high.is_finite());
    let range = match (low, high) {
        (Some(low), Some(high)) => Some((low, high)),
        (one, other) => one.or(other).map(|end| (end, end)),
    };
    let (path, ask) = app
        .blocking(move |inner| {
            let (plate, path) = plate_table_of(inner, id)?;
            let shown = (query.table, query.column);
            let ask = question(
                inner,
                &plate,
                shown,
                range,
                query.format.unwrap_or_default(),
            )?;
            Ok::<_, Problem>((path, ask))
        })
        .await?;
    let (tag, answer) = app.published(path, ask, known(&headers)).await?;
    Ok(respond(&tag, answer.as_deref(), false))
}
