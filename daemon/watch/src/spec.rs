//! What the caller says about a watched folder.

use crate::Error;
use crate::rules::Rules;
use std::path::PathBuf;
use std::time::Duration;

/// How changes under a root are noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Mode {
    /// Natively where the file system reports changes of all its writers, by polling elsewhere.
    #[default]
    Auto,
    /// Natively (inotify), whatever the file system. Falls back to polling when the kernel gives no watches.
    Native,
    /// By listing the whole root every `poll_interval`.
    Poll,
}

/// A watched folder and the rules for its files.
#[derive(Debug, Clone)]
pub struct RootSpec {
    /// The caller's number of the root, carried by every event.
    pub id: i64,
    /// The folder. May itself be a symbolic link; may be missing (then it is offline).
    pub path: PathBuf,
    /// How changes are noticed.
    pub mode: Mode,
    /// How long size, mtime, ctime and inode must stay the same. With zero a natively watched file is examined as soon
    /// as its writer closes it: for tests and for instruments that rename into place.
    pub settle: Duration,
    /// Time between two listings in poll mode; stretched when a listing takes longer than this.
    pub poll_interval: Duration,
    /// Time between two listings in native mode.
    pub rescan_interval: Duration,
    /// Globs of names that do not exist for us. Without a `/` a pattern matches a name at any depth, with one the path
    /// from the root. A matching folder is not entered.
    pub ignore: Vec<String>,
    /// How many folders deep files may lie; 1 is directly in the root.
    pub max_depth: usize,
    /// Whether a symbolic link to a file that lies inside the root counts as a file. Links that lead out of the root and
    /// links to folders are never followed.
    pub follow_symlinks: bool,
    /// After this long without a change a file that is still not whole is reported as unreadable.
    pub give_up: Duration,
    /// A file that was reported and that the host still does not know after this long is reported again by a scan.
    pub redeliver_after: Duration,
    /// How many events may wait to be handled. Beyond that they are dropped and the root is scanned instead.
    pub event_queue: usize,
}

impl RootSpec {
    /// The defaults: settle 5 s, poll every 5 s, rescan every 10 min, 32 folders deep, no links, give up after an hour,
    /// repeat a report after 10 min.
    #[must_use]
    pub fn new(id: i64, path: impl Into<PathBuf>) -> Self {
        Self {
            id,
            path: path.into(),
            mode: Mode::Auto,
            settle: Duration::from_secs(5),
            poll_interval: Duration::from_secs(5),
            rescan_interval: Duration::from_secs(600),
            ignore: Vec::new(),
            max_depth: 32,
            follow_symlinks: false,
            give_up: Duration::from_secs(3600),
            redeliver_after: Duration::from_secs(600),
            event_queue: 65_536,
        }
    }

    /// Whether a watcher takes it.
    ///
    /// # Errors
    /// An `ignore` pattern is no glob.
    pub fn check(&self) -> Result<(), Error> {
        Rules::new(self).map(drop)
    }

    /// Brings all times into a range in which the clock neither overflows nor spins.
    pub(crate) fn limit_times(&mut self) {
        for interval in [&mut self.poll_interval, &mut self.rescan_interval] {
            *interval = (*interval).clamp(SHORTEST, LONGEST);
        }
        for time in [
            &mut self.settle,
            &mut self.give_up,
            &mut self.redeliver_after,
        ] {
            *time = (*time).min(LONGEST);
        }
    }
}

/// Bounds of the times of a [`RootSpec`].
const SHORTEST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_secs(10 * 365 * 86_400);
