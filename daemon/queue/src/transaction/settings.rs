//! Small values that outlive the process.

use rusqlite::params;

use super::Transaction;
use crate::error::Result;

impl Transaction<'_> {
    /// Stores a value under a name, in place of an older one.
    ///
    /// # Errors
    /// If the database fails.
    pub fn set_setting(&mut self, key: &str, value: &str) -> Result<()> {
        self.execute(
            "INSERT INTO setting (key, value) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = excluded.value",
            params![key, value],
        )?;
        Ok(())
    }
}
