//! What is kept in memory of a plate: its image sets and what its manifest announces.

use std::collections::HashMap;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use plate::{ParsedName, Verdict};
use queue::{NewPlate, PlateId, Store, SubjectState};

use crate::error::Result;
use crate::facility::{Prepared, RootSettings};
use crate::hash::hash_texts;
use crate::image_set::{Announced, Expectation, ImageSet};
use crate::records;

/// What is kept in memory of a plate that is arriving.
pub(crate) struct Plate {
    pub id: PlateId,
    pub name: String,
    /// Its own, or its root's.
    pub priority: i64,
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

impl Plate {
    /// What is known of a plate from earlier runs.
    ///
    /// # Errors
    /// The queue fails.
    pub fn load(
        store: &Store,
        root: &Arc<RootSettings>,
        prepared: &Arc<Prepared>,
        id: PlateId,
        row: &NewPlate,
    ) -> Result<Self> {
        let mut plate = Self {
            id,
            name: row.name.clone(),
            priority: priority(store, root, id)?,
            root: Arc::clone(root),
            directory: row.directory.clone(),
            prepared: Arc::clone(prepared),
            sets: HashMap::new(),
            announced: Announced::default(),
            manifest: None,
            manifest_stamp: None,
        };
        for subject in records::image_sets(store, id)? {
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

/// Name of the setting with the priority that a person gave a plate.
pub(crate) fn priority_setting(plate: PlateId) -> String {
    format!("plate.{plate}.priority")
}

fn priority(store: &Store, root: &RootSettings, plate: PlateId) -> Result<i64> {
    let own = store.setting(&priority_setting(plate))?;
    Ok(own
        .and_then(|text| text.parse().ok())
        .unwrap_or(root.priority))
}

/// The plate that a name belongs to. Its results mirror the acquisition's folders; a plate whose name is not that of its folder
/// gets a folder of its own below, so that two plates never share one.
pub(crate) fn plate_of(root: &RootSettings, parsed: &ParsedName) -> NewPlate {
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
        // A manifest, once it is there, knows it better.
        rows: root.format.map(|format| format.rows.into()),
        columns: root.format.map(|format| format.columns.into()),
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
