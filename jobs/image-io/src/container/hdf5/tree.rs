//! HDF5 files of other programs, read as a tree of groups and datasets.

use std::path::{Path, PathBuf};

use super::ffi::dataset::{self, Description};
use super::ffi::link::{self, Kind, Link};
use super::ffi::{Failure, Handle, attribute, file, locked};
use crate::container::Attribute;
use crate::container::reader::open_plain;
use crate::{Error, PixelType, Result};

/// Values of a dataset of any number of dimensions, C order, in the machine's byte order.
#[derive(Clone, Debug, PartialEq)]
pub struct Values {
    /// Length of each axis; empty for a single value.
    pub shape: Vec<usize>,
    /// Type of a value.
    pub pixel_type: PixelType,
    /// The values.
    pub bytes: Vec<u8>,
}

/// Runs `$body` with `$T` as the type of the values.
macro_rules! with_type {
    ($pixel_type:expr, $T:ident => $body:expr) => {
        match $pixel_type {
            PixelType::U8 => {
                type $T = u8;
                $body
            }
            PixelType::U16 => {
                type $T = u16;
                $body
            }
            PixelType::U32 => {
                type $T = u32;
                $body
            }
            PixelType::U64 => {
                type $T = u64;
                $body
            }
            PixelType::I8 => {
                type $T = i8;
                $body
            }
            PixelType::I16 => {
                type $T = i16;
                $body
            }
            PixelType::I32 => {
                type $T = i32;
                $body
            }
            PixelType::I64 => {
                type $T = i64;
                $body
            }
            PixelType::F32 => {
                type $T = f32;
                $body
            }
            PixelType::F64 => {
                type $T = f64;
                $body
            }
        }
    };
}

impl Values {
    /// All values as double precision.
    #[must_use]
    pub fn to_f64(&self) -> Vec<f64> {
        with_type!(self.pixel_type, T => {
            let each = self.bytes.chunks_exact(size_of::<T>());
            each.map(|b| bytemuck::pod_read_unaligned::<T>(b) as f64).collect()
        })
    }

    /// All values as single precision, as NumPy's `astype('float32')`.
    #[must_use]
    pub fn to_f32(&self) -> Vec<f32> {
        with_type!(self.pixel_type, T => {
            let each = self.bytes.chunks_exact(size_of::<T>());
            each.map(|b| bytemuck::pod_read_unaligned::<T>(b) as f32).collect()
        })
    }
}

/// An open HDF5 file, read-only. Only what lies in the file itself is read: links that lead elsewhere count as absent.
#[derive(Debug)]
pub struct Tree {
    path: PathBuf,
    file: Handle,
}

