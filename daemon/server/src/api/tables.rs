//! Tables: of image sets (objects) and of plates (images, wells).

use std::path::PathBuf;

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use queue::{PlateId, SubjectId};
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;
use viewer::{Ask, TableFormat};

use crate::app::App;
use crate::extract::{Id, Params, empty_is_none, short};
use crate::percent::{decode_text, encode};
use crate::problem::Problem;
use crate::published::{container_of, known, plate_table_of, respond};

/// Rows of a page of JSON unless the request says otherwise.
const ROWS: u32 = 1000;

/// Most rows of a page of JSON.
const MOST_ROWS: u32 = 100_000;

/// Which part of a table, and how.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct TableQuery {
    /// Only these columns, in this order, separated by commas. In a name `%` and `,` are escaped once more: `%25`, `%2C`.
    #[serde(default, deserialize_with = "short")]
    columns: Option<String>,
    /// Sorted by this column; with `-` before it the largest first.
    #[serde(default, deserialize_with = "short")]
    sort: Option<String>,
    /// The `next` of the part before: rows that are passed over.
    #[serde(default, deserialize_with = "empty_is_none")]
    after: Option<u32>,
    /// Most rows. JSON: at most 100000, 1000 unless said; files: all unless said.
    #[serde(default, deserialize_with = "empty_is_none")]
    limit: Option<u32>,
    /// `json`, `csv`, `tsv`, `xlsx` or `parquet`; `json` unless said.
    #[serde(default, deserialize_with = "empty_is_none")]
    #[param(value_type = Option<String>, pattern = "^(json|csv|tsv|xlsx|parquet)$")]
    format: Option<TableFormat>,
}

impl TableQuery {
    fn ask(&self, name: String) -> Ask {
        let format = self.format.unwrap_or_default();
        let sort = self.sort.as_deref().filter(|sort| !sort.is_empty());
        Ask::Table {
            name,
            columns: self
                .columns
                .as_deref()
                .unwrap_or_default()
                .split(',')
                .filter(|column| !column.is_empty())
                .map(decode_text)
                .collect(),
            descending: sort.is_some_and(|sort| sort.starts_with('-')),
            sort: sort.map(|sort| sort.strip_prefix('-').unwrap_or(sort).to_owned()),
            from: self.after.unwrap_or(0) as usize,
            limit: match format {
                TableFormat::Json => self.limit.unwrap_or(ROWS).min(MOST_ROWS) as usize,
                _ => self.limit.map_or(usize::MAX, |limit| limit as usize),
            },
            format,
        }
    }
}

/// A table by its name.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct Named {
    /// The plate or image set.
    id: i64,
    /// Name of the table, its `/` written `%2F`, for example `wells%2Fdefault`.
    name: String,
}

/// Rows of a table of an image set: its objects. As JSON `{columns, rows, total, from, next}`, or as a file; what is not a number is null
/// in JSON and empty in files. Where a file has not all rows, the header `Link` names the next part.
#[utoipa::path(get, path = "/api/v1/image-sets/{id}/tables/{name}", tag = "tables", params(Named, TableQuery),
    responses(
        (status = 200, description = "The rows", content(
            (Object = "application/json"), (String = "text/csv"), (String = "text/tab-separated-values"),
            (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
            (Vec<u8> = "application/vnd.apache.parquet"),
        )),
        (status = 304, description = "As the `If-None-Match` says"),
        (status = 400, description = "A parameter makes no sense", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such image set, table or column, or nothing published", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The container is damaged", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "It cannot be read now", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn of_image_set(
    State(app): State<App>,
    Id(Named { id, name }): Id<Named>,
    headers: HeaderMap,
    RawQuery(text): RawQuery,
    Params(query): Params<TableQuery>,
) -> Result<Response, Problem> {
    let (subject, path) = app
        .blocking(move |inner| container_of(inner, SubjectId(id)))
        .await?;
    table(&app, path, (&subject.name, name), &query, text, &headers).await
}

/// Rows of a plate table, for example `images/default` or `wells/default`; the forms are those of image sets' tables.
#[utoipa::path(get, path = "/api/v1/plates/{id}/tables/{name}", tag = "tables", params(Named, TableQuery),
    responses(
        (status = 200, description = "The rows", content(
            (Object = "application/json"), (String = "text/csv"), (String = "text/tab-separated-values"),
            (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
            (Vec<u8> = "application/vnd.apache.parquet"),
        )),
        (status = 304, description = "As the `If-None-Match` says"),
        (status = 400, description = "A parameter makes no sense", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such plate, table or column, or nothing published", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The file of plate tables is damaged", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "It cannot be read now", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn of_plate(
    State(app): State<App>,
    Id(Named { id, name }): Id<Named>,
    headers: HeaderMap,
    RawQuery(text): RawQuery,
    Params(query): Params<TableQuery>,
) -> Result<Response, Problem> {
    let (plate, path) = app
        .blocking(move |inner| plate_table_of(inner, PlateId(id)))
        .await?;
    table(&app, path, (&plate.name, name), &query, text, &headers).await
}

/// The tables of a plate: `tables` with their names. Empty before the first one is published.
#[utoipa::path(get, path = "/api/v1/plates/{id}/tables", tag = "tables",
    params(("id" = i64, Path, description = "The plate")),
    responses(
        (status = 200, description = "`tables`: their names", body = Object),
        (status = 304, description = "As the `If-None-Match` says"),
        (status = 404, description = "No such plate, or nothing published", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The file of plate tables is damaged", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "It cannot be read now", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn list(
    State(app): State<App>,
    Id(id): Id<PlateId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (_, path) = app.blocking(move |inner| plate_table_of(inner, id)).await?;
    let (tag, answer) = app.published(path, Ask::Contents, known(&headers)).await?;
    Ok(respond(&tag, answer.as_deref(), false))
}

async fn table(
    app: &App,
    path: PathBuf,
    (of, name): (&str, String),
    query: &TableQuery,
    text: Option<String>,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let format = query.format.unwrap_or_default();
    let stem = format!("{of}_{}", name.replace('/', "_"));
    let (tag, answer) = app.published(path, query.ask(name), known(headers)).await?;
    let mut response = respond(&tag, answer.as_deref(), false);
    let Some(answer) = answer.filter(|_| format != TableFormat::Json) else {
        return Ok(response);
    };
    let stem: String = stem
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "-_.".contains(c) {
                c
            } else {
                '_'
            }
        })
        .collect();
    let file = format!("attachment; filename=\"{stem}.{}\"", format.word());
    let mut set = |name, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    };
    set(header::CONTENT_DISPOSITION, file);
    if let Some(next) = answer.meta.get("next").and_then(Value::as_u64) {
        let text = text.unwrap_or_default();
        let others: Vec<&str> = text
            .split('&')
            .filter(|pair| !pair.starts_with("after=") && !pair.is_empty())
            .collect();
        set(
            header::LINK,
            format!(
                "<?{}&after={}>; rel=\"next\"",
                others.join("&"),
                encode(next.to_string().as_bytes())
            ),
        );
    }
    Ok(response)
}
