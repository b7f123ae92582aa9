//! One stream of events.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Bytes;
use futures_util::{Stream, stream};
use queue::{EventId, PlateId};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{sleep, timeout};

use crate::app::App;

/// A comment is sent after so long a silence, which keeps proxies from closing the connection.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// What happens in so short a time is sent together: nobody sees the difference, and hundreds of streams cost little.
const TOGETHER: Duration = Duration::from_millis(50);

/// Sends the events after one, then sleeps until the queue commits more.
pub(super) struct Follower {
    app: App,
    events: watch::Receiver<EventId>,
    plate: Option<PlateId>,
    after: EventId,
    start: Option<Bytes>,
    has_sent: bool,
    _place: OwnedSemaphorePermit,
}

impl Follower {
    pub(super) fn new(
        app: App,
        plate: Option<PlateId>,
        after: EventId,
        start: Option<Bytes>,
        place: OwnedSemaphorePermit,
    ) -> Self {
        Self {
            events: app.events.clone(),
            app,
            plate,
            after,
            start,
            has_sent: false,
            _place: place,
        }
    }

    pub(super) fn into_stream(self) -> impl Stream<Item = Result<Bytes, Infallible>> {
        stream::unfold(self, |mut follower| async {
            let bytes = follower.next().await?;
            Some((Ok(bytes), follower))
        })
    }

    /// What is sent next; `None` when the queue cannot be read, which makes the client come again.
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(start) = self.start.take() {
            return Some(start);
        }
        if std::mem::take(&mut self.has_sent) {
            sleep(TOGETHER).await;
        }
        loop {
            // Read before the table: what is committed later wakes us again.
            let latest = *self.events.borrow_and_update();
            if self.after < latest {
                let part = self
                    .app
                    .feed
                    .after(&self.app, self.plate, self.after, latest)
                    .await;
                let part = match part {
                    Ok(part) => part,
                    Err(problem) => {
                        tracing::warn!(error = %problem.detail, "an event stream ends");
                        return None;
                    }
                };
                self.after = part.until;
                if !part.bytes.is_empty() {
                    self.has_sent = true;
                    return Some(part.bytes);
                }
                continue;
            }
            match timeout(HEARTBEAT, self.events.changed()).await {
                Ok(changed) => changed.ok()?,
                Err(_) => return Some(Bytes::from_static(b": heartbeat\n\n")),
            }
        }
    }
}
