//! The life of a root's thread.

use crate::host::RootState;
use crate::mailbox::{Inbox, Mailbox};
use crate::root::Root;
use crate::shared::Shared;
use crate::{Event, Host};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// A thread that crashed starts anew after this long.
const RESTART_AFTER: Duration = Duration::from_secs(10);

/// Runs the thread of a root, and starts it anew if it crashes: the scan finds again what it was doing.
pub(super) fn run(shared: &Shared, host: &dyn Host, inbox: &Inbox, mailbox: &Mailbox) {
    let stopping = || shared.stop.load(Ordering::Acquire);
    while !stopping() {
        let watch = || Root::new(shared, host, inbox, mailbox.clone()).run();
        if catch_unwind(AssertUnwindSafe(watch)).is_ok() {
            return;
        }
        tracing::error!(root = %shared.spec.path.display(), "watching crashed; starting it anew");
        shared.arrivals().settling.clear();
        let reason =
            format!("watching it crashed (see the log); started anew within {RESTART_AFTER:?}");
        let state = RootState::Offline { reason };
        shared.state().clone_from(&state);
        let tell = || {
            host.emit(Event::RootState {
                root: shared.spec.id,
                state,
            });
        };
        // If it is the host that crashes, only the log hears of it.
        let _ = catch_unwind(AssertUnwindSafe(tell));
        let again = Instant::now() + RESTART_AFTER;
        while !stopping() {
            match inbox
                .receiver
                .recv_timeout(again.saturating_duration_since(Instant::now()))
            {
                Ok(message) => inbox.taken(&message),
                Err(_) => break,
            }
        }
    }
}
