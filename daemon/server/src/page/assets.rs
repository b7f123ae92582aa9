//! Style, script and icon: compiled in, so that the pages need nothing from elsewhere.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::site::SCRIPTS;
use crate::problem::Problem;

/// (name, type, content)
const ASSETS: [(&str, &str, &str); 5] = [
    (
        "style.css",
        "text/css; charset=utf-8",
        include_str!("../../assets/style.css"),
    ),
    (
        "scale.css",
        "text/css; charset=utf-8",
        include_str!("../../assets/scale.css"),
    ),
    (
        "plate.js",
        "text/javascript; charset=utf-8",
        include_str!("../../assets/plate.js"),
    ),
    (
        "live.js",
        "text/javascript; charset=utf-8",
        include_str!("../../assets/live.js"),
    ),
    (
        "icon.svg",
        "image/svg+xml",
        include_str!("../../assets/icon.svg"),
    ),
];

pub(super) async fn serve(
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let scripts =
        SCRIPTS.map(|(asset, content)| (asset, "text/javascript; charset=utf-8", content));
    let mut assets = ASSETS.into_iter().chain(scripts);
    let Some((_, kind, content)) = assets.find(|(asset, ..)| *asset == name) else {
        return Err(Problem::not_found("asset", name));
    };
    let tag = tag(content);
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|tags| tags.contains(&tag));
    let caching = [
        (header::ETAG, tag),
        (header::CACHE_CONTROL, "no-cache".to_owned()),
    ];
    if known {
        return Ok((StatusCode::NOT_MODIFIED, caching).into_response());
    }
    Ok((caching, [(header::CONTENT_TYPE, kind)], content).into_response())
}

/// Weak, as the content may be compressed on its way.
fn tag(content: &str) -> String {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    format!("W/\"{:016x}\"", hasher.finish())
}
