//! Datasets: creation and writing of whole chunks.

mod describe;
mod foreign;
mod read;

pub use describe::{Chunk, Description, chunks, describe_dataset, stored_bytes};
pub use foreign::plausible;
pub use read::{read_block, read_numbers, read_texts};

use std::ffi::{c_int, c_uint};

use hdf5_sys::h5d::{H5D_layout_t, H5Dcreate2, H5Dopen2, H5Dwrite, H5Dwrite_chunk};
use hdf5_sys::h5i::hid_t;
use hdf5_sys::h5p::{
    H5P_CLS_DATASET_CREATE, H5P_DEFAULT, H5Pcreate, H5Pset_chunk, H5Pset_deflate, H5Pset_layout,
    H5Pset_obj_track_times, H5Pset_shuffle,
};
use hdf5_sys::h5s::H5S_ALL;
use hdf5_sys::h5t;

use super::types::{Shared, space, stored};
use super::{Failure, Handle, c_text, check, locked, owned};
use crate::PixelType;

/// Written as the deflate level of new datasets: what BatchLib's files say. It does not change how a chunk is read.
const NOMINAL_LEVEL: c_uint = 4;

/// How a new dataset keeps its values.
#[derive(Clone, Copy)]
pub enum Layout<'a> {
    /// In chunks of these extents, deflated, after a byte shuffle if `shuffle`.
    Chunked { chunk: &'a [u64], shuffle: bool },
    /// In one piece, as they are.
    Contiguous,
    /// In the object header: right for a few hundred bytes.
    Compact,
}

/// What a new dataset's elements are.
#[derive(Clone, Copy)]
pub enum Element<'a> {
    /// Little-endian numbers.
    Number(PixelType),
    /// A type made by [`super::types::fixed_text`].
    Text(&'a Handle),
}

impl Element<'_> {
    fn id(self) -> hid_t {
        match self {
            Self::Number(pixel_type) => stored(pixel_type, true),
            Self::Text(handle) => handle.0,
        }
    }
}

/// Creation properties that several datasets can share.
pub fn creation(layout: Layout<'_>) -> Result<Handle, Failure> {
    // SAFETY: plain calls on a fresh list; the chunk's extents are copied.
    locked(|| unsafe {
        let list = owned(H5Pcreate(*H5P_CLS_DATASET_CREATE))?;
        check(H5Pset_obj_track_times(list.0, 0))?;
        match layout {
            Layout::Contiguous => check(H5Pset_layout(list.0, H5D_layout_t::H5D_CONTIGUOUS))?,
            Layout::Compact => check(H5Pset_layout(list.0, H5D_layout_t::H5D_COMPACT))?,
            Layout::Chunked { chunk, shuffle } => {
                check(H5Pset_chunk(list.0, chunk.len() as c_int, chunk.as_ptr()))?;
                if shuffle {
                    check(H5Pset_shuffle(list.0))?;
                }
                check(H5Pset_deflate(list.0, NOMINAL_LEVEL))?;
            }
        }
        Ok(list)
    })
}

/// Creates a dataset, with its parent groups if need be.
pub fn create(
    at: &Handle,
    name: &str,
    element: Element<'_>,
    extents: &[u64],
    creation: &Handle,
    shared: &Shared,
) -> Result<Handle, Failure> {
    let name = c_text(name)?;
    let space = space(extents)?;
    // SAFETY: identifiers of the right kinds, terminated name.
    locked(|| {
        owned(unsafe {
            H5Dcreate2(
                at.0,
                name.as_ptr(),
                element.id(),
                space.0,
                shared.link.0,
                creation.0,
                shared.access.0,
            )
        })
    })
}

/// Writes one chunk as it is, already filtered.
pub fn write_chunk(dataset: &Handle, offset: &[u64], bytes: &[u8]) -> Result<(), Failure> {
    // SAFETY: the library reads `bytes.len()` bytes; the offset has one number a dimension (the caller made the dataset).
    locked(|| {
        check(unsafe {
            H5Dwrite_chunk(
                dataset.0,
                H5P_DEFAULT,
                0,
                offset.as_ptr(),
                bytes.len(),
                bytes.as_ptr().cast(),
            )
        })
    })
}

/// Writes all values. `bytes` are the elements as the file stores them.
pub fn write_all(dataset: &Handle, element: Element<'_>, bytes: &[u8]) -> Result<(), Failure> {
    let described = describe_dataset(dataset)?;
    // SAFETY: checked to hold as many bytes as the dataset has.
    locked(|| unsafe {
        if described
            .elements()
            .map(|n| n * h5t::H5Tget_size(element.id()) as u64)
            != Some(bytes.len() as u64)
        {
            return Err(Failure("the values do not fit the dataset".to_owned()));
        }
        check(H5Dwrite(
            dataset.0,
            element.id(),
            H5S_ALL,
            H5S_ALL,
            H5P_DEFAULT,
            bytes.as_ptr().cast(),
        ))
    })
}

/// Opens a dataset whose values lie in its own file.
pub fn open(at: &Handle, name: &str) -> Result<Handle, Failure> {
    let name = c_text(name)?;
    // SAFETY: a valid identifier and a terminated name.
    let dataset = locked(|| owned(unsafe { H5Dopen2(at.0, name.as_ptr(), H5P_DEFAULT) }))?;
    foreign::lies_in_this_file(&dataset)?;
    Ok(dataset)
}
