//! What the caller gives, and what it gets.

use crate::FileIdentity;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What a look into a file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// Header and last strip or tile lie inside the file.
    Whole,
    /// Something is still missing; the text says what.
    NotYet(String),
    /// Waiting will not help, the text says why (a format that cannot be, no permission).
    Unreadable(String),
}

/// The caller's side: memory, rules and ears.
///
/// All methods are called from the watching threads, several roots at a time. While one runs, its root stands still; none
/// holds a lock of this crate, so a host may ask the [`Watcher`](crate::Watcher) back.
pub trait Host: Send + Sync {
    /// The identity under which this file is registered, if it is.
    fn known(&self, root: i64, relative: &Path) -> Option<FileIdentity>;

    /// Calls `each` for every registered file of a root that is not marked as vanished, until it breaks.
    fn for_each_known(
        &self,
        root: i64,
        each: &mut dyn FnMut(&Path, &FileIdentity) -> ControlFlow<()>,
    );

    /// The rule by which this file or folder is junk, if it is. Asked before anything of it is read from disk.
    fn ignore(&self, root: i64, relative: &Path) -> Option<String>;

    /// Looks whether the file is all there. Must not modify it.
    fn probe(&self, absolute: &Path) -> Probe;

    /// Takes what was found of a root's files in one turn ([`Event::Whole`], [`Event::Changed`], [`Event::Unreadable`]), so
    /// that they can be recorded together. A file is settled once [`Host::known`] returns its identity; until then a later
    /// scan may report it again, so registration must be idempotent.
    fn examined(&self, _root: i64, files: Vec<Event>) {
        for event in files {
            self.emit(event);
        }
    }

    /// Takes any other event.
    fn emit(&self, event: Event);
}

/// How a root is being watched now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ActiveMode {
    /// By inotify, and by a scan now and then.
    Native,
    /// By listing it again and again.
    Poll,
}

impl ActiveMode {
    /// The word of the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Poll => "poll",
        }
    }
}

/// Whether a root can be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RootState {
    /// It is watched.
    Online {
        /// How.
        mode: ActiveMode,
        /// Why in this mode, with the remedy where it is a second choice.
        reason: String,
        /// Name of the file system, such as `ext4` or `nfs`.
        file_system: String,
    },
    /// It cannot be seen, which is not the same as being empty. It is tried again by itself.
    Offline {
        /// What is wrong and what to do.
        reason: String,
    },
}

/// What happened. Paths are relative to the root, and bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A file that the host does not know is whole.
    Whole {
        /// The root.
        root: i64,
        /// Path from the root.
        path: PathBuf,
        /// Its state on disk before and after the probe.
        identity: FileIdentity,
    },
    /// A registered file is whole in another state: replaced, touched, or only its mode or links changed. The caller
    /// hashes to tell these apart.
    Changed {
        /// The root.
        root: i64,
        /// Path from the root.
        path: PathBuf,
        /// Its state on disk before and after the probe.
        identity: FileIdentity,
        /// The state under which it is registered.
        previous: FileIdentity,
    },
    /// A file is not whole and does not become so. It is looked at again when it changes.
    Unreadable {
        /// The root.
        root: i64,
        /// Path from the root.
        path: PathBuf,
        /// Its state on disk.
        identity: FileIdentity,
        /// What is missing.
        reason: String,
    },
    /// A registered file is gone, while others of its root are still there.
    Vanished {
        /// The root.
        root: i64,
        /// Path from the root.
        path: PathBuf,
    },
    /// The root came, went, or is watched in another way.
    RootState {
        /// The root.
        root: i64,
        /// Its state now.
        state: RootState,
    },
    /// Events were lost; a full scan follows by itself.
    Overflow {
        /// The root.
        root: i64,
    },
    /// A full scan ended.
    ScanDone {
        /// The root.
        root: i64,
        /// Files seen, without the ignored ones.
        files: u64,
        /// How long it took.
        elapsed: Duration,
        /// Folders that could not be read. Unless it is zero, no file is called vanished.
        unreadable_folders: u64,
    },
}
