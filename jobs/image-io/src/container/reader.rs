//! Reading containers, those of BatchLib included.

mod block;
mod planes;

use std::fs::File;
use std::path::{Path, PathBuf};

use super::ffi::link::{self, Kind, Link};
use super::ffi::types::ElementType;
use super::ffi::{Failure, Handle, attribute, dataset, file, locked};
use super::{Attribute, TABLES, TYPED, table_form};
use crate::table::Table;
use crate::{Error, PixelType, Pixels, Result};

/// Names below the tables' group: a group that holds itself under many names has more than can be walked.
const MOST_TABLE_GROUPS: usize = 20_000;

/// What a container says about one image.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageInfo {
    /// Height and width at full resolution.
    pub shape: (usize, usize),
    /// Type of a pixel.
    pub pixel_type: PixelType,
    /// Height and width of each level, full resolution first.
    pub levels: Vec<(usize, usize)>,
    /// The attributes of the image's group, sorted by name.
    pub attributes: Vec<(String, Attribute)>,
}

impl ImageInfo {
    /// The attribute of that name.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v)
    }
}

/// An open container, read-only.
#[derive(Debug)]
pub struct Container {
    path: PathBuf,
    file: Handle,
    /// The same file, for reading chunks without the library's lock.
    raw: File,
    user_block: u64,
}

impl Container {
    /// Opens a file.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be opened, [`Error::Damaged`] if it is not a whole HDF5 file, [`Error::Hdf5`] if another program
    /// is writing it.
    pub fn open(path: &Path) -> Result<Self> {
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

    /// The names of all images, sorted: root groups with a level `s0`, and root datasets of two dimensions.
    ///
    /// # Errors
    /// [`Error::Damaged`] if the file's structure cannot be read.
    pub fn images(&self) -> Result<Vec<String>> {
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

    /// Whether there is an image of that name.
    #[must_use]
    pub fn has_image(&self, name: &str) -> bool {
        self.dataset_path(name, 0).is_ok()
    }

    /// Describes an image.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Damaged`], or [`Error::Unsupported`] if it is not a plane of numbers.
    pub fn image_info(&self, name: &str) -> Result<ImageInfo> {
        let mut levels = Vec::new();
        let mut pixel_type = None;
        while let Ok(path) = self.dataset_path(name, levels.len()) {
            let (_, plane) = self.plane(&path)?;
            levels.push(plane.shape);
            pixel_type.get_or_insert(plane.pixel_type);
            if path == name {
                break;
            }
        }
        let (Some(pixel_type), Some(shape)) = (pixel_type, levels.first().copied()) else {
            return Err(self.missing(format!("image `{name}`")));
        };
        Ok(ImageInfo {
            shape,
            pixel_type,
            levels,
            attributes: self.attributes(name)?,
        })
    }

    /// Reads one level of an image, 0 being full resolution. Chunks are read and decompressed in parallel on the current rayon
    /// pool.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Damaged`], [`Error::Unsupported`] if it is not a plane of numbers, [`Error::Limit`] if
    /// it is larger than 16 GiB.
    pub fn read_image(&self, name: &str, level: usize) -> Result<Pixels> {
        let path = self.dataset_path(name, level)?;
        self.read_plane(&path)
    }

    /// The names of all tables, sorted, for example `cell_segmentation/properties`.
    ///
    /// # Errors
    /// [`Error::Damaged`] if the file's structure cannot be read.
    pub fn tables(&self) -> Result<Vec<String>> {
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
                walk(&tables, "", 8, &mut 0, &mut found)?;
            }
            Ok(found)
        })
        .map_err(|f: Failure| f.reading(&self.path, "the list of tables"))
    }

    /// Whether there is a table of that name.
    #[must_use]
    pub fn has_table(&self, name: &str) -> bool {
        locked(|| link::exists(&self.file, &format!("{TABLES}/{name}/cells"))).unwrap_or(false)
    }

    /// Reads a table: from its typed form where that is present and up to date, else from the text cells, whose types follow
    /// BatchLib's rule: whole numbers if all cells of a column are, else real numbers, else text.
    ///
    /// # Errors
    /// [`Error::Missing`] or [`Error::Damaged`].
    pub fn read_table(&self, name: &str) -> Result<Table> {
        if !self.has_table(name) {
            return Err(self.missing(format!("table `{name}`")));
        }
        let read = || match table_form::read_typed(&self.file, name) {
            Ok(Some(table)) => Ok(table),
            // The text form is the one that counts.
            _ => {
                table_form::read_cells(&link::open_group(&self.file, &format!("{TABLES}/{name}"))?)
            }
        };
        locked(read).map_err(|f| f.reading(&self.path, &format!("table `{name}`")))
    }

    /// Reads an attribute of an object, `/` being the whole file. `None` if the object does not have it.
    ///
    /// # Errors
    /// [`Error::Missing`] if there is no such object, [`Error::Damaged`] if it cannot be read.
    pub fn attribute(&self, object: &str, name: &str) -> Result<Option<Attribute>> {
        Ok(self
            .attributes(object)?
            .into_iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v))
    }

    /// Reads all attributes of an object, sorted by name; `/` is the whole file.
    ///
    /// # Errors
    /// As [`Self::attribute`].
    pub fn attributes(&self, object: &str) -> Result<Vec<(String, Attribute)>> {
        read_all_attributes(&self.file, &self.path, object)
    }

    /// Where a level of an image is: `<name>/s<level>`, or `<name>` itself for an image without levels.
    fn dataset_path(&self, name: &str, level: usize) -> Result<String> {
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
        let found = locked(found)
            .map_err(|f: Failure| f.reading(&self.path, &format!("image `{name}`")))?;
        found.ok_or_else(|| self.missing(format!("image `{name}` at level {level}")))
    }

    fn missing(&self, what: String) -> Error {
        Error::Missing {
            path: self.path.clone(),
            what,
        }
    }
}

