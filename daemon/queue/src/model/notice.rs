//! What people are told, and whom.

use std::path::PathBuf;

use jiff::Timestamp;
use rusqlite::Row;
use serde::{Deserialize, Serialize};

use crate::columns::Columns;
use crate::counts::{SubjectCounts, TaskCounts};
use crate::ids::{NoticeId, PlateId};
use crate::model::Failure;
use crate::paths;
use crate::states::{NoticeKind, NoticeState};

/// Somebody who wants to be told, as it is configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRecipient {
    /// Identifies the recipient.
    pub name: String,
    /// What it wants to hear.
    pub wants: Vec<NoticeKind>,
    /// Paths of the watched folders that it wants to hear of; all if empty.
    pub roots: Vec<PathBuf>,
}

/// One message to one recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeRow {
    /// Identifier; rises with age.
    pub id: NoticeId,
    /// The same at every try, and of no other notice of any queue: a receiver can tell a repetition by it.
    pub token: String,
    /// Name of the recipient.
    pub recipient: String,
    /// What happened.
    pub kind: NoticeKind,
    /// The plate, where it is about one.
    pub plate: Option<PlateId>,
    /// What was true when it happened.
    pub news: News,
    /// Whether it was delivered.
    pub state: NoticeState,
    /// Tries that failed.
    pub attempts: u32,
    /// When it is tried next, on the steady clock.
    pub due_at: Timestamp,
    /// When it happened.
    pub created_at: Timestamp,
    /// Why the last try failed.
    pub error: Option<String>,
}

/// What a notice tells. Taken at the moment at which it happened: a plate that runs again meanwhile does not change it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "about", rename_all = "snake_case")]
pub enum News {
    /// Of a plate.
    Plate(Box<PlateNews>),
    /// Of a pause of the work.
    Pause(PauseNews),
}

/// A plate as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlateNews {
    /// The plate's name.
    pub plate: String,
    /// The watched folder's name.
    pub root: String,
    /// Where its results are.
    #[serde(with = "paths")]
    pub output: PathBuf,
    /// Its image sets by state.
    pub image_sets: SubjectCounts,
    /// Its tasks by state.
    pub tasks: TaskCounts,
    /// Image sets of which a task failed.
    pub failed_image_sets: u64,
    /// The first failures, in the order of the image sets.
    pub failures: Vec<FailedTask>,
    /// When its first image was seen.
    pub created_at: Timestamp,
    /// When it was decided to be complete.
    pub completed_at: Option<Timestamp>,
    /// When its last task ended.
    pub finished_at: Option<Timestamp>,
    /// More about the state, for example why it is stale.
    pub detail: Option<String>,
}

/// A task that failed for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedTask {
    /// The job.
    pub job: String,
    /// The image set, well or plate.
    pub subject: String,
    /// Why.
    pub failure: Failure,
}

/// Work that was paused by the daemon itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PauseNews {
    /// The watched folder's name; absent where everything is paused.
    pub root: Option<String>,
    /// Why.
    pub reason: String,
}

/// A recipient, and what became of its notices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipientRow {
    /// Name.
    pub name: String,
    /// Whether it is still configured.
    pub active: bool,
    /// Notices that wait to be delivered.
    pub waiting: u64,
    /// Notices delivered.
    pub sent: u64,
    /// Tries that failed.
    pub failed: u64,
    /// Notices that were not delivered in the end.
    pub given_up: u64,
    /// The last delivery.
    pub last_sent_at: Option<Timestamp>,
    /// Why the last try failed; absent if it did not.
    pub last_error: Option<String>,
}

pub(crate) const NOTICE_COLUMNS: &str =
    "id, token, recipient, kind, plate_id, news, state, attempts, due_at, created_at, error";

impl NoticeRow {
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let mut columns = Columns::of(row);
        Ok(Self {
            id: columns.next()?,
            token: columns.next()?,
            recipient: columns.next()?,
            kind: columns.next()?,
            plate: columns.next()?,
            news: columns.json()?,
            state: columns.next()?,
            attempts: columns.next()?,
            due_at: columns.time()?,
            created_at: columns.time()?,
            error: columns.next()?,
        })
    }
}
