//! Writing a container as an N5 folder.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::block::{self, Encoded};
use super::dataset::Dataset;
use super::folder::{Folder, is_name};
use super::{ATTRIBUTES, VERSION, VERSION_KEY, carry, json, table};
use crate::container::image::{attributes, prepare};
use crate::container::{Attribute, ImageOptions, VisibleType, store};
use crate::publish::StagedTree;
use crate::table::Table;
use crate::{Error, Pixels, Result};

/// A folder in memory.
pub(in crate::container) struct Assembly {
    target: PathBuf,
    /// Every group and dataset by its path below the root, `""`, with what its `attributes.json` will say.
    pub(super) objects: BTreeMap<String, Map<String, Value>>,
    /// Blocks by their paths.
    blocks: Vec<(PathBuf, Vec<u8>)>,
    /// Groups with a second path.
    aliases: Vec<(String, String)>,
}

impl Assembly {
    pub(in crate::container) fn create(target: &Path) -> Self {
        let mut root = Map::new();
        root.insert(VERSION_KEY.to_owned(), VERSION.into());
        Self {
            target: target.to_owned(),
            objects: BTreeMap::from([(String::new(), root)]),
            blocks: Vec::new(),
            aliases: Vec::new(),
        }
    }

    /// Adds a group, and those above it where they are missing.
    pub(super) fn add_group(
        &mut self,
        path: &str,
        attributes: Vec<(String, Attribute)>,
    ) -> Result<()> {
        let mut map = Map::new();
        for (name, value) in attributes {
            let value = self.value(&name, &value)?;
            map.insert(name, value);
        }
        self.add_object(path, map)
    }

    /// Adds a dataset, likewise.
    pub(super) fn add_dataset(
        &mut self,
        path: &str,
        dataset: &Dataset,
        blocks: Vec<Encoded>,
    ) -> Result<()> {
        self.add_object(path, dataset.to_json())?;
        for block in blocks {
            let place = block.at.iter().rev().map(usize::to_string);
            let file: PathBuf = std::iter::once(path.to_owned()).chain(place).collect();
            self.blocks.push((file, block.bytes));
        }
        Ok(())
    }

    fn add_object(&mut self, path: &str, attributes: Map<String, Value>) -> Result<()> {
        for (end, _) in path.match_indices('/') {
            let above = self.objects.entry(path[..end].to_owned()).or_default();
            if above.contains_key("dimensions") {
                return Err(self.refuse(format!(
                    "`{path}` would lie in the dataset `{}`",
                    &path[..end]
                )));
            }
        }
        if self.objects.contains_key(path) {
            return Err(self.refuse(format!("`{path}` is there already")));
        }
        self.objects.insert(path.to_owned(), attributes);
        Ok(())
    }

    fn value(&self, name: &str, value: &Attribute) -> Result<Value> {
        json::from_attribute(value)
            .ok_or_else(|| self.refuse(format!("attribute `{name}` cannot be written: {value:?}")))
    }

    fn refuse(&self, reason: String) -> Error {
        Error::Unsupported {
            path: self.target.clone(),
            reason,
        }
    }

    /// All files of the new objects: their attributes and blocks.
    fn files(&mut self) -> Result<Vec<(PathBuf, Vec<u8>)>> {
        let mut files = std::mem::take(&mut self.blocks);
        for (path, attributes) in &self.objects {
            let text = Value::Object(attributes.clone()).to_string();
            if text.len() as u64 > json::MOST_BYTES {
                return Err(self.refuse(format!(
                    "the attributes of `{path}` have {} bytes, more than are read",
                    text.len()
                )));
            }
            // z5py writes none for a group without attributes, zarr wants one.
            files.push((Path::new(path).join(ATTRIBUTES), text.into_bytes()));
        }
        files.sort();
        Ok(files)
    }
}

impl store::Assembly for Assembly {
    fn is_name(&self, part: &str) -> bool {
        is_name(part)
    }

    fn add_image(&mut self, name: &str, pixels: &Pixels, options: &ImageOptions) -> Result<()> {
        let prepared = prepare(pixels, options, block::encode_image);
        self.add_group(name, attributes(&prepared, options))?;
        for (index, level) in prepared.levels.into_iter().enumerate() {
            let (height, width) = level.shape;
            let dataset = Dataset::new(
                pixels.pixel_type(),
                &[height, width],
                &block::of_image(level.shape),
            );
            self.add_dataset(&format!("{name}/s{index}"), &dataset, level.chunks)?;
        }
        Ok(())
    }

    fn add_table(&mut self, name: &str, table: &Table, visible: VisibleType) -> Result<()> {
        table::add(self, name, table, visible)
    }

    fn alias(&mut self, existing: &str, alias: &str) -> Result<()> {
        if !self.objects.contains_key(existing) {
            return Err(Error::Missing {
                path: self.target.clone(),
                what: format!("`{existing}`"),
            });
        }
        self.add_object(alias, Map::new())?;
        self.aliases.push((existing.to_owned(), alias.to_owned()));
        Ok(())
    }

    fn set_attribute(&mut self, name: &str, value: &Attribute) -> Result<()> {
        let value = self.value(name, value)?;
        let root = self.objects.entry(String::new()).or_default();
        if root.contains_key(name) {
            return Err(self.refuse(format!("attribute `{name}` was set before")));
        }
        root.insert(name.to_owned(), value);
        Ok(())
    }

    fn commit(
        mut self: Box<Self>,
        previous: Option<&Path>,
        replaced: &BTreeSet<String>,
    ) -> Result<u64> {
        faults::write_point(faults::Point::ContainerAssembled).map_err(|source| Error::Io {
            path: self.target.clone(),
            action: "create",
            source,
        })?;
        let mut staged = StagedTree::create(&self.target)?;
        if let Some(previous) = previous {
            carry::carry_over(previous, &mut self.objects, replaced, &mut staged)?;
        }
        // An alias gets its attributes with everything else, as a further name of the same files.
        for (_, alias) in &self.aliases {
            self.objects.remove(alias);
        }
        for path in self.objects.keys() {
            staged.add_folder(Path::new(path))?;
        }
        let files = self.files()?;
        staged.write(&files)?;
        for (existing, alias) in &self.aliases {
            let inner = staged.path().join(existing);
            let folder = Folder::open(&inner).map_err(|source| Error::Io {
                path: inner,
                action: "open",
                source,
            })?;
            carry::link_all(&folder, &self.target, Path::new(alias), &mut staged)?;
        }
        staged.commit()
    }
}
