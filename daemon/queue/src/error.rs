//! What can go wrong, whose fault it is, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use crate::ids::{PassId, TaskId};
use crate::states::FailureClass;

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the store refused or failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process has the queue open for writing.
    #[error("the queue {path} is in use by {}", holder(*.pid))]
    InUse {
        /// The database.
        path: PathBuf,
        /// The process that holds the lock, where its lock file names one.
        pid: Option<u32>,
    },
    /// The file is a database of another program, or no database.
    #[error("{path} is not a wellspring queue: {detail}")]
    NotOurs {
        /// The file.
        path: PathBuf,
        /// What it looks like.
        detail: String,
    },
    /// A newer release wrote the database.
    #[error(
        "the queue {path} has schema version {found}, but this release knows only up to {known}"
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest version that this release can read.
        known: i64,
    },
    /// An old database is opened read-only, so it cannot be migrated.
    #[error("the queue {path} has schema version {found} and needs a migration to {known}")]
    NeedsMigration {
        /// The database.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The version of this release.
        known: i64,
    },
    /// The database is damaged.
    #[error("the queue {path} is damaged: {detail}")]
    Corrupt {
        /// The database.
        path: PathBuf,
        /// What SQLite found.
        detail: String,
    },
    /// A file operation failed.
    #[error("cannot {doing} {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The operation.
        doing: &'static str,
        /// The system's reason.
        source: io::Error,
    },
    /// The row does not exist.
    #[error("there is no {what} {id}")]
    NotFound {
        /// The kind of row.
        what: &'static str,
        /// Its id or name.
        id: String,
    },
    /// The tasks are being worked on.
    #[error("{} running now: {}", if .running.len() == 1 { "a task is" } else { "tasks are" }, list(.running))]
    Running {
        /// The tasks that stand in the way.
        running: Vec<TaskId>,
    },
    /// The pass was taken away from its worker (lease ran out, daemon restarted) or was reported already.
    #[error("pass {pass} has ended; its late report is not recorded")]
    PassEnded {
        /// The pass.
        pass: PassId,
    },
    /// A report names a task that is not running in the pass.
    #[error("task {task} is not running in pass {pass}")]
    NotInPass {
        /// The task.
        task: TaskId,
        /// The pass.
        pass: PassId,
    },
    /// A plan contradicts itself.
    #[error("job `{job}` cannot be planned: {detail}")]
    InvalidPlan {
        /// The job.
        job: String,
        /// The contradiction.
        detail: String,
    },
    /// The store was opened for reading only.
    #[error("the queue was opened read-only")]
    ReadOnly,
    /// Nothing of the transaction was recorded.
    #[error("the queue could not commit: {detail}")]
    NotCommitted {
        /// The reason.
        detail: String,
    },
    /// SQLite failed.
    #[error("queue database: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A JSON column cannot be written or read.
    #[error("queue database: JSON column: {0}")]
    Json(#[from] serde_json::Error),
}

impl Error {
    /// Whether trying again can help.
    #[must_use]
    pub fn class(&self) -> FailureClass {
        match self {
            Self::InUse { .. } | Self::Io { .. } | Self::NotCommitted { .. } => {
                FailureClass::Environment
            }
            Self::Running { .. } => FailureClass::Transient,
            Self::Sqlite(error) => sqlite_class(error),
            _ => FailureClass::Permanent,
        }
    }

    /// What a person can do, in one sentence.
    #[must_use]
    pub fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::InUse { pid, .. } => match pid {
                Some(pid) => {
                    format!("stop process {pid}, or give this daemon a state directory of its own")
                }
                None => {
                    "stop the other daemon, or give this one a state directory of its own".into()
                }
            },
            Self::NotOurs { path, .. } => format!(
                "the file was left as it is; move {} away, or set another [state] dir",
                path.display()
            ),
            Self::Newer { .. } => {
                "install the newer release again, or restore the backup made before the upgrade"
                    .into()
            }
            Self::NeedsMigration { .. } => "start the daemon once; it migrates the queue".into(),
            Self::Corrupt { path, .. } => format!(
                "the file was left as it is; stop the daemon, copy {0} and its -wal file away, and try \
                 `sqlite3 {0} .recover | sqlite3 repaired.db`; without a queue the folders are scanned again and \
                 containers whose task keys are equal are not computed again",
                path.display()
            ),
            Self::Io { path, .. } => format!(
                "check that {} exists and is writable by the daemon's user",
                path.display()
            ),
            Self::Running { .. } => "wait until they end, or cancel them first".into(),
            Self::ReadOnly => "open the queue for writing, or ask the daemon over HTTP".into(),
            Self::NotCommitted { .. } => {
                "check the free space and the health of the disk of the state directory".into()
            }
            Self::Sqlite(error) if sqlite_class(error) == FailureClass::Environment => {
                "check the free space and the health of the disk of the state directory".into()
            }
            _ => return None,
        })
    }

    /// A stable word for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InUse { .. } => "queue_in_use",
            Self::NotOurs { .. } => "queue_not_ours",
            Self::Newer { .. } => "queue_newer",
            Self::NeedsMigration { .. } => "queue_needs_migration",
            Self::Corrupt { .. } => "queue_corrupt",
            Self::Io { .. } => "queue_io",
            Self::NotFound { .. } => "not_found",
            Self::Running { .. } => "task_running",
            Self::PassEnded { .. } => "pass_ended",
            Self::NotInPass { .. } => "task_not_in_pass",
            Self::InvalidPlan { .. } => "invalid_plan",
            Self::ReadOnly => "queue_read_only",
            Self::NotCommitted { .. } => "queue_not_committed",
            Self::Sqlite(_) | Self::Json(_) => "queue_database",
        }
    }

    /// The disk did not take a transaction.
    #[must_use]
    #[allow(clippy::needless_pass_by_value)] // for `map_err`
    pub fn not_committed(source: io::Error) -> Self {
        Self::NotCommitted {
            detail: source.to_string(),
        }
    }

    pub(crate) fn not_found(what: &'static str, id: impl std::fmt::Display) -> Self {
        Self::NotFound {
            what,
            id: format!("{id}"),
        }
    }

    pub(crate) fn io(path: &Path, doing: &'static str, source: io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            doing,
            source,
        }
    }
}

fn sqlite_class(error: &rusqlite::Error) -> FailureClass {
    use rusqlite::ErrorCode as Code;
    match error.sqlite_error_code() {
        Some(Code::DatabaseBusy | Code::DatabaseLocked) => FailureClass::Transient,
        Some(
            Code::DiskFull
            | Code::SystemIoFailure
            | Code::CannotOpen
            | Code::ReadOnly
            | Code::OutOfMemory,
        ) => FailureClass::Environment,
        _ => FailureClass::Permanent,
    }
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(
        || "another process".to_owned(),
        |pid| format!("process {pid}"),
    )
}

fn list(tasks: &[TaskId]) -> String {
    const SHOWN: usize = 10;
    let mut text = tasks
        .iter()
        .take(SHOWN)
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ");
    if tasks.len() > SHOWN {
        text.push_str(&format!(" and {} more", tasks.len() - SHOWN));
    }
    text
}
