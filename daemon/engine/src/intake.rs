//! From whole files to plates, image sets and tasks. One file, one transaction: after a crash a file is either registered with
//! everything that follows from it, or it is found again by the next scan.

use std::collections::HashMap;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use image_io::acquisition;
use plate::{ParsedName, Verdict};
use queue::{
    FileRecord, FileState, NewPlate, NewSubject, PlateId, RootId, Store, SubjectId, SubjectKind,
    SubjectState, Transaction,
};
use serde_json::json;
use watch::FileIdentity;
use workflow::Scope;

use crate::error::Result;
use crate::facility::{Facility, Prepared, RootSettings};
use crate::hash::{hash_file, hash_texts};
use crate::image_set::{Announced, Expectation, ImageSet, InputFile, Plane};
use crate::missed::Missed;
use crate::planes::{container_name, contribution, image_set_name};
use crate::planner::{FileHashes, PlanFor, plan};
use crate::records;
use crate::vigil::Vigil;

/// Turns files into queue rows.
pub struct Intake {
    store: Store,
    facility: Arc<Facility>,
    hashes: FileHashes,
    max_attempts: u32,
    plates: Mutex<HashMap<PlateId, Plate>>,
    vigil: Vigil,
    missed: Missed,
}

/// What is kept in memory of a plate that is arriving.
pub(crate) struct Plate {
    pub id: PlateId,
    pub name: String,
    pub root: Arc<RootSettings>,
    pub directory: PathBuf,
    pub prepared: Arc<Prepared>,
    pub sets: HashMap<String, Member>,
    pub announced: Announced,
    pub manifest: Option<plate::Manifest>,
    pub manifest_stamp: Option<(PathBuf, std::time::SystemTime)>,
}

/// An image set with its number in the queue and the name that it was made from.
pub(crate) struct Member {
    pub parsed: ParsedName,
    pub set: ImageSet,
    pub complete: bool,
}

/// A file that is ready to be registered.
struct Arrival<'a> {
    relative: &'a Path,
    identity: FileIdentity,
    parsed: ParsedName,
    content: String,
    planes: Vec<Plane>,
    /// Why the file is probably not readable; its tasks will say so.
    doubt: Option<String>,
}

