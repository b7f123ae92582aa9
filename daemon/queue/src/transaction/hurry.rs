//! Trouble of the surroundings is over: what it put off need not wait for its time.

use rusqlite::params;

use super::Transaction;
use crate::error::Result;
use crate::ids::RootId;

impl Transaction<'_> {
    /// Makes tasks due that are to be retried because of trouble of the surroundings (disk full, share gone): those of a
    /// root, or all. Other retries keep their time. Returns how many there are.
    ///
    /// # Errors
    /// If the database fails.
    pub fn hurry(&mut self, root: Option<RootId>) -> Result<usize> {
        self.execute(
            "UPDATE task SET ready_at = ?1 WHERE state = 'retrying' AND ready_at > ?1 \
             AND json_extract(error, '$.class') = 'environment' \
             AND (?2 IS NULL OR plate_id IN (SELECT id FROM plate WHERE root_id = ?2))",
            params![self.steady, root],
        )
    }
}
