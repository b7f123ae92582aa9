//! Events.

use queue::{EventKind, EventRow};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{EventKindWord, Moment};

/// One state change.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Event)]
pub(crate) struct EventView {
    /// Identifier; rises.
    pub id: i64,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Moment,
    /// What changed.
    #[schema(value_type = EventKindWord)]
    pub kind: EventKind,
    /// The plate that it concerns.
    pub plate: Option<i64>,
    /// The subject that it concerns.
    pub subject: Option<i64>,
    /// The task that it concerns.
    pub task: Option<i64>,
    /// The rest, by kind; task events have at least `from`, `to` and `job`.
    pub data: Value,
}

impl From<EventRow> for EventView {
    fn from(row: EventRow) -> Self {
        Self {
            id: row.id.0,
            at: row.at.into(),
            kind: row.kind,
            plate: row.plate.map(|id| id.0),
            subject: row.subject.map(|id| id.0),
            task: row.task.map(|id| id.0),
            data: row.data,
        }
    }
}
