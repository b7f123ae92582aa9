//! A file with a single array, as other programs want it.

use std::path::Path;

use super::Values;
use super::ffi::attribute;
use super::ffi::dataset::{self, Element, Layout};
use super::ffi::types::Shared;
use super::ffi::{Failure, file, locked};
use crate::Result;
use crate::container::Attribute;

/// Makes an HDF5 file with one dataset in memory and hands its bytes to `consume`. `path` is only for errors. With a `chunk` the
/// values are shuffled and deflated, otherwise stored as they are.
///
/// # Errors
/// [`crate::Error::Hdf5`] if the library fails, mostly because memory runs out.
pub(crate) fn dataset_image<T>(
    path: &Path,
    name: &str,
    values: &Values,
    chunk: Option<&[u64]>,
    attributes: &[(String, Attribute)],
    consume: impl FnOnce(&[u8]) -> T,
) -> Result<T> {
    let extents: Vec<u64> = values.shape.iter().map(|n| *n as u64).collect();
    let make = || {
        let mut file = file::create(values.bytes.len())?;
        locked(|| {
            let element = Element::Number(values.pixel_type);
            let layout = match chunk {
                Some(chunk) => Layout::Chunked {
                    chunk,
                    shuffle: true,
                },
                None => Layout::Contiguous,
            };
            let list = dataset::creation(layout)?;
            let data = dataset::create(&file, name, element, &extents, &list, Shared::get()?)?;
            dataset::write_all(&data, element, &values.bytes)?;
            for (name, value) in attributes {
                attribute::write(&data, name, value, Shared::get()?)?;
            }
            Ok(())
        })?;
        file::with_image(&mut file, consume)
    };
    make().map_err(|f: Failure| f.at(path, "write it"))
}
