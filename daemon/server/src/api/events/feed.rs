//! The last events as streams send them: read from the table and written out once, however many listen.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use axum::body::Bytes;
use queue::{Cursor, EventId, EventRow, PlateId};
use serde_json::json;

use crate::app::{App, Inner};
use crate::problem::Problem;
use crate::view::EventView;

/// Events that are kept for streams: more than happen between two looks of the slowest one that can keep up.
const KEPT: usize = 8192;

/// Events that are read from the table at a time.
const BATCH: u32 = 1000;

/// One event, written out.
#[derive(Clone, Debug)]
struct Frame {
    id: EventId,
    plate: Option<PlateId>,
    bytes: Bytes,
}

/// The last events. Streams that are further behind read the table themselves.
#[derive(Debug, Default)]
pub(crate) struct Feed {
    frames: Mutex<Frames>,
    /// Held while the table is read, so that of many streams that are woken one reads for all.
    reading: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Frames {
    /// All events after this one and up to `until` are here.
    from: EventId,
    until: EventId,
    frames: VecDeque<Frame>,
}

impl Default for Frames {
    fn default() -> Self {
        Self {
            from: EventId(0),
            until: EventId(0),
            frames: VecDeque::new(),
        }
    }
}

/// A part of the events: what a stream sends next, and where it stands then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub bytes: Bytes,
    pub until: EventId,
}

impl Feed {
    /// The events after `after` and up to `latest`, or the first of them.
    pub(super) async fn after(
        &self,
        app: &App,
        plate: Option<PlateId>,
        after: EventId,
        latest: EventId,
    ) -> Result<Part, Problem> {
        if let Some(part) = self.kept(plate, after, latest) {
            return Ok(part);
        }
        let _reading = self.reading.lock().await;
        if let Some(part) = self.kept(plate, after, latest) {
            return Ok(part);
        }
        let known = self.frames().until;
        // Whoever is far behind reads what it has missed; the others continue what is kept.
        let (from, shared) = if after < known {
            (after, false)
        } else {
            (after.max(known), true)
        };
        let cursor = Cursor {
            after: from.0,
            limit: BATCH,
        };
        let of = if shared { None } else { plate };
        let page = app
            .blocking(move |inner: &Inner| inner.store.events(of, cursor))
            .await?;
        // What is not there up to `latest` is of another plate, or was pruned.
        let until = match (page.next, page.items.last()) {
            (Some(_), Some(last)) => last.id,
            _ => latest.max(page.items.last().map_or(from, |last| last.id)),
        };
        let frames: Vec<Frame> = page.items.into_iter().map(frame).collect();
        if !shared {
            return Ok(Part {
                bytes: joined(frames.iter(), None),
                until,
            });
        }
        self.frames().add(from, until, frames);
        match self.kept(plate, after, latest) {
            Some(part) => Ok(part),
            None => Err(Problem::internal("events were read and are not there")),
        }
    }

    /// Out of what is kept, if that has it all.
    fn kept(&self, plate: Option<PlateId>, after: EventId, latest: EventId) -> Option<Part> {
        let kept = self.frames();
        if after < kept.from || (kept.until < latest && after >= kept.until) {
            return None;
        }
        let first = kept.frames.partition_point(|frame| frame.id <= after);
        Some(Part {
            bytes: joined(kept.frames.range(first..), plate),
            until: kept.until.max(after),
        })
    }

    fn frames(&self) -> std::sync::MutexGuard<'_, Frames> {
        self.frames.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Frames {
    fn add(&mut self, from: EventId, until: EventId, frames: Vec<Frame>) {
        if from != self.until {
            // Between what is kept and this something is missing.
            self.frames.clear();
            self.from = from;
        }
        self.until = until;
        self.frames.extend(frames);
        while self.frames.len() > KEPT
            && let Some(oldest) = self.frames.pop_front()
        {
            self.from = oldest.id;
        }
    }
}

/// The frames of a plate, or all, as one piece.
fn joined<'f>(frames: impl Iterator<Item = &'f Frame>, plate: Option<PlateId>) -> Bytes {
    let mut bytes = Vec::new();
    for frame in frames.filter(|frame| plate.is_none() || frame.plate == plate) {
        bytes.extend_from_slice(&frame.bytes);
    }
    bytes.into()
}

fn frame(row: EventRow) -> Frame {
    let view = EventView::from(row);
    // An event has nothing that is not JSON, and JSON has no line breaks.
    let data = serde_json::to_string(&view).unwrap_or_default();
    Frame {
        id: EventId(view.id),
        plate: view.plate.map(PlateId),
        bytes: written(view.id, view.kind.as_str(), &data),
    }
}

/// Says that events were missed.
pub(super) fn gap(after: EventId) -> Bytes {
    written(after.0, "gap", &json!({ "after": after }).to_string())
}

fn written(id: i64, kind: &str, data: &str) -> Bytes {
    format!("id: {id}\nevent: {kind}\ndata: {data}\n\n").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(ids: std::ops::Range<i64>) -> Vec<Frame> {
        let frame = |id| Frame {
            id: EventId(id),
            plate: Some(PlateId(id % 2)),
            bytes: format!("{id} ").into(),
        };
        ids.map(frame).collect()
    }

    fn kept(feed: &Feed, plate: Option<i64>, after: i64, latest: i64) -> Option<(String, i64)> {
        let part = feed.kept(plate.map(PlateId), EventId(after), EventId(latest))?;
        Some((
            String::from_utf8_lossy(&part.bytes).into_owned(),
            part.until.0,
        ))
    }

    #[test]
    fn what_is_kept_is_given_to_all() {
        let feed = Feed::default();
        feed.frames().add(EventId(10), EventId(14), some(11..15));
        let is = |text: &str, until| Some((text.to_owned(), until));
        assert_eq!(kept(&feed, None, 10, 14), is("11 12 13 14 ", 14));
        assert_eq!(kept(&feed, Some(1), 11, 14), is("13 ", 14));
        assert_eq!(kept(&feed, None, 14, 14), is("", 14));
        assert_eq!(kept(&feed, None, 9, 14), None, "10 is not kept");
        assert_eq!(kept(&feed, None, 14, 15), None, "15 is not read yet");
        assert_eq!(
            kept(&feed, None, 12, 15),
            is("13 14 ", 14),
            "the rest comes with the next look"
        );
        feed.frames().add(EventId(14), EventId(15), some(15..16));
        assert_eq!(kept(&feed, None, 13, 15), is("14 15 ", 15));
        // After a jump only what follows is kept.
        feed.frames().add(EventId(20), EventId(21), some(21..22));
        assert_eq!(kept(&feed, None, 14, 21), None);
        assert_eq!(kept(&feed, None, 20, 21), is("21 ", 21));
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let feed = Feed::default();
        let last = KEPT as i64 + 5;
        feed.frames()
            .add(EventId(0), EventId(last), some(1..last + 1));
        assert_eq!(kept(&feed, None, 4, last), None);
        assert!(kept(&feed, None, 5, last).is_some_and(|(text, _)| text.starts_with("6 ")));
    }
}
