//! Everything that changes the queue. Each change appends its events in the same transaction.

mod cancel;
mod claim;
mod edges;
mod files;
mod finish;
mod graph;
mod holds;
mod hurry;
mod notices;
mod pace;
mod plan;
mod plates;
mod prune;
mod recover;
mod requeue;
mod roots;
mod settings;
mod subjects;

use std::collections::BTreeSet;

use rusqlite::{Connection, Params, params};
use serde_json::Value;

pub use cancel::Cancelled;
pub use claim::{Admission, Admit, Candidate, ClaimFilter, ClaimRequest, Pass};
pub use finish::Beat;
pub use holds::{PERSON, Target};
pub(crate) use pace::MINUTE;
pub use prune::Pruned;
pub use recover::Recovered;

use crate::clock::Clock;
use crate::error::Result;
use crate::ids::{EventId, PlateId, SubjectId, TaskId};
use crate::states::EventKind;

/// An open transaction: all of its changes are recorded, or none.
///
/// [`Store::transaction`](crate::Store::transaction) gives one out; the methods of
/// [`Store`](crate::Store) with the same names run one change each.
#[derive(Debug)]
pub struct Transaction<'c> {
    connection: &'c Connection,
    /// Wall time, for history.
    now: i64,
    /// Steady time, for leases and delays.
    steady: i64,
    /// This run of the daemon.
    boot: &'c str,
    /// Plates whose state may follow from what was changed.
    touched: BTreeSet<PlateId>,
    last_event: Option<EventId>,
}

impl<'c> Transaction<'c> {
    pub(crate) fn new(connection: &'c Connection, clock: &Clock, boot: &'c str) -> Self {
        let (now, steady) = (clock.now(), clock.steady());
        Self {
            connection,
            now,
            steady,
            boot,
            touched: BTreeSet::new(),
            last_event: None,
        }
    }

    /// Derives the states of the plates that were touched; returns the last event.
    pub(crate) fn finish(mut self) -> Result<Option<EventId>> {
        while let Some(plate) = self.touched.pop_first() {
            self.settle_plate(plate)?;
        }
        Ok(self.last_event)
    }

    fn execute(&self, sql: &str, params: impl Params) -> Result<usize> {
        Ok(self.connection.prepare_cached(sql)?.execute(params)?)
    }

    /// Runs an INSERT; returns the new row's id.
    fn insert(&self, sql: &str, params: impl Params) -> Result<i64> {
        Ok(self.connection.prepare_cached(sql)?.insert(params)?)
    }

    /// The first row, if there is one.
    fn first<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>> {
        use rusqlite::OptionalExtension as _;
        Ok(self
            .connection
            .prepare_cached(sql)?
            .query_row(params, read)
            .optional()?)
    }

    /// All rows.
    fn all<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        Ok(self
            .connection
            .prepare_cached(sql)?
            .query_map(params, read)?
            .collect::<rusqlite::Result<_>>()?)
    }

    fn event(&mut self, kind: EventKind, about: About, data: &Value) -> Result<()> {
        let id = self.insert(
            "INSERT INTO event (at, kind, plate_id, subject_id, task_id, data) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![self.now, kind, about.plate, about.subject, about.task, data.to_string()],
        )?;
        self.last_event = Some(EventId(id));
        Ok(())
    }
}

/// What an event is about.
#[derive(Clone, Copy, Debug, Default)]
struct About {
    plate: Option<PlateId>,
    subject: Option<SubjectId>,
    task: Option<TaskId>,
}

impl About {
    const NOTHING: Self = Self {
        plate: None,
        subject: None,
        task: None,
    };

    const fn plate(plate: PlateId) -> Self {
        Self {
            plate: Some(plate),
            subject: None,
            task: None,
        }
    }

    const fn subject(plate: PlateId, subject: SubjectId) -> Self {
        Self {
            plate: Some(plate),
            subject: Some(subject),
            task: None,
        }
    }
}
