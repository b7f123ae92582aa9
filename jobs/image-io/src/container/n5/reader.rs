//! Reading containers that are N5 folders.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::blocks::Blocks;
use super::dataset::Dataset;
use super::folder::{Folder, Kind, is_name};
use super::{NEWEST_MAJOR, VERSION_KEY, damaged, failed, json, table};
use crate::container::store::Store;
use crate::container::{Attribute, DEEPEST_TABLE, MOST_NODES, MOST_TABLE_GROUPS, TABLES, TYPED};
use crate::exchange::filled;
use crate::table::Table;
use crate::{Error, PixelType, Pixels, Result};

/// An open folder, read-only.
///
/// It stays the folder that was opened when another is published under its name. The files of the old one are deleted then, and
/// a block that is missing would read as zeros: so each function looks at its end whether the name still leads to this folder.
#[derive(Debug)]
pub(in crate::container) struct N5Folder {
    path: PathBuf,
    /// Where it was found: `path`, or beside it while its replacement is under way.
    found: PathBuf,
    root: Folder,
    identity: (u64, u64),
}

impl N5Folder {
    /// Opens a folder.
    pub(in crate::container) fn open(path: &Path) -> Result<Self> {
        let (found, root) = match Folder::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // Between the two steps of a replacement, or after a writer died there.
                let aside = crate::publish::aside(path);
                match aside.and_then(|p| Some((Folder::open(&p).ok()?, p))) {
                    Some((root, aside)) => (aside, Ok(root)),
                    None => (path.to_owned(), Err(error)),
                }
            }
            opened => (path.to_owned(), opened),
        };
        let io = |source| Error::Io {
            path: path.to_owned(),
            action: "open",
            source,
        };
        let root = root.map_err(io)?;
        let store = Self {
            identity: root.identity().map_err(io)?,
            path: path.to_owned(),
            found,
            root,
        };
        store.steady(|| store.check_version())?;
        Ok(store)
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The folder itself.
    pub(super) fn root(&self) -> &Folder {
        &self.root
    }

    fn check_version(&self) -> Result<()> {
        let attributes = json::read(&self.root, &self.path, "")?.unwrap_or_default();
        let Some(version) = attributes.get(VERSION_KEY).and_then(Value::as_str) else {
            return Err(damaged(
                &self.path,
                super::ATTRIBUTES,
                "the version of N5 is missing: the folder is none of N5, or was copied in part",
            ));
        };
        let major = version
            .split('.')
            .next()
            .and_then(|v| v.parse::<u64>().ok());
        if major.is_none_or(|v| v > NEWEST_MAJOR) {
            return Err(Error::Unsupported {
                path: self.path.clone(),
                reason: format!("version {version:?} of N5 is not known here"),
            });
        }
        Ok(())
    }

    /// Runs `read`; whatever it found is worth nothing if the folder was replaced meanwhile.
    pub(super) fn steady<T>(&self, read: impl FnOnce() -> Result<T>) -> Result<T> {
        let result = read();
        let now = rustix::fs::stat(&self.found).map(|s| (s.st_dev, s.st_ino));
        if now != Ok(self.identity) {
            return Err(Error::Io {
                path: self.path.clone(),
                action: "read",
                source: io::Error::other("it was replaced or removed meanwhile"),
            });
        }
        result
    }

    /// The folder of a group or dataset with its attributes.
    fn object(&self, path: &str) -> Result<Option<(Folder, Map<String, Value>)>> {
        let folder = self
            .root
            .descend(path)
            .map_err(|e| failed(&self.path, path, e))?;
        let Some(folder) = folder else {
            return Ok(None);
        };
        let attributes = json::read(&folder, &self.path, path)?.unwrap_or_default();
        Ok(Some((folder, attributes)))
    }

    /// Opens a dataset; `None` if there is none.
    pub(super) fn dataset(&self, path: &str) -> Result<Option<Blocks<'_>>> {
        let Some((folder, attributes)) = self.object(path)? else {
            return Ok(None);
        };
        let dataset = Dataset::of(&attributes).map_err(|reason| {
            damaged(&self.path, path, format!("{reason} cannot be understood"))
        })?;
        Ok(dataset.map(|dataset| Blocks {
            root: &self.path,
            at: path.trim_matches('/').to_owned(),
            folder,
            dataset,
        }))
    }

    /// Opens a dataset that must be there.
    pub(super) fn must_have(&self, path: &str) -> Result<Blocks<'_>> {
        self.dataset(path)?.ok_or_else(|| Error::Missing {
            path: self.path.clone(),
            what: format!("dataset `{path}`"),
        })
    }

    /// Attributes of a group or dataset, without those that describe it.
    pub(super) fn attributes_of(&self, path: &str) -> Result<Option<Vec<(String, Attribute)>>> {
        let Some((_, map)) = self.object(path)? else {
            return Ok(None);
        };
        Ok(Some(attributes(&map, path.trim_matches('/').is_empty())))
    }

    /// A dataset that must be a plane of numbers.
    fn plane_of(&self, path: &str) -> Result<(Blocks<'_>, (usize, usize), PixelType)> {
        let blocks = self.must_have(path)?;
        let &[height, width] = blocks.dataset.shape.as_slice() else {
            return Err(Error::Unsupported {
                path: self.path.clone(),
                reason: format!(
                    "`{path}` has {} dimensions, not 2",
                    blocks.dataset.shape.len()
                ),
            });
        };
        let pixel_type = blocks.dataset.pixel_type;
        // Either is an error, whatever blocks there are.
        if pixel_type.is_none() || blocks.dataset.bytes().is_none() {
            blocks.check(&[])?;
        }
        let shape = (height as usize, width as usize);
        Ok((blocks, shape, pixel_type.unwrap_or(PixelType::U8)))
    }
}