impl Intake {
    /// An intake into `store`.
    #[must_use]
    pub fn new(store: Store, facility: Arc<Facility>, max_attempts: u32) -> Self {
        Self {
            store,
            facility,
            hashes: FileHashes::default(),
            max_attempts,
            plates: Mutex::default(),
            vigil: Vigil::default(),
            missed: Missed::default(),
        }
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn facility(&self) -> &Arc<Facility> {
        &self.facility
    }

    pub(crate) fn missed(&self) -> &Missed {
        &self.missed
    }

    pub(crate) fn vigil(&self) -> &Vigil {
        &self.vigil
    }

    pub(crate) fn plates(&self) -> MutexGuard<'_, HashMap<PlateId, Plate>> {
        self.plates.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a file that is whole.
    ///
    /// # Errors
    /// The queue fails. What is wrong with the file itself is recorded, not returned.
    pub fn whole(&self, root: RootId, relative: &Path, identity: FileIdentity) -> Result<()> {
        self.register(root, relative, identity, None)
    }

    /// Registers a file that never became whole, so that it is listed with its reason and can be requeued; when it changes it
    /// is registered again.
    ///
    /// # Errors
    /// See [`Self::whole`].
    pub fn unreadable(
        &self,
        root: RootId,
        relative: &Path,
        identity: FileIdentity,
        reason: &str,
    ) -> Result<()> {
        self.register(root, relative, identity, Some(reason.to_owned()))
    }

    fn register(
        &self,
        root: RootId,
        relative: &Path,
        identity: FileIdentity,
        doubt: Option<String>,
    ) -> Result<()> {
        let Some(settings) = self.facility.root(root).cloned() else {
            return Ok(());
        };
        let record = |state: FileState, reason: &str, remedy: &str| FileRecord {
            root,
            path: relative.to_owned(),
            size: identity.size,
            mtime_ns: identity.mtime_ns,
            ctime_ns: identity.ctime_ns,
            inode: identity.inode,
            device: identity.device,
            content: None,
            state,
            reason: Some(reason.to_owned()),
            remedy: Some(remedy.to_owned()),
            subject: None,
            parsed: serde_json::Value::Null,
        };
        let parsed = match settings.naming.parse(relative) {
            Verdict::Image(parsed) => parsed,
            Verdict::Ignored(_) => return Ok(()),
            Verdict::Unmatched(why) => {
                self.store.record_file(&record(FileState::Unmatched, &why, "choose another `naming` for the root; `wellspring names test FOLDER` shows what a scheme reads"))?;
                return Ok(());
            }
        };
        if let Some(start) = settings.ignore_before
            && self.was_there_before(root, relative, identity, start)?
        {
            self.store.record_file(&record(
                FileState::Ignored,
                "was there before the folder was watched, and `existing` is \"ignore\"",
                "set `existing = \"process\"` to take such files",
            ))?;
            return Ok(());
        }
        let (content, planes) = if doubt.is_some() {
            let planes = parsed
                .channels
                .iter()
                .enumerate()
                .map(|(i, c)| Plane {
                    plane: i,
                    channel: c.clone(),
                    z: parsed.z,
                })
                .collect();
            (
                format!("unreadable:{}:{}", identity.size, identity.mtime_ns),
                planes,
            )
        } else {
            match read_file(&settings.path, relative, &parsed) {
                Ok(found) => found,
                Err(reason) => {
                    self.store.record_file(&record(
                        FileState::Unreadable,
                        &reason,
                        "copy the file again from the instrument; it is taken up when it changes",
                    ))?;
                    return Ok(());
                }
            }
        };
        if let Some(known) = self.store.find_file(root, relative)?
            && known.state == FileState::Registered
            && known.content.as_deref() == Some(content.as_str())
        {
            // Touched, moved away and back, or its mode changed: nothing to compute.
            let subject = known.subject;
            let recorded = self
                .store
                .record_file(&records::file_record(known, identity))?;
            if let (queue::Recorded::Returned(_), Some(subject)) = (recorded, subject) {
                self.retry_missing(subject)?;
            }
            return Ok(());
        }
        let prepared = match self.facility.workflow_for(&settings, &parsed.acquisition) {
            Ok(prepared) => prepared,
            Err(reason) => {
                self.store.record_file(&record(
                    FileState::Unreadable,
                    &reason,
                    "correct the channel mapping; the file is taken up at the next scan",
                ))?;
                return Ok(());
            }
        };
        self.take(
            &settings,
            &prepared,
            Arrival {
                relative,
                identity,
                parsed,
                content,
                planes,
                doubt,
            },
        )
    }

    /// Whether a file was there before its root was watched. Its mtime alone does not tell: copies keep that of the original.
    /// Once known as such it stays so when only its mode or its name changes.
    fn was_there_before(
        &self,
        root: RootId,
        relative: &Path,
        identity: FileIdentity,
        start: i64,
    ) -> Result<bool> {
        if identity.mtime_ns.max(identity.ctime_ns) < start {
            return Ok(true);
        }
        let known = self.store.find_file(root, relative)?;
        Ok(known.is_some_and(|file| {
            file.state == FileState::Ignored
                && (file.size, file.mtime_ns) == (identity.size, identity.mtime_ns)
        }))
    }

    /// Everything that follows from one file, in one transaction.
    fn take(
        &self,
        settings: &Arc<RootSettings>,
        prepared: &Arc<Prepared>,
        arrival: Arrival<'_>,
    ) -> Result<()> {
        let new_plate = plate_of(settings, &arrival.parsed);
        let mut plates = self.plates();
        let is_it = |p: &&Plate| {
            p.root.id == settings.id
                && p.directory == new_plate.directory
                && p.name == new_plate.name
        };
        let plate_id = match plates.values().find(is_it) {
            Some(plate) => plate.id,
            None => {
                let id = self.store.upsert_plate(&new_plate)?.id();
                let plate = self.load(settings, prepared, id, &new_plate)?;
                if plate.manifest.is_some() {
                    self.store.upsert_plate(&plate.described(new_plate))?;
                }
                plates.insert(id, plate);
                id
            }
        };
        let Some(plate) = plates.get_mut(&plate_id) else {
            return Ok(());
        };
        plate.prepared = Arc::clone(prepared);
        let name = image_set_name(&arrival.parsed);
        let mut set = plate
            .sets
            .get(&name)
            .map(|m| m.set.clone())
            .unwrap_or_default();
        if set.container.as_os_str().is_empty() {
            set.container = container_name(&arrival.parsed, arrival.relative);
        }
        let lost = set.add(InputFile {
            path: arrival.relative.to_owned(),
            content: arrival.content.clone(),
            planes: arrival.planes.clone(),
        });
        let expectation = plate.expectation(&arrival.parsed, false);
        let outcome = self.store.transaction(|tx| {
            tx.reopen_plate(plate_id, Some("more images came"))?;
            self.plan_plate_subject(tx, plate, None)?;
            let (subject, complete) =
                self.put_set(tx, plate, &name, &arrival.parsed, &set, &expectation, None)?;
            tx.record_file(&FileRecord {
                root: settings.id,
                path: arrival.relative.to_owned(),
                size: arrival.identity.size,
                mtime_ns: arrival.identity.mtime_ns,
                ctime_ns: arrival.identity.ctime_ns,
                inode: arrival.identity.inode,
                device: arrival.identity.device,
                content: Some(arrival.content.clone()),
                state: FileState::Registered,
                reason: arrival.doubt.clone(),
                remedy: arrival.doubt.as_ref().map(|_| {
                    "copy the file again from the instrument; it is taken up when it changes"
                        .to_owned()
                }),
                subject: Some(subject),
                parsed: serde_json::to_value(&arrival.parsed).unwrap_or_default(),
            })?;
            for path in &lost {
                if let Some(known) = self.store.find_file(settings.id, path)? {
                    let identity = FileIdentity {
                        size: known.size,
                        mtime_ns: known.mtime_ns,
                        ctime_ns: known.ctime_ns,
                        inode: known.inode,
                        device: known.device,
                    };
                    let reason =
                        format!("`{}` provides the same plane", arrival.relative.display());
                    tx.record_file(&FileRecord {
                        state: FileState::Superseded,
                        reason: Some(reason),
                        subject: None,
                        ..records::file_record(known, identity)
                    })?;
                }
            }
            Ok((subject, complete))
        })?;
        plate.sets.insert(
            name,
            Member {
                parsed: arrival.parsed,
                set,
                complete: outcome.1,
            },
        );
        if !lost.is_empty() {
            // It may have been renamed before its tasks ran under the old name.
            self.retry_missing(outcome.0)?;
        }
        Ok(())
    }

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
                scope: Scope::ImageSet,
                input_hash: &hash,
                membership,
                max_attempts: self.max_attempts,
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
            scope: Scope::Plate,
            input_hash: "",
            membership,
            max_attempts: self.max_attempts,
        };
        tx.put_tasks(&plan(&plate.prepared.workflow, &wanted, &self.hashes))?;
        Ok(())
    }

    /// What is known of a plate from earlier runs.
    fn load(
        &self,
        root: &Arc<RootSettings>,
        prepared: &Arc<Prepared>,
        id: PlateId,
        row: &NewPlate,
    ) -> Result<Plate> {
        let mut plate = Plate {
            id,
            name: row.name.clone(),
            root: Arc::clone(root),
            directory: row.directory.clone(),
            prepared: Arc::clone(prepared),
            sets: HashMap::new(),
            announced: Announced::default(),
            manifest: None,
            manifest_stamp: None,
        };
        for subject in records::image_sets(&self.store, id)? {
            let (Ok(set), Some(parsed)) = (
                serde_json::from_value::<ImageSet>(subject.inputs.clone()),
                parsed_of(root, &subject),
            ) else {
                continue;
            };
            plate.sets.insert(
                subject.name.clone(),
                Member {
                    parsed,
                    set,
                    complete: subject.state == SubjectState::Complete,
                },
            );
        }
        plate.read_manifest();
        Ok(plate)
    }

    /// Brings a plate that is in the queue into memory.
    ///
    /// # Errors
    /// The queue fails.
    pub(crate) fn recall(&self, row: &queue::PlateRow) -> Result<bool> {
        let Some(settings) = self.facility.root(row.root).cloned() else {
            return Ok(false);
        };
        let mut plates = self.plates();
        if plates.contains_key(&row.id) {
            return Ok(true);
        }
        let prepared = match self.facility.workflow_for(&settings, &row.directory) {
            Ok(prepared) => prepared,
            Err(reason) => {
                tracing::warn!(plate = %row.name, %reason, "the plate's channel mapping cannot be used; the workflow's own channels apply");
                Arc::clone(&settings.prepared)
            }
        };
        let new = records::new_plate(row.clone());
        let plate = self.load(&settings, &prepared, row.id, &new)?;
        plates.insert(row.id, plate);
        Ok(true)
    }
}

