//! Changes must come from us: from a program that sets our header, or from a form of our own page.

use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::host::host;
use crate::problem::Problem;

/// A header that a page of another origin cannot set without asking first, which we never allow.
const OURS: &str = "x-wellspring";

/// Refuses what a page of another site may have caused: changes, and reads other than following a link to here. Such a page
/// could not see the answers, but its event streams would take the places of ours.
pub(crate) async fn check_origin(request: Request, next: Next) -> Result<Response, Problem> {
    let reads = [Method::GET, Method::HEAD, Method::OPTIONS];
    if reads.contains(request.method()) {
        check_read(&request)?;
    } else {
        check_change(&request)?;
    }
    Ok(next.run(request).await)
}

/// Whether the request says that a page of this server made it: all its origins must be ours.
fn from_us(request: &Request) -> Option<bool> {
    let host = host(request).unwrap_or_default();
    let origins = request.headers().get_all(header::ORIGIN);
    origins
        .iter()
        .map(|origin| {
            origin
                .to_str()
                .is_ok_and(|origin| is_origin_of(origin, host))
        })
        .reduce(|all, ours| all && ours)
}

fn is_foreign_site(headers: &HeaderMap) -> bool {
    text(headers, "sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none"))
}

fn check_read(request: &Request) -> Result<(), Problem> {
    let headers = request.headers();
    let follows_link = text(headers, "sec-fetch-mode") == Some("navigate");
    if from_us(request) == Some(false) || (is_foreign_site(headers) && !follows_link) {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "cross_origin",
            "a page of another site may not read anything here",
        )
        .with_remedy("open this server's own pages, or ask it from a program"));
    }
    Ok(())
}

fn check_change(request: &Request) -> Result<(), Problem> {
    let headers = request.headers();
    let from_us = from_us(request);
    if from_us == Some(false) || is_foreign_site(headers) {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "cross_origin",
            "a page of another site may not change anything here",
        )
        .with_remedy("do it on this server's own pages, or with the `wellspring` command"));
    }
    let form = text(headers, header::CONTENT_TYPE.as_str())
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    if headers.contains_key(OURS) || (form && from_us == Some(true)) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        "header_required",
        "changes need the header `X-Wellspring`",
    )
    .with_remedy("add the header `X-Wellspring: 1` to the request"))
}

/// Whether `origin` is a page that this host served.
fn is_origin_of(origin: &str, host: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| {
        origin
            .strip_prefix(scheme)
            .is_some_and(|name| name.eq_ignore_ascii_case(host))
    })
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    // What is not text is not ours: an empty word matches nothing that is allowed.
    headers
        .get(name)
        .map(|value| value.to_str().unwrap_or_default())
}
