//! Groups and links.

use std::ffi::{c_char, c_int, c_void};
use std::mem::MaybeUninit;

use hdf5_sys::h5::{H5_index_t, H5_iter_order_t};
use hdf5_sys::h5g::{H5Gcreate2, H5Gopen2};
use hdf5_sys::h5i::hid_t;
use hdf5_sys::h5l::{
    H5L_SAME_LOC, H5L_info2_t, H5L_type_t, H5Lcreate_hard, H5Lcreate_soft, H5Lexists, H5Lget_info2,
    H5Lget_val, H5Literate2,
};
use hdf5_sys::h5o::{
    H5O_INFO_BASIC, H5O_info2_t, H5O_type_t, H5Ocopy, H5Oget_info_by_name3, H5Oopen,
};
use hdf5_sys::h5p::H5P_DEFAULT;

use super::types::Shared;
use super::{Failure, Handle, c_text, check, locked, owned, owned_text};

/// What a name in a group leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// An object of this file.
    Hard,
    /// A path, perhaps to nothing.
    Soft,
    /// Another file, or something defined by a program.
    External,
}

/// The kind of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Holds links.
    Group,
    /// Holds values.
    Dataset,
    /// A named type, or a kind that is not known.
    Other,
}

/// An object's kind and identity.
#[derive(Clone, Copy, Debug)]
pub struct Object {
    /// Its kind.
    pub kind: Kind,
    /// How many hard links lead to it.
    pub links: u32,
    /// The same for every link to the same object of a file.
    pub identity: [u8; 16],
}

/// Creates a group, with its parents if need be.
pub fn create_group(at: &Handle, name: &str, shared: &Shared) -> Result<Handle, Failure> {
    let name = c_text(name)?;
    // SAFETY: identifiers of the right kinds, terminated name.
    locked(|| {
        owned(unsafe {
            H5Gcreate2(
                at.0,
                name.as_ptr(),
                shared.link.0,
                shared.group.0,
                H5P_DEFAULT,
            )
        })
    })
}

/// Opens a group.
pub fn open_group(at: &Handle, name: &str) -> Result<Handle, Failure> {
    let name = c_text(name)?;
    // SAFETY: as above.
    locked(|| owned(unsafe { H5Gopen2(at.0, name.as_ptr(), H5P_DEFAULT) }))
}

/// Opens a group, dataset or type.
pub fn open_object(at: &Handle, name: &str) -> Result<Handle, Failure> {
    let name = c_text(name)?;
    // SAFETY: as above.
    locked(|| owned(unsafe { H5Oopen(at.0, name.as_ptr(), H5P_DEFAULT) }))
}

/// Whether every part of `path` exists. A soft link counts as existing even where it leads to nothing.
pub fn exists(at: &Handle, path: &str) -> Result<bool, Failure> {
    locked(|| {
        for (end, _) in path.match_indices('/').chain([(path.len(), "")]) {
            let part = &path[..end];
            if part.is_empty() {
                continue;
            }
            let name = c_text(part)?;
            // SAFETY: as above.
            let answer = unsafe { H5Lexists(at.0, name.as_ptr(), H5P_DEFAULT) };
            check(answer)?;
            if answer == 0 {
                return Ok(false);
            }
        }
        Ok(true)
    })
}

/// Whether a group has an object of this name in the same file, not a link to somewhere else.
pub fn is_hard(group: &Handle, name: &str) -> Result<bool, Failure> {
    let name = c_text(name)?;
    // SAFETY: as above; the description is only read after success.
    locked(|| unsafe {
        let answer = H5Lexists(group.0, name.as_ptr(), H5P_DEFAULT);
        check(answer)?;
        if answer == 0 {
            return Ok(false);
        }
        let mut info = H5L_info2_t::default();
        check(H5Lget_info2(
            group.0,
            name.as_ptr(),
            &raw mut info,
            H5P_DEFAULT,
        ))?;
        Ok(info.type_ == H5L_type_t::H5L_TYPE_HARD)
    })
}

