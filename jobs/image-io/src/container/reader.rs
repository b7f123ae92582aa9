//! Reading containers, those of BatchLib included.

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::hdf5::Hdf5File;
use super::n5::N5Folder;
use super::store::Store;
use super::{Attribute, Format, TABLES};
use crate::table::Table;
use crate::{Error, PixelType, Pixels, Result};

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
    store: Box<dyn Store>,
}

impl Container {
    /// Opens a container in the format that its extension stands for.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be opened, [`Error::Damaged`] if it is not a whole HDF5 file or no N5 folder, [`Error::Hdf5`]
    /// if another program is writing it.
    pub fn open(path: &Path) -> Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            store: match Format::of(path) {
                Format::Hdf5 => Box::new(Hdf5File::open(path)?),
                Format::N5 => Box::new(N5Folder::open(path)?),
            },
        })
    }

    /// The names of all images, sorted: root groups with a level `s0`, and root datasets of two dimensions.
    ///
    /// # Errors
    /// [`Error::Damaged`] if the structure cannot be read.
    pub fn images(&self) -> Result<Vec<String>> {
        self.store.images()
    }

    /// Whether there is an image of that name.
    #[must_use]
    pub fn has_image(&self, name: &str) -> bool {
        self.store.level(name, 0).is_ok_and(|found| found.is_some())
    }

    /// Describes an image.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Damaged`], or [`Error::Unsupported`] if it is not a plane of numbers.
    pub fn image_info(&self, name: &str) -> Result<ImageInfo> {
        let mut levels = Vec::new();
        let mut full = None;
        while let Some(path) = self.store.level(name, levels.len())? {
            let (shape, pixel_type) = self.store.plane(&path)?;
            levels.push(shape);
            full.get_or_insert((shape, pixel_type));
            if path == name {
                break;
            }
        }
        let Some((shape, pixel_type)) = full else {
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
        match self.store.level(name, level)? {
            Some(path) => self.store.read_plane(&path),
            None => Err(self.missing(format!("image `{name}` at level {level}"))),
        }
    }

    /// Reads a rectangle of one level of an image. Only the chunks that it touches are read and decompressed.
    ///
    /// # Errors
    /// As [`Self::read_image`], and [`Error::Missing`] if the rectangle does not lie inside the level.
    pub fn read_region(
        &self,
        name: &str,
        level: usize,
        rows: Range<usize>,
        columns: Range<usize>,
    ) -> Result<Pixels> {
        let Some(path) = self.store.level(name, level)? else {
            return Err(self.missing(format!("image `{name}` at level {level}")));
        };
        let ((height, width), _) = self.store.plane(&path)?;
        if rows.start > rows.end
            || columns.start > columns.end
            || rows.end > height
            || columns.end > width
        {
            return Err(self.missing(format!(
                "rows {rows:?} and columns {columns:?} in `{path}`, which has {height} x {width} pixels"
            )));
        }
        self.store.read_region(&path, rows, columns)
    }

    /// The names of all tables, sorted, for example `cell_segmentation/properties`.
    ///
    /// # Errors
    /// [`Error::Damaged`] if the structure cannot be read.
    pub fn tables(&self) -> Result<Vec<String>> {
        self.store.tables()
    }

    /// Whether there is a table of that name.
    #[must_use]
    pub fn has_table(&self, name: &str) -> bool {
        self.store
            .has_dataset(&format!("{TABLES}/{name}/cells"))
            .unwrap_or(false)
    }

    /// Reads a table: from its typed form where that is present and up to date, else from the text cells, whose types follow
    /// BatchLib's rule: whole numbers if all cells of a column are, else real numbers, else text.
    ///
    /// # Errors
    /// [`Error::Missing`] or [`Error::Damaged`].
    pub fn read_table(&self, name: &str) -> Result<Table> {
        let cells = format!("{TABLES}/{name}/cells");
        if !self.store.has_dataset(&cells)? {
            return Err(self.missing(format!("table `{name}`")));
        }
        self.store.read_table(name)
    }

    /// Reads an attribute of an object, `/` being the whole container. `None` if the object does not have it.
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

    /// Reads all attributes of an object, sorted by name; `/` is the whole container.
    ///
    /// # Errors
    /// As [`Self::attribute`].
    pub fn attributes(&self, object: &str) -> Result<Vec<(String, Attribute)>> {
        self.store
            .attributes(object)?
            .ok_or_else(|| self.missing(format!("object `{object}`")))
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

/// Reads a plane of numbers from any HDF5 file or N5 folder, for example a channel of BatchLib's barrel corrector files.
///
/// # Errors
/// As [`Container::open`] and [`Container::read_image`].
pub fn read_dataset_2d(path: &Path, dataset: &str) -> Result<Pixels> {
    let container = Container::open(path)?;
    if !container.store.has_dataset(dataset)? {
        return Err(container.missing(format!("dataset `{dataset}`")));
    }
    container.store.read_plane(dataset)
}

/// Reads the attributes of an object of any HDF5 file or N5 folder, sorted by name; `/` is the whole of it.
///
/// # Errors
/// As [`Container::open`] and [`Container::attribute`].
pub fn read_attributes(path: &Path, object: &str) -> Result<Vec<(String, Attribute)>> {
    Container::open(path)?.attributes(object)
}
