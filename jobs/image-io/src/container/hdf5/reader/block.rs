//! Reading a part of an array of any number of axes through the library.

use super::Hdf5File;
use crate::container::hdf5::ffi::dataset::{self, Description};
use crate::container::hdf5::ffi::{Failure, Handle, locked};
use crate::{Error, PixelType, Result};

/// An open array of numbers.
#[derive(Debug)]
pub(crate) struct Array {
    /// Length of each axis.
    pub extents: Vec<u64>,
    /// Type of an element in memory.
    pub pixel_type: PixelType,
    name: String,
    data: Handle,
    described: Description,
}

impl Hdf5File {
    /// Opens a dataset that holds numbers.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Damaged`], or [`Error::Unsupported`] if it holds no numbers or is compressed with a filter
    /// that is not built in.
    pub(crate) fn array(&self, name: &str) -> Result<Array> {
        let exists = locked(|| super::link::exists(&self.file, name))
            .map_err(|f| f.reading(&self.path, name))?;
        if !exists {
            return Err(self.missing(format!("dataset `{name}`")));
        }
        let open = || {
            let data = dataset::open(&self.file, name)?;
            let described = dataset::describe_dataset(&data)?;
            dataset::plausible(&data, &described)?;
            Ok((data, described))
        };
        let (data, described) = locked(open)
            .map_err(|f: Failure| f.reading(&self.path, &format!("dataset `{name}`")))?;
        let unsupported = |reason: String| Error::Unsupported {
            path: self.path.clone(),
            reason,
        };
        if let Some(filter) = described.filters.iter().find(|f| !f.available) {
            return Err(unsupported(format!(
                "`{name}` is compressed with the filter `{}` ({}); write it with gzip",
                filter.name, filter.id
            )));
        }
        let Some(pixel_type) = described.element.pixel_type() else {
            return Err(unsupported(format!(
                "`{name}` holds {}, not numbers",
                described.element.name()
            )));
        };
        Ok(Array {
            extents: described.extents.clone(),
            pixel_type,
            name: name.to_owned(),
            data,
            described,
        })
    }

    /// Reads the block that begins at `start` and has `count` elements along each axis; `out` holds exactly these.
    ///
    /// # Errors
    /// [`Error::Damaged`] if they cannot be read.
    pub(crate) fn read_block(
        &self,
        array: &Array,
        start: &[u64],
        count: &[u64],
        out: &mut [u8],
    ) -> Result<()> {
        dataset::read_block(
            &array.data,
            &array.described,
            array.pixel_type,
            (start, count),
            out,
        )
        .map_err(|f| f.reading(&self.path, &format!("dataset `{}`", array.name)))
    }
}
