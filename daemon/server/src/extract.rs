//! axum's extractors, with rejections that are problems.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use serde_json::Value;

use crate::problem::Problem;

/// Longest text that is searched for or kept; SQLite refuses patterns of more than 50 000 bytes.
const LONGEST_TEXT: usize = 4096;

/// A segment of the path that is an id.
pub(crate) struct Id<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Id<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(id)) => Ok(Self(id)),
            Err(rejection) => Err(Problem::bad_request("invalid_path", rejection.body_text())
                .with_remedy("an id is a whole number, as the lists give it")),
        }
    }
}

/// The query string.
pub(crate) struct Params<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Query::from_request_parts(parts, state).await {
            Ok(Query(params)) => Ok(Self(params)),
            Err(rejection) => Err(query_problem(rejection.body_text())),
        }
    }
}

fn query_problem(detail: String) -> Problem {
    Problem::bad_request("invalid_query", detail)
        .with_remedy("see /api/openapi.json for the parameters")
}

/// A query string, or a part of one.
pub(crate) fn parse_query<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    let uri = format!("/?{text}")
        .parse()
        .map_err(|error: axum::http::uri::InvalidUri| {
            query_problem(format!("not a query: {error}"))
        })?;
    match Query::try_from_uri(&uri) {
        Ok(Query(params)) => Ok(params),
        Err(rejection) => Err(query_problem(rejection.body_text())),
    }
}

/// A JSON object as the body; nothing at all, or null, stands for the default. A list is refused: serde would take its items for
/// the fields in their order, and `[null]` for a wish without conditions.
pub(crate) struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let is_json = is_json(request.headers());
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|rejection| body_problem(rejection.status(), rejection.body_text()))?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        if !is_json {
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(body_problem(
                status,
                "the body is not declared as JSON".to_owned(),
            ));
        }
        let refused =
            |rejection: JsonRejection| body_problem(rejection.status(), rejection.body_text());
        let Json(value) = Json::<Value>::from_bytes(&bytes).map_err(refused)?;
        match value {
            Value::Null => Ok(Self(T::default())),
            // Read once more, as only that tells where in the body a fault is.
            Value::Object(_) => Json::from_bytes(&bytes)
                .map(|Json(body)| Self(body))
                .map_err(refused),
            _ => Err(body_problem(
                StatusCode::UNPROCESSABLE_ENTITY,
                "the body is no JSON object".to_owned(),
            )),
        }
    }
}

/// For `#[serde(deserialize_with)]`: an object, and nothing that could be mistaken for one.
pub(crate) fn object<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let map = serde_json::Map::deserialize(deserializer)?;
    T::deserialize(Value::Object(map)).map_err(serde::de::Error::custom)
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE);
    value
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| {
            let essence = value.split(';').next().unwrap_or_default().trim();
            essence.eq_ignore_ascii_case("application/json")
        })
}

/// The body of a form.
pub(crate) struct Form<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Form<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match axum::Form::from_request(request, state).await {
            Ok(axum::Form(form)) => Ok(Self(form)),
            Err(rejection) => Err(body_problem(rejection.status(), rejection.body_text())),
        }
    }
}

fn body_problem(status: StatusCode, detail: String) -> Problem {
    let (code, remedy) = match status {
        StatusCode::UNSUPPORTED_MEDIA_TYPE => (
            "unsupported_media_type",
            "send the header `Content-Type: application/json` (a form: `application/x-www-form-urlencoded`)",
        ),
        StatusCode::PAYLOAD_TOO_LARGE => (
            "body_too_large",
            "send less, or raise `max_body` in `[server]`",
        ),
        StatusCode::UNPROCESSABLE_ENTITY => {
            ("invalid_body", "see /api/openapi.json for the fields")
        }
        _ => ("invalid_json", "send one JSON object"),
    };
    Problem::new(status, code, detail).with_remedy(remedy)
}

/// For `#[serde(deserialize_with)]`: an empty text is none, as forms send every field.
pub(crate) fn empty_is_none<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    match Option::<String>::deserialize(deserializer)?.as_deref() {
        None | Some("") => Ok(None),
        Some(text) if text.len() > LONGEST_TEXT => Err(too_long()),
        Some(text) => text.parse().map(Some).map_err(serde::de::Error::custom),
    }
}

/// For `#[serde(deserialize_with)]`: a text that is no longer than a name or a phrase.
pub(crate) fn short<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    match Option::<String>::deserialize(deserializer)? {
        Some(text) if text.len() > LONGEST_TEXT => Err(too_long()),
        text => Ok(text),
    }
}

fn too_long<E: serde::de::Error>() -> E {
    E::custom(format_args!("a text is longer than {LONGEST_TEXT} bytes"))
}

/// For `#[serde(deserialize_with)]`: a name; an empty one is none.
pub(crate) fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(short(deserializer)?.filter(|name| !name.is_empty()))
}

/// For `#[serde(deserialize_with)]`: the same for a text that must be there.
pub(crate) fn bounded<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.len() > LONGEST_TEXT {
        return Err(too_long());
    }
    Ok(text)
}

/// For `#[serde(deserialize_with)]`: words separated by commas.
pub(crate) fn words<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    let text = Option::<String>::deserialize(deserializer)?.unwrap_or_default();
    text.split(',')
        .filter(|word| !word.is_empty())
        .map(|word| word.trim().parse().map_err(serde::de::Error::custom))
        .collect()
}
