//! Element types and property lists.

use std::ffi::c_int;
use std::sync::OnceLock;

use hdf5_sys::h5i::hid_t;
use hdf5_sys::h5p::{
    H5P_CLS_ATTRIBUTE_CREATE, H5P_CLS_DATASET_ACCESS, H5P_CLS_GROUP_CREATE, H5P_CLS_LINK_CREATE,
    H5Pcreate, H5Pset_attr_phase_change, H5Pset_char_encoding, H5Pset_chunk_cache,
    H5Pset_create_intermediate_group, H5Pset_link_phase_change,
};
use hdf5_sys::h5s::{H5S_class_t, H5Screate, H5Screate_simple};
use hdf5_sys::h5t::{self, H5T_class_t, H5T_cset_t, H5T_order_t, H5T_sign_t, H5T_str_t};

use super::dataset::{self, Layout};
use super::{Failure, Handle, check, locked, owned, owned_text};
use crate::PixelType;

/// More links or attributes than this move from the object header into a slower, larger structure.
const COMPACT: u32 = 64;

/// Types, spaces and property lists that every written object shares.
pub struct Shared {
    /// Variable-length UTF-8 text.
    pub text: Handle,
    /// What h5py stores for a bool: an int8 enumeration FALSE, TRUE.
    pub boolean: Handle,
    /// The space of a single value.
    pub scalar: Handle,
    /// UTF-8 link names; missing parents are created.
    pub link: Handle,
    /// UTF-8 attribute names.
    pub attribute: Handle,
    /// Groups that keep their links and attributes in the header.
    pub group: Handle,
    /// Datasets without a chunk cache: chunks are written whole.
    pub access: Handle,
    /// Datasets in the object header.
    pub compact: Handle,
}

impl Shared {
    /// Returns the process's one set; making it anew takes longer than writing a small image.
    pub fn get() -> Result<&'static Self, Failure> {
        static SHARED: OnceLock<Shared> = OnceLock::new();
        // Held while the set is made, so that two threads do not make two.
        locked(|| match SHARED.get() {
            Some(shared) => Ok(shared),
            None => Self::new().map(|made| SHARED.get_or_init(|| made)),
        })
    }

    fn new() -> Result<Self, Failure> {
        // SAFETY: plain calls with identifiers of the right kinds, checked one by one; names are terminated.
        locked(|| unsafe {
            let text = owned(h5t::H5Tcopy(*h5t::H5T_C_S1))?;
            check(h5t::H5Tset_size(text.0, h5t::H5T_VARIABLE))?;
            check(h5t::H5Tset_cset(text.0, H5T_cset_t::H5T_CSET_UTF8))?;
            let boolean = owned(h5t::H5Tenum_create(*h5t::H5T_STD_I8LE))?;
            for (name, value) in [(c"FALSE", 0i8), (c"TRUE", 1)] {
                check(h5t::H5Tenum_insert(
                    boolean.0,
                    name.as_ptr(),
                    (&raw const value).cast(),
                ))?;
            }
            let scalar = owned(H5Screate(H5S_class_t::H5S_SCALAR))?;
            let link = owned(H5Pcreate(*H5P_CLS_LINK_CREATE))?;
            check(H5Pset_char_encoding(link.0, H5T_cset_t::H5T_CSET_UTF8))?;
            check(H5Pset_create_intermediate_group(link.0, 1))?;
            let attribute = owned(H5Pcreate(*H5P_CLS_ATTRIBUTE_CREATE))?;
            check(H5Pset_char_encoding(attribute.0, H5T_cset_t::H5T_CSET_UTF8))?;
            let group = owned(H5Pcreate(*H5P_CLS_GROUP_CREATE))?;
            compact(group.0)?;
            let access = owned(H5Pcreate(*H5P_CLS_DATASET_ACCESS))?;
            check(H5Pset_chunk_cache(access.0, 0, 0, 1.0))?;
            Ok(Self {
                text,
                boolean,
                scalar,
                link,
                attribute,
                group,
                access,
                compact: dataset::creation(Layout::Compact)?,
            })
        })
    }
}

