//! Notices that are due, and what became of those before.

use jiff::Timestamp;

use super::{all, first};
use crate::Store;
use crate::clock::timestamp;
use crate::columns::Columns;
use crate::error::Result;
use crate::model::{NOTICE_COLUMNS, NoticeRow, RecipientRow};
use crate::statements::{DUE_NOTICE, NEXT_NOTICE};

impl Store {
    /// The notice for a recipient that has been due for the longest time.
    ///
    /// # Errors
    /// If the database fails.
    pub fn due_notice(&self, recipient: &str) -> Result<Option<NoticeRow>> {
        let now = self.clock().steady();
        self.read(|connection| {
            first(
                connection,
                &format!("SELECT {NOTICE_COLUMNS} {DUE_NOTICE}"),
                (recipient, now),
                NoticeRow::read,
            )
        })
    }

    /// When the next notice for a recipient is due, on the steady clock.
    ///
    /// # Errors
    /// If the database fails.
    pub fn next_notice_at(&self, recipient: &str) -> Result<Option<Timestamp>> {
        self.read(|connection| {
            let due = first(connection, NEXT_NOTICE, [recipient], |row| {
                row.get::<_, Option<i64>>(0)
            })?;
            Ok(due.flatten().map(timestamp))
        })
    }

    /// The last notices, newest first, at most `limit`.
    ///
    /// # Errors
    /// If the database fails.
    pub fn notices(&self, limit: u32) -> Result<Vec<NoticeRow>> {
        self.read(|connection| {
            all(
                connection,
                &format!("SELECT {NOTICE_COLUMNS} FROM notice ORDER BY id DESC LIMIT ?1"),
                [limit],
                NoticeRow::read,
            )
        })
    }

    /// Those who are told, by name, with what became of their notices.
    ///
    /// # Errors
    /// If the database fails.
    pub fn recipients(&self) -> Result<Vec<RecipientRow>> {
        self.read(|connection| {
            all(
                connection,
                "SELECT name, active, (SELECT count(*) FROM notice INDEXED BY notice_waiting \
                 WHERE state = 'waiting' AND notice.recipient = recipient.name), \
                 sent, failed, given_up, last_sent_at, last_error FROM recipient ORDER BY name",
                [],
                |row| {
                    let mut columns = Columns::of(row);
                    let number = |columns: &mut Columns<'_, '_>| {
                        columns.next::<i64>().map(i64::unsigned_abs)
                    };
                    Ok(RecipientRow {
                        name: columns.next()?,
                        active: columns.next()?,
                        waiting: number(&mut columns)?,
                        sent: number(&mut columns)?,
                        failed: number(&mut columns)?,
                        given_up: number(&mut columns)?,
                        last_sent_at: columns.optional_time()?,
                        last_error: columns.next()?,
                    })
                },
            )
        })
    }
}
