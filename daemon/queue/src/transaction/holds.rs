//! Pauses. Each has a holder, so that the disk watch resuming by itself does not undo what a person paused.

use rusqlite::params;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{About, Transaction};
use crate::error::Result;
use crate::ids::{PlateId, RootId};
use crate::states::EventKind;

/// The holder of the pauses that a person makes; all others resume by themselves.
pub const PERSON: &str = "user";

/// What is paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Everything.
    All,
    /// The plates of one root.
    Root(RootId),
    /// One plate.
    Plate(PlateId),
}

impl Target {
    /// (root, plate) as they are stored, 0 for any.
    const fn ids(self) -> (i64, i64) {
        match self {
            Self::All => (0, 0),
            Self::Root(root) => (root.0, 0),
            Self::Plate(plate) => (0, plate.0),
        }
    }

    pub(crate) const fn from_ids(root: i64, plate: i64) -> Self {
        match (root, plate) {
            (0, 0) => Self::All,
            (root, 0) => Self::Root(RootId(root)),
            (_, plate) => Self::Plate(PlateId(plate)),
        }
    }

    const fn about(self) -> About {
        match self {
            Self::All | Self::Root(_) => About::NOTHING,
            Self::Plate(plate) => About::plate(plate),
        }
    }
}

impl Transaction<'_> {
    /// Claims nothing of the target until `holder` resumes it; what is running goes on. Returns whether the
    /// holder had not paused it before.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) for an unknown plate.
    pub fn pause(&mut self, target: Target, holder: &str, reason: &str) -> Result<bool> {
        if let Target::Plate(plate) = target {
            self.plate_state(plate)?;
        }
        let (root, plate) = target.ids();
        let known = self.first(
            "SELECT reason FROM hold WHERE root_id = ?1 AND plate_id = ?2 AND holder = ?3",
            params![root, plate, holder],
            |row| row.get::<_, String>(0),
        )?;
        if known.as_deref() == Some(reason) {
            return Ok(false);
        }
        self.execute(
            "INSERT INTO hold (root_id, plate_id, holder, reason, at) VALUES (?1, ?2, ?3, ?4, ?5) \
             ON CONFLICT DO UPDATE SET reason = excluded.reason",
            params![root, plate, holder, reason, self.now],
        )?;
        let data = json!({ "target": target, "holder": holder, "reason": reason });
        self.event(EventKind::QueuePaused, target.about(), &data)?;
        if known.is_none() && holder != PERSON {
            match target {
                Target::All => self.tell_of_pause(None, reason)?,
                Target::Root(root) => self.tell_of_pause(Some(root), reason)?,
                Target::Plate(_) => {}
            }
        }
        Ok(known.is_none())
    }

    /// Ends a pause of this holder. Returns whether there was one.
    ///
    /// # Errors
    /// If the database fails.
    pub fn resume(&mut self, target: Target, holder: &str) -> Result<bool> {
        let (root, plate) = target.ids();
        let ended = self.execute(
            "DELETE FROM hold WHERE root_id = ?1 AND plate_id = ?2 AND holder = ?3",
            params![root, plate, holder],
        )?;
        if ended > 0 {
            self.event(
                EventKind::QueueResumed,
                target.about(),
                &json!({ "target": target, "holder": holder }),
            )?;
        }
        Ok(ended > 0)
    }
}
