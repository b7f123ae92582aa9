//! Files that the watcher reported.

use std::path::PathBuf;

use jiff::Timestamp;
use rusqlite::Row;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::columns::Columns;
use crate::ids::{FileId, RootId, SubjectId};
use crate::paths;
use crate::states::FileState;

/// A whole file, as seen on disk and judged by the caller.
#[derive(Clone, Debug, PartialEq)]
pub struct FileRecord {
    /// The watched folder.
    pub root: RootId,
    /// Path below the root.
    pub path: PathBuf,
    /// Bytes.
    pub size: u64,
    /// Modification time, nanoseconds since 1970.
    pub mtime_ns: i64,
    /// Change time, nanoseconds since 1970.
    pub ctime_ns: i64,
    /// Inode number.
    pub inode: u64,
    /// Number of the file system, `st_dev` of stat(2).
    pub device: u64,
    /// Hash of the content; `None` for files that are not read.
    pub content: Option<String>,
    /// What became of it.
    pub state: FileState,
    /// Why it is in this state.
    pub reason: Option<String>,
    /// What a person can do about it.
    pub remedy: Option<String>,
    /// The subject that it is a plane of.
    pub subject: Option<SubjectId>,
    /// What its name or header said.
    pub parsed: Value,
}

/// What recording a file changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// The path was not known.
    New(FileId),
    /// Path and content were known; at most the time stamps were brought up to date.
    Same(FileId),
    /// It had vanished, and is back with the content that it had.
    Returned(FileId),
    /// The same content is judged differently: state, reason, subject or parsed name changed.
    Reclassified(FileId),
    /// The path has new content.
    Superseded {
        /// The file.
        file: FileId,
        /// Its revision now; the first is 1.
        revision: i64,
        /// The subject that the old content belonged to.
        previous_subject: Option<SubjectId>,
    },
}

impl Recorded {
    /// The file.
    #[must_use]
    pub const fn file(self) -> FileId {
        match self {
            Self::New(file)
            | Self::Same(file)
            | Self::Returned(file)
            | Self::Reclassified(file)
            | Self::Superseded { file, .. } => file,
        }
    }
}

/// What the watcher needs to know about a file that it reported before and that is not marked as vanished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownFile {
    /// Path below the root.
    pub path: PathBuf,
    /// Bytes.
    pub size: u64,
    /// Modification time, nanoseconds since 1970.
    pub mtime_ns: i64,
    /// Change time, nanoseconds since 1970.
    pub ctime_ns: i64,
    /// Inode number.
    pub inode: u64,
    /// Number of the file system.
    pub device: u64,
    /// Hash of the content.
    pub content: Option<String>,
    /// What became of it.
    pub state: FileState,
}

/// A file under a root.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileRow {
    /// Identifier.
    pub id: FileId,
    /// The watched folder.
    pub root: RootId,
    /// Path below the root.
    #[serde(with = "paths")]
    pub path: PathBuf,
    /// Bytes.
    pub size: u64,
    /// Modification time, nanoseconds since 1970.
    pub mtime_ns: i64,
    /// Change time, nanoseconds since 1970.
    pub ctime_ns: i64,
    /// Inode number.
    pub inode: u64,
    /// Number of the file system; 0 where an earlier release recorded it.
    pub device: u64,
    /// Hash of the content.
    pub content: Option<String>,
    /// What became of it.
    pub state: FileState,
    /// Why it is in this state.
    pub reason: Option<String>,
    /// What a person can do about it.
    pub remedy: Option<String>,
    /// The subject that it is a plane of.
    pub subject: Option<SubjectId>,
    /// What its name or header said.
    pub parsed: Value,
    /// Counts the contents that the path has had; the first is 1.
    pub revision: i64,
    /// When it was first recorded.
    pub first_seen: Timestamp,
    /// When it was last recorded.
    pub seen_at: Timestamp,
    /// When it was found to be gone; `None` while it is there. Its results stay.
    pub vanished_at: Option<Timestamp>,
}

pub(crate) const FILE_COLUMNS: &str = "id, root_id, path, size, mtime_ns, ctime_ns, inode, device, content, state, reason, \
     remedy, subject_id, parsed, revision, first_seen, seen_at, vanished_at";

impl FileRow {
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let mut columns = Columns::of(row);
        Ok(Self {
            id: columns.next()?,
            root: columns.next()?,
            path: columns.path()?,
            size: columns.next::<i64>()?.cast_unsigned(),
            mtime_ns: columns.next()?,
            ctime_ns: columns.next()?,
            inode: columns.next::<i64>()?.cast_unsigned(),
            device: columns.next::<i64>()?.cast_unsigned(),
            content: columns.next()?,
            state: columns.next()?,
            reason: columns.next()?,
            remedy: columns.next()?,
            subject: columns.next()?,
            parsed: columns.json()?,
            revision: columns.next()?,
            first_seen: columns.time()?,
            seen_at: columns.time()?,
            vanished_at: columns.optional_time()?,
        })
    }
}
