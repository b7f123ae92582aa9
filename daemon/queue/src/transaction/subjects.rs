//! Subjects: image sets, wells, plates, stacks.

use std::path::Path;

use rusqlite::params;
use serde_json::json;

use super::graph::gated;
use super::{About, Transaction};
use crate::columns::Json;
use crate::error::{Error, Result};
use crate::ids::{PlateId, SubjectId, TaskId};
use crate::model::{NewSubject, SUBJECT_COLUMNS, SubjectRow, Upserted};
use crate::paths::bytes;
use crate::states::{EventKind, Gate, SubjectKind, SubjectState};

impl Transaction<'_> {
    /// Adds a subject, or brings what is known about it up to date. Tasks that waited for its planes become ready
    /// when it is complete. What must be computed again is said by the keys of a new plan, not here; of a complete plate the
    /// caller takes the decision back ([`Transaction::reopen_plate`]) in the same transaction.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown plate.
    pub fn upsert_subject(&mut self, subject: &NewSubject) -> Result<Upserted<SubjectId>> {
        self.plate_state(subject.plate)?;
        let known = self.first(
            &format!("SELECT {SUBJECT_COLUMNS} FROM subject WHERE plate_id = ?1 AND kind = ?2 AND name = ?3"),
            params![subject.plate, subject.kind, subject.name],
            SubjectRow::read,
        )?;
        let Some(known) = known else {
            return self.add_subject(subject);
        };
        let same = (known.state, &known.well, known.site, known.timepoint)
            == (
                subject.state,
                &subject.well,
                subject.site,
                subject.timepoint,
            )
            && (&known.missing, &known.inputs, &known.input_hash)
                == (&subject.missing, &subject.inputs, &subject.input_hash);
        if same {
            return Ok(Upserted::Unchanged(known.id));
        }
        self.execute(
            "UPDATE subject SET well = ?2, site = ?3, timepoint = ?4, missing = ?5, inputs = ?6, input_hash = ?7, \
             updated_at = ?8 WHERE id = ?1",
            params![
                known.id,
                subject.well,
                subject.site,
                subject.timepoint,
                Json(&subject.missing),
                Json(&subject.inputs),
                subject.input_hash,
                self.now,
            ],
        )?;
        self.touch_for(subject)?;
        if known.state == subject.state {
            let data =
                json!({ "name": subject.name, "well": subject.well, "state": subject.state });
            self.event(
                EventKind::SubjectChanged,
                About::subject(subject.plate, known.id),
                &data,
            )?;
        } else {
            self.set_subject_state(subject.plate, known.id, subject.state)?;
        }
        Ok(Upserted::Changed(known.id))
    }

    fn add_subject(&mut self, subject: &NewSubject) -> Result<Upserted<SubjectId>> {
        let id = SubjectId(self.insert(
            "INSERT INTO subject (plate_id, kind, name, well, site, timepoint, state, missing, inputs, input_hash, \
             created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11)",
            params![
                subject.plate,
                subject.kind,
                subject.name,
                subject.well,
                subject.site,
                subject.timepoint,
                subject.state,
                Json(&subject.missing),
                Json(&subject.inputs),
                subject.input_hash,
                self.now,
            ],
        )?);
        let data = json!({ "kind": subject.kind, "name": subject.name, "well": subject.well, "state": subject.state });
        self.event(
            EventKind::SubjectRegistered,
            About::subject(subject.plate, id),
            &data,
        )?;
        self.touch_for(subject)?;
        self.touched.insert(subject.plate);
        Ok(Upserted::Created(id))
    }

    /// Wells and plates are no arrivals; image sets and stacks are.
    fn touch_for(&mut self, subject: &NewSubject) -> Result<()> {
        if matches!(subject.kind, SubjectKind::ImageSet | SubjectKind::Stack) {
            self.touch_plate(subject.plate)?;
        }
        Ok(())
    }

    /// Records where a subject's results were published.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown subject.
    pub fn set_container(&mut self, subject: SubjectId, container: &Path) -> Result<()> {
        let changed = self.execute(
            "UPDATE subject SET container = ?2, updated_at = ?3 WHERE id = ?1",
            params![subject, bytes(container), self.now],
        )?;
        if changed == 0 {
            return Err(Error::not_found("subject", subject));
        }
        Ok(())
    }

    pub(super) fn set_subject_state(
        &mut self,
        plate: PlateId,
        subject: SubjectId,
        state: SubjectState,
    ) -> Result<()> {
        self.execute(
            "UPDATE subject SET state = ?2, updated_at = ?3 WHERE id = ?1",
            params![subject, state, self.now],
        )?;
        self.event(
            EventKind::SubjectChanged,
            About::subject(plate, subject),
            &json!({ "state": state }),
        )?;
        let tasks: Vec<TaskId> = self.all(
            "SELECT id FROM task WHERE subject_id = ?1 AND gate = ?2 ORDER BY position, id",
            params![subject, Gate::SubjectComplete],
            |row| row.get(0),
        )?;
        let plate_state = self.plate_state(plate)?;
        self.set_gates(
            &tasks,
            gated(Gate::SubjectComplete, state, plate_state),
            &json!({ "subject": state }),
        )?;
        self.touched.insert(plate);
        Ok(())
    }
}
