//! Datasets: creation, whole chunks, whole contents.

use std::ffi::{c_char, c_int, c_uint, c_void};

use hdf5_sys::h5d::{
    H5D_layout_t, H5Dchunk_iter, H5Dcreate2, H5Dget_create_plist, H5Dget_space,
    H5Dget_storage_size, H5Dget_type, H5Dopen2, H5Dread, H5Dwrite, H5Dwrite_chunk,
};
use hdf5_sys::h5i::hid_t;
use hdf5_sys::h5p::{
    H5P_CLS_DATASET_CREATE, H5P_DEFAULT, H5Pcreate, H5Pget_chunk, H5Pget_filter2, H5Pget_layout,
    H5Pget_nfilters, H5Pset_chunk, H5Pset_deflate, H5Pset_layout, H5Pset_obj_track_times,
    H5Pset_shuffle,
};
use hdf5_sys::h5s::{H5S_ALL, H5Sget_simple_extent_dims, H5Sget_simple_extent_ndims};
use hdf5_sys::h5t::{self, H5Tget_class, H5Treclaim};

use hdf5_sys::h5z::H5Zfilter_avail;

use super::attribute::trimmed;
use super::types::{ElementType, Shared, describe, space, stored};
use super::{Failure, Handle, c_text, check, locked, owned, owned_text};
use crate::PixelType;

/// Written as the deflate level of new datasets: what BatchLib's files say. It does not change how a chunk is read.
const NOMINAL_LEVEL: c_uint = 4;
/// More dimensions than HDF5 allows (32) never come.
const MOST_DIMENSIONS: usize = 32;

/// How a new dataset keeps its values.
#[derive(Clone, Copy)]
pub enum Layout<'a> {
    /// In chunks of these extents, deflated, after a byte shuffle if `shuffle`.
    Chunked { chunk: &'a [u64], shuffle: bool },
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

/// Opens a dataset.
pub fn open(at: &Handle, name: &str) -> Result<Handle, Failure> {
    let name = c_text(name)?;
    // SAFETY: a valid identifier and a terminated name.
    locked(|| owned(unsafe { H5Dopen2(at.0, name.as_ptr(), H5P_DEFAULT) }))
}

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
