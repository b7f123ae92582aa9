//! Reading whole datasets through the library.

use std::ffi::c_char;

use hdf5_sys::h5d::{H5Dget_space, H5Dget_type, H5Dread};
use hdf5_sys::h5p::H5P_DEFAULT;
use hdf5_sys::h5s::H5S_ALL;
use hdf5_sys::h5t::{self, H5Tget_class, H5Treclaim};

use super::Description;
use crate::PixelType;
use crate::container::ffi::attribute::trimmed;
use crate::container::ffi::types::{ElementType, stored};
use crate::container::ffi::{Failure, Handle, check, locked, owned, owned_text};

/// Reads all values through the library, whatever the filters and the byte order, as `pixel_type`.
///
/// `out` must hold exactly the dataset's elements.
pub fn read_numbers(
    dataset: &Handle,
    described: &Description,
    pixel_type: PixelType,
    out: &mut [u8],
) -> Result<(), Failure> {
    if described
        .elements()
        .and_then(|n| n.checked_mul(pixel_type.size() as u64))
        != Some(out.len() as u64)
    {
        return Err(Failure(
            "the extents changed while they were read".to_owned(),
        ));
    }
    // SAFETY: `out` holds as many elements of the memory type as the dataset has. An enumeration is read as it is stored,
    // which has the size of its base type.
    locked(|| unsafe {
        let element = owned(H5Dget_type(dataset.0))?;
        let enumeration = H5Tget_class(element.0) == h5t::H5T_class_t::H5T_ENUM;
        if enumeration && h5t::H5Tget_size(element.0) != pixel_type.size() {
            return Err(Failure("an enumeration of another size".to_owned()));
        }
        let memory = if enumeration {
            element.0
        } else {
            stored(pixel_type, true)
        };
        check(H5Dread(
            dataset.0,
            memory,
            H5S_ALL,
            H5S_ALL,
            H5P_DEFAULT,
            out.as_mut_ptr().cast(),
        ))
    })
}

/// Reads all values of a dataset of texts.
pub fn read_texts(dataset: &Handle, described: &Description) -> Result<Vec<String>, Failure> {
    let count = described
        .elements()
        .and_then(|n| usize::try_from(n).ok())
        .ok_or_else(|| Failure("too many texts".to_owned()))?;
    // SAFETY: buffers hold as many elements of the stored type as the dataset has.
    locked(|| unsafe {
        let element = owned(H5Dget_type(dataset.0))?;
        match described.element {
            ElementType::FixedText(size) => {
                let mut raw = vec![
                    0u8;
                    count
                        .checked_mul(size)
                        .ok_or_else(|| Failure("too many texts".to_owned()))?
                ];
                check(H5Dread(
                    dataset.0,
                    element.0,
                    H5S_ALL,
                    H5S_ALL,
                    H5P_DEFAULT,
                    raw.as_mut_ptr().cast(),
                ))?;
                Ok(raw.chunks_exact(size.max(1)).map(trimmed).collect())
            }
            ElementType::VariableText => {
                let space = owned(H5Dget_space(dataset.0))?;
                let mut pointers: Vec<*mut c_char> = vec![std::ptr::null_mut(); count];
                check(H5Dread(
                    dataset.0,
                    element.0,
                    H5S_ALL,
                    H5S_ALL,
                    H5P_DEFAULT,
                    pointers.as_mut_ptr().cast(),
                ))?;
                let found = pointers
                    .iter()
                    .map(|p| {
                        if p.is_null() {
                            String::new()
                        } else {
                            owned_text(*p)
                        }
                    })
                    .collect();
                check(H5Treclaim(
                    element.0,
                    space.0,
                    H5P_DEFAULT,
                    pointers.as_mut_ptr().cast(),
                ))?;
                Ok(found)
            }
            _ => Err(Failure(format!(
                "{} where text is expected",
                described.element.name()
            ))),
        }
    })
}
