//! From whole files to plates, image sets and tasks. All that follows from some files is one transaction: after a crash a file is
//! either registered with everything that follows from it, or it is found again by the next scan.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use faults::Point;
use plate::ParsedName;
use queue::{FileRecord, FileState, PlateId, Recorded, RootId, Store, SubjectId, Transaction};
use watch::FileIdentity;

use crate::arrival::{Arrival, Reading, Seen, read};
use crate::arriving::{Member, Plate, plate_of};
use crate::error::Result;
use crate::facility::{Facility, RootSettings};
use crate::image_set::ImageSet;
use crate::lock::lock;
use crate::missed::Missed;
use crate::planes::{container_name, image_set_name};
use crate::planner::FileHashes;
use crate::planning::note_planned;
use crate::records;
use crate::vigil::Vigil;

/// Turns files into queue rows.
pub struct Intake {
    store: Store,
    facility: RwLock<Arc<Facility>>,
    pub(crate) hashes: FileHashes,
    /// Plates that are arriving; others are read from the queue when something comes for them.
    plates: Mutex<HashMap<PlateId, Plate>>,
    /// What each plate was last planned with; see [`crate::planning`].
    pub(crate) planned: Mutex<HashMap<PlateId, String>>,
    vigil: Vigil,
    missed: Missed,
}

/// An image set as it will be once the files that are being taken belong to it.
struct Growing {
    parsed: ParsedName,
    set: ImageSet,
    /// Files that lost all their planes to newer ones.
    lost: BTreeMap<PathBuf, PathBuf>,
    /// Rows of its new files.
    files: Vec<FileRecord>,
}

impl Intake {
    /// An intake into `store`.
    #[must_use]
    pub fn new(store: Store, facility: Facility) -> Self {
        Self {
            store,
            facility: RwLock::new(Arc::new(facility)),
            hashes: FileHashes::default(),
            plates: Mutex::default(),
            planned: Mutex::default(),
            vigil: Vigil::default(),
            missed: Missed::default(),
        }
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn facility(&self) -> Arc<Facility> {
        let facility = self.facility.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&facility)
    }

    /// A watched folder, as it is configured now.
    pub(crate) fn root(&self, id: RootId) -> Option<Arc<RootSettings>> {
        self.facility().root(id).cloned()
    }

    /// Goes on with other folders and workflows. What was read with the old ones is forgotten.
    pub(crate) fn change(&self, facility: Facility) {
        let mut plates = self.plates();
        let mut current = self
            .facility
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *current = Arc::new(facility);
        plates.clear();
    }

    pub(crate) fn missed(&self) -> &Missed {
        &self.missed
    }

    pub(crate) fn vigil(&self) -> &Vigil {
        &self.vigil
    }

