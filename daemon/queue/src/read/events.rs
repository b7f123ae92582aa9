//! Events.

use rusqlite::params;

use super::{Cursor, Page, all};
use crate::Store;
use crate::error::Result;
use crate::ids::{EventId, PlateId, TaskId};
use crate::model::{EVENT_COLUMNS, EventRow};

impl Store {
    /// Events after an id, oldest first; of one plate, or of all.
    ///
    /// # Errors
    /// If the database fails.
    pub fn events(&self, plate: Option<PlateId>, cursor: Cursor) -> Result<Page<EventRow>> {
        self.read(|connection| {
            let rows = match plate {
                None => all(
                    connection,
                    &format!("SELECT {EVENT_COLUMNS} FROM event WHERE id > ?1 ORDER BY id LIMIT ?2"),
                    params![cursor.after, cursor.fetch()],
                    EventRow::read,
                )?,
                Some(plate) => all(
                    connection,
                    &format!("SELECT {EVENT_COLUMNS} FROM event WHERE plate_id = ?3 AND id > ?1 ORDER BY id LIMIT ?2"),
                    params![cursor.after, cursor.fetch(), plate],
                    EventRow::read,
                )?,
            };
            Ok(cursor.page(rows, |event| event.id.0))
        })
    }

    /// The history of one task, oldest first, as far as it is kept.
    ///
    /// # Errors
    /// If the database fails.
    pub fn task_events(&self, task: TaskId, cursor: Cursor) -> Result<Page<EventRow>> {
        self.read(|connection| {
            let sql = format!("SELECT {EVENT_COLUMNS} FROM event WHERE task_id = ?3 AND id > ?1 ORDER BY id LIMIT ?2");
            let rows = all(connection, &sql, params![cursor.after, cursor.fetch(), task], EventRow::read)?;
            Ok(cursor.page(rows, |event| event.id.0))
        })
    }

    /// The oldest event that is kept: a client that asks for earlier ones has missed some. `None` before the first.
    ///
    /// # Errors
    /// If the database fails.
    pub fn oldest_event(&self) -> Result<Option<EventId>> {
        self.read(|connection| {
            Ok(connection.query_row("SELECT min(id) FROM event", [], |row| row.get(0))?)
        })
    }
}
