//! Watched folders.

use rusqlite::params;
use serde_json::json;

use super::{About, Transaction};
use crate::error::{Error, Result};
use crate::ids::RootId;
use crate::model::{NewRoot, ROOT_COLUMNS, RootRow, Upserted};
use crate::paths::bytes;
use crate::states::{EventKind, RootState};

impl Transaction<'_> {
    /// Adds a watched folder, or brings what is configured about it up to date. A new one is online; one that
    /// had been removed is online again.
    ///
    /// # Errors
    /// If the database fails.
    pub fn upsert_root(&mut self, root: &NewRoot) -> Result<Upserted<RootId>> {
        let known = self.first(
            &format!("SELECT {ROOT_COLUMNS} FROM root WHERE path = ?1"),
            [bytes(&root.path)],
            RootRow::read,
        )?;
        let Some(known) = known else {
            let id = RootId(self.insert(
                "INSERT INTO root (path, name, output, workflow, state, mode, updated_at) \
                 VALUES (?1, ?2, ?3, ?4, 'online', ?5, ?6)",
                params![
                    bytes(&root.path),
                    root.name,
                    bytes(&root.output),
                    root.workflow,
                    root.mode,
                    self.now
                ],
            )?);
            let data = json!({ "root": id, "name": root.name, "to": RootState::Online });
            self.event(EventKind::RootChanged, About::NOTHING, &data)?;
            return Ok(Upserted::Created(id));
        };
        let returned = known.state == RootState::Removed;
        if !returned
            && (&known.name, &known.output, &known.workflow, &known.mode)
                == (&root.name, &root.output, &root.workflow, &root.mode)
        {
            return Ok(Upserted::Unchanged(known.id));
        }
        let state = if returned {
            RootState::Online
        } else {
            known.state
        };
        self.execute(
            "UPDATE root SET name = ?2, output = ?3, workflow = ?4, mode = ?5, state = ?6, updated_at = ?7 WHERE id = ?1",
            params![known.id, root.name, bytes(&root.output), root.workflow, root.mode, state, self.now],
        )?;
        let data = json!({ "root": known.id, "name": root.name, "from": known.state, "to": state });
        self.event(EventKind::RootChanged, About::NOTHING, &data)?;
        Ok(Upserted::Changed(known.id))
    }

    /// Records whether a watched folder is there. Nothing of an offline root is claimed.
    /// Returns whether the state changed.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown root.
    pub fn set_root_state(
        &mut self,
        root: RootId,
        state: RootState,
        detail: Option<&str>,
    ) -> Result<bool> {
        let (before, name): (RootState, String) = self
            .first(
                "SELECT state, name FROM root WHERE id = ?1",
                [root],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?
            .ok_or_else(|| Error::not_found("root", root))?;
        let changed = self.execute(
            "UPDATE root SET state = ?2, detail = ?3, updated_at = ?4 WHERE id = ?1 AND (state <> ?2 OR detail IS NOT ?3)",
            params![root, state, detail, self.now],
        )?;
        if changed > 0 {
            let data = json!({ "root": root, "name": name, "from": before, "to": state, "detail": detail });
            self.event(EventKind::RootChanged, About::NOTHING, &data)?;
        }
        if before != state && state == RootState::Offline {
            let reason = detail.unwrap_or("the folder went away");
            self.tell_of_pause(Some(root), reason)?;
        }
        Ok(before != state)
    }
}
