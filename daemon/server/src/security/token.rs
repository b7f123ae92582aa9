//! The token, where one is configured.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use subtle::ConstantTimeEq;

use crate::app::App;
use crate::problem::Problem;

/// Name of the cookie of a session.
pub(crate) const COOKIE: &str = "wellspring_session";

/// What anybody may see: whether the process lives, and what the login page is made of.
fn is_open(path: &str) -> bool {
    path == "/livez" || path == "/login" || path.starts_with("/assets/")
}

/// Refuses requests without the token, or a session that was begun with it.
pub(crate) async fn check_token(
    State(app): State<App>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let admitted = app.options.token.is_none()
        || is_open(request.uri().path())
        || bearer(request.headers()).is_some_and(|token| is_secret(&app, token))
        || session_of(request.headers()).is_some_and(|name| app.sessions.knows(name));
    if admitted {
        return Ok(next.run(request).await);
    }
    let (code, detail) = if request.headers().contains_key(header::AUTHORIZATION) {
        ("invalid_token", "the token is not the one of this server")
    } else {
        ("token_required", "this server needs a token")
    };
    Err(
        Problem::new(StatusCode::UNAUTHORIZED, code, detail).with_remedy(
            "send `Authorization: Bearer …` with the content of the server's `token_file`",
        ),
    )
}

/// Whether this is the token, found out in a time that does not tell how much of it is right.
pub(crate) fn is_secret(app: &App, token: &str) -> bool {
    let secret = app.options.token.as_deref().unwrap_or_default();
    !secret.is_empty() && bool::from(secret.as_bytes().ct_eq(token.as_bytes()))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

/// The name of the session in the cookies.
pub(crate) fn session_of(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == COOKIE).then_some(value))
}
