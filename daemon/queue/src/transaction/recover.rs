//! Recovery: passes whose worker or daemon is gone.

use rusqlite::params;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{About, Transaction};
use crate::backoff::LONGEST;
use crate::error::Result;
use crate::ids::{PassId, TaskId};
use crate::statements;
use crate::states::EventKind;

/// What a recovery gave back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovered {
    /// Passes that were ended.
    pub passes: Vec<PassId>,
    /// Their tasks; none of them was charged with an attempt.
    pub tasks: Vec<TaskId>,
}

impl Transaction<'_> {
    /// Registers this run of the daemon and gives back what earlier runs left running. The lock on the queue
    /// guarantees that those runs are over.
    ///
    /// # Errors
    /// If the database fails.
    pub fn boot(&mut self) -> Result<Recovered> {
        let passes = self.all(
            "SELECT id FROM pass WHERE ended_at IS NULL AND boot_id <> ?1 ORDER BY id",
            [self.boot],
            |row| row.get(0),
        )?;
        let recovered = self.end(passes, "the daemon stopped")?;
        // A wall clock that was set back between two runs must not put retries off for years.
        self.execute(
            "UPDATE task SET ready_at = ?1 WHERE state = 'retrying' AND ready_at > ?1",
            [self.steady.saturating_add(LONGEST * 11 / 10)],
        )?;
        self.set_setting("boot_id", self.boot)?;
        self.set_setting("booted_at", &self.now.to_string())?;
        let data = json!({ "boot": self.boot, "pid": std::process::id(), "interrupted": recovered.tasks.len() });
        self.event(EventKind::DaemonBooted, About::NOTHING, &data)?;
        Ok(recovered)
    }

    /// Gives back the tasks of passes whose lease ran out.
    ///
    /// # Errors
    /// If the database fails.
    pub fn reap_expired(&mut self) -> Result<Recovered> {
        let passes = self.all(statements::EXPIRED, params![self.steady], |row| row.get(0))?;
        self.end(passes, "its worker sent no heartbeat")
    }

    fn end(&mut self, passes: Vec<PassId>, reason: &str) -> Result<Recovered> {
        let mut recovered = Recovered {
            passes,
            tasks: Vec::new(),
        };
        for &pass in &recovered.passes {
            recovered.tasks.extend(self.interrupt(pass, reason)?);
            self.close_pass(pass)?;
        }
        Ok(recovered)
    }
}
