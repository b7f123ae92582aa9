//! Presenting the token in a browser.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::layout::Layout;
use super::render;
use crate::app::App;
use crate::extract::Form;
use crate::problem::Problem;
use crate::security::{COOKIE, is_secret, session_of};

#[derive(Template)]
#[template(path = "login.html")]
pub(super) struct LoginPage {
    layout: Layout,
    next: String,
    refused: bool,
}

/// The form that asks for the token and then goes on to `next`.
pub(super) fn form(app: &App, next: Option<String>, refused: bool) -> LoginPage {
    LoginPage {
        layout: Layout::new(app, "Log in", "").outside(),
        next: next.unwrap_or_else(|| "/".to_owned()),
        refused,
    }
}

pub(super) async fn page(State(app): State<App>) -> Result<Response, Problem> {
    if app.options.token.is_none() {
        return Ok(Redirect::to("/").into_response());
    }
    render(&form(&app, None, false))
}

#[derive(Deserialize)]
pub(super) struct Login {
    token: String,
    #[serde(default)]
    next: String,
}

pub(super) async fn log_in(
    State(app): State<App>,
    Form(login): Form<Login>,
) -> Result<Response, Problem> {
    let next = local(&login.next).to_owned();
    if !is_secret(&app, login.token.trim()) {
        let page = form(&app, Some(next), true)
            .render()
            .map_err(|error| Problem::internal(error.to_string()))?;
        return Ok((StatusCode::UNAUTHORIZED, Html(page)).into_response());
    }
    let session = app
        .sessions
        .begin()
        .map_err(|error| Problem::internal(format!("cannot begin a session: {error}")))?;
    let cookie = format!("{COOKIE}={session}; Path=/; HttpOnly; SameSite=Strict; Max-Age=43200");
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(&next)).into_response())
}

pub(super) async fn log_out(State(app): State<App>, headers: HeaderMap) -> Response {
    if let Some(session) = session_of(&headers) {
        app.sessions.end(session);
    }
    let cookie = format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    ([(header::SET_COOKIE, cookie)], Redirect::to("/login")).into_response()
}

/// A path of this server, or `/`: nobody is sent elsewhere after a form.
pub(super) fn local(path: &str) -> &str {
    let is_local = path.starts_with('/')
        && !path.starts_with("//")
        && path
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_local { path } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::local;

    #[test]
    fn nobody_is_sent_elsewhere() {
        for path in ["/", "/plates/3", "/tasks?plate=3&state=failed"] {
            assert_eq!(local(path), path);
        }
        for path in [
            "",
            "plates/3",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a\r\nSet-Cookie: x",
            "/ü",
        ] {
            assert_eq!(local(path), "/", "{path:?}");
        }
    }
}
