//! What a file says about a dataset and where its chunks lie.

use std::ffi::{c_char, c_int, c_uint, c_void};

use hdf5_sys::h5d::{
    H5D_layout_t, H5Dchunk_iter, H5Dget_create_plist, H5Dget_space, H5Dget_storage_size,
    H5Dget_type,
};
use hdf5_sys::h5p::{H5P_DEFAULT, H5Pget_chunk, H5Pget_filter2, H5Pget_layout, H5Pget_nfilters};
use hdf5_sys::h5s::{H5Sget_simple_extent_dims, H5Sget_simple_extent_ndims};
use hdf5_sys::h5t;
use hdf5_sys::h5z::H5Zfilter_avail;

use crate::container::hdf5::ffi::types::{ElementType, describe};
use crate::container::hdf5::ffi::{Failure, Handle, check, locked, owned, owned_text};

/// HDF5 allows no more dimensions.
const MOST_DIMENSIONS: usize = 32;

/// What a file says about a dataset.
#[derive(Clone, Debug)]
pub struct Description {
    /// Length of each axis.
    pub extents: Vec<u64>,
    /// Type of an element.
    pub element: ElementType,
    /// Bytes of an element in memory.
    pub element_bytes: usize,
    /// Lengths of a chunk, if the dataset has chunks.
    pub chunk: Option<Vec<u64>>,
    /// Filters in the order in which they were applied.
    pub filters: Vec<Filter>,
    /// "compact", "contiguous", "chunked" or "virtual".
    pub layout: &'static str,
}

impl Description {
    /// Number of elements, unless that overflows.
    pub fn elements(&self) -> Option<u64> {
        self.extents.iter().try_fold(1u64, |n, e| n.checked_mul(*e))
    }
}

/// A step of the pipeline that a chunk went through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// HDF5's registered number: 1 deflate, 2 shuffle.
    pub id: i32,
    /// The name that the file or the library gives it.
    pub name: String,
    /// Its first parameter, for deflate the level.
    pub parameter: Option<u32>,
    /// Whether the library can undo it.
    pub available: bool,
}

/// Describes an open dataset.
pub fn describe_dataset(dataset: &Handle) -> Result<Description, Failure> {
    // SAFETY: buffers are as long as the counts passed beside them; handles are checked.
    locked(|| unsafe {
        let space = owned(H5Dget_space(dataset.0))?;
        let rank = H5Sget_simple_extent_ndims(space.0);
        check(rank)?;
        let mut extents = [0u64; MOST_DIMENSIONS];
        check(H5Sget_simple_extent_dims(
            space.0,
            extents.as_mut_ptr(),
            std::ptr::null_mut(),
        ))?;
        let extents = extents[..(rank as usize).min(MOST_DIMENSIONS)].to_vec();
        let element_type = owned(H5Dget_type(dataset.0))?;
        let list = owned(H5Dget_create_plist(dataset.0))?;
        let (layout, chunk) = match H5Pget_layout(list.0) {
            H5D_layout_t::H5D_COMPACT => ("compact", None),
            H5D_layout_t::H5D_CONTIGUOUS => ("contiguous", None),
            H5D_layout_t::H5D_CHUNKED => {
                let mut chunk = [0u64; MOST_DIMENSIONS];
                let n = H5Pget_chunk(list.0, MOST_DIMENSIONS as c_int, chunk.as_mut_ptr());
                check(n)?;
                (
                    "chunked",
                    Some(chunk[..(n as usize).min(MOST_DIMENSIONS)].to_vec()),
                )
            }
            _ => ("virtual", None),
        };
        let mut filters = Vec::new();
        for i in 0..H5Pget_nfilters(list.0).clamp(0, 32) as c_uint {
            let (mut flags, mut count, mut values, mut name, mut config) =
                (0, 8usize, [0u32; 8], [0 as c_char; 64], 0);
            let id = H5Pget_filter2(
                list.0,
                i,
                &raw mut flags,
                &raw mut count,
                values.as_mut_ptr(),
                name.len() - 1,
                name.as_mut_ptr(),
                &raw mut config,
            );
            check(id)?;
            filters.push(Filter {
                id,
                name: owned_text(name.as_ptr()),
                parameter: (count > 0).then_some(values[0]),
                available: H5Zfilter_avail(id) > 0,
            });
        }
        let element = describe(element_type.0, 0);
        Ok(Description {
            extents,
            element,
            element_bytes: h5t::H5Tget_size(element_type.0),
            chunk,
            filters,
            layout,
        })
    })
}

/// Bytes that the values take in the file.
pub fn stored_bytes(dataset: &Handle) -> u64 {
    // SAFETY: a valid identifier.
    locked(|| unsafe { H5Dget_storage_size(dataset.0) })
}

/// Where a chunk lies in the file.
#[derive(Clone, Copy, Debug)]
pub struct Chunk {
    /// Position of its first element, in the first two axes.
    pub offset: [u64; 2],
    /// Bit i set: filter i was skipped.
    pub skipped: u32,
    /// First byte in the file.
    pub address: u64,
    /// Bytes in the file.
    pub bytes: u64,
}

/// The chunks of a dataset of one or two dimensions, in no particular order.
pub fn chunks(dataset: &Handle, dimensions: usize) -> Result<Vec<Chunk>, Failure> {
    struct Found {
        dimensions: usize,
        chunks: Vec<Chunk>,
    }
    unsafe extern "C" fn collect(
        offset: *const u64,
        skipped: c_uint,
        address: u64,
        bytes: u64,
        found: *mut c_void,
    ) -> c_int {
        // SAFETY: `found` is the value passed below; the offset has as many numbers as the dataset has dimensions.
        let (found, first, second) = unsafe {
            let found = &mut *found.cast::<Found>();
            let second = if found.dimensions > 1 {
                *offset.add(1)
            } else {
                0
            };
            (found, *offset, second)
        };
        found.chunks.push(Chunk {
            offset: [first, second],
            skipped,
            address,
            bytes,
        });
        0
    }
    let mut found = Found {
        dimensions,
        chunks: Vec::new(),
    };
    // SAFETY: the callback only gets the local value, which outlives the iteration.
    locked(|| {
        check(unsafe {
            H5Dchunk_iter(
                dataset.0,
                H5P_DEFAULT,
                Some(collect),
                (&raw mut found).cast(),
            )
        })
    })?;
    Ok(found.chunks)
}
