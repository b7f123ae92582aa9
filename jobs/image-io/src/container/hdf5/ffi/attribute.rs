//! Attributes.

use std::ffi::{c_char, c_int, c_void};

use hdf5_sys::h5::{H5_index_t, H5_iter_order_t};
use hdf5_sys::h5a::{
    H5A_info_t, H5Acreate2, H5Aexists, H5Aget_space, H5Aget_storage_size, H5Aget_type, H5Aiterate2,
    H5Aopen, H5Aread, H5Awrite,
};
use hdf5_sys::h5i::hid_t;
use hdf5_sys::h5p::H5P_DEFAULT;
use hdf5_sys::h5s::{H5Sget_simple_extent_ndims, H5Sget_simple_extent_npoints};
use hdf5_sys::h5t::{self, H5T_class_t, H5Tcopy, H5Treclaim};

use super::types::{ElementType, Shared, describe, space, stored};
use super::{Failure, Handle, c_text, check, locked, owned, owned_text};
use crate::PixelType;
use crate::container::Attribute;

/// No attribute that is read here has more values.
const MOST_VALUES: i64 = 1 << 20;

/// Adds an attribute to an open object.
pub fn write(
    object: &Handle,
    name: &str,
    value: &Attribute,
    shared: &Shared,
) -> Result<(), Failure> {
    let number = |pixel_type, extents: &Handle, data: *const c_void| {
        let stored = stored(pixel_type, true);
        create(object, name, stored, stored, extents, data, shared)
    };
    match value {
        Attribute::Text(text) => {
            let text = c_text(text.as_str())?;
            let pointer = text.as_ptr();
            create(
                object,
                name,
                shared.text.0,
                shared.text.0,
                &shared.scalar,
                (&raw const pointer).cast(),
                shared,
            )
        }
        Attribute::Bool(value) => {
            let value = i8::from(*value);
            create(
                object,
                name,
                shared.boolean.0,
                shared.boolean.0,
                &shared.scalar,
                (&raw const value).cast(),
                shared,
            )
        }
        Attribute::Int(value) => number(PixelType::I64, &shared.scalar, (&raw const *value).cast()),
        Attribute::Float(value) => {
            number(PixelType::F64, &shared.scalar, (&raw const *value).cast())
        }
        Attribute::Ints(values) => number(
            PixelType::I64,
            &space(&[values.len() as u64])?,
            values.as_ptr().cast(),
        ),
        Attribute::Floats(values) => number(
            PixelType::F64,
            &space(&[values.len() as u64])?,
            values.as_ptr().cast(),
        ),
        Attribute::Texts(values) => {
            let texts = values
                .iter()
                .map(|t| c_text(t.as_str()))
                .collect::<Result<Vec<_>, _>>()?;
            let pointers: Vec<*const c_char> = texts.iter().map(|t| t.as_ptr()).collect();
            create(
                object,
                name,
                shared.text.0,
                shared.text.0,
                &space(&[values.len() as u64])?,
                pointers.as_ptr().cast(),
                shared,
            )
        }
        Attribute::Unreadable(words) => Err(Failure(format!(
            "an attribute of this kind cannot be written: {words}"
        ))),
    }
}

fn create(
    object: &Handle,
    name: &str,
    stored: hid_t,
    memory: hid_t,
    extents: &Handle,
    data: *const c_void,
    shared: &Shared,
) -> Result<(), Failure> {
    let name = c_text(name)?;
    // SAFETY: `data` points to as many values of the memory type as the space has points (see `write`).
    locked(|| unsafe {
        let attribute = owned(H5Acreate2(
            object.0,
            name.as_ptr(),
            stored,
            extents.0,
            shared.attribute.0,
            H5P_DEFAULT,
        ))?;
        check(H5Awrite(attribute.0, memory, data))
    })
}

/// Copies an attribute with its exact type to an object of another file. References are left out: they would lead nowhere.
pub fn copy(from: &Handle, to: &Handle, name: &str, shared: &Shared) -> Result<(), Failure> {
    let name = c_text(name)?;
    // SAFETY: the buffer is sized from what the library says of the attribute; what the library allocated for
    // variable-length values while reading is released after writing.
    locked(|| unsafe {
        let attribute = owned(H5Aopen(from.0, name.as_ptr(), H5P_DEFAULT))?;
        let stored = owned(H5Aget_type(attribute.0))?;
        let element = owned(H5Tcopy(stored.0))?;
        let extents = owned(H5Aget_space(attribute.0))?;
        let count = H5Sget_simple_extent_npoints(extents.0);
        if h5t::H5Tdetect_class(element.0, H5T_class_t::H5T_REFERENCE) > 0
            || !(0..=MOST_VALUES).contains(&count)
        {
            return Ok(());
        }
        let mut values = vec![0u64; (count as usize * h5t::H5Tget_size(element.0)).div_ceil(8)];
        let copied = owned(H5Acreate2(
            to.0,
            name.as_ptr(),
            element.0,
            extents.0,
            shared.attribute.0,
            H5P_DEFAULT,
        ))?;
        if count > 0 {
            check(H5Aread(attribute.0, element.0, values.as_mut_ptr().cast()))?;
            check(H5Awrite(copied.0, element.0, values.as_ptr().cast()))?;
            check(H5Treclaim(
                element.0,
                extents.0,
                H5P_DEFAULT,
                values.as_mut_ptr().cast(),
            ))?;
        }
        Ok(())
    })
}

