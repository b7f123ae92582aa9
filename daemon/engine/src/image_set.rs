//! An image set as it fills up: which planes are there, and whether it is complete.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use plate::{ParsedName, WellName};
use serde::{Deserialize, Serialize};
use workflow::Workflow;
use workflow::pass::PlaneRef;

use crate::hash::hash_texts;

/// A plane of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plane {
    /// Index among the file's planes.
    pub plane: usize,
    /// Microscope channel.
    pub channel: String,
    /// z-slice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub z: Option<u32>,
    /// Width times height; 0 where it is not known.
    #[serde(default)]
    pub pixels: u64,
}

/// A file that brings planes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputFile {
    /// Path below the root.
    #[serde(with = "plate::portable")]
    pub path: PathBuf,
    /// Hash of its content.
    pub content: String,
    /// Its planes.
    pub planes: Vec<Plane>,
}

/// The planes of an image set, as they are kept in the queue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageSet {
    /// Its files, by path.
    pub files: Vec<InputFile>,
    /// File name of its container, with the extension of HDF5; [`workflow::container_file`] makes it that of the format.
    #[serde(with = "plate::portable")]
    pub container: PathBuf,
}

/// What is known beforehand of the planes of an image set.
#[derive(Clone, Debug, Default)]
pub struct Expectation {
    /// Channels and slices that the vendor's manifest announces for the set.
    pub announced: Vec<(String, Option<u32>)>,
    /// Configured number of slices.
    pub slices: Option<u32>,
    /// Whether the plate has all it will get, so that nothing more needs to be waited for.
    pub plate_complete: bool,
}

impl ImageSet {
    /// Adds a file, in place of an older version of it. Returns the files that lost all their planes to it.
    pub fn add(&mut self, file: InputFile) -> Vec<PathBuf> {
        self.files.retain(|f| f.path != file.path);
        for other in &mut self.files {
            other.planes.retain(|p| {
                !file
                    .planes
                    .iter()
                    .any(|n| (&n.channel, n.z) == (&p.channel, p.z))
            });
        }
        let (kept, lost): (Vec<_>, Vec<_>) = std::mem::take(&mut self.files)
            .into_iter()
            .partition(|f| !f.planes.is_empty());
        self.files = kept;
        self.files.push(file);
        self.files.sort_by(|a, b| a.path.cmp(&b.path));
        lost.into_iter().map(|f| f.path).collect()
    }

    /// Hash of the content of all planes. Names do not count: a renamed file is not computed again.
    #[must_use]
    pub fn hash(&self) -> String {
        let mut parts: Vec<String> = self
            .files
            .iter()
            .flat_map(|f| {
                f.planes
                    .iter()
                    .map(|p| format!("{}/{:?}/{}/{}", p.channel, p.z, p.plane, f.content))
            })
            .collect();
        parts.sort();
        hash_texts(parts.iter().map(String::as_str))
    }

    /// The planes as a worker needs them.
    #[must_use]
    pub fn planes(&self, root: &Path) -> Vec<PlaneRef> {
        let refs = |f: &InputFile| {
            f.planes
                .iter()
                .map(move |p| PlaneRef {
                    root: root.to_owned(),
                    path: f.path.clone(),
                    plane: p.plane,
                    channel: p.channel.clone(),
                    z: p.z,
                })
                .collect::<Vec<_>>()
        };
        self.files.iter().flat_map(refs).collect()
    }

    /// What is missing before the set can run: channels, or channels with a slice. Empty: it is complete.
    ///
    /// `None`: nobody can tell before the plate is complete, because neither the workflow nor a manifest says what to expect.
    #[must_use]
    pub fn missing(&self, workflow: &Workflow, expected: &Expectation) -> Option<Vec<String>> {
        let seen: BTreeSet<(&str, Option<u32>)> = self
            .files
            .iter()
            .flat_map(|f| f.planes.iter().map(|p| (p.channel.as_str(), p.z)))
            .collect();
        let channels: BTreeSet<&str> = seen.iter().map(|(c, _)| *c).collect();
        let required = workflow.required_channels();
        let mut missing: Vec<String> = required
            .iter()
            .filter(|c| !channels.contains(*c))
            .map(|c| (*c).to_owned())
            .collect();
        let wanted = |c: &str| required.is_empty() || required.contains(&c);
        for (channel, z) in expected.announced.iter().filter(|(c, _)| wanted(c)) {
            let there = z.map_or_else(
                || channels.contains(channel.as_str()),
                |z| seen.contains(&(channel.as_str(), Some(z))),
            );
            if !there && !missing.contains(channel) {
                missing.push(z.map_or_else(|| channel.clone(), |z| format!("{channel} z{z}")));
            }
        }
        if !missing.is_empty() || expected.plate_complete {
            return Some(missing);
        }
        let channels_known = !required.is_empty()
            || !expected.announced.is_empty()
            || self.files.iter().any(|f| f.planes.len() > 1);
        let slices_known = !expected.announced.is_empty()
            || self.slices_complete(&seen, &channels, expected.slices);
        (channels_known && slices_known).then_some(missing)
    }

    /// Whether every channel has its projection, one plane without slices, all slices of its file, or the configured number.
    fn slices_complete(
        &self,
        seen: &BTreeSet<(&str, Option<u32>)>,
        channels: &BTreeSet<&str>,
        configured: Option<u32>,
    ) -> bool {
        channels.iter().all(|channel| {
            let slices = seen
                .iter()
                .filter(|(c, z)| c == channel && z.is_some())
                .count();
            let flat = seen.contains(&(channel, None));
            let one_file = self.files.iter().any(|f| {
                f.planes.iter().filter(|p| p.channel == *channel).count() == slices && slices > 1
            });
            flat || one_file || configured.is_some_and(|n| slices >= n as usize)
        })
    }
}

/// What the manifest of a plate announces, by image set.
#[derive(Clone, Debug, Default)]
pub struct Announced(BTreeMap<SetKey, Vec<AnnouncedPlane>>);

/// Well, site and timepoint.
type SetKey = (WellName, u32, Option<u32>);
/// Channel and z-slice.
type AnnouncedPlane = (String, Option<u32>);

impl Announced {
    /// Sorts a manifest's planes by image set.
    #[must_use]
    pub fn of(manifest: &plate::Manifest) -> Self {
        let mut sets: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for plane in &manifest.expected {
            sets.entry((plane.well, plane.site, plane.t))
                .or_default()
                .push((plane.channel.clone(), plane.z));
        }
        Self(sets)
    }

    /// Planes announced for an image set; a manifest that names no timepoint speaks of all.
    #[must_use]
    pub fn planes_of(&self, parsed: &ParsedName) -> Vec<(String, Option<u32>)> {
        let key = (parsed.well, parsed.site, parsed.t);
        self.0
            .get(&key)
            .or_else(|| self.0.get(&(parsed.well, parsed.site, None)))
            .cloned()
            .unwrap_or_default()
    }

    /// The announced image sets.
    pub fn sets(&self) -> impl Iterator<Item = (SetKey, &[AnnouncedPlane])> {
        self.0.iter().map(|(key, planes)| (*key, planes.as_slice()))
    }

    /// Number of announced image sets.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}
