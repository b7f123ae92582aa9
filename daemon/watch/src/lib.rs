//! Watches acquisition folders and says when a file is whole.
//!
//! Events are hints, the scan is the truth: every root is watched first and then listed, and listed again on start, on
//! overflow, for every directory that appears, when the root comes back, and periodically. A file is reported when its
//! size, mtime, ctime and inode were quiet for the settle time *and* the caller's probe finds its last byte.
//!
//! The crate knows no jobs and no database. What was already seen is asked from the [`Host`], which is the caller's
//! memory across restarts; so nothing is lost by a crash of the daemon, and nothing is reported twice after one.
//!
//! ```no_run
//! # use std::{path::Path, sync::Arc, ops::ControlFlow};
//! # use watch::{Event, FileIdentity, Host, Probe, RootSpec, Watcher};
//! struct Print;
//! impl Host for Print {
//!     fn known(&self, _: i64, _: &Path) -> Option<FileIdentity> { None }
//!     fn for_each_known(&self, _: i64, _: &mut dyn FnMut(&Path, &FileIdentity) -> ControlFlow<()>) {}
//!     fn ignore(&self, _: i64, _: &Path) -> Option<String> { None }
//!     fn probe(&self, _: &Path) -> Probe { Probe::Whole }
//!     fn emit(&self, event: Event) { println!("{event:?}"); }
//! }
//! let watcher = Watcher::start(vec![RootSpec::new(1, "/data/acquisition")], Arc::new(Print))?;
//! # watcher.stop();
//! # Ok::<(), watch::Error>(())
//! ```
//!
//! Threads: one a root, and notify's own for a natively watched root. An idle root wakes a few times a minute to see
//! whether its directory is still the same one, and for nothing else.

mod clock;
mod counters;
mod error;
mod file_system;
mod hint;
mod host;
mod identity;
mod limits;
mod mailbox;
mod native;
mod plan;
mod root;
mod rules;
mod settling;
mod shared;
mod spec;
mod status;
mod verification;
mod watcher;

pub use counters::Counters;
pub use error::Error;
pub use file_system::{FsKind, fs_kind};
pub use host::{ActiveMode, Event, Host, Probe, RootState};
pub use identity::FileIdentity;
pub use limits::{InotifyLimits, inotify_limits};
pub use plan::planned_mode;
pub use spec::{Mode, RootSpec};
pub use status::{FileStatus, SettlingFile, WaitingFor};
pub use verification::{Listed, Verification};
pub use watcher::Watcher;