/// Attributes out of `attributes.json`, sorted by name.
pub fn attributes(map: &Map<String, Value>, is_root: bool) -> Vec<(String, Attribute)> {
    let is_dataset = map.contains_key("dimensions");
    let mut all: Vec<_> = map
        .iter()
        .filter(|(key, _)| !(is_dataset && Dataset::is_key(key) || is_root && *key == VERSION_KEY))
        .map(|(key, value)| (key.clone(), json::to_attribute(value)))
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

impl Store for N5Folder {
    fn images(&self) -> Result<Vec<String>> {
        self.steady(|| {
            let entries = self.root.entries(MOST_NODES);
            let mut images = Vec::new();
            for (name, kind) in entries.map_err(|e| failed(&self.path, "/", e))? {
                let Some(name) = name.to_str().filter(|n| is_name(n)) else {
                    continue;
                };
                if kind != Kind::Folder || name == TABLES || name == TYPED {
                    continue;
                }
                let is_image = match self.dataset(name)? {
                    Some(blocks) => blocks.dataset.shape.len() == 2,
                    None => self.dataset(&format!("{name}/s0"))?.is_some(),
                };
                if is_image {
                    images.push(name.to_owned());
                }
            }
            Ok(images)
        })
    }

    fn level(&self, name: &str, level: usize) -> Result<Option<String>> {
        self.steady(|| {
            if name.trim_matches('/').is_empty() {
                return Ok(None);
            }
            if self.dataset(name)?.is_some() {
                return Ok((level == 0).then(|| name.to_owned()));
            }
            let path = format!("{name}/s{level}");
            Ok(self.dataset(&path)?.map(|_| path))
        })
    }

    fn has_dataset(&self, path: &str) -> Result<bool> {
        self.steady(|| Ok(self.dataset(path)?.is_some()))
    }

    fn plane(&self, path: &str) -> Result<((usize, usize), PixelType)> {
        self.steady(|| {
            let (_, shape, pixel_type) = self.plane_of(path)?;
            Ok((shape, pixel_type))
        })
    }

    fn read_plane(&self, path: &str) -> Result<Pixels> {
        self.steady(|| {
            let (blocks, shape, pixel_type) = self.plane_of(path)?;
            let places = blocks.list()?;
            blocks.check(&places)?;
            filled(pixel_type, shape, |out| blocks.read_into(&places, out))
        })
    }

    fn read_region(&self, path: &str, rows: Range<usize>, columns: Range<usize>) -> Result<Pixels> {
        self.steady(|| {
            let (blocks, _, pixel_type) = self.plane_of(path)?;
            blocks.check_form()?;
            filled(pixel_type, (rows.len(), columns.len()), |out| {
                blocks.read_rectangle(&rows, &columns, out)
            })
        })
    }

    fn tables(&self) -> Result<Vec<String>> {
        self.steady(|| {
            let mut found = Vec::new();
            let mut visited = 0;
            let mut open = vec![(String::new(), 0)];
            while let Some((name, depth)) = open.pop() {
                let path = format!("{TABLES}/{name}");
                let Some((folder, attributes)) = self.object(&path)? else {
                    continue;
                };
                if attributes.contains_key("dimensions") {
                    continue;
                }
                for (part, kind) in folder
                    .entries(MOST_TABLE_GROUPS)
                    .map_err(|e| failed(&self.path, &path, e))?
                {
                    visited += 1;
                    if visited > MOST_TABLE_GROUPS {
                        return Err(damaged(
                            &self.path,
                            TABLES,
                            format!(
                                "there are more than {MOST_TABLE_GROUPS} names among the tables"
                            ),
                        ));
                    }
                    let Some(part) = part.to_str().filter(|p| is_name(p)) else {
                        continue;
                    };
                    if kind != Kind::Folder {
                        continue;
                    }
                    if part == "cells" && self.dataset(&format!("{path}/cells"))?.is_some() {
                        found.push(name.clone());
                    } else if depth < DEEPEST_TABLE {
                        let inner = format!("{name}/{part}");
                        open.push((inner.trim_start_matches('/').to_owned(), depth + 1));
                    }
                }
            }
            found.sort();
            Ok(found)
        })
    }

    fn read_table(&self, name: &str) -> Result<Table> {
        self.steady(|| match table::read_typed(self, name) {
            Ok(Some(table)) => Ok(table),
            // The text form is the one that counts.
            _ => table::read_cells(self, name),
        })
    }

    fn attributes(&self, object: &str) -> Result<Option<Vec<(String, Attribute)>>> {
        self.steady(|| self.attributes_of(object))
    }
}
