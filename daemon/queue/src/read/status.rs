//! The state of everything, in a few numbers. Read from tallies: its cost does not grow with the tasks.

use jiff::Timestamp;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::all;
use crate::Store;
use crate::clock::timestamp;
use crate::columns::Columns;
use crate::counts::TaskCounts;
use crate::error::Result;
use crate::ids::{EventId, PassId, PlateId, SubjectId};
use crate::model::{ROOT_COLUMNS, RootRow};
use crate::statements;
use crate::states::{FileState, PlateState};
use crate::transaction::Target;

/// Numbers of plates by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlateCounts {
    /// More images are expected.
    pub arriving: u64,
    /// Tasks are still to be run.
    pub complete: u64,
    /// Everything succeeded.
    pub done: u64,
    /// Not everything succeeded.
    pub done_with_failures: u64,
    /// Plate results are out of date.
    pub stale: u64,
}

/// Numbers of files by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileCounts {
    /// Planes and indexes.
    pub registered: u64,
    /// Names that fit no scheme.
    pub unmatched: u64,
    /// Deliberately not processed.
    pub ignored: u64,
    /// Cannot be decoded.
    pub unreadable: u64,
    /// Replaced by another file.
    pub superseded: u64,
    /// Of all of these, those that are gone; their results stay.
    pub vanished: u64,
}

/// A pause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// What is paused.
    pub target: Target,
    /// Who paused it.
    pub holder: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub at: Timestamp,
}

/// A subject that is being worked on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassSummary {
    /// Identifier.
    pub id: PassId,
    /// The plate.
    pub plate: PlateId,
    /// The plate's name.
    pub plate_name: String,
    /// The subject.
    pub subject: SubjectId,
    /// The subject's name.
    pub subject_name: String,
    /// The workflow.
    pub workflow: String,
    /// The worker.
    pub worker: String,
    /// The worker's process.
    pub pid: Option<u32>,
    /// Jobs that have not been reported on, in order.
    pub jobs: Vec<String>,
    /// When it was claimed.
    pub started_at: Timestamp,
    /// Until when it has to be heard of again.
    pub lease_until: Timestamp,
}

/// The state of everything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Tasks by state.
    pub tasks: TaskCounts,
    /// Plates by state.
    pub plates: PlateCounts,
    /// Files by state.
    pub files: FileCounts,
    /// Subjects that are being worked on.
    pub passes: u64,
    /// Pauses in force.
    pub holds: Vec<Hold>,
    /// Watched folders.
    pub roots: Vec<RootRow>,
    /// The newest event; 0 before the first.
    pub last_event: EventId,
}

impl Store {
    /// The state of everything.
    ///
    /// # Errors
    /// If the database fails.
    pub fn status(&self) -> Result<Status> {
        self.read(|connection| {
            let mut tasks = TaskCounts::default();
            for (bucket, n) in tally(
                connection,
                "SELECT bucket, sum(n) FROM task_tally GROUP BY bucket",
            )? {
                tasks.add_to(&bucket, n);
            }
            let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
            Ok(Status {
                tasks,
                plates: plate_counts(connection)?,
                files: file_counts(connection)?,
                passes: number("SELECT count(*) FROM pass WHERE ended_at IS NULL")?.unsigned_abs(),
                holds: holds(connection)?,
                roots: all(
                    connection,
                    &format!("SELECT {ROOT_COLUMNS} FROM root ORDER BY id"),
                    [],
                    RootRow::read,
                )?,
                last_event: EventId(number("SELECT coalesce(max(id), 0) FROM event")?),
            })
        })
    }

    /// Watched folders, oldest first.
    ///
    /// # Errors
    /// If the database fails.
    pub fn roots(&self) -> Result<Vec<RootRow>> {
        self.read(|connection| {
            all(
                connection,
                &format!("SELECT {ROOT_COLUMNS} FROM root ORDER BY id"),
                [],
                RootRow::read,
            )
        })
    }

    /// Subjects that are being worked on, the longest first.
    ///
    /// # Errors
    /// If the database fails.
    pub fn passes(&self) -> Result<Vec<PassSummary>> {
        self.read(|connection| all(connection, PASSES, [], pass_summary))
    }

