//! Forgetting history that nobody asks for any more.

use rusqlite::params;
use serde::{Deserialize, Serialize};

use super::Transaction;
use super::pace::MINUTE;
use crate::error::Result;
use crate::statements::{OLD_LOGS, OLD_NOTICES};

/// Rows that one transaction removes at most, so that nobody waits long for the writer.
const BATCH: i64 = 5_000;

/// What a pruning step removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pruned {
    /// Events removed.
    pub events: usize,
    /// Logs removed; their attempts stay.
    pub logs: usize,
    /// Notices removed that were delivered or given up.
    pub notices: usize,
}

impl Transaction<'_> {
    /// Removes a batch of events, attempt logs and delivered notices that are older than a time (milliseconds since 1970).
    pub(crate) fn prune_batch(&mut self, before: i64) -> Result<Pruned> {
        // Ids rise with time, so the old events are the first ones: no index on the time is needed.
        let events = self.execute(
            "DELETE FROM event WHERE id IN (SELECT id FROM event ORDER BY id LIMIT ?2) AND at < ?1 \
             AND id < (SELECT max(id) FROM event)",
            params![before, BATCH],
        )?;
        let logs = self.execute(
            &format!("UPDATE attempt SET log = NULL WHERE id IN ({OLD_LOGS})"),
            params![before, BATCH],
        )?;
        let notices = self.execute(
            &format!("DELETE FROM notice WHERE id IN ({OLD_NOTICES})"),
            params![before, BATCH],
        )?;
        // A row a minute at most, so there are never many to go.
        self.execute(
            "DELETE FROM ended WHERE minute < ?1",
            [before.div_euclid(MINUTE)],
        )?;
        Ok(Pruned {
            events,
            logs,
            notices,
        })
    }
}
