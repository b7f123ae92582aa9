//! Reading containers that are HDF5 files, those of BatchLib included.

mod block;
mod planes;
mod region;

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::ffi::link::{self, Kind, Link};
use super::ffi::types::ElementType;
use super::ffi::{Failure, Handle, attribute, dataset, file, locked};
use super::table_form;
use crate::container::reader::open_plain;
use crate::container::store::Store;
use crate::container::{Attribute, DEEPEST_TABLE, MOST_TABLE_GROUPS, TABLES, TYPED};
use crate::table::Table;
use crate::{Error, PixelType, Pixels, Result};

/// An open file, read-only.
#[derive(Debug)]
pub(crate) struct Hdf5File {
    path: PathBuf,
    file: Handle,
    /// The same file, for reading chunks without the library's lock.
    raw: File,
    user_block: u64,
}

impl Hdf5File {
    /// Opens a file.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be opened, [`Error::Damaged`] if it is not a whole HDF5 file, [`Error::Hdf5`] if another program
    /// is writing it.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        // Also the check that it is a plain file: the library would wait for the writer of a pipe.
        let raw = open_plain(path)?;
        let open = || {
            let file = file::open(path)?;
            let user_block = file::user_block(&file)?;
            Ok((file, user_block))
        };
        let (file, user_block) = locked(open).map_err(|f: Failure| f.reading(path, "the file"))?;
        Ok(Self {
            path: path.to_owned(),
            file,
            raw,
            user_block,
        })
    }

    /// An attribute of an object; `None` if there is no such object, or it does not have it.
    ///
    /// # Errors
    /// [`Error::Damaged`] if it cannot be read.
    pub(crate) fn attribute(&self, object: &str, name: &str) -> Result<Option<Attribute>> {
        let all = self.attributes(object)?.unwrap_or_default();
        Ok(all.into_iter().find(|(n, _)| n == name).map(|(_, v)| v))
    }

    fn missing(&self, what: String) -> Error {
        Error::Missing {
            path: self.path.clone(),
            what,
        }
    }
}

impl Store for Hdf5File {
    fn images(&self) -> Result<Vec<String>> {
        locked(|| {
            let root = link::open_group(&self.file, "/")?;
            let mut images = Vec::new();
            for (name, kind) in link::links(&root)? {
                if kind != Link::Hard || name == TABLES || name == TYPED {
                    continue;
                }
                let is_image = match link::object(&root, &name)?.kind {
                    Kind::Group => link::exists(&root, &format!("{name}/s0"))?,
                    Kind::Dataset => {
                        dataset::describe_dataset(&dataset::open(&root, &name)?)?
                            .extents
                            .len()
                            == 2
                    }
                    Kind::Other => false,
                };
                if is_image {
                    images.push(name);
                }
            }
            Ok(images)
        })
        .map_err(|f: Failure| f.reading(&self.path, "the list of images"))
    }

    fn level(&self, name: &str, level: usize) -> Result<Option<String>> {
        let path = format!("{name}/s{level}");
        let found = || {
            if name.is_empty() || !link::exists(&self.file, name)? {
                return Ok(None);
            }
            match link::object(&self.file, name)?.kind {
                Kind::Dataset if level == 0 => Ok(Some(name.to_owned())),
                Kind::Group if link::exists(&self.file, &path)? => Ok(Some(path)),
                _ => Ok(None),
            }
        };
        locked(found).map_err(|f: Failure| f.reading(&self.path, &format!("image `{name}`")))
    }

    fn has_dataset(&self, path: &str) -> Result<bool> {
        locked(|| link::exists(&self.file, path)).map_err(|f| f.reading(&self.path, path))
    }

    fn plane(&self, path: &str) -> Result<((usize, usize), PixelType)> {
        let (_, plane) = self.open_plane(path)?;
        Ok((plane.shape, plane.pixel_type))
    }

    fn read_plane(&self, path: &str) -> Result<Pixels> {
        self.read_pixels(path)
    }

    fn read_region(&self, path: &str, rows: Range<usize>, columns: Range<usize>) -> Result<Pixels> {
        self.read_rectangle(path, rows, columns)
    }

    fn tables(&self) -> Result<Vec<String>> {
        fn walk(
            group: &Handle,
            prefix: &str,
            depth: usize,
            visited: &mut usize,
            found: &mut Vec<String>,
        ) -> Result<(), Failure> {
            for (name, kind) in link::links(group)? {
                *visited += 1;
                if *visited > MOST_TABLE_GROUPS {
                    return Err(Failure(format!(
                        "there are more than {MOST_TABLE_GROUPS} names among the tables"
                    )));
                }
                if kind != Link::Hard
                    || link::object(group, &name)?.kind != Kind::Group
                    || depth == 0
                {
                    continue;
                }
                let inner = link::open_group(group, &name)?;
                if link::exists(&inner, "cells")? && link::exists(&inner, "columns")? {
                    found.push(format!("{prefix}{name}"));
                }
                walk(
                    &inner,
                    &format!("{prefix}{name}/"),
                    depth - 1,
                    visited,
                    found,
                )?;
            }
            Ok(())
        }
        locked(|| {
            let mut found = Vec::new();
            if link::exists(&self.file, TABLES)? {
                // A hard link can lead back to its parent; no real name has more parts.
                let tables = link::open_group(&self.file, TABLES)?;
                walk(&tables, "", DEEPEST_TABLE, &mut 0, &mut found)?;
            }
            Ok(found)
        })
        .map_err(|f: Failure| f.reading(&self.path, "the list of tables"))
    }

    fn read_table(&self, name: &str) -> Result<Table> {
        let read = || match table_form::read_typed(&self.file, name) {
            Ok(Some(table)) => Ok(table),
            // The text form is the one that counts.
            _ => {
                table_form::read_cells(&link::open_group(&self.file, &format!("{TABLES}/{name}"))?)
            }
        };
        locked(read).map_err(|f| f.reading(&self.path, &format!("table `{name}`")))
    }

    fn attributes(&self, object: &str) -> Result<Option<Vec<(String, Attribute)>>> {
        let exists = locked(|| link::exists(&self.file, object))
            .map_err(|f| f.reading(&self.path, object))?;
        if !exists && object != "/" {
            return Ok(None);
        }
        let read = || {
            let object = link::open_object(&self.file, object)?;
            attribute::names(&object)?
                .into_iter()
                .map(|n| attribute::read(&object, &n).map(|v| (n, v)))
                .collect::<Result<Vec<_>, _>>()
        };
        locked(read)
            .map(Some)
            .map_err(|f| f.reading(&self.path, &format!("the attributes of `{object}`")))
    }
}

/// What is known of a plane before it is read.
struct Plane {
    shape: (usize, usize),
    pixel_type: PixelType,
    described: dataset::Description,
}

impl Plane {
    /// Whether the stored bytes are the machine's own.
    fn is_plain(&self) -> bool {
        matches!(
            self.described.element,
            ElementType::Number { little: true, .. } | ElementType::Bool
        ) && cfg!(target_endian = "little")
    }
}
