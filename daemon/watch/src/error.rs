//! What can go wrong when watching starts.

use std::io;
use std::path::PathBuf;

/// Why the watcher could not start.
///
/// A root that is missing or unreadable is no error: it is reported as offline and tried again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An `ignore` pattern of a root is not a glob.
    #[error("{}: ignore pattern {pattern:?} is not a valid glob: {source}", root.display())]
    Glob {
        /// The watched folder.
        root: PathBuf,
        /// The pattern as written.
        pattern: String,
        /// What the glob parser says.
        source: globset::Error,
    },
    /// Two roots have the same id.
    #[error("two watched folders have the id {0}")]
    DuplicateRoot(i64),
    /// The path of a root cannot be made absolute.
    #[error("{}: not a usable path: {source}", root.display())]
    Path {
        /// The watched folder.
        root: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The operating system gave no thread.
    #[error("{}: cannot start its watching thread: {source}", root.display())]
    Thread {
        /// The watched folder.
        root: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

impl Error {
    /// What the user can do about it.
    #[must_use]
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::Glob { .. } => {
                "correct the pattern; `*` stays within one name, `**` crosses folders, `[` opens a set"
            }
            Self::DuplicateRoot(_) => "give every watched folder its own id",
            Self::Path { .. } => "write an absolute path",
            Self::Thread { .. } => "raise TasksMax of the service, or `ulimit -u`",
        }
    }
}