    /// A value stored with [`Store::set_setting`].
    ///
    /// # Errors
    /// If the database fails.
    pub fn setting(&self, key: &str) -> Result<Option<String>> {
        self.read(|connection| {
            super::first(
                connection,
                "SELECT value FROM setting WHERE key = ?1",
                [key],
                |row| row.get(0),
            )
        })
    }

    /// When something is due on the steady clock, milliseconds: the next retry or the next lease to run out. A scheduler
    /// sleeps until then, or until an event.
    ///
    /// # Errors
    /// If the database fails.
    pub fn next_wakeup(&self) -> Result<Option<Timestamp>> {
        self.read(|connection| {
            let due = connection
                .query_row(statements::NEXT_DUE, [], |row| row.get::<_, Option<i64>>(0))?;
            Ok(due.map(timestamp))
        })
    }
}

const PASSES: &str = "SELECT pass.id, pass.plate_id, plate.name, pass.subject_id, subject.name, pass.workflow, \
     pass.worker, pass.pid, (SELECT json_group_array(job) FROM (SELECT job FROM task WHERE pass_id = pass.id \
     ORDER BY position)), pass.started_at, pass.lease_until FROM pass INDEXED BY pass_open \
     JOIN subject ON subject.id = pass.subject_id JOIN plate ON plate.id = pass.plate_id \
     WHERE pass.ended_at IS NULL ORDER BY pass.id";

fn pass_summary(row: &rusqlite::Row<'_>) -> rusqlite::Result<PassSummary> {
    let mut columns = Columns::of(row);
    Ok(PassSummary {
        id: columns.next()?,
        plate: columns.next()?,
        plate_name: columns.next()?,
        subject: columns.next()?,
        subject_name: columns.next()?,
        workflow: columns.next()?,
        worker: columns.next()?,
        pid: columns.next()?,
        jobs: columns.json()?,
        started_at: columns.time()?,
        lease_until: columns.time()?,
    })
}

/// Pauses in force, global ones first.
pub(super) fn holds(connection: &Connection) -> Result<Vec<Hold>> {
    all(
        connection,
        "SELECT root_id, plate_id, holder, reason, at FROM hold ORDER BY plate_id, root_id, at",
        [],
        |row| {
            Ok(Hold {
                target: Target::from_ids(row.get(0)?, row.get(1)?),
                holder: row.get(2)?,
                reason: row.get(3)?,
                at: timestamp(row.get(4)?),
            })
        },
    )
}

fn tally(connection: &Connection, sql: &str) -> Result<Vec<(String, u64)>> {
    all(connection, sql, [], |row| {
        Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs()))
    })
}

fn plate_counts(connection: &Connection) -> Result<PlateCounts> {
    let mut counts = PlateCounts::default();
    for (state, n) in tally(
        connection,
        "SELECT state, count(*) FROM plate GROUP BY state",
    )? {
        match state.parse() {
            Ok(PlateState::Arriving) => counts.arriving = n,
            Ok(PlateState::Complete) => counts.complete = n,
            Ok(PlateState::Done) => counts.done = n,
            Ok(PlateState::DoneWithFailures) => counts.done_with_failures = n,
            Ok(PlateState::Stale) => counts.stale = n,
            Err(_) => {}
        }
    }
    Ok(counts)
}

fn file_counts(connection: &Connection) -> Result<FileCounts> {
    let mut counts = FileCounts::default();
    for (state, n) in tally(
        connection,
        "SELECT state, sum(n) FROM file_tally GROUP BY state",
    )? {
        match state.parse() {
            Ok(FileState::Registered) => counts.registered = n,
            Ok(FileState::Unmatched) => counts.unmatched = n,
            Ok(FileState::Ignored) => counts.ignored = n,
            Ok(FileState::Unreadable) => counts.unreadable = n,
            Ok(FileState::Superseded) => counts.superseded = n,
            Err(_) => {}
        }
    }
    let vanished: i64 = connection.query_row(
        "SELECT count(*) FROM file INDEXED BY file_vanished WHERE vanished_at IS NOT NULL",
        [],
        |row| row.get(0),
    )?;
    counts.vanished = vanished.unsigned_abs();
    Ok(counts)
}