    pub(crate) fn plates(&self) -> MutexGuard<'_, HashMap<PlateId, Plate>> {
        lock(&self.plates)
    }

    /// Registers files of a root, all together.
    ///
    /// # Errors
    /// The queue fails. What is wrong with a file itself is recorded, not returned.
    pub fn arrived(&self, root: RootId, files: Vec<Seen>) -> Result<()> {
        let Some(settings) = self.root(root) else {
            return Ok(());
        };
        let facility = self.facility();
        let (mut arrivals, mut listed) = (Vec::new(), Vec::new());
        for seen in files {
            match read(&self.store, &facility, &settings, seen)? {
                Reading::Nothing => {}
                Reading::Listed(record) => listed.push(record),
                Reading::Arrived(arrival) => arrivals.push(arrival),
            }
        }
        match self.take(&settings, &arrivals, &listed) {
            // One that the queue does not take must not hold up the others.
            Err(error) if !error.is_disk() && arrivals.len() + listed.len() > 1 => {
                tracing::warn!(%error, "files cannot be registered together; trying them one by one");
                let mut last = Ok(());
                for arrival in &arrivals {
                    last = last.and(self.take(&settings, std::slice::from_ref(arrival), &[]));
                }
                for record in &listed {
                    last = last.and(self.take(&settings, &[], std::slice::from_ref(record)));
                }
                last
            }
            result => result,
        }
    }

    /// Everything that follows from these files, in one transaction.
    fn take(
        &self,
        settings: &Arc<RootSettings>,
        arrivals: &[Arrival],
        listed: &[FileRecord],
    ) -> Result<()> {
        let mut plates = self.plates();
        let mut new_plates = BTreeSet::new();
        let mut growing: BTreeMap<(PlateId, String), Growing> = BTreeMap::new();
        for arrival in arrivals {
            let (id, new) = self.plate_for(&mut plates, settings, arrival)?;
            if new {
                new_plates.insert(id);
            }
            let Some(plate) = plates.get(&id) else {
                continue;
            };
            let name = image_set_name(&arrival.parsed);
            let member = growing.entry((id, name)).or_insert_with_key(|(_, name)| {
                let known = plate.sets.get(name);
                let mut set = known.map(|m| m.set.clone()).unwrap_or_default();
                if set.container.as_os_str().is_empty() {
                    set.container = container_name(&arrival.parsed, &arrival.seen.relative);
                }
                Growing {
                    parsed: arrival.parsed.clone(),
                    set,
                    lost: BTreeMap::new(),
                    files: Vec::new(),
                }
            });
            for lost in member.set.add(arrival.input()) {
                member.lost.insert(lost, arrival.seen.relative.clone());
            }
            member.lost.remove(&arrival.seen.relative);
            member.files.push(arrival.record(settings.id));
        }
        let touched: BTreeSet<PlateId> = growing.keys().map(|(id, _)| *id).collect();
        let is_new = |id: &PlateId| new_plates.contains(id);
        let planned_anew: Vec<(PlateId, String)> = touched
            .iter()
            .filter_map(|id| {
                let plate = plates.get(id)?;
                self.not_planned_with(*id, &plate.name, &plate.prepared)
            })
            .collect();
        let (grown, mut again) = self.store.transaction(|tx| {
            for plate in touched.iter().filter_map(|id| plates.get(id)) {
                tx.reopen_plate(plate.id, Some("more images came"))?;
                self.plan_plate_subject(tx, plate, None)?;
            }
            let mut complete = Vec::with_capacity(growing.len());
            for ((id, name), member) in &growing {
                if let Some(plate) = plates.get(id) {
                    complete.push(self.grow(tx, plate, name, member)?);
                }
            }
            for (id, fingerprint) in planned_anew.iter().filter(|(id, _)| is_new(id)) {
                note_planned(tx, *id, fingerprint)?;
            }
            let mut returned = Vec::new();
            for record in listed {
                if let Recorded::Returned(_) = tx.record_file(record)? {
                    returned.extend(record.subject);
                }
            }
            faults::write_point(Point::IntakeChanged).map_err(queue::Error::not_committed)?;
            Ok((complete, returned))
        })?;
        faults::point(Point::IntakeRecorded);
        for (((id, name), member), (subject, complete)) in growing.into_iter().zip(grown) {
            if !member.lost.is_empty() {
                // One may have been renamed before its tasks ran under the old name.
                again.push(subject);
            }
            if let Some(plate) = plates.get_mut(&id) {
                let member = Member {
                    parsed: member.parsed,
                    set: member.set,
                    complete,
                };
                plate.sets.insert(name, member);
            }
        }
        drop(plates);
        for (id, fingerprint) in planned_anew {
            if is_new(&id) {
                self.remember_planned(id, fingerprint);
            } else {
                // Its channel mapping or a model changed: what it had before must follow.
                self.plan_plate(id)?;
            }
        }
        for subject in again {
            self.retry_missing(subject)?;
        }
        Ok(())
    }

    /// The plate that a file belongs to, made known where it is new, and whether it is.
    fn plate_for(
        &self,
        plates: &mut HashMap<PlateId, Plate>,
        settings: &Arc<RootSettings>,
        arrival: &Arrival,
    ) -> Result<(PlateId, bool)> {
        let new = plate_of(settings, &arrival.parsed);
        let is_it = |p: &&mut Plate| {
            p.root.id == settings.id && p.directory == new.directory && p.name == new.name
        };
        if let Some(plate) = plates.values_mut().find(is_it) {
            plate.prepared = Arc::clone(&arrival.prepared);
            return Ok((plate.id, false));
        }
        let id = self.store.upsert_plate(&new)?.id();
        let plate = Plate::load(&self.store, settings, &arrival.prepared, id, &new)?;
        if plate.manifest.is_some() {
            self.store.upsert_plate(&plate.described(new))?;
        }
        let is_new = plate.sets.is_empty();
        plates.insert(id, plate);
        Ok((id, is_new))
    }

    /// Writes an image set with its new files. Returns its number, and whether it is complete.
    fn grow(
        &self,
        tx: &mut Transaction<'_>,
        plate: &Plate,
        name: &str,
        member: &Growing,
    ) -> queue::Result<(SubjectId, bool)> {
        let expectation = plate.expectation(&member.parsed, false);
        let (subject, complete) = self.put_set(
            tx,
            plate,
            name,
            &member.parsed,
            &member.set,
            &expectation,
            None,
        )?;
        for file in &member.files {
            tx.record_file(&FileRecord {
                subject: Some(subject),
                ..file.clone()
            })?;
        }
        for (path, by) in &member.lost {
            if let Some(known) = tx.find_file(plate.root.id, path)? {
                let identity = FileIdentity {
                    size: known.size,
                    mtime_ns: known.mtime_ns,
                    ctime_ns: known.ctime_ns,
                    inode: known.inode,
                    device: known.device,
                };
                tx.record_file(&FileRecord {
                    state: FileState::Superseded,
                    reason: Some(format!("`{}` provides the same plane", by.display())),
                    subject: None,
                    ..records::file_record(known, identity)
                })?;
            }
        }
        Ok((subject, complete))
    }

    /// Brings a plate that is in the queue into memory.
    ///
    /// # Errors
    /// The queue fails.
    pub(crate) fn recall(&self, row: &queue::PlateRow) -> Result<bool> {
        let Some(settings) = self.root(row.root) else {
            return Ok(false);
        };
        let mut plates = self.plates();
        if plates.contains_key(&row.id) {
            return Ok(true);
        }
        let prepared = match self.facility().workflow_for(&settings, &row.directory) {
            Ok(prepared) => prepared,
            Err(reason) => {
                tracing::warn!(plate = %row.name, %reason, "the plate's channel mapping cannot be used; the workflow's own channels apply");
                Arc::clone(&settings.prepared)
            }
        };
        let new = records::new_plate(row.clone());
        let plate = Plate::load(&self.store, &settings, &prepared, row.id, &new)?;
        plates.insert(row.id, plate);
        Ok(true)
    }
}
