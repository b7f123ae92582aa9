//! Files: what became of them.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use axum::Json;
use axum::extract::{RawQuery, State};
use queue::{FileFilter, FileRow, FileState, RootId, SubjectId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::cursor;
use crate::app::App;
use crate::extract::{Params, empty_is_none};
use crate::percent;
use crate::problem::Problem;
use crate::view::{FileStateWord, Moment, Page};

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
    /// The path percent-encoded, where it is not UTF-8: appended to the root's path it is what `/files/explain` takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_encoded: Option<String>,
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
    pub first_seen: Moment,
    /// When it was last recorded.
    #[schema(value_type = String, format = DateTime)]
    pub seen_at: Moment,
    /// When it was found to be gone; null while it is there. Its results stay.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub vanished_at: Option<Moment>,
}

impl From<FileRow> for FileView {
    fn from(row: FileRow) -> Self {
        Self {
            id: row.id.0,
            root: row.root.0,
            path: row.path.to_string_lossy().into_owned(),
            path_encoded: (row.path.to_str().is_none())
                .then(|| percent::encode(row.path.as_os_str().as_bytes())),
            size: row.size,
            state: row.state,
            reason: row.reason,
            remedy: row.remedy,
            subject: row.subject.map(|id| id.0),
            parsed: row.parsed,
            revision: row.revision,
            first_seen: row.first_seen.into(),
            seen_at: row.seen_at.into(),
            vanished_at: row.vanished_at.map(Moment::from),
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
    /// Only those that are gone (true), or only those that are there (false).
    #[serde(default, deserialize_with = "empty_is_none")]
    vanished: Option<bool>,
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
        vanished: query.vanished,
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
    /// Absolute path of a file below a watched folder; its bytes need not be UTF-8.
    #[allow(
        dead_code,
        reason = "read from the query itself, as text has no place for all bytes"
    )]
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
    Params(PathQuery { .. }): Params<PathQuery>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let bytes = percent::parameter(&query.unwrap_or_default(), "path").unwrap_or_default();
    let path = PathBuf::from(OsString::from_vec(bytes));
    app.blocking(move |inner| {
        inner.control.explain_path(&path).map(Json).ok_or_else(|| {
            Problem::not_found("watched folder that has", path.display()).with_remedy(
                "give an absolute path below one of the roots (`wellspring roots list`)",
            )
        })
    })
    .await
}