impl Plate {
    /// What the manifest adds to a plate's row.
    pub(crate) fn described(&self, row: NewPlate) -> NewPlate {
        let announced = u32::try_from(self.announced.len()).ok();
        let manifest = self.manifest.as_ref();
        NewPlate {
            expected: announced.filter(|n| *n > 0).or(row.expected),
            rows: manifest.and_then(|m| m.rows).map(u32::from).or(row.rows),
            columns: manifest
                .and_then(|m| m.columns)
                .map(u32::from)
                .or(row.columns),
            ..row
        }
    }

    /// What is known beforehand of one image set.
    pub(crate) fn expectation(&self, parsed: &ParsedName, plate_complete: bool) -> Expectation {
        Expectation {
            announced: self.announced.planes_of(parsed),
            slices: self.root.layout.map(|l| l.z).filter(|z| *z > 1),
            plate_complete,
        }
    }

    /// Hash of the content of all complete image sets: what plate jobs depend on.
    pub(crate) fn membership(&self) -> String {
        let mut parts: Vec<String> = self
            .sets
            .iter()
            .filter(|(_, m)| m.complete)
            .map(|(name, m)| format!("{name}={}", m.set.hash()))
            .collect();
        parts.sort();
        hash_texts(parts.iter().map(String::as_str))
    }

