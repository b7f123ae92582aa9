//! A file with a single array, as other programs want it.

use std::path::Path;

use super::ffi::dataset::{self, Element, Layout};
use super::ffi::types::Shared;
use super::ffi::{Failure, file, locked};
use crate::{PixelType, Result};

/// Makes an HDF5 file with one uncompressed dataset in memory and hands its bytes to `consume`. `path` is only for errors.
///
/// # Errors
/// [`crate::Error::Hdf5`] if the library fails, mostly because memory runs out.
pub(crate) fn dataset_image<T>(
    path: &Path,
    name: &str,
    shape: &[usize],
    pixel_type: PixelType,
    bytes: &[u8],
    consume: impl FnOnce(&[u8]) -> T,
) -> Result<T> {
    let extents: Vec<u64> = shape.iter().map(|n| *n as u64).collect();
    let make = || {
        let mut file = file::create(bytes.len())?;
        locked(|| {
            let element = Element::Number(pixel_type);
            let list = dataset::creation(Layout::Contiguous)?;
            let data = dataset::create(&file, name, element, &extents, &list, Shared::get()?)?;
            dataset::write_all(&data, element, bytes)
        })?;
        file::with_image(&mut file, consume)
    };
    make().map_err(|f: Failure| f.at(path, "write it"))
}