/// Whether an open object has the attribute.
pub fn exists(object: &Handle, name: &str) -> Result<bool, Failure> {
    let name = c_text(name)?;
    // SAFETY: a valid identifier and a terminated name.
    locked(|| {
        let answer = unsafe { H5Aexists(object.0, name.as_ptr()) };
        check(answer).map(|()| answer > 0)
    })
}

/// The names of an open object's attributes, sorted.
pub fn names(object: &Handle) -> Result<Vec<String>, Failure> {
    unsafe extern "C" fn collect(
        _: hid_t,
        name: *const c_char,
        _: *const H5A_info_t,
        found: *mut c_void,
    ) -> c_int {
        // SAFETY: `found` is the vector passed below; the name is terminated.
        unsafe { (*found.cast::<Vec<String>>()).push(owned_text(name)) };
        0
    }
    let mut found: Vec<String> = Vec::new();
    // SAFETY: the callback only gets the vector, which outlives the iteration.
    locked(|| {
        check(unsafe {
            H5Aiterate2(
                object.0,
                H5_index_t::H5_INDEX_NAME,
                H5_iter_order_t::H5_ITER_INC,
                std::ptr::null_mut(),
                Some(collect),
                (&raw mut found).cast(),
            )
        })
    })?;
    Ok(found)
}

/// Reads an attribute of an open object.
pub fn read(object: &Handle, name: &str) -> Result<Attribute, Failure> {
    let name = c_text(name)?;
    // SAFETY: identifiers are checked; buffers are sized from what the library says of the attribute.
    locked(|| unsafe {
        let attribute = owned(H5Aopen(object.0, name.as_ptr(), H5P_DEFAULT))?;
        let element = owned(H5Aget_type(attribute.0))?;
        let extents = owned(H5Aget_space(attribute.0))?;
        let count = H5Sget_simple_extent_npoints(extents.0);
        let scalar = H5Sget_simple_extent_ndims(extents.0) == 0;
        let kind = describe(element.0, 0);
        if !(0..=MOST_VALUES).contains(&count) || H5Aget_storage_size(attribute.0) > 1 << 30 {
            return Ok(Attribute::Unreadable(format!(
                "{count} values of {}",
                kind.name()
            )));
        }
        let count = count as usize;
        if scalar && count == 0 {
            return Ok(Attribute::Unreadable("empty".to_owned()));
        }
        Ok(match kind {
            ElementType::Bool | ElementType::Enumeration(_) => {
                // The stored values, whatever their names.
                let base = owned(h5t::H5Tget_super(element.0))?;
                let size = h5t::H5Tget_size(base.0);
                let mut raw = vec![0u8; count * size];
                check(H5Aread(attribute.0, element.0, raw.as_mut_ptr().cast()))?;
                let values: Vec<i64> = raw.chunks_exact(size).map(little_endian).collect();
                match (&kind, scalar) {
                    (ElementType::Bool, true) => Attribute::Bool(values[0] != 0),
                    (_, true) => Attribute::Int(values[0]),
                    _ => Attribute::Ints(values),
                }
            }
            ElementType::Number {
                pixel_type: PixelType::F32 | PixelType::F64,
                ..
            } => {
                let mut values = vec![0f64; count];
                check(H5Aread(
                    attribute.0,
                    *h5t::H5T_NATIVE_DOUBLE,
                    values.as_mut_ptr().cast(),
                ))?;
                if scalar {
                    Attribute::Float(values[0])
                } else {
                    Attribute::Floats(values)
                }
            }
            ElementType::Number { .. } => {
                let mut values = vec![0i64; count];
                check(H5Aread(
                    attribute.0,
                    *h5t::H5T_NATIVE_INT64,
                    values.as_mut_ptr().cast(),
                ))?;
                if scalar {
                    Attribute::Int(values[0])
                } else {
                    Attribute::Ints(values)
                }
            }
            ElementType::FixedText(size) => {
                let mut raw = vec![0u8; count * size];
                let memory = owned(H5Tcopy(element.0))?;
                check(H5Aread(attribute.0, memory.0, raw.as_mut_ptr().cast()))?;
                texts(raw.chunks_exact(size.max(1)).map(trimmed).collect(), scalar)
            }
            ElementType::VariableText => {
                let mut pointers: Vec<*mut c_char> = vec![std::ptr::null_mut(); count];
                check(H5Aread(
                    attribute.0,
                    element.0,
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
                    extents.0,
                    H5P_DEFAULT,
                    pointers.as_mut_ptr().cast(),
                ))?;
                texts(found, scalar)
            }
            ElementType::Other(words) => Attribute::Unreadable(words),
        })
    })
}

fn texts(mut found: Vec<String>, scalar: bool) -> Attribute {
    match found.pop() {
        Some(text) if scalar => Attribute::Text(text),
        Some(text) => {
            found.push(text);
            Attribute::Texts(found)
        }
        None => Attribute::Texts(found),
    }
}

/// Text up to the first NUL.
pub(super) fn trimmed(raw: &[u8]) -> String {
    String::from_utf8_lossy(raw.split(|b| *b == 0).next().unwrap_or_default()).into_owned()
}

/// A signed number of 1 to 8 bytes.
fn little_endian(raw: &[u8]) -> i64 {
    let negative = raw.last().is_some_and(|b| *b >= 0x80);
    let mut bytes = if negative { [0xFF; 8] } else { [0; 8] };
    let n = raw.len().min(8);
    bytes[..n].copy_from_slice(&raw[..n]);
    i64::from_le_bytes(bytes)
}
