//! Answers out of published containers, with the caching that browsers understand.

use std::path::PathBuf;
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use queue::{PlateId, PlateRow, SubjectId, SubjectKind, SubjectRow, SubjectSummary};
use viewer::{Answer, Ask, ErrorClass, Identity, Question};

use crate::app::{App, Inner};
use crate::problem::Problem;

impl From<viewer::Error> for Problem {
    fn from(error: viewer::Error) -> Self {
        let (status, code) = match error.class() {
            ErrorClass::Missing => (StatusCode::NOT_FOUND, "not_published"),
            ErrorClass::Unsuitable => (StatusCode::UNPROCESSABLE_ENTITY, "unsuitable"),
            ErrorClass::Damaged => (StatusCode::CONFLICT, "container_damaged"),
            ErrorClass::Later => (StatusCode::SERVICE_UNAVAILABLE, "not_readable_now"),
        };
        Self::new(status, code, error.to_string()).with_remedy(error.remedy())
    }
}

/// An image set; another kind of subject is none.
pub(crate) fn image_set(inner: &Inner, id: SubjectId) -> Result<SubjectSummary, Problem> {
    let summary = inner.store.subject(id)?;
    match summary.subject.kind {
        SubjectKind::ImageSet => Ok(summary),
        _ => Err(Problem::not_found("image set", id)),
    }
}

/// An image set, and its published container.
pub(crate) fn container_of(inner: &Inner, id: SubjectId) -> Result<(SubjectRow, PathBuf), Problem> {
    let subject = image_set(inner, id)?.subject;
    match subject.container.clone() {
        Some(path) => Ok((subject, path)),
        None => Err(Problem::new(
            StatusCode::NOT_FOUND,
            "not_published",
            format!("nothing is published of image set {} yet", subject.name),
        )
        .with_remedy(
            "wait until its first pass has ended, or look why it failed: its tasks say it",
        )),
    }
}

/// A plate, and the file of its tables, as the jobs name it.
pub(crate) fn plate_table_of(inner: &Inner, id: PlateId) -> Result<(PlateRow, PathBuf), Problem> {
    let plate = inner.store.plate(id)?.plate;
    let name = plate.output.file_name().unwrap_or_default();
    let mut file = name.to_owned();
    file.push("_table.hdf5");
    let path = plate.output.join(file);
    Ok((plate, path))
}

impl App {
    /// Asks about a container as it is now. `None` if the client knows the answer already, told by its tag.
    pub(crate) async fn published(
        &self,
        path: PathBuf,
        ask: Ask,
        known: Option<&str>,
    ) -> Result<(String, Option<Arc<Answer>>), Problem> {
        let question = Question { path, ask };
        let looked = question.path.clone();
        let identity = self.blocking(move |_| Identity::of(&looked)).await?;
        let tag = format!("\"{}\"", identity.tag(&question));
        if known.is_some_and(|known| known.contains(&tag)) {
            return Ok((tag, None));
        }
        let answer = self.viewer.ask(question, identity).await?;
        Ok((tag, Some(answer)))
    }
}

/// What a request says about what it knows.
pub(crate) fn known(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::IF_NONE_MATCH)?.to_str().ok()
}

/// The answer with its tag, or that nothing changed. `is_versioned`: the address changes when the content does, so that it need
/// never be asked for again.
pub(crate) fn respond(tag: &str, answer: Option<&Answer>, is_versioned: bool) -> Response {
    let caching = if is_versioned {
        "private, max-age=86400, immutable"
    } else {
        "private, no-cache"
    };
    let headers = [
        (header::ETAG, tag.to_owned()),
        (header::CACHE_CONTROL, caching.to_owned()),
    ];
    let Some(answer) = answer else {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    };
    let kind = HeaderValue::from_str(&answer.kind)
        .unwrap_or(HeaderValue::from_static("application/octet-stream"));
    (
        headers,
        [(header::CONTENT_TYPE, kind)],
        answer.bytes.clone(),
    )
        .into_response()
}
