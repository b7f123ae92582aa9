//! Plans of whole plates: when a plate is complete, and when what it was planned with changed.
//!
//! What a plate was planned with is kept as a fingerprint of its workflow (with the plate's own channel mapping), of its
//! model files and of the versions of its job kinds. So a restart plans only what really changed, and no pass runs with a
//! workflow that its task keys do not speak of.

use faults::Point;
use plate::ParsedName;
use queue::{
    NewSubject, PlateId, PlateRow, RootId, SubjectId, SubjectKind, SubjectState, Transaction,
};
use serde_json::json;
use workflow::Scope;

use crate::arriving::Plate;
use crate::error::Result;
use crate::facility::Prepared;
use crate::image_set::{Expectation, ImageSet};
use crate::intake::Intake;
use crate::lock::lock;
use crate::planner::{PlanFor, fingerprint, plan};
use crate::records;

impl Intake {
    /// Writes an image set, and its tasks if it is complete. Returns whether it is.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn put_set(
        &self,
        tx: &mut Transaction<'_>,
        plate: &Plate,
        name: &str,
        parsed: &ParsedName,
        set: &ImageSet,
        expected: &Expectation,
        membership: Option<&str>,
    ) -> queue::Result<(SubjectId, bool)> {
        let missing = set.missing(&plate.prepared.workflow, expected);
        let complete = missing.as_ref().is_some_and(Vec::is_empty);
        let hash = set.hash();
        let subject = tx
            .upsert_subject(&NewSubject {
                plate: plate.id,
                kind: SubjectKind::ImageSet,
                name: name.to_owned(),
                well: Some(parsed.well.to_string()),
                site: Some(i64::from(parsed.site)),
                timepoint: parsed.t.map(i64::from),
                state: if complete {
                    SubjectState::Complete
                } else {
                    SubjectState::Arriving
                },
                missing: json!(missing.unwrap_or_default()),
                inputs: serde_json::to_value(set).unwrap_or_default(),
                input_hash: Some(hash.clone()),
            })?
            .id();
        if complete {
            let wanted = PlanFor {
                subject,
                plate: &plate.name,
                scope: Scope::ImageSet,
                input_hash: &hash,
                membership,
                max_attempts: plate.root.max_attempts,
                priority: plate.priority,
            };
            tx.put_tasks(&plan(&plate.prepared.workflow, &wanted, &self.hashes))?;
        }
        Ok((subject, complete))
    }

    /// Writes the plate's own tasks.
    pub(crate) fn plan_plate_subject(
        &self,
        tx: &mut Transaction<'_>,
        plate: &Plate,
        membership: Option<&str>,
    ) -> queue::Result<()> {
        if !plate
            .prepared
            .workflow
            .jobs
            .iter()
            .any(|j| j.kind.scope == Scope::Plate)
        {
            return Ok(());
        }
        let subject = tx
            .upsert_subject(&NewSubject {
                plate: plate.id,
                kind: SubjectKind::Plate,
                name: plate.name.clone(),
                well: None,
                site: None,
                timepoint: None,
                state: if membership.is_some() {
                    SubjectState::Complete
                } else {
                    SubjectState::Arriving
                },
                missing: json!([]),
                inputs: json!(null),
                input_hash: membership.map(str::to_owned),
            })?
            .id();
        let wanted = PlanFor {
            subject,
            plate: &plate.name,
            scope: Scope::Plate,
            input_hash: "",
            membership,
            max_attempts: plate.root.max_attempts,
            priority: plate.priority,
        };
        tx.put_tasks(&plan(&plate.prepared.workflow, &wanted, &self.hashes))?;
        Ok(())
    }

    /// Plans everything of a plate: what depends on the whole plate gets its real key now. With `decision` the plate is completed in
    /// the same transaction; without `image_sets` only its own jobs are planned.
    pub(crate) fn plan_whole(
        &self,
        plate: &Plate,
        decision: Option<(&str, &str)>,
        image_sets: bool,
    ) -> Result<()> {
        let membership = decision.is_some().then(|| plate.membership());
        let planned_with = fingerprint(&plate.prepared, &plate.name, &self.hashes);
        self.store().transaction(|tx| {
            self.plan_plate_subject(tx, plate, membership.as_deref())?;
            if image_sets {
                for (name, member) in plate.sets.iter().filter(|(_, m)| m.complete) {
                    self.put_set(
                        tx,
                        plate,
                        name,
                        &member.parsed,
                        &member.set,
                        &plate.expectation(&member.parsed, decision.is_some()),
                        membership.as_deref(),
                    )?;
                }
                note_planned(tx, plate.id, &planned_with)?;
            }
            if let Some((rule, why)) = decision {
                tx.complete_plate(plate.id, rule, Some(why))?;
                faults::write_point(Point::PlatePlanned).map_err(queue::Error::not_committed)?;
            }
            Ok(())
        })?;
        if image_sets {
            self.remember_planned(plate.id, planned_with);
        }
        Ok(())
    }

    /// Plans the known plates of a root whose workflow, mapping or models changed; what has an equal key is not run again. A
    /// plate whose folder is gone is left as it is: its channel mapping is not to be seen, and nothing of it can be computed.
    ///
    /// # Errors
    /// The queue fails.
    pub fn plan_root(&self, root: RootId) -> Result<()> {
        let Some(settings) = self.root(root) else {
            return Ok(());
        };
        for row in records::plates_of(self.store(), root)? {
            if !settings.path.join(&row.directory).is_dir() {
                continue;
            }
            let prepared = self.facility().workflow_for(&settings, &row.directory);
            let prepared = prepared.unwrap_or_else(|_| settings.prepared.clone());
            if self
                .not_planned_with(row.id, &row.name, &prepared)
                .is_some()
            {
                self.plan_row(&row)?;
            }
        }
        Ok(())
    }

    /// Plans one plate anew.
    ///
    /// # Errors
    /// The queue fails, or does not know the plate.
    pub fn plan_plate(&self, id: PlateId) -> Result<()> {
        let row = self.store().plate(id)?.plate;
        self.plan_row(&row)
    }

    fn plan_row(&self, row: &PlateRow) -> Result<()> {
        // What is in memory may hold the old workflow.
        self.plates().remove(&row.id);
        if !self.recall(row)? {
            return Ok(());
        }
        let mut plates = self.plates();
        // Files may have come meanwhile.
        let row = self.store().plate(row.id)?.plate;
        let Some(plate) = plates.get(&row.id) else {
            return Ok(());
        };
        let decided = row.state.is_complete().then(|| {
            (
                row.decided_by.clone().unwrap_or_default(),
                row.detail.clone().unwrap_or_default(),
            )
        });
        let decided = decided.as_ref();
        self.plan_whole(plate, decided.map(|(r, w)| (r.as_str(), w.as_str())), true)?;
        if row.state.is_complete() {
            plates.remove(&row.id);
        }
        Ok(())
    }

    /// What a plate would be planned with now, if that is not what it was last planned with.
    pub(crate) fn not_planned_with(
        &self,
        id: PlateId,
        plate: &str,
        prepared: &Prepared,
    ) -> Option<(PlateId, String)> {
        let now = fingerprint(prepared, plate, &self.hashes);
        let mut planned = lock(&self.planned);
        let before = planned.get(&id).cloned().or_else(|| {
            // A queue that cannot be read says so elsewhere; planning once too often costs nothing but time.
            let stored = self.store().setting(&setting(id)).ok().flatten()?;
            planned.insert(id, stored.clone());
            Some(stored)
        });
        (before.as_deref() != Some(now.as_str())).then_some((id, now))
    }

    pub(crate) fn remember_planned(&self, id: PlateId, fingerprint: String) {
        let mut planned = lock(&self.planned);
        planned.insert(id, fingerprint);
    }
}

fn setting(plate: PlateId) -> String {
    format!("plate.{plate}.planned")
}

/// Notes in the queue what a plate was planned with, together with the plan.
pub(crate) fn note_planned(
    tx: &mut Transaction<'_>,
    plate: PlateId,
    fingerprint: &str,
) -> queue::Result<()> {
    tx.set_setting(&setting(plate), fingerprint)
}
