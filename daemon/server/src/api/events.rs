//! What happens, as it happens.

mod feed;
mod follower;

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use queue::{EventId, PlateId};
use serde::Deserialize;
use utoipa::IntoParams;

use super::cursor;
use crate::app::App;
use crate::extract::{Params, empty_is_none};
use crate::problem::Problem;
use crate::view::{EventView, Page};
pub(crate) use feed::Feed;
use follower::Follower;

/// Which events.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct EventQuery {
    /// Only of this plate.
    #[serde(default, deserialize_with = "empty_is_none")]
    #[param(value_type = Option<i64>)]
    plate: Option<PlateId>,
    /// Only after this id; a stream starts with the next event unless said.
    #[serde(default, deserialize_with = "empty_is_none")]
    after: Option<i64>,
    /// Most rows of a page, at most 1000; 100 unless said. A stream does not end.
    #[serde(default, deserialize_with = "empty_is_none")]
    limit: Option<u32>,
}

/// State changes, oldest first: a stream of server-sent events (`id`, `event` = kind, `data` = the event as JSON), or with
/// `Accept: application/json` a page. The header `Last-Event-ID` resumes a stream. An event `gap` says that events
/// were missed because they are not kept any more: look at everything again.
#[utoipa::path(get, path = "/api/v1/events", tag = "events",
    params(EventQuery, ("Last-Event-ID" = Option<i64>, Header, description = "Resumes after this event; weightier than `after`")),
    responses(
        (status = 200, description = "Events", content(
            (String = "text/event-stream"),
            (Page<EventView> = "application/json"),
        )),
        (status = 400, description = "A parameter makes no sense", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Too many streams", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn events(
    State(app): State<App>,
    headers: HeaderMap,
    Params(query): Params<EventQuery>,
) -> Result<Response, Problem> {
    let resumed = last_event_id(&headers)?;
    if wants_json(&headers) {
        let cursor = cursor(resumed.or(query.after), query.limit);
        let page = app
            .blocking(move |inner| inner.store.events(query.plate, cursor))
            .await?;
        return Ok(Json(Page::of(page, EventView::from)).into_response());
    }
    let place = Arc::clone(&app.streams).try_acquire_owned().map_err(|_| {
        Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "too_many_streams",
            "too many pages and programs are listening for events",
        )
        .with_remedy(
            "close some of them, or ask for pages of events with `Accept: application/json`",
        )
    })?;
    let latest = app.store.last_event();
    let asked = resumed.or(query.after);
    let mut start = None;
    let mut after = latest;
    if let Some(asked) = asked {
        let oldest = app.blocking(|inner| inner.store.oldest_event()).await?;
        after = EventId(asked);
        // The client knows more than there is (another queue), or not what is gone.
        if after > latest
            || oldest.is_some_and(|oldest| asked.saturating_add(1) < oldest.0 && asked > 0)
        {
            after = after.min(latest);
            start = Some(feed::gap(after));
        }
    }
    let follower = Follower::new(app.clone(), query.plate, after, start, place);
    let stream = follower
        .into_stream()
        .take_until(app.shutdown.clone().cancelled_owned());
    let headers = [(header::CONTENT_TYPE, "text/event-stream")];
    Ok((headers, Body::from_stream(stream)).into_response())
}

fn wants_json(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.contains("application/json"))
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let Some(value) = headers.get("last-event-id") else {
        return Ok(None);
    };
    let id = value.to_str().ok().and_then(|text| text.parse().ok());
    id.map(Some).ok_or_else(|| {
        Problem::bad_request("invalid_event_id", "`Last-Event-ID` is not a number")
            .with_remedy("send the `id` of an event of this stream")
    })
}
