//! Files: what became of them.

use std::path::PathBuf;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use queue::{FileFilter, FileRow, FileState, RootId, SubjectId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::cursor;
use crate::app::App;
use crate::extract::{Params, empty_is_none};
use crate::problem::Problem;
use crate::view::{FileStateWord, Page};

/// A file under a root.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = File)]
pub(crate) struct FileView {
    /// Identifier.
    pub id: i64,
    /// The watched folder.
    pub root: i64,
    /// Path below the root.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// What became of it.
    #[schema(value_type = FileStateWord)]
    pub state: FileState,
    /// Why it is in this state.
    pub reason: Option<String>,
    /// What a person can do about it.
    pub remedy: Option<String>,
    /// The subject that it is a plane of.
    pub subject: Option<i64>,
    /// What its name or header said.
    pub parsed: Value,
    /// Counts the contents that the path has had; the first is 1.
    pub revision: i64,
    /// When it was first recorded.
    #[schema(value_type = String, format = DateTime)]
    pub first_seen: Timestamp,
    /// When it was last recorded.
    #[schema(value_type = String, format = DateTime)]
    pub seen_at: Timestamp,
}

impl From<FileRow> for FileView {
    fn from(row: FileRow) -> Self {
        Self {
            id: row.id.0,
            root: row.root.0,
            path: row.path.to_string_lossy().into_owned(),
            size: row.size,
            state: row.state,
            reason: row.reason,
            remedy: row.remedy,
            subject: row.subject.map(|id| id.0),
            parsed: row.parsed,
            revision: row.revision,
            first_seen: row.first_seen,
            seen_at: row.seen_at,
        }
    }
}

/// Which files.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct FileQuery {
    /// Only of this root.
    #[serde(default, deserialize_with = "empty_is_none")]
    #[param(value_type = Option<i64>)]
    root: Option<RootId>,
    /// Only in this state.
    #[serde(default, deserialize_with = "empty_is_none")]
    #[param(value_type = Option<FileStateWord>)]
    state: Option<FileState>,
    /// Only planes of this subject.
    #[serde(default, deserialize_with = "empty_is_none")]
    #[param(value_type = Option<i64>)]
    subject: Option<SubjectId>,
    /// Only where the path or the reason contains this text.
    #[serde(default, deserialize_with = "empty_is_none")]
    q: Option<String>,
    /// The `next` of the part before.
    #[serde(default, deserialize_with = "empty_is_none")]
    after: Option<i64>,
    /// Most rows, at most 1000; 100 unless said.
    #[serde(default, deserialize_with = "empty_is_none")]
    limit: Option<u32>,
}

/// Files in the order in which they were first seen.
#[utoipa::path(get, path = "/api/v1/files", tag = "files", params(FileQuery),
    responses((status = 200, description = "Files", body = Page<FileView>)))]
pub(super) async fn list(
    State(app): State<App>,
    Params(query): Params<FileQuery>,
) -> Result<Json<Page<FileView>>, Problem> {
    let filter = FileFilter {
        root: query.root,
        state: query.state,
        subject: query.subject,
        q: query.q,
    };
    let cursor = cursor(query.after, query.limit);
    app.blocking(move |inner| {
        let page = inner.store.files(&filter, cursor)?;
        Ok::<_, queue::Error>(Json(Page::of(page, Into::into)))
    })
    .await
}

/// Which path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PathQuery {
    /// Absolute path of a file below a watched folder.
    path: String,
}

/// What is known about a path: settling, registered, ignored, and why.
#[utoipa::path(get, path = "/api/v1/files/explain", tag = "files", params(PathQuery),
    responses(
        (status = 200, description = "What is known", body = Object),
        (status = 404, description = "Not below a watched folder", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn explain(
    State(app): State<App>,
    Params(PathQuery { path }): Params<PathQuery>,
) -> Result<Json<Value>, Problem> {
    app.blocking(move |inner| {
        let path = PathBuf::from(path);
        inner.control.explain_path(&path).map(Json).ok_or_else(|| {
            Problem::not_found("watched folder that has", path.display()).with_remedy(
                "give an absolute path below one of the roots (`wellspring roots list`)",
            )
        })
    })
    .await
}
