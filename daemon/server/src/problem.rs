//! Errors as they leave the server: RFC 9457 problem details, with a code for programs and a remedy for people.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use queue::FailureClass;
use serde::{Serialize, Serializer};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// What went wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The status of the answer.
    pub status: StatusCode,
    /// A stable word for programs.
    pub code: &'static str,
    /// What is wrong.
    pub detail: String,
    /// The path of the request; filled in when the answer leaves.
    pub instance: Option<String>,
    /// What to do about it.
    pub remedy: Option<String>,
}

/// What went wrong with a request (RFC 9457, `application/problem+json`).
#[derive(Serialize, ToSchema)]
struct Document<'p> {
    /// Identifies the kind of problem: `urn:wellspring:problem:` and the code.
    #[serde(rename = "type")]
    kind: String,
    /// The status in words.
    title: &'static str,
    /// The status.
    status: u16,
    /// What is wrong.
    detail: &'p str,
    /// The path of the request.
    instance: Option<&'p str>,
    /// A stable word for programs.
    code: &'static str,
    /// What to do about it.
    remedy: Option<&'p str>,
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let document = Document {
            kind: format!("urn:wellspring:problem:{}", self.code),
            title: self.title(),
            status: self.status.as_u16(),
            detail: &self.detail,
            instance: self.instance.as_deref(),
            code: self.code,
            remedy: self.remedy.as_deref(),
        };
        document.serialize(serializer)
    }
}

impl PartialSchema for Problem {
    fn schema() -> RefOr<Schema> {
        Document::schema()
    }
}

impl ToSchema for Problem {}

impl Problem {
    /// A problem with this status, code and explanation.
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            instance: None,
            remedy: None,
        }
    }

    /// The status in words.
    #[must_use]
    pub fn title(&self) -> &'static str {
        self.status.canonical_reason().unwrap_or("Error")
    }

    /// Adds what a person can do.
    #[must_use]
    pub fn with_remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Something that does not exist (404).
    #[must_use]
    pub fn not_found(what: &str, id: impl std::fmt::Display) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            format!("there is no {what} {id}"),
        )
    }

    /// The daemon is at fault (500).
    #[must_use]
    pub fn internal(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
            .with_remedy("look at the daemon's log, and report it if it happens again")
    }

    /// The request does not make sense (400).
    #[must_use]
    pub fn bad_request(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// It cannot be done to something in this state (409).
    #[must_use]
    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// It may work later (503).
    #[must_use]
    pub fn unavailable(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail)
    }

    /// The problem as JSON, without letting others dress it up.
    pub(crate) fn into_json(self) -> Response {
        let status = self.status;
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let json = HeaderValue::from_static("application/problem+json");
        let mut response = (status, [(header::CONTENT_TYPE, json)], body).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer realm=\"wellspring\"");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for Problem {}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        // The problem travels along, so that the outermost layer can add the path, or make a page of it.
        let mut response = self.clone().into_json();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<queue::Error> for Problem {
    fn from(error: queue::Error) -> Self {
        let status = match &error {
            queue::Error::NotFound { .. } => StatusCode::NOT_FOUND,
            queue::Error::Running { .. } => StatusCode::CONFLICT,
            _ => match error.class() {
                FailureClass::Transient | FailureClass::Environment => {
                    StatusCode::SERVICE_UNAVAILABLE
                }
                FailureClass::Permanent => StatusCode::INTERNAL_SERVER_ERROR,
            },
        };
        Self {
            remedy: error.remedy(),
            ..Self::new(status, error.code(), error.to_string())
        }
    }
}

impl From<queue::UnknownName> for Problem {
    fn from(error: queue::UnknownName) -> Self {
        let remedy = format!("use one of: {}", error.known.join(", "));
        Self::bad_request("unknown_word", error.to_string()).with_remedy(remedy)
    }
}
