//! Changes must come from us: from a program that sets our header, or from a form of our own page.

use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::host::host;
use crate::problem::Problem;

/// A header that a page of another origin cannot set without asking first, which we never allow.
const OURS: &str = "x-wellspring";

/// Refuses changes that a page of another site may have caused.
pub(crate) async fn check_origin(request: Request, next: Next) -> Result<Response, Problem> {
    let reads = [Method::GET, Method::HEAD, Method::OPTIONS];
    if !reads.contains(request.method()) {
        check(&request)?;
    }
    Ok(next.run(request).await)
}

fn check(request: &Request) -> Result<(), Problem> {
    let headers = request.headers();
    let from_us = text(headers, header::ORIGIN.as_str())
        .map(|origin| is_origin_of(origin, host(request).unwrap_or_default()));
    let site = text(headers, "sec-fetch-site");
    let foreign =
        from_us == Some(false) || site.is_some_and(|site| !matches!(site, "same-origin" | "none"));
    if foreign {
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
