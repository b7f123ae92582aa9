//! What happens, as it happens.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt, stream};
use queue::{Cursor, EventId, EventRow, PlateId};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, watch};
use utoipa::IntoParams;

use super::cursor;
use crate::app::App;
use crate::extract::{Params, empty_is_none};
use crate::problem::Problem;
use crate::view::{EventView, Page};

/// Events that are read at a time.
const BATCH: u32 = 256;

/// A comment is sent after so long a silence, which keeps proxies from closing the connection.
const HEARTBEAT: Duration = Duration::from_secs(15);

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
    if wants_json(&headers) {
        let cursor = cursor(query.after, query.limit);
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
    let asked = last_event_id(&headers)?.or(query.after);
    let mut start = VecDeque::new();
    let mut after = latest;
    if let Some(asked) = asked {
        let oldest = app.blocking(|inner| inner.store.oldest_event()).await?;
        after = EventId(asked);
        // The client knows more than there is (another queue), or not what is gone.
        if after > latest
            || oldest.is_some_and(|oldest| asked.saturating_add(1) < oldest.0 && asked > 0)
        {
            after = after.min(latest);
            start.push_back(gap(after));
        }
    }
    let follower = Follower {
        events: app.events.clone(),
        plate: query.plate,
        after,
        ready: start,
        _place: place,
        app: app.clone(),
    };
    let stream = follower
        .into_stream()
        .take_until(app.shutdown.clone().cancelled_owned());
    let alive = KeepAlive::new().interval(HEARTBEAT).text("heartbeat");
    Ok(Sse::new(stream).keep_alive(alive).into_response())
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

/// Follows the table of events: reads what is new, then sleeps until the queue commits more.
struct Follower {
    app: App,
    events: watch::Receiver<EventId>,
    plate: Option<PlateId>,
    after: EventId,
    ready: VecDeque<Event>,
    _place: OwnedSemaphorePermit,
}

impl Follower {
    fn into_stream(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(self, |mut follower| async {
            let event = follower.next().await?;
            Some((Ok(event), follower))
        })
    }

    /// The next event; `None` when the queue cannot be read, which makes the client come again.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            // Read before the table: what is committed later wakes us again.
            let latest = *self.events.borrow_and_update();
            if self.after < latest && !self.fill(latest).await? {
                continue;
            }
            if self.ready.is_empty() {
                self.events.changed().await.ok()?;
            }
        }
    }

    /// Reads the next events. Returns whether that was all up to `latest`.
    async fn fill(&mut self, latest: EventId) -> Option<bool> {
        let (plate, cursor) = (
            self.plate,
            Cursor {
                after: self.after.0,
                limit: BATCH,
            },
        );
        let read = move |inner: &crate::app::Inner| inner.store.events(plate, cursor);
        let page = match self.app.blocking(read).await {
            Ok(page) => page,
            Err(problem) => {
                tracing::warn!(error = %problem.detail, "an event stream ends");
                return None;
            }
        };
        let all = page.next.is_none();
        if let Some(last) = page.items.last() {
            self.after = last.id;
        }
        if all {
            // Events of other plates need not be looked at again.
            self.after = self.after.max(latest);
        }
        self.ready.extend(page.items.into_iter().map(event));
        Some(all)
    }
}

fn event(row: EventRow) -> Event {
    let view = EventView::from(row);
    let event = Event::default()
        .id(view.id.to_string())
        .event(view.kind.as_str());
    // JSON has no line breaks, and an event has nothing that is not JSON.
    event
        .json_data(&view)
        .unwrap_or_else(|_| gap(EventId(view.id)))
}

fn gap(after: EventId) -> Event {
    Event::default()
        .id(after.to_string())
        .event("gap")
        .data(json!({ "after": after }).to_string())
}
