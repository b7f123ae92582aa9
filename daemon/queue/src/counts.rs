//! Numbers of tasks and image sets by state.

use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use crate::ids::PlateId;
use crate::states::SubjectState;

/// Numbers of tasks by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskCounts {
    /// Waiting for something that will come by itself.
    pub waiting: u64,
    /// Waiting for something that only a requeue, or a missing plane, can bring.
    pub blocked: u64,
    /// Can be claimed.
    pub ready: u64,
    /// Claimed.
    pub running: u64,
    /// Published.
    pub succeeded: u64,
    /// To be tried again.
    pub retrying: u64,
    /// Failed for good.
    pub failed: u64,
    /// Taken out because workers died over them.
    pub quarantined: u64,
    /// Stopped by a person.
    pub cancelled: u64,
}

impl std::ops::Add for TaskCounts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            waiting: self.waiting + other.waiting,
            blocked: self.blocked + other.blocked,
            ready: self.ready + other.ready,
            running: self.running + other.running,
            succeeded: self.succeeded + other.succeeded,
            retrying: self.retrying + other.retrying,
            failed: self.failed + other.failed,
            quarantined: self.quarantined + other.quarantined,
            cancelled: self.cancelled + other.cancelled,
        }
    }
}

impl TaskCounts {
    /// All tasks.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.pending() + self.succeeded + self.dead()
    }

    /// Tasks that will still run by themselves.
    #[must_use]
    pub const fn pending(&self) -> u64 {
        self.waiting + self.ready + self.running + self.retrying
    }

    /// Tasks that run only if a person acts.
    #[must_use]
    pub const fn dead(&self) -> u64 {
        self.blocked + self.failed + self.quarantined + self.cancelled
    }

    /// Adds `n` tasks of a tally's bucket: a state, or `blocked`.
    pub(crate) fn add_to(&mut self, bucket: &str, n: u64) {
        let count = match bucket {
            "waiting" => &mut self.waiting,
            "blocked" => &mut self.blocked,
            "ready" => &mut self.ready,
            "running" => &mut self.running,
            "succeeded" => &mut self.succeeded,
            "retrying" => &mut self.retrying,
            "failed" => &mut self.failed,
            "quarantined" => &mut self.quarantined,
            "cancelled" => &mut self.cancelled,
            _ => return,
        };
        *count += n;
    }

    pub(crate) fn of_plate(connection: &Connection, plate: PlateId) -> rusqlite::Result<Self> {
        let mut counts = Self::default();
        let mut statement =
            connection.prepare_cached("SELECT bucket, n FROM task_tally WHERE plate_id = ?1")?;
        let mut rows = statement.query([plate])?;
        while let Some(row) = rows.next()? {
            counts.add_to(
                row.get_ref(0)?.as_str()?,
                row.get::<_, i64>(1)?.unsigned_abs(),
            );
        }
        Ok(counts)
    }
}

/// Numbers of image sets (or stacks) by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectCounts {
    /// More planes are expected.
    pub arriving: u64,
    /// All planes are there.
    pub complete: u64,
    /// Given up without some of the planes.
    pub incomplete: u64,
}

impl SubjectCounts {
    /// All of them.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.arriving + self.complete + self.incomplete
    }

    pub(crate) const fn add(&mut self, state: SubjectState, n: u64) {
        match state {
            SubjectState::Arriving => self.arriving += n,
            SubjectState::Complete => self.complete += n,
            SubjectState::Incomplete => self.incomplete += n,
        }
    }

    pub(crate) fn of_plate(connection: &Connection, plate: PlateId) -> rusqlite::Result<Self> {
        let mut counts = Self::default();
        let mut statement = connection
            .prepare_cached("SELECT state, n FROM subject_tally WHERE plate_id = ?1 AND kind IN ('image_set', 'stack')")?;
        let mut rows = statement.query([plate])?;
        while let Some(row) = rows.next()? {
            counts.add(row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs());
        }
        Ok(counts)
    }
}
