//! Decides when a plate has all it will get.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use faults::Point;
use plate::{Decision, Facts, ParsedName};
use queue::{NewSubject, PlateId, PlateState, RootId, SubjectKind, SubjectState};
use serde_json::json;
use watch::Verification;
use workflow::{Scope, Workflow};

use crate::arriving::{Member, Plate};
use crate::error::Result;
use crate::image_set::Plane;
use crate::intake::Intake;
use crate::records;

/// What the watching sees of a plate's folder.
pub(crate) trait Sight {
    /// Whether the root can be seen at all.
    fn is_online(&self, root: RootId) -> bool;
    /// Whether something below a folder of the root is still being written or registered.
    fn is_pending(&self, root: RootId, folder: &Path) -> bool;
    /// Asks for a folder to be listed.
    fn verify(&self, root: RootId, folder: &Path) -> Option<Verification>;
}

impl Intake {
    /// Looks at every plate that is still arriving, and completes those whose rules say so. A rule that holds is not
    /// enough: the folder is listed once more first, because a sentinel may be seen before the last images, whose events
    /// wait in some queue. Returns whether such a listing is under way.
    ///
    /// # Errors
    /// The queue fails.
    pub(crate) fn complete_ready_plates(&self, sight: &dyn Sight) -> Result<bool> {
        let rows = records::plates(self.store(), &[PlateState::Arriving, PlateState::Stale])?;
        let vigil = self.vigil();
        vigil.retain(&rows.iter().map(|row| row.id).collect::<Vec<_>>());
        let mut listing = false;
        for row in rows {
            if !self.recall(&row)? {
                continue;
            }
            let verified = vigil.is_verified(row.id);
            let disturbed =
                !sight.is_online(row.root) || sight.is_pending(row.root, &row.directory);
            let quiet = vigil.quiet(row.id, row.last_arrival, disturbed, Instant::now());
            if disturbed {
                continue;
            }
            self.reread_manifest(row.id)?;
            let decision = {
                let plates = self.plates();
                let Some(plate) = plates.get(&row.id) else {
                    continue;
                };
                plate::decide(&plate.root.rules, &facts(plate, quiet))
            };
            match decision {
                Some(decision) if verified => {
                    vigil.undecided(row.id);
                    self.complete(row.id, &decision)?;
                }
                Some(_) => {
                    vigil.verify(row.id, || sight.verify(row.root, &row.directory));
                    listing = true;
                }
                None => vigil.undecided(row.id),
            }
        }
        Ok(listing)
    }

    /// Completes a plate because a person said so.
    ///
    /// # Errors
    /// The queue fails, or does not know the plate.
    pub fn finalize(&self, id: PlateId) -> Result<()> {
        let row = self.store().plate(id)?.plate;
        if self.recall(&row)? {
            let facts = Facts {
                by_hand: true,
                ..Facts::default()
            };
            if let Some(decision) = plate::decide(&[], &facts) {
                return self.complete(id, &decision);
            }
        }
        Ok(self
            .store()
            .complete_plate(id, "manual", Some("marked as complete by hand"))?)
    }

    /// A manifest that changed may complete image sets that waited for it.
    fn reread_manifest(&self, id: PlateId) -> Result<()> {
        let mut plates = self.plates();
        let Some(plate) = plates.get_mut(&id) else {
            return Ok(());
        };
        if !plate.read_manifest() {
            return Ok(());
        }
        let row = self.store().plate(id)?.plate;
        self.store()
            .upsert_plate(&plate.described(records::new_plate(row)))?;
        self.put_arriving(plate, false)
    }

    /// Judges the sets that still arrive anew.
    fn put_arriving(&self, plate: &mut Plate, plate_complete: bool) -> Result<()> {
        let names: Vec<String> = plate
            .sets
            .iter()
            .filter(|(_, m)| !m.complete)
            .map(|(n, _)| n.clone())
            .collect();
        for name in names {
            let Some(member) = plate.sets.get(&name) else {
                continue;
            };
            let expected = plate.expectation(&member.parsed, plate_complete);
            let (_, complete) = self.store().transaction(|tx| {
                self.put_set(
                    tx,
                    plate,
                    &name,
                    &member.parsed,
                    &member.set,
                    &expected,
                    None,
                )
            })?;
            if let Some(member) = plate.sets.get_mut(&name) {
                member.complete = complete;
            }
        }
        Ok(())
    }