impl Tree {
    /// Opens a file.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be opened, [`Error::Damaged`] if it is no whole HDF5 file, [`Error::Hdf5`] if another program is
    /// writing it.
    pub fn open(path: &Path) -> Result<Self> {
        // The library would wait for the writer of a pipe.
        drop(open_plain(path)?);
        let file = file::open(path).map_err(|f| f.reading(path, "the file"))?;
        Ok(Self {
            path: path.to_owned(),
            file,
        })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a group or dataset exists.
    ///
    /// # Errors
    /// [`Error::Damaged`] if the file's structure cannot be read.
    pub fn exists(&self, name: &str) -> Result<bool> {
        self.read(name, || self.leads_inside(name))
    }

    /// The names in a group, sorted; none if there is no such group.
    ///
    /// # Errors
    /// [`Error::Damaged`] if the file's structure cannot be read.
    pub fn children(&self, group: &str) -> Result<Vec<String>> {
        self.read(group, || {
            if !self.leads_inside(group)? || link::object(&self.file, group)?.kind != Kind::Group {
                return Ok(Vec::new());
            }
            let links = link::links(&link::open_group(&self.file, group)?)?;
            let inside = links.into_iter().filter(|(_, kind)| *kind == Link::Hard);
            Ok(inside.map(|(name, _)| name).collect())
        })
    }

    /// The values of a dataset of numbers; `bool` comes as 0 and 1.
    ///
    /// # Errors
    /// [`Error::Missing`]; [`Error::Damaged`] if it holds no numbers; [`Error::Limit`] if it has more than `most` values.
    pub fn numbers(&self, name: &str, most: usize) -> Result<Values> {
        let (found, described) = self.dataset(name, most)?;
        let Some(pixel_type) = described.element.pixel_type() else {
            return Err(Error::Damaged {
                path: self.path.clone(),
                reason: format!("`{name}` holds {}, not numbers", described.element.name()),
            });
        };
        let shape: Vec<usize> = described.extents.iter().map(|&e| e as usize).collect();
        let mut bytes = vec![0; shape.iter().product::<usize>() * pixel_type.size()];
        self.read(name, || {
            dataset::read_numbers(&found, &described, pixel_type, &mut bytes)
        })?;
        Ok(Values {
            shape,
            pixel_type,
            bytes,
        })
    }

    /// The values of a dataset of texts of any kind: fixed or variable length, ASCII or UTF-8.
    ///
    /// # Errors
    /// As [`Self::numbers`].
    pub fn texts(&self, name: &str, most: usize) -> Result<Vec<String>> {
        let (found, described) = self.dataset(name, most)?;
        self.read(name, || dataset::read_texts(&found, &described))
    }

    /// Length of each axis of a dataset.
    ///
    /// # Errors
    /// As [`Self::numbers`].
    pub fn shape(&self, name: &str) -> Result<Vec<usize>> {
        let (_, described) = self.dataset(name, usize::MAX)?;
        Ok(described.extents.iter().map(|&e| e as usize).collect())
    }

    /// An attribute of a group or dataset; `None` if it does not have it.
    ///
    /// # Errors
    /// [`Error::Damaged`] if it cannot be read.
    pub fn attribute(&self, object: &str, name: &str) -> Result<Option<Attribute>> {
        self.read(object, || {
            if !self.leads_inside(object)? {
                return Ok(None);
            }
            let object = link::open_object(&self.file, object)?;
            if !attribute::exists(&object, name)? {
                return Ok(None);
            }
            attribute::read(&object, name).map(Some)
        })
    }

    fn dataset(&self, name: &str, most: usize) -> Result<(Handle, Description)> {
        let found = self.read(name, || {
            if !self.leads_inside(name)? || link::object(&self.file, name)?.kind != Kind::Dataset {
                return Ok(None);
            }
            let found = dataset::open(&self.file, name)?;
            let described = dataset::describe_dataset(&found)?;
            dataset::plausible(&found, &described)?;
            Ok(Some((found, described)))
        })?;
        let (found, described) = found.ok_or_else(|| Error::Missing {
            path: self.path.clone(),
            what: format!("dataset `{name}`"),
        })?;
        let count = described.elements().unwrap_or(u64::MAX);
        if count > most as u64 {
            return Err(Error::Limit {
                path: self.path.clone(),
                reason: format!("`{name}` has {count} values, at most {most} are read"),
            });
        }
        Ok((found, described))
    }

    /// Whether every part of a path is there, and none of them a link to somewhere else.
    fn leads_inside(&self, name: &str) -> Result<bool, Failure> {
        let mut parent = String::from("/");
        for part in name.split('/').filter(|p| !p.is_empty()) {
            if link::object(&self.file, &parent)?.kind != Kind::Group {
                return Ok(false);
            }
            let group = link::open_group(&self.file, &parent)?;
            if !link::is_hard(&group, part)? {
                return Ok(false);
            }
            parent.push('/');
            parent.push_str(part);
        }
        Ok(true)
    }

    fn read<T>(&self, what: &str, read: impl FnOnce() -> Result<T, Failure>) -> Result<T> {
        locked(read).map_err(|f| f.reading(&self.path, &format!("`{what}`")))
    }
}
