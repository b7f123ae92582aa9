//! Reading whole datasets through the library.

use std::ffi::c_char;

use hdf5_sys::h5d::{H5Dget_space, H5Dget_type, H5Dread};
use hdf5_sys::h5i::hid_t;
use hdf5_sys::h5p::H5P_DEFAULT;
use hdf5_sys::h5s::{H5S_ALL, H5S_seloper_t, H5Sselect_hyperslab};
use hdf5_sys::h5t::{self, H5Tget_class, H5Treclaim};

use super::Description;
use crate::PixelType;
use crate::container::hdf5::ffi::attribute::trimmed;
use crate::container::hdf5::ffi::types::{ElementType, space, stored};
use crate::container::hdf5::ffi::{Failure, Handle, check, locked, owned, owned_text};

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
    // SAFETY: `out` holds as many elements of the memory type as the dataset has.
    unsafe { read_selected(dataset, pixel_type, (H5S_ALL, H5S_ALL), out) }
}

/// Reads the elements from `start`, `count` along each axis, through the library, as `pixel_type`.
///
/// `out` must hold exactly these elements; both lists have one number an axis.
pub fn read_block(
    dataset: &Handle,
    described: &Description,
    pixel_type: PixelType,
    (start, count): (&[u64], &[u64]),
    out: &mut [u8],
) -> Result<(), Failure> {
    let extents = &described.extents;
    let inside = start.len() == extents.len()
        && count.len() == extents.len()
        && (0..extents.len()).all(|i| {
            start[i]
                .checked_add(count[i])
                .is_some_and(|end| end <= extents[i])
        });
    let bytes = count
        .iter()
        .try_fold(pixel_type.size() as u64, |n, c| n.checked_mul(*c));
    if !inside || bytes != Some(out.len() as u64) {
        return Err(Failure(format!(
            "a block of {count:?} at {start:?} is not in an array of {extents:?}"
        )));
    }
    if out.is_empty() {
        return Ok(());
    }
    // SAFETY: the lists have as many numbers as the dataset has axes, and `out` as many elements as are selected.
    locked(|| unsafe {
        let file = owned(H5Dget_space(dataset.0))?;
        check(H5Sselect_hyperslab(
            file.0,
            H5S_seloper_t::H5S_SELECT_SET,
            start.as_ptr(),
            std::ptr::null(),
            count.as_ptr(),
            std::ptr::null(),
        ))?;
        let memory = space(count)?;
        read_selected(dataset, pixel_type, (memory.0, file.0), out)
    })
}

/// Reads what is selected of the file (second) into what is selected of the memory (first).
///
/// # Safety
/// `out` holds as many elements as are selected.
unsafe fn read_selected(
    dataset: &Handle,
    pixel_type: PixelType,
    (memory, file): (hid_t, hid_t),
    out: &mut [u8],
) -> Result<(), Failure> {
    // SAFETY: promised by the caller. An enumeration is read as it is stored, which has the size of its base type.
    locked(|| unsafe {
        let element = owned(H5Dget_type(dataset.0))?;
        let enumeration = H5Tget_class(element.0) == h5t::H5T_class_t::H5T_ENUM;
        if enumeration && h5t::H5Tget_size(element.0) != pixel_type.size() {
            return Err(Failure("an enumeration of another size".to_owned()));
        }
        let number = if enumeration {
            element.0
        } else {
            stored(pixel_type, true)
        };
        check(H5Dread(
            dataset.0,
            number,
            memory,
            file,
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