/// Opens a regular file.
pub(super) fn open_plain(path: &Path) -> Result<File> {
    plate::foreign::open(path).map_err(|source| {
        if plate::foreign::is_irregular(&source) {
            Error::Unsupported {
                path: path.to_owned(),
                reason: source.to_string(),
            }
        } else {
            Error::Io {
                path: path.to_owned(),
                action: "open",
                source,
            }
        }
    })
}

fn read_all_attributes(
    file: &Handle,
    path: &Path,
    object: &str,
) -> Result<Vec<(String, Attribute)>> {
    let exists = locked(|| link::exists(file, object)).map_err(|f| f.reading(path, object))?;
    if !exists && object != "/" {
        return Err(Error::Missing {
            path: path.to_owned(),
            what: format!("object `{object}`"),
        });
    }
    let read = || {
        let object = link::open_object(file, object)?;
        attribute::names(&object)?
            .into_iter()
            .map(|n| attribute::read(&object, &n).map(|v| (n, v)))
            .collect::<Result<Vec<_>, _>>()
    };
    locked(read).map_err(|f| f.reading(path, &format!("the attributes of `{object}`")))
}

/// Reads a plane of numbers from any HDF5 file, for example a channel of BatchLib's barrel corrector files.
///
/// # Errors
/// As [`Container::open`] and [`Container::read_image`].
pub fn read_dataset_2d(path: &Path, dataset: &str) -> Result<Pixels> {
    let container = Container::open(path)?;
    let exists =
        locked(|| link::exists(&container.file, dataset)).map_err(|f| f.reading(path, dataset))?;
    if !exists {
        return Err(container.missing(format!("dataset `{dataset}`")));
    }
    container.read_plane(dataset)
}

/// Reads the attributes of an object of any HDF5 file, sorted by name; `/` is the whole file.
///
/// # Errors
/// As [`Container::open`] and [`Container::attribute`].
pub fn read_attributes(path: &Path, object: &str) -> Result<Vec<(String, Attribute)>> {
    Container::open(path)?.attributes(object)
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
