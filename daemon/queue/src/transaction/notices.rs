//! Notices: written with what they tell, kept until they are delivered.

use std::time::Duration;

use rusqlite::params;

use super::Transaction;
use crate::backoff;
use crate::clock::millis;
use crate::columns::Json;
use crate::counts::{SubjectCounts, TaskCounts};
use crate::error::{Error, Result};
use crate::ids::{NoticeId, PlateId, RootId};
use crate::model::{
    FailedTask, Failure, NewRecipient, News, PLATE_COLUMNS, PauseNews, PlateNews, PlateRow,
};
use crate::paths::bytes;
use crate::statements::SUBSCRIBERS;
use crate::states::{FailureClass, NoticeKind, NoticeState};

/// Failures that a notice names; it is a message, not the list.
const NAMED_FAILURES: i64 = 5;

/// The path of a subscription that is for all watched folders.
const EVERYWHERE: &[u8] = b"";

/// So many tries are made, over about three days.
const MAX_TRIES: u32 = 20;

impl Transaction<'_> {
    /// Brings the list of those who want to be told up to date. What waits for a recipient that is gone is withdrawn.
    /// Everything else that waits is due at once: perhaps an address was corrected. Returns how many were withdrawn.
    ///
    /// # Errors
    /// If the database fails.
    pub fn put_recipients(&mut self, recipients: &[NewRecipient]) -> Result<usize> {
        self.execute("DELETE FROM subscription", [])?;
        self.execute("UPDATE recipient SET active = 0", [])?;
        for recipient in recipients {
            self.execute(
                "INSERT INTO recipient (name, active) VALUES (?1, 1) ON CONFLICT DO UPDATE SET active = 1",
                [&recipient.name],
            )?;
            let mut roots: Vec<&[u8]> = recipient.roots.iter().map(|root| bytes(root)).collect();
            if roots.is_empty() {
                roots.push(EVERYWHERE);
            }
            for kind in &recipient.wants {
                for root in &roots {
                    self.execute(
                        "INSERT INTO subscription (recipient, root_path, kind) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
                        params![recipient.name, root, kind],
                    )?;
                }
            }
        }
        let withdrawn = self.execute(
            "UPDATE notice SET state = 'withdrawn', ended_at = ?1 WHERE state = 'waiting' \
             AND recipient IN (SELECT name FROM recipient WHERE active = 0)",
            [self.now],
        )?;
        self.execute(
            "UPDATE notice SET due_at = ?1 WHERE state = 'waiting' AND due_at > ?1",
            [self.steady],
        )?;
        Ok(withdrawn)
    }

    /// Notes that a notice was delivered.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown notice.
    pub fn notice_sent(&mut self, notice: NoticeId) -> Result<()> {
        let recipient = self.recipient_of(notice)?;
        self.execute(
            "UPDATE notice SET state = 'sent', ended_at = ?2, error = NULL WHERE id = ?1",
            params![notice, self.now],
        )?;
        self.execute(
            "UPDATE recipient SET sent = sent + 1, last_sent_at = ?2, last_error = NULL WHERE name = ?1",
            params![recipient, self.now],
        )?;
        Ok(())
    }

    /// Notes that a notice could not be delivered. It is tried again later, at the earliest after `not_before`; after
    /// the last try it is given up. Returns what became of it.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown notice.
    pub fn notice_failed(
        &mut self,
        notice: NoticeId,
        error: &str,
        not_before: Option<Duration>,
    ) -> Result<NoticeState> {
        let recipient = self.recipient_of(notice)?;
        let tries = self
            .first(
                "UPDATE notice SET attempts = attempts + 1, error = ?2 WHERE id = ?1 RETURNING attempts",
                params![notice, error],
                |row| row.get::<_, u32>(0),
            )?
            .unwrap_or_default();
        let given_up = tries >= MAX_TRIES;
        self.execute(
            "UPDATE recipient SET failed = failed + 1, given_up = given_up + ?2, last_error = ?3 WHERE name = ?1",
            params![recipient, given_up, error],
        )?;
        if given_up {
            self.execute(
                "UPDATE notice SET state = 'given_up', ended_at = ?2 WHERE id = ?1",
                params![notice, self.now],
            )?;
            return Ok(NoticeState::GivenUp);
        }
        // Whoever answers may ask for patience, but not for ever.
        let asked = not_before.map_or(0, millis).min(backoff::LONGEST_NOTICE);
        let delay = backoff::notice(tries, notice.0).max(asked);
        self.execute(
            "UPDATE notice SET due_at = ?2 WHERE id = ?1",
            params![notice, self.steady.saturating_add(delay)],
        )?;
        Ok(NoticeState::Waiting)
    }

    fn recipient_of(&self, notice: NoticeId) -> Result<String> {
        self.first(
            "SELECT recipient FROM notice WHERE id = ?1",
            [notice],
            |row| row.get(0),
        )?
        .ok_or_else(|| Error::not_found("notice", notice))
    }

    /// Writes what a plate has come to for all who want to hear it.
    pub(super) fn tell_of_plate(&mut self, plate: PlateId, kind: NoticeKind) -> Result<()> {
        let row = self.first(
            &format!("SELECT {PLATE_COLUMNS} FROM plate WHERE id = ?1"),
            [plate],
            PlateRow::read,
        )?;
        let Some(row) = row else { return Ok(()) };
        let recipients = self.subscribers(kind, Some(row.root))?;
        if recipients.is_empty() {
            return Ok(());
        }
        let root = self.root_name(row.root)?;
        let tasks = TaskCounts::of_plate(self.connection, plate)?;
        let (failed_image_sets, failures) = if tasks.failed + tasks.quarantined > 0 {
            (self.failed_image_sets(plate)?, self.failures_of(plate)?)
        } else {
            (0, Vec::new())
        };
        let news = News::Plate(Box::new(PlateNews {
            image_sets: SubjectCounts::of_plate(self.connection, plate)?,
            plate: row.name,
            root,
            output: row.output,
            tasks,
            failed_image_sets,
            failures,
            created_at: row.created_at,
            completed_at: row.completed_at,
            finished_at: row.finished_at,
            detail: row.detail,
        }));
        let endings = self.first("SELECT endings FROM plate WHERE id = ?1", [plate], |row| {
            row.get::<_, i64>(0)
        })?;
        let revision = endings.unwrap_or_default();
        self.write_notices(&recipients, kind, Some(plate), revision, &news)
    }

    /// Writes that the daemon has paused the work of a watched folder, or all of it.
    pub(super) fn tell_of_pause(&mut self, root: Option<RootId>, reason: &str) -> Result<()> {
        let recipients = self.subscribers(NoticeKind::Paused, root)?;
        if recipients.is_empty() {
            return Ok(());
        }
        let news = News::Pause(PauseNews {
            root: root.map(|root| self.root_name(root)).transpose()?,
            reason: reason.to_owned(),
        });
        self.write_notices(&recipients, NoticeKind::Paused, None, 0, &news)
    }

    fn subscribers(&self, kind: NoticeKind, root: Option<RootId>) -> Result<Vec<String>> {
        self.all(SUBSCRIBERS, params![kind, root], |row| row.get(0))
    }

    fn root_name(&self, root: RootId) -> Result<String> {
        let name = self.first("SELECT name FROM root WHERE id = ?1", [root], |row| {
            row.get(0)
        })?;
        Ok(name.unwrap_or_default())
    }

    fn failed_image_sets(&self, plate: PlateId) -> Result<u64> {
        let number: Option<i64> = self.first(
            "SELECT count(DISTINCT task.subject_id) FROM task JOIN subject ON subject.id = task.subject_id \
             WHERE task.plate_id = ?1 AND task.state IN ('failed', 'quarantined') AND subject.kind IN ('image_set', 'stack')",
            [plate],
            |row| row.get(0),
        )?;
        Ok(number.unwrap_or_default().unsigned_abs())
    }

    fn failures_of(&self, plate: PlateId) -> Result<Vec<FailedTask>> {
        self.all(
            "SELECT task.job, subject.name, task.error FROM task JOIN subject ON subject.id = task.subject_id \
             WHERE task.plate_id = ?1 AND task.state IN ('failed', 'quarantined') \
             ORDER BY subject.name, task.position LIMIT ?2",
            params![plate, NAMED_FAILURES],
            |row| {
                let failure: Option<Json<Failure>> = row.get(2)?;
                Ok(FailedTask {
                    job: row.get(0)?,
                    subject: row.get(1)?,
                    failure: failure.map_or_else(
                        || Failure::new(FailureClass::Permanent, "unknown", "no reason was recorded"),
                        |json| json.0,
                    ),
                })
            },
        )
    }

    fn write_notices(
        &self,
        recipients: &[String],
        kind: NoticeKind,
        plate: Option<PlateId>,
        revision: i64,
        news: &News,
    ) -> Result<()> {
        for recipient in recipients {
            self.execute(
                "INSERT INTO notice (token, recipient, kind, plate_id, revision, news, state, due_at, created_at) \
                 VALUES (lower(hex(randomblob(16))), ?1, ?2, ?3, ?4, ?5, 'waiting', ?6, ?7) ON CONFLICT DO NOTHING",
                params![recipient, kind, plate, revision, Json(news), self.steady, self.now],
            )?;
        }
        Ok(())
    }
}
