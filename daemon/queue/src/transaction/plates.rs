//! Plates: arriving, complete, done.

use std::path::PathBuf;

use rusqlite::params;
use serde_json::json;

use super::graph::{CLOSED, OPEN};
use super::{About, Transaction};
use crate::counts::{SubjectCounts, TaskCounts};
use crate::error::{Error, Result};
use crate::ids::{PlateId, SubjectId, TaskId};
use crate::model::{NewPlate, PLATE_COLUMNS, PlateRow, Upserted};
use crate::paths::bytes;
use crate::states::{EventKind, Gate, NoticeKind, PlateState, SubjectState};

impl Transaction<'_> {
    /// Adds a plate, or brings what is known about it up to date; its state is left alone.
    ///
    /// # Errors
    /// If the root does not exist, or the database fails.
    pub fn upsert_plate(&mut self, plate: &NewPlate) -> Result<Upserted<PlateId>> {
        let known = self.first(
            &format!("SELECT {PLATE_COLUMNS} FROM plate WHERE root_id = ?1 AND key = ?2"),
            params![plate.root, plate.key],
            PlateRow::read,
        )?;
        let Some(known) = known else {
            let id = PlateId(self.insert(
                "INSERT INTO plate (root_id, key, name, directory, output, state, expected, rows, columns, created_at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, 'arriving', ?6, ?7, ?8, ?9)",
                params![
                    plate.root,
                    plate.key,
                    plate.name,
                    bytes(&plate.directory),
                    bytes(&plate.output),
                    plate.expected,
                    plate.rows,
                    plate.columns,
                    self.now,
                ],
            )?);
            let data = json!({ "name": plate.name, "key": plate.key, "root": plate.root });
            self.event(EventKind::PlateCreated, About::plate(id), &data)?;
            return Ok(Upserted::Created(id));
        };
        let before: (&str, &PathBuf, &PathBuf, _, _, _) = (
            &known.name,
            &known.directory,
            &known.output,
            known.expected,
            known.rows,
            known.columns,
        );
        if before
            == (
                &plate.name,
                &plate.directory,
                &plate.output,
                plate.expected,
                plate.rows,
                plate.columns,
            )
        {
            return Ok(Upserted::Unchanged(known.id));
        }
        self.execute(
            "UPDATE plate SET name = ?2, directory = ?3, output = ?4, expected = ?5, rows = ?6, columns = ?7 WHERE id = ?1",
            params![
                known.id,
                plate.name,
                bytes(&plate.directory),
                bytes(&plate.output),
                plate.expected,
                plate.rows,
                plate.columns,
            ],
        )?;
        Ok(Upserted::Changed(known.id))
    }

    /// Decides that the plate has all it will get: subjects that still miss planes are incomplete now, and tasks that
    /// wait for the plate may run. Deciding it again only looks for subjects that came meanwhile.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown plate.
    pub fn complete_plate(
        &mut self,
        plate: PlateId,
        decided_by: &str,
        detail: Option<&str>,
    ) -> Result<()> {
        let state = self.plate_state(plate)?;
        let arriving: Vec<SubjectId> = self.all(
            "SELECT id FROM subject WHERE plate_id = ?1 AND state = 'arriving'",
            [plate],
            |row| row.get(0),
        )?;
        for subject in arriving {
            self.set_subject_state(plate, subject, SubjectState::Incomplete)?;
        }
        if !state.is_complete() {
            self.execute(
                "UPDATE plate SET state = 'complete', decided_by = ?2, detail = ?3, completed_at = ?4, finished_at = NULL \
                 WHERE id = ?1",
                params![plate, decided_by, detail, self.now],
            )?;
            let data = json!({ "from": state, "to": PlateState::Complete, "decided_by": decided_by, "detail": detail });
            self.event(EventKind::PlateState, About::plate(plate), &data)?;
            let gated = self.nodes_gated_by(plate, Gate::PlateComplete)?;
            self.set_gates(&gated, OPEN, &json!({ "plate": PlateState::Complete }))?;
        }
        self.touched.insert(plate);
        Ok(())
    }

    /// Takes the decision back, because more came: tasks that need the whole plate wait again, and those that had
    /// ended start over. A plate that was done is stale until it is complete again.
    /// Returns whether the plate had been complete.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown plate.
    pub fn reopen_plate(&mut self, plate: PlateId, detail: Option<&str>) -> Result<bool> {
        let before = self.plate_state(plate)?;
        let after = match before {
            PlateState::Arriving | PlateState::Stale => return Ok(false),
            PlateState::Complete => PlateState::Arriving,
            PlateState::Done | PlateState::DoneWithFailures => PlateState::Stale,
        };
        self.execute(
            "UPDATE plate SET state = ?2, decided_by = NULL, detail = ?3, completed_at = NULL, finished_at = NULL \
             WHERE id = ?1",
            params![plate, after, detail],
        )?;
        let data = json!({ "from": before, "to": after, "detail": detail });
        self.event(EventKind::PlateState, About::plate(plate), &data)?;
        if let Some(kind) = NoticeKind::of(after) {
            self.tell_of_plate(plate, kind)?;
        }
        let gated = self.nodes_gated_by(plate, Gate::PlateComplete)?;
        let why = json!({ "plate": after });
        self.set_gates(&gated, CLOSED, &why)?;
        let mut ended: Vec<TaskId> = Vec::new();
        for task in gated {
            let state = self.node(task)?.state;
            if state.starts_over() {
                ended.push(task);
            }
        }
        self.start_over(&ended, &why)?;
        self.touched.insert(plate);
        Ok(true)
    }

    /// Notes that an image of the plate came.
    ///
    /// # Errors
    /// If the database fails.
    pub fn touch_plate(&mut self, plate: PlateId) -> Result<()> {
        self.execute(
            "UPDATE plate SET last_arrival = ?2 WHERE id = ?1",
            params![plate, self.now],
        )?;
        Ok(())
    }

    /// Removes a plate with its subjects, tasks and attempts from the queue. Files on disk, and what is known about
    /// the images (so that they are not taken for new ones), stay.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown plate; [`Error::Running`] while a worker is at it.
    pub fn forget_plate(&mut self, plate: PlateId) -> Result<()> {
        self.plate_state(plate)?;
        let running = self.all(
            "SELECT id FROM task WHERE plate_id = ?1 AND pass_id IS NOT NULL LIMIT 100",
            [plate],
            |row| row.get(0),
        )?;
        if !running.is_empty() {
            return Err(Error::Running { running });
        }
        self.execute("DELETE FROM hold WHERE plate_id = ?1", [plate])?;
        self.execute("DELETE FROM task WHERE plate_id = ?1", [plate])?;
        self.execute("DELETE FROM plate WHERE id = ?1", [plate])?;
        self.execute("DELETE FROM task_tally WHERE plate_id = ?1", [plate])?;
        self.execute("DELETE FROM subject_tally WHERE plate_id = ?1", [plate])?;
        self.execute("DELETE FROM job_tally WHERE plate_id = ?1", [plate])?;
        self.touched.remove(&plate);
        self.event(EventKind::PlateForgotten, About::plate(plate), &json!({}))
    }

    pub(super) fn plate_state(&self, plate: PlateId) -> Result<PlateState> {
        self.first("SELECT state FROM plate WHERE id = ?1", [plate], |row| {
            row.get(0)
        })?
        .ok_or_else(|| Error::not_found("plate", plate))
    }

    /// Derives the state of a plate that is complete from what its tasks came to.
    pub(super) fn settle_plate(&mut self, plate: PlateId) -> Result<()> {
        let Some(before) = self.first("SELECT state FROM plate WHERE id = ?1", [plate], |row| {
            row.get(0)
        })?
        else {
            return Ok(());
        };
        let before: PlateState = before;
        if !before.is_complete() {
            return Ok(());
        }
        let counts = TaskCounts::of_plate(self.connection, plate)?;
        let after = if counts.pending() > 0 {
            PlateState::Complete
        } else if counts.dead() > 0
            || SubjectCounts::of_plate(self.connection, plate)?.incomplete > 0
        {
            PlateState::DoneWithFailures
        } else if counts.total() > 0 {
            PlateState::Done
        } else {
            // Nothing planned yet.
            PlateState::Complete
        };
        if before != after {
            let finished = after.is_done().then_some(self.now);
            self.execute(
                "UPDATE plate SET state = ?2, finished_at = ?3, endings = endings + ?4 WHERE id = ?1",
                params![plate, after, finished, after.is_done()],
            )?;
            let data = json!({ "from": before, "to": after, "tasks": counts });
            self.event(EventKind::PlateState, About::plate(plate), &data)?;
            if let Some(kind) = NoticeKind::of(after) {
                self.tell_of_plate(plate, kind)?;
            }
        }
        Ok(())
    }
}
