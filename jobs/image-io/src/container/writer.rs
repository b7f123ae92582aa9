//! Writing a container.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::store::Assembly;
use super::{
    Attribute, Format, ImageOptions, TABLES, TYPED, VisibleType, hdf5, is_image_name,
    is_table_name, n5,
};
use crate::table::Table;
use crate::{Error, Pixels, Result};

/// A published container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// Where it is.
    pub path: PathBuf,
    /// Its size; of a folder, that of all files in it.
    pub bytes: u64,
}

/// A container in the making.
///
/// It lives in memory until [`Self::commit`]: nothing is on disk before, and what is on disk after is whole. Dropping the
/// writer leaves the target as it was.
pub struct ContainerWriter {
    target: PathBuf,
    previous: Option<PathBuf>,
    assembly: Box<dyn Assembly>,
    /// Paths of images and tables that are new or removed.
    replaced: BTreeSet<String>,
}

impl ContainerWriter {
    /// Begins a container that will be published as `target`, in the format that its extension stands for. All images, tables
    /// and attributes of `previous` (often the same path, always the same format) that are neither replaced nor removed are
    /// carried over at [`Self::commit`].
    ///
    /// # Errors
    /// [`Error::Unsupported`] if `previous` has another format, [`Error::Hdf5`] if memory runs out. A `previous` that cannot be
    /// read is an error of [`Self::commit`].
    pub fn create(target: &Path, previous: Option<&Path>) -> Result<Self> {
        let format = Format::of(target);
        if let Some(other) = previous.filter(|p| Format::of(p) != format) {
            return Err(Error::Unsupported {
                path: other.to_owned(),
                reason: format!(
                    "its format is not that of `{}`, which it is to be carried over into",
                    target.display()
                ),
            });
        }
        Ok(Self {
            target: target.to_owned(),
            previous: previous.map(Path::to_owned),
            assembly: match format {
                Format::Hdf5 => Box::new(hdf5::Assembly::create(target, previous)?),
                Format::N5 => Box::new(n5::Assembly::create(target)),
            },
            replaced: BTreeSet::new(),
        })
    }

    /// Adds a plane (y, x) with its scale levels; an image of that name in the previous container is replaced.
    ///
    /// Levels, contrast limits and chunks are computed on the current rayon pool, without the HDF5 lock.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a plane without pixels, a name with `/`, scale factors that do not rise from 1, or a name that
    /// was added before; [`Error::Hdf5`] if the library fails.
    pub fn add_image(&mut self, name: &str, pixels: &Pixels, options: &ImageOptions) -> Result<()> {
        let (height, width) = pixels.shape();
        if !is_image_name(name) || !self.assembly.is_name(name) {
            return Err(self.refuse(format!("`{name}` cannot be an image's name")));
        }
        if height == 0 || width == 0 {
            return Err(self.refuse(format!("image `{name}` has no pixels ({height} x {width})")));
        }
        if let Some(fault) = options.fault() {
            return Err(self.refuse(format!("image `{name}`: {fault}")));
        }
        self.claim(&format!("/{name}"))?;
        self.assembly.add_image(name, pixels, options)
    }

    /// Adds a table, for example `cell_segmentation/properties`: as text under `/tables/<name>`, where BatchLib and PlateViewer
    /// look, and typed under `/typed/<name>/<column>`. A table of that name in the previous container is replaced.
    ///
    /// Text longer than 100 bytes is cut in the first form only. Whole numbers beside real ones, without text, are written
    /// as `1.0` there, as NumPy does; they stay whole in the typed form.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for columns of unequal length, an unusable name, or a name that was added before;
    /// [`Error::Hdf5`] if the library fails.
    pub fn add_table(&mut self, name: &str, table: &Table, visible: VisibleType) -> Result<()> {
        self.check_table_name(name)?;
        if !table.is_rectangular() {
            return Err(self.refuse(format!("the columns of table `{name}` differ in length")));
        }
        self.claim(&format!("/{TABLES}/{name}"))?;
        self.claim(&format!("/{TYPED}/{name}"))?;
        self.assembly.add_table(name, table, visible)
    }

    /// Gives a table that was added here a second name, without storing it twice.
    ///
    /// # Errors
    /// [`Error::Missing`] if `existing` was not added; else as [`Self::add_table`].
    pub fn alias_table(&mut self, existing: &str, alias: &str) -> Result<()> {
        self.check_table_name(alias)?;
        if !self.replaced.contains(&format!("/{TABLES}/{existing}")) {
            return Err(Error::Missing {
                path: self.target.clone(),
                what: format!("table `{existing}`"),
            });
        }
        for root in [TABLES, TYPED] {
            self.claim(&format!("/{root}/{alias}"))?;
            self.assembly
                .alias(&format!("{root}/{existing}"), &format!("{root}/{alias}"))?;
        }
        Ok(())
    }

    /// Does not carry an image over from the previous container.
    pub fn remove_image(&mut self, name: &str) {
        self.replaced.insert(format!("/{name}"));
    }

    /// Does not carry a table over from the previous container.
    pub fn remove_table(&mut self, name: &str) {
        for root in [TABLES, TYPED] {
            self.replaced.insert(format!("/{root}/{name}"));
        }
    }

    /// Sets an attribute of the whole container, once.
    ///
    /// # Errors
    /// [`Error::Hdf5`] or [`Error::Unsupported`] if it was set before or has an unusable name.
    pub fn set_attribute(&mut self, name: &str, value: &Attribute) -> Result<()> {
        self.assembly.set_attribute(name, value)
    }

    /// Carries over what is left of the previous container and publishes the new one: afterwards the target is the new
    /// container, on disk.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be written (disk full, share gone): the target is as it was.
    /// [`Error::Damaged`] or [`Error::Hdf5`] if the previous container cannot be read.
    pub fn commit(self) -> Result<Published> {
        let bytes = self
            .assembly
            .commit(self.previous.as_deref(), &self.replaced)?;
        Ok(Published {
            path: self.target,
            bytes,
        })
    }

    fn check_table_name(&self, name: &str) -> Result<()> {
        if is_table_name(name) && name.split('/').all(|part| self.assembly.is_name(part)) {
            return Ok(());
        }
        Err(self.refuse(format!("`{name}` cannot be a table's name")))
    }

    fn claim(&mut self, path: &str) -> Result<()> {
        if !self.replaced.insert(path.to_owned()) {
            return Err(self.refuse(format!("`{path}` was added or removed before")));
        }
        Ok(())
    }

    fn refuse(&self, reason: String) -> Error {
        Error::Unsupported {
            path: self.target.clone(),
            reason,
        }
    }
}