/// Keeps up to [`COMPACT`] links and attributes in the header of groups made with this list.
///
/// # Safety
/// `list` is a group or file creation list; the lock is held.
pub(super) unsafe fn compact(list: hid_t) -> Result<(), Failure> {
    // SAFETY: promised by the caller.
    unsafe {
        check(H5Pset_link_phase_change(list, COMPACT, COMPACT / 2))?;
        check(H5Pset_attr_phase_change(list, COMPACT, COMPACT / 2))
    }
}

/// A space of the given extents.
pub fn space(extents: &[u64]) -> Result<Handle, Failure> {
    // SAFETY: the library copies the extents; no maximum means a fixed size.
    locked(|| {
        owned(unsafe {
            H5Screate_simple(extents.len() as c_int, extents.as_ptr(), std::ptr::null())
        })
    })
}

/// The library's little-endian type for a pixel type; lives as long as the library.
pub(super) fn stored(pixel_type: PixelType, little: bool) -> hid_t {
    match (pixel_type, little) {
        (PixelType::U8, _) => *h5t::H5T_STD_U8LE,
        (PixelType::I8, _) => *h5t::H5T_STD_I8LE,
        (PixelType::U16, true) => *h5t::H5T_STD_U16LE,
        (PixelType::U16, false) => *h5t::H5T_STD_U16BE,
        (PixelType::I16, true) => *h5t::H5T_STD_I16LE,
        (PixelType::I16, false) => *h5t::H5T_STD_I16BE,
        (PixelType::U32, true) => *h5t::H5T_STD_U32LE,
        (PixelType::U32, false) => *h5t::H5T_STD_U32BE,
        (PixelType::I32, true) => *h5t::H5T_STD_I32LE,
        (PixelType::I32, false) => *h5t::H5T_STD_I32BE,
        (PixelType::U64, true) => *h5t::H5T_STD_U64LE,
        (PixelType::U64, false) => *h5t::H5T_STD_U64BE,
        (PixelType::I64, true) => *h5t::H5T_STD_I64LE,
        (PixelType::I64, false) => *h5t::H5T_STD_I64BE,
        (PixelType::F32, true) => *h5t::H5T_IEEE_F32LE,
        (PixelType::F32, false) => *h5t::H5T_IEEE_F32BE,
        (PixelType::F64, true) => *h5t::H5T_IEEE_F64LE,
        (PixelType::F64, false) => *h5t::H5T_IEEE_F64BE,
    }
}

/// A text of exactly `bytes` bytes, padded with NUL, as NumPy's `S<bytes>`.
pub fn fixed_text(bytes: usize, utf8: bool) -> Result<Handle, Failure> {
    // SAFETY: plain calls on a fresh copy of a string type.
    locked(|| unsafe {
        let text = owned(h5t::H5Tcopy(*h5t::H5T_C_S1))?;
        check(h5t::H5Tset_size(text.0, bytes))?;
        check(h5t::H5Tset_strpad(text.0, H5T_str_t::H5T_STR_NULLPAD))?;
        if utf8 {
            check(h5t::H5Tset_cset(text.0, H5T_cset_t::H5T_CSET_UTF8))?;
        }
        Ok(text)
    })
}

/// What a file says about the type of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ElementType {
    /// A number of this type; `little` is its byte order.
    Number { pixel_type: PixelType, little: bool },
    /// h5py's bool.
    Bool,
    /// Another enumeration over this type of whole number.
    Enumeration(PixelType),
    /// Text of a fixed number of bytes.
    FixedText(usize),
    /// Text of any length.
    VariableText,
    /// Anything else, in words.
    Other(String),
}

impl ElementType {
    /// NumPy-like name.
    pub fn name(&self) -> String {
        match self {
            Self::Number {
                pixel_type,
                little: true,
            } => pixel_type.name().to_owned(),
            Self::Number {
                pixel_type,
                little: false,
            } => format!("{} big-endian", pixel_type.name()),
            Self::Bool => "bool".to_owned(),
            Self::Enumeration(base) => format!("enum {}", base.name()),
            Self::FixedText(bytes) => format!("S{bytes}"),
            Self::VariableText => "string".to_owned(),
            Self::Other(words) => words.clone(),
        }
    }

