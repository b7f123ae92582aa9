//! Figures for metrics.

use std::sync::atomic::{AtomicU64, Ordering};

/// Figures of one root since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Hints taken from the operating system.
    pub events: u64,
    /// Times that events were lost.
    pub overflows: u64,
    /// Full scans that ended.
    pub scans: u64,
    /// Files seen by the last full scan.
    pub files: u64,
    /// Folders seen by the last full scan; in native mode each holds one inotify watch.
    pub folders: u64,
    /// Probes made.
    pub probes: u64,
    /// Files reported as whole.
    pub whole: u64,
    /// Registered files reported in another state.
    pub changed: u64,
    /// Files given up.
    pub unreadable: u64,
    /// Files reported as vanished.
    pub vanished: u64,
    /// Files being waited for now.
    pub settling: u64,
    /// Times that the root's thread woke up.
    pub wakeups: u64,
    /// Errors of stat(2) and of listing folders.
    pub errors: u64,
}

macro_rules! tally {
    ($($name:ident),*) => {
        /// The same figures, counted from several threads.
        #[derive(Debug, Default)]
        pub(crate) struct Tally { $(pub $name: AtomicU64),* }

        impl Tally {
            /// The figures now, without `settling`, which is counted where the files are.
            pub fn read(&self) -> Counters {
                Counters { settling: 0, $($name: self.$name.load(Ordering::Relaxed)),* }
            }
        }
    };
}
tally!(
    events, overflows, scans, files, folders, probes, whole, changed, unreadable, vanished,
    wakeups, errors
);

/// Counts one.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
