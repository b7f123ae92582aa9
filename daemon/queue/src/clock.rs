//! Two clocks: the wall's for history, a steady one for leases and delays.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;

/// Where the store takes the time from.
///
/// Leases and retry times use [`Clock::steady`], which starts at the wall's time and then counts
/// elapsed time only: setting the system clock neither takes every lease away nor delays a retry.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System { started_at: i64, started: Instant },
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// The system's clocks.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System {
            started_at: Timestamp::now().as_millisecond(),
            started: Instant::now(),
        })
    }

    /// A clock that stands at `millis` until it is advanced, for tests.
    #[must_use]
    pub fn manual(millis: i64) -> Self {
        Self(Source::Manual(Arc::new(AtomicI64::new(millis))))
    }

    /// Moves a manual clock, and every clone of it, forward. The system's clock does not obey.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(now) = &self.0 {
            now.fetch_add(millis(by), Ordering::SeqCst);
        }
    }

    /// Wall time, milliseconds since 1970.
    #[must_use]
    pub fn now(&self) -> i64 {
        match &self.0 {
            Source::System { .. } => Timestamp::now().as_millisecond(),
            Source::Manual(now) => now.load(Ordering::SeqCst),
        }
    }

    /// Steady time: milliseconds since 1970 at the start, counted on without jumps.
    #[must_use]
    pub fn steady(&self) -> i64 {
        match &self.0 {
            Source::System {
                started_at,
                started,
            } => started_at.saturating_add(millis(started.elapsed())),
            Source::Manual(now) => now.load(Ordering::SeqCst),
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

/// A duration in whole milliseconds.
pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// A stored time. A value outside what a calendar can show is shown as 1970.
pub(crate) fn timestamp(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or_default()
}
