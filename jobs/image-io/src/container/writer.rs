//! Writing a container.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::ffi::types::Shared;
use super::ffi::{Handle, attribute, file, link, locked};
use super::{
    Attribute, ImageOptions, TABLES, TYPED, VisibleType, carry, image, is_image_name,
    is_table_name, table_form,
};
use crate::publish::Staged;
use crate::table::Table;
use crate::{Error, Pixels, Result};

/// Bytes that a new container is expected to take; only sets how fast its memory grows.
const EXPECTED: u64 = 1 << 20;

/// A published container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// Where it is.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
}

/// A container in the making.
///
/// It lives in memory until [`Self::commit`]: nothing is on disk before, and what is on disk after is whole. Dropping the
/// writer leaves the target as it was.
pub struct ContainerWriter {
    target: PathBuf,
    previous: Option<PathBuf>,
    file: Handle,
    shared: &'static Shared,
    /// Paths of images and tables that are new or removed.
    replaced: BTreeSet<String>,
}

impl ContainerWriter {
    /// Begins a container that will be published as `target`. All images, tables and attributes of `previous` (often the
    /// same path) that are neither replaced nor removed are carried over at [`Self::commit`].
    ///
    /// # Errors
    /// [`Error::Hdf5`] if memory runs out. A `previous` that cannot be read is an error of [`Self::commit`].
    pub fn create(target: &Path, previous: Option<&Path>) -> Result<Self> {
        let expected = previous
            .and_then(|p| std::fs::metadata(p).ok())
            .map_or(EXPECTED, |m| m.len());
        let failed = |f: super::Failure| f.at(target, "begin it");
        let (file, shared) = (
            file::create(expected as usize).map_err(failed)?,
            Shared::get().map_err(failed)?,
        );
        Ok(Self {
            target: target.to_owned(),
            previous: previous.map(Path::to_owned),
            file,
            shared,
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
        if !is_image_name(name) {
            return Err(self.refuse(format!("`{name}` cannot be an image's name")));
        }
        if height == 0 || width == 0 {
            return Err(self.refuse(format!("image `{name}` has no pixels ({height} x {width})")));
        }
        if let Some(fault) = options.fault() {
            return Err(self.refuse(format!("image `{name}`: {fault}")));
        }
        self.claim(&format!("/{name}"))?;
        let prepared = image::prepare(pixels, options);
        image::write(&self.file, name, pixels, &prepared, options, self.shared)
            .map_err(|f| f.at(&self.target, format!("write image `{name}`")))
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
        if !is_table_name(name) {
            return Err(self.refuse(format!("`{name}` cannot be a table's name")));
        }
        if !table.is_rectangular() {
            return Err(self.refuse(format!("the columns of table `{name}` differ in length")));
        }
        self.claim(&format!("/{TABLES}/{name}"))?;
        self.claim(&format!("/{TYPED}/{name}"))?;
        let write = || {
            let cells = table_form::write_cells(&self.file, name, table, visible, self.shared)?;
            table_form::write_typed(&self.file, name, table, cells, self.shared)
        };
        write().map_err(|f| f.at(&self.target, format!("write table `{name}`")))
    }

    /// Gives a table that was added here a second name, without storing it twice.
    ///
    /// # Errors
    /// [`Error::Missing`] if `existing` was not added; else as [`Self::add_table`].
    pub fn alias_table(&mut self, existing: &str, alias: &str) -> Result<()> {
        if !is_table_name(alias) {
            return Err(self.refuse(format!("`{alias}` cannot be a table's name")));
        }
        if !self.replaced.contains(&format!("/{TABLES}/{existing}")) {
            return Err(Error::Missing {
                path: self.target.clone(),
                what: format!("table `{existing}`"),
            });
        }
        for root in [TABLES, TYPED] {
            self.claim(&format!("/{root}/{alias}"))?;
            link::link_hard(
                &self.file,
                &format!("{root}/{existing}"),
                &format!("{root}/{alias}"),
                self.shared,
            )
            .map_err(|f| f.at(&self.target, format!("link table `{alias}`")))?;
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

    /// Sets an attribute of the whole file, once.
    ///
    /// # Errors
    /// [`Error::Hdf5`] if it was set before.
    pub fn set_attribute(&mut self, name: &str, value: &Attribute) -> Result<()> {
        let write = || {
            attribute::write(
                &link::open_object(&self.file, "/")?,
                name,
                value,
                self.shared,
            )
        };
        locked(write).map_err(|f| f.at(&self.target, format!("write attribute `{name}`")))
    }

    /// Carries over what is left of the previous container and publishes the file: afterwards the target is the new file,
    /// on disk.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be written (disk full, share gone): the target is as it was.
    /// [`Error::Damaged`] or [`Error::Hdf5`] if the previous container cannot be read.
    pub fn commit(mut self) -> Result<Published> {
        if let Some(previous) = &self.previous {
            super::reader::open_plain(previous)?;
            let carry = || {
                carry::carry_over(
                    &file::open(previous)?,
                    &self.file,
                    &self.replaced,
                    self.shared,
                )
            };
            locked(carry).map_err(|f| f.reading(previous, "what is carried over"))?;
        }
        faults::write_point(faults::Point::ContainerAssembled).map_err(|source| Error::Io {
            path: self.target.clone(),
            action: "create",
            source,
        })?;
        let mut staged = Staged::create(&self.target)?;
        let bytes = file::with_image(&mut self.file, |image| {
            staged.write(image).map(|()| image.len() as u64)
        })
        .map_err(|f| f.at(&self.target, "finish it"))??;
        staged.commit()?;
        Ok(Published {
            path: self.target,
            bytes,
        })
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
