//! Problems as pages, for those who browse.

use askama::Template;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use super::layout::Layout;
use super::login;
use crate::app::App;
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    layout: Layout,
    problem: Problem,
}

/// The problem as a page; where the token is missing, as the form that asks for it.
pub(crate) fn problem(app: &App, problem: Problem, target: Option<String>) -> Response {
    let status = problem.status;
    let page = if status == StatusCode::UNAUTHORIZED {
        login::form(app, target, false).render()
    } else {
        let layout = Layout::new(app, problem.title(), "");
        let problem = problem.clone();
        ProblemPage { layout, problem }.render()
    };
    match page {
        Ok(page) => (status, [(header::VARY, "Accept")], Html(page)).into_response(),
        Err(_) => problem.into_json(),
    }
}