/// The kind and identity of the object behind a name.
pub fn object(at: &Handle, name: &str) -> Result<Object, Failure> {
    let name = c_text(name)?;
    // SAFETY: the answer is written to a local of the right type, which is only read after success. A token is 16
    // bytes, whose Rust field is private.
    locked(|| unsafe {
        let mut info = MaybeUninit::<H5O_info2_t>::uninit();
        check(H5Oget_info_by_name3(
            at.0,
            name.as_ptr(),
            info.as_mut_ptr(),
            H5O_INFO_BASIC,
            H5P_DEFAULT,
        ))?;
        let info = info.assume_init();
        let kind = match info.type_ {
            H5O_type_t::H5O_TYPE_GROUP => Kind::Group,
            H5O_type_t::H5O_TYPE_DATASET => Kind::Dataset,
            _ => Kind::Other,
        };
        Ok(Object {
            kind,
            links: info.rc,
            identity: (&raw const info.token).cast::<[u8; 16]>().read(),
        })
    })
}

/// The names in a group, sorted, with the kind of each link.
pub fn links(group: &Handle) -> Result<Vec<(String, Link)>, Failure> {
    unsafe extern "C" fn collect(
        _: hid_t,
        name: *const c_char,
        info: *const H5L_info2_t,
        found: *mut c_void,
    ) -> c_int {
        // SAFETY: `found` is the vector passed below; the library passes a terminated name and a valid description.
        let (found, name, info) = unsafe {
            (
                &mut *found.cast::<Vec<(String, Link)>>(),
                owned_text(name),
                &*info,
            )
        };
        let link = match info.type_ {
            H5L_type_t::H5L_TYPE_HARD => Link::Hard,
            H5L_type_t::H5L_TYPE_SOFT => Link::Soft,
            _ => Link::External,
        };
        found.push((name, link));
        0
    }
    let mut found: Vec<(String, Link)> = Vec::new();
    // SAFETY: the callback only gets the vector, which outlives the iteration.
    locked(|| {
        check(unsafe {
            H5Literate2(
                group.0,
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

/// The path that a soft link holds.
pub fn soft_target(at: &Handle, name: &str) -> Result<String, Failure> {
    let name = c_text(name)?;
    // SAFETY: the link's size is asked first, and the buffer has one byte more for the end.
    locked(|| unsafe {
        let mut info = H5L_info2_t::default();
        check(H5Lget_info2(
            at.0,
            name.as_ptr(),
            &raw mut info,
            H5P_DEFAULT,
        ))?;
        let size = *info.u.val_size();
        let mut value = vec![0u8; size + 1];
        check(H5Lget_val(
            at.0,
            name.as_ptr(),
            value.as_mut_ptr().cast(),
            size,
            H5P_DEFAULT,
        ))?;
        Ok(
            String::from_utf8_lossy(value.split(|b| *b == 0).next().unwrap_or_default())
                .into_owned(),
        )
    })
}

/// Gives the object at `existing` a second name in the same file.
pub fn link_hard(
    file: &Handle,
    existing: &str,
    name: &str,
    shared: &Shared,
) -> Result<(), Failure> {
    let (existing, name) = (c_text(existing)?, c_text(name)?);
    // SAFETY: identifiers of the right kinds, terminated names.
    locked(|| {
        check(unsafe {
            H5Lcreate_hard(
                file.0,
                existing.as_ptr(),
                H5L_SAME_LOC,
                name.as_ptr(),
                shared.link.0,
                H5P_DEFAULT,
            )
        })
    })
}

/// Creates a link that holds a path.
pub fn link_soft(file: &Handle, target: &str, name: &str, shared: &Shared) -> Result<(), Failure> {
    let (target, name) = (c_text(target)?, c_text(name)?);
    // SAFETY: as above.
    locked(|| {
        check(unsafe {
            H5Lcreate_soft(
                target.as_ptr(),
                file.0,
                name.as_ptr(),
                shared.link.0,
                H5P_DEFAULT,
            )
        })
    })
}

/// Copies an object with all that hangs on it into another file. Compressed chunks are copied as they are.
pub fn copy(
    from: &Handle,
    name: &str,
    to: &Handle,
    new_name: &str,
    shared: &Shared,
) -> Result<(), Failure> {
    let (name, new_name) = (c_text(name)?, c_text(new_name)?);
    // SAFETY: as above.
    locked(|| {
        check(unsafe {
            H5Ocopy(
                from.0,
                name.as_ptr(),
                to.0,
                new_name.as_ptr(),
                H5P_DEFAULT,
                shared.link.0,
            )
        })
    })
}
