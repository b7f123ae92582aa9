//! The only place that calls the HDF5 library directly.
//!
//! The library is not thread-safe: every call here holds its one lock, the same that the `hdf5` crate takes. Handles close
//! themselves. Failures carry the library's own words; its printing to stderr is off.
#![allow(unsafe_code)]

pub mod attribute;
pub mod dataset;
pub mod file;
pub mod link;
pub mod types;

use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};

use hdf5_sys::h5e::{H5E_DEFAULT, H5E_direction_t, H5E_error2_t, H5Eclear2, H5Ewalk2};
use hdf5_sys::h5i::{H5Idec_ref, hid_t};

/// An open object of the library (file, group, dataset, type, ...), closed when dropped.
#[derive(Debug)]
pub struct Handle(hid_t);

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the identifier was returned by the library and is released once.
        locked(|| unsafe { H5Idec_ref(self.0) });
    }
}

/// What the library said when a call failed, cause first.
#[derive(Debug)]
pub struct Failure(pub String);

/// Runs `f` while no other thread is inside the library.
pub fn locked<T>(f: impl FnOnce() -> T) -> T {
    hdf5::sync::sync(f)
}

/// Wraps an identifier that a call returned; must run under the lock that the call ran under.
fn owned(id: hid_t) -> Result<Handle, Failure> {
    if id < 0 {
        Err(failure())
    } else {
        Ok(Handle(id))
    }
}

/// Checks a status that a call returned; must run under the lock that the call ran under.
fn check(status: c_int) -> Result<(), Failure> {
    if status < 0 { Err(failure()) } else { Ok(()) }
}

/// Takes the error stack of the call that just failed.
fn failure() -> Failure {
    unsafe extern "C" fn collect(
        _: c_uint,
        error: *const H5E_error2_t,
        frames: *mut c_void,
    ) -> c_int {
        // SAFETY: `frames` is the vector passed to H5Ewalk2 below; `error` and its texts live until H5Eclear2.
        let (frames, error) = unsafe { (&mut *frames.cast::<Vec<String>>(), &*error) };
        if !error.desc.is_null() {
            // SAFETY: the library terminates its texts.
            frames.push(
                unsafe { CStr::from_ptr(error.desc) }
                    .to_string_lossy()
                    .into_owned(),
            );
        }
        0
    }
    let mut frames: Vec<String> = Vec::new();
    // SAFETY: the callback only gets the vector, which outlives the walk.
    unsafe {
        H5Ewalk2(
            H5E_DEFAULT,
            H5E_direction_t::H5E_WALK_UPWARD,
            Some(collect),
            (&raw mut frames).cast(),
        );
        H5Eclear2(H5E_DEFAULT);
    }
    let cause = frames.first().map_or("no reason given", String::as_str);
    match frames.last() {
        Some(outcome) if frames.len() > 1 && outcome != cause => {
            Failure(format!("{cause}; {outcome}"))
        }
        _ => Failure(cause.to_owned()),
    }
}

/// A text for the library; it cannot hold NUL.
fn c_text(text: impl Into<Vec<u8>>) -> Result<CString, Failure> {
    CString::new(text).map_err(|_| Failure("a name or text contains the character NUL".to_owned()))
}

/// # Safety
/// `text` is a terminated string.
unsafe fn owned_text(text: *const c_char) -> String {
    // SAFETY: promised by the caller.
    unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned()
}