    fn complete(&self, id: PlateId, decision: &Decision) -> Result<()> {
        let mut plates = self.plates();
        let Some(plate) = plates.get_mut(&id) else {
            return Ok(());
        };
        faults::point(Point::PlateDecided);
        self.put_arriving(plate, true)?;
        self.put_holes(plate)?;
        // Image sets were planned as they came; now those jobs follow that need the whole plate.
        let all = depends_on_plate(&plate.prepared.workflow);
        self.plan_whole(
            plate,
            Some((&decision.rule.to_string(), &decision.why)),
            all,
        )?;
        faults::point(Point::PlateCompleted);
        tracing::info!(plate = %plate.name, rule = %decision.rule, why = %decision.why, image_sets = plate.sets.len(), "plate is complete");
        // Memory holds what is arriving only; a late file brings the plate back.
        plates.remove(&id);
        Ok(())
    }

    /// Announced image sets of which nothing came stay visible as holes at their own well and site.
    fn put_holes(&self, plate: &Plate) -> Result<()> {
        let sites: BTreeSet<_> = plate
            .sets
            .values()
            .map(|m| (m.parsed.well, m.parsed.site))
            .collect();
        let mut holes = Vec::new();
        for ((well, site, t), planes) in plate.announced.sets() {
            let name = format!("{well}-{site:04}");
            let name = t.map_or(name.clone(), |t| format!("{name}-T{t:04}"));
            // A manifest that names no timepoint is met by any.
            if plate.sets.contains_key(&name) || (t.is_none() && sites.contains(&(well, site))) {
                continue;
            }
            let channels: Vec<&str> = planes.iter().map(|(c, _)| c.as_str()).collect();
            holes.push(NewSubject {
                plate: plate.id,
                kind: SubjectKind::ImageSet,
                name,
                well: Some(well.to_string()),
                site: Some(i64::from(site)),
                timepoint: t.map(i64::from),
                state: SubjectState::Arriving,
                missing: json!(channels),
                inputs: json!(null),
                input_hash: None,
            });
        }
        self.store().transaction(|tx| {
            for hole in &holes {
                tx.upsert_subject(hole)?;
            }
            Ok(())
        })?;
        Ok(())
    }
}

/// Whether some image-set job needs a plate job's result.
fn depends_on_plate(workflow: &Workflow) -> bool {
    workflow.jobs.iter().any(|j| {
        j.kind.scope == Scope::ImageSet
            && j.upstream
                .iter()
                .any(|&u| workflow.jobs[u].kind.scope == Scope::Plate)
    })
}

fn facts(plate: &Plate, quiet: Duration) -> Facts {
    let planes = plate
        .sets
        .values()
        .flat_map(|m| m.set.files.iter().flat_map(|f| &f.planes))
        .count();
    Facts {
        seen: planes as u64,
        manifest: plate.manifest.as_ref().map(|m| manifest_facts(plate, m)),
        expected: plate.root.layout.map(|l| l.planes()),
        other_files: other_files(&plate.root.path.join(&plate.directory), &plate.root.rules),
        quiet_seconds: quiet.as_secs(),
        by_hand: false,
    }
}

fn manifest_facts(plate: &Plate, manifest: &plate::Manifest) -> plate::ManifestFacts {
    // Channels and slices come from the files, which may hold more than their names say.
    let planes = |m: &Member| {
        let one = |p: &Plane| ParsedName {
            channels: vec![p.channel.clone()],
            z: p.z,
            ..m.parsed.clone()
        };
        let files = m.set.files.iter().flat_map(|f| &f.planes);
        files.map(one).collect::<Vec<_>>()
    };
    let seen: Vec<ParsedName> = plate.sets.values().flat_map(planes).collect();
    manifest.facts(&seen)
}

/// Files that could be a sentinel, relative to the folder, as deep as a rule asks for; without such a rule nothing is listed.
fn other_files(folder: &Path, rules: &[plate::CompleteRule]) -> Vec<PathBuf> {
    let depth = rules.iter().filter_map(|rule| match rule {
        plate::CompleteRule::Sentinel(glob) => Some(glob.as_str().matches('/').count()),
        _ => None,
    });
    let mut found = Vec::new();
    if let Some(depth) = depth.max() {
        list_others(folder, Path::new(""), depth, &mut found);
    }
    found
}

fn list_others(folder: &Path, below: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder.join(below)) else {
        return;
    };
    for entry in entries.flatten() {
        let path = below.join(entry.file_name());
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && depth > 0 => list_others(folder, &path, depth - 1, found),
            _ if plate::is_image_name(&path) => {}
            _ => found.push(path),
        }
    }
}
