//! State changes.

use jiff::Timestamp;
use rusqlite::Row;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::columns::Columns;
use crate::ids::{EventId, PlateId, SubjectId, TaskId};
use crate::states::EventKind;

/// One state change, recorded in the transaction that made it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventRow {
    /// Identifier; rises.
    pub id: EventId,
    /// When.
    pub at: Timestamp,
    /// What changed.
    pub kind: EventKind,
    /// The plate that it concerns.
    pub plate: Option<PlateId>,
    /// The subject that it concerns.
    pub subject: Option<SubjectId>,
    /// The task that it concerns.
    pub task: Option<TaskId>,
    /// The rest, by kind; task events have at least `from`, `to` and `job`.
    pub data: Value,
}

pub(crate) const EVENT_COLUMNS: &str = "id, at, kind, plate_id, subject_id, task_id, data";

impl EventRow {
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let mut columns = Columns::of(row);
        Ok(Self {
            id: columns.next()?,
            at: columns.time()?,
            kind: columns.next()?,
            plate: columns.next()?,
            subject: columns.next()?,
            task: columns.next()?,
            data: columns.json()?,
        })
    }
}
