//! Telling others that events were committed, so that nobody polls for them.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use crate::ids::EventId;

type Callback = Box<dyn Fn(EventId) + Send + Sync>;

#[derive(Default)]
pub(crate) struct Notifier {
    latest: AtomicI64,
    callbacks: RwLock<Vec<Callback>>,
    gate: Mutex<()>,
    changed: Condvar,
}

impl std::fmt::Debug for Notifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Notifier")
            .field("latest", &self.latest())
            .finish_non_exhaustive()
    }
}

impl Notifier {
    pub(crate) fn subscribe(&self, callback: Callback) {
        self.callbacks
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(callback);
    }

    pub(crate) fn latest(&self) -> EventId {
        EventId(self.latest.load(Ordering::SeqCst))
    }

    /// Called after a commit, without any lock of the store held.
    pub(crate) fn publish(&self, event: EventId) {
        // Two committers may arrive here in either order; the id that is told never falls.
        let before = self.latest.fetch_max(event.0, Ordering::SeqCst);
        if before >= event.0 {
            return;
        }
        // Taken so that a waiter is either not yet at its check or already asleep.
        drop(self.gate.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
        for callback in self
            .callbacks
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
        {
            callback(event);
        }
    }

    /// Blocks until an event after `after` is committed, or `timeout` passes. Returns the latest.
    pub(crate) fn wait(&self, after: EventId, timeout: Duration) -> EventId {
        let deadline = Instant::now() + timeout;
        let mut guard = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        while self.latest() <= after {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            guard = self
                .changed
                .wait_timeout(guard, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        drop(guard);
        self.latest()
    }
}