    /// The type in memory that holds every value, if it is a number.
    pub fn pixel_type(&self) -> Option<PixelType> {
        match self {
            Self::Number { pixel_type, .. } | Self::Enumeration(pixel_type) => Some(*pixel_type),
            Self::Bool => Some(PixelType::U8),
            _ => None,
        }
    }
}

/// Describes a type. The lock is held, `id` is a type.
///
/// # Safety
/// As said.
pub(super) unsafe fn describe(id: hid_t, depth: u32) -> ElementType {
    for pixel_type in PixelType::ALL {
        for little in [true, false] {
            // SAFETY: both are types.
            if unsafe { h5t::H5Tequal(id, stored(pixel_type, little)) } > 0 {
                return ElementType::Number { pixel_type, little };
            }
        }
    }
    // SAFETY: `id` is a type; owned handles close what these calls open.
    unsafe {
        let size = h5t::H5Tget_size(id);
        match h5t::H5Tget_class(id) {
            H5T_class_t::H5T_STRING if h5t::H5Tis_variable_str(id) > 0 => ElementType::VariableText,
            H5T_class_t::H5T_STRING => ElementType::FixedText(size),
            H5T_class_t::H5T_ENUM => enumeration(id),
            H5T_class_t::H5T_COMPOUND if depth < 4 => {
                let fields = (0..h5t::H5Tget_nmembers(id).clamp(0, 64) as u32).map(|i| {
                    let raw = h5t::H5Tget_member_name(id, i);
                    let name = if raw.is_null() {
                        "?".to_owned()
                    } else {
                        owned_text(raw)
                    };
                    hdf5_sys::h5::H5free_memory(raw.cast());
                    let member = owned(h5t::H5Tget_member_type(id, i))
                        .map_or_else(|_| "?".to_owned(), |t| describe(t.0, depth + 1).name());
                    format!("{name}: {member}")
                });
                ElementType::Other(format!(
                    "compound {{{}}}",
                    fields.collect::<Vec<_>>().join(", ")
                ))
            }
            H5T_class_t::H5T_INTEGER => {
                let sign = if h5t::H5Tget_sign(id) == H5T_sign_t::H5T_SGN_NONE {
                    "u"
                } else {
                    ""
                };
                ElementType::Other(format!("{sign}int of {} bits", h5t::H5Tget_precision(id)))
            }
            H5T_class_t::H5T_FLOAT => {
                let order = if h5t::H5Tget_order(id) == H5T_order_t::H5T_ORDER_BE {
                    " big-endian"
                } else {
                    ""
                };
                ElementType::Other(format!("float{}{order}", 8 * size))
            }
            H5T_class_t::H5T_REFERENCE => ElementType::Other("reference".to_owned()),
            H5T_class_t::H5T_OPAQUE => ElementType::Other(format!("opaque of {size} bytes")),
            H5T_class_t::H5T_VLEN => ElementType::Other("variable-length list".to_owned()),
            H5T_class_t::H5T_ARRAY => ElementType::Other(format!("array of {size} bytes")),
            _ => ElementType::Other(format!("type of {size} bytes")),
        }
    }
}

/// # Safety
/// The lock is held and `id` is an enumeration type.
unsafe fn enumeration(id: hid_t) -> ElementType {
    // SAFETY: promised by the caller.
    unsafe {
        let Ok(base) = owned(h5t::H5Tget_super(id)) else {
            return ElementType::Other("enum".to_owned());
        };
        let base = describe(base.0, 8);
        let mut names = Vec::new();
        for i in 0..h5t::H5Tget_nmembers(id).clamp(0, 3) as u32 {
            let raw = h5t::H5Tget_member_name(id, i);
            if !raw.is_null() {
                names.push(owned_text(raw));
                hdf5_sys::h5::H5free_memory(raw.cast());
            }
        }
        match base {
            ElementType::Number {
                pixel_type: PixelType::I8,
                ..
            } if names == ["FALSE", "TRUE"] => ElementType::Bool,
            ElementType::Number { pixel_type, .. } => ElementType::Enumeration(pixel_type),
            _ => ElementType::Other("enum".to_owned()),
        }
    }
}