    /// Reads the vendor's manifest if there is one and it changed. Returns whether it did.
    pub(crate) fn read_manifest(&mut self) -> bool {
        let folder = self.root.path.join(&self.directory);
        let path = match plate::manifest::find(&folder) {
            Ok(Some(path)) => path,
            // Without a listing there is no manifest either; the watcher reports such a folder.
            Ok(None) | Err(_) => return false,
        };
        let Ok(modified) = std::fs::metadata(&path).and_then(|m| m.modified()) else {
            return false;
        };
        if self.manifest_stamp.as_ref() == Some(&(path.clone(), modified)) {
            return false;
        }
        match plate::manifest::read(&path) {
            Ok(manifest) => {
                self.announced = Announced::of(&manifest);
                self.manifest = Some(manifest);
            }
            Err(error) => {
                tracing::warn!(plate = %self.name, %error, "the manifest cannot be used");
            }
        }
        self.manifest_stamp = Some((path, modified));
        true
    }
}

/// Content hash and planes of a readable file; the reason as text where it is not.
fn read_file(
    root: &Path,
    relative: &Path,
    parsed: &ParsedName,
) -> Result<(String, Vec<Plane>), String> {
    let info = acquisition::probe_below(root, relative).map_err(|e| e.to_string())?;
    let found = contribution(parsed, &info)?;
    let content = acquisition::open_below(root, relative)
        .and_then(|mut file| hash_file(&mut file))
        .map_err(|e| format!("cannot read `{}`: {e}", root.join(relative).display()))?;
    Ok((content, found.planes))
}

/// The plate that a name belongs to. Its results mirror the acquisition's folders; a plate whose name is not that of its folder
/// gets a folder of its own below, so that two plates never share one.
fn plate_of(root: &RootSettings, parsed: &ParsedName) -> NewPlate {
    let fallback = || {
        root.path
            .file_name()
            .map_or_else(|| "plate".to_owned(), |n| n.to_string_lossy().into_owned())
    };
    let name = parsed.plate_name().unwrap_or_else(fallback);
    let mut output = root.output.join(&parsed.acquisition);
    if parsed
        .acquisition
        .file_name()
        .is_none_or(|folder| folder.to_string_lossy() != name)
    {
        output.push(safe_component(&name));
    }
    NewPlate {
        root: root.id,
        key: plate_key(&parsed.acquisition, &name),
        name,
        directory: parsed.acquisition.clone(),
        output,
        expected: root
            .layout
            .map(|l| l.wells.saturating_mul(l.sites).saturating_mul(l.t)),
        rows: None,
        columns: None,
    }
}

/// What tells plates of a root apart. Folders that are not UTF-8 may look alike as text, so they are written as their bytes.
fn plate_key(folder: &Path, name: &str) -> String {
    match folder.to_str() {
        Some(text) => format!("{text}|{name}"),
        None => format!("{}|{name}", folder.as_os_str().as_bytes().escape_ascii()),
    }
}

/// A plate's name comes from a file name: it must not become a path.
fn safe_component(name: &str) -> String {
    let cleaned: String = name
        .chars()
        .map(|c| if c == '/' || c == '\0' { '_' } else { c })
        .collect();
    if cleaned.trim_matches('.').is_empty() {
        format!("plate-{}", cleaned.len())
    } else {
        cleaned
    }
}

/// The name that a known image set was made from.
fn parsed_of(root: &RootSettings, subject: &queue::SubjectRow) -> Option<ParsedName> {
    let set: ImageSet = serde_json::from_value(subject.inputs.clone()).ok()?;
    match root.naming.parse(&set.files.first()?.path) {
        Verdict::Image(parsed) => Some(parsed),
        _ => None,
    }
}
