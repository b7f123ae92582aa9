//! Upkeep.

use std::path::Path;
use std::time::Duration;

use super::Store;
use crate::clock::millis;
use crate::error::{Error, Result};
use crate::paths::bytes;
use crate::transaction::Pruned;

impl Store {
    /// Removes events, attempt logs and delivered notices that are older than `age`, in small transactions between which others
    /// get their turn. Tasks, attempts and files stay: they are what prevents doing things twice.
    ///
    /// # Errors
    /// If the database fails; what was removed until then is removed.
    pub fn prune(&self, age: Duration) -> Result<Pruned> {
        let before = self.shared.clock.now().saturating_sub(millis(age));
        let mut total = Pruned::default();
        loop {
            let step = self.transaction(|transaction| transaction.prune_batch(before))?;
            total.events += step.events;
            total.logs += step.logs;
            total.notices += step.notices;
            if step == Pruned::default() {
                return Ok(total);
            }
        }
    }

    /// Writes a compact copy of the queue, as it is now, to a new file.
    ///
    /// # Errors
    /// If the file exists, or cannot be written.
    pub fn backup(&self, to: &Path) -> Result<()> {
        if to.exists() {
            let source = std::io::Error::from(std::io::ErrorKind::AlreadyExists);
            return Err(Error::io(to, "write the backup", source));
        }
        let writer = self.shared.writer.as_ref().ok_or(Error::ReadOnly)?;
        writer.exclusive(|connection| {
            connection.execute("VACUUM INTO CAST(?1 AS TEXT)", [bytes(to)])?;
            Ok(())
        })
    }
}
