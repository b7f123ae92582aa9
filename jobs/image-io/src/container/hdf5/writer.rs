//! Writing a container as an HDF5 file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::ffi::types::Shared;
use super::ffi::{Handle, attribute, file, link, locked};
use super::{Failure, carry, chunk, image, table_form};
use crate::container::image::prepare;
use crate::container::reader::open_plain;
use crate::container::{Attribute, ImageOptions, VisibleType, store};
use crate::publish::Staged;
use crate::table::Table;
use crate::{Error, Pixels, Result};

/// Bytes that a new container is expected to take; only sets how fast its memory grows.
const EXPECTED: u64 = 1 << 20;

/// A file in memory.
pub(in crate::container) struct Assembly {
    target: PathBuf,
    file: Handle,
    shared: &'static Shared,
}

impl Assembly {
    pub(in crate::container) fn create(target: &Path, previous: Option<&Path>) -> Result<Self> {
        let expected = previous
            .and_then(|p| std::fs::metadata(p).ok())
            .map_or(EXPECTED, |m| m.len());
        let failed = |f: Failure| f.at(target, "begin it");
        Ok(Self {
            target: target.to_owned(),
            file: file::create(expected as usize).map_err(failed)?,
            shared: Shared::get().map_err(failed)?,
        })
    }
}

impl store::Assembly for Assembly {
    fn is_name(&self, _: &str) -> bool {
        true
    }

    fn add_image(&mut self, name: &str, pixels: &Pixels, options: &ImageOptions) -> Result<()> {
        let prepared = prepare(pixels, options, chunk::encode);
        image::write(&self.file, name, pixels, &prepared, options, self.shared)
            .map_err(|f| f.at(&self.target, format!("write image `{name}`")))
    }

    fn add_table(&mut self, name: &str, table: &Table, visible: VisibleType) -> Result<()> {
        let write = || {
            let cells = table_form::write_cells(&self.file, name, table, visible, self.shared)?;
            table_form::write_typed(&self.file, name, table, cells, self.shared)
        };
        write().map_err(|f| f.at(&self.target, format!("write table `{name}`")))
    }

    fn alias(&mut self, existing: &str, alias: &str) -> Result<()> {
        link::link_hard(&self.file, existing, alias, self.shared)
            .map_err(|f| f.at(&self.target, format!("link table `{alias}`")))
    }

    fn set_attribute(&mut self, name: &str, value: &Attribute) -> Result<()> {
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

    fn commit(
        mut self: Box<Self>,
        previous: Option<&Path>,
        replaced: &BTreeSet<String>,
    ) -> Result<u64> {
        if let Some(previous) = previous {
            open_plain(previous)?;
            let carry =
                || carry::carry_over(&file::open(previous)?, &self.file, replaced, self.shared);
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
        Ok(bytes)
    }
}
