//! Files: in memory for writing, on disk for reading.

use std::ffi::c_void;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};

use hdf5_sys::h5f::{
    H5F_ACC_RDONLY, H5F_ACC_TRUNC, H5F_libver_t, H5F_scope_t, H5Fcreate, H5Fflush,
    H5Fget_create_plist, H5Fget_file_image, H5Fget_vfd_handle, H5Fopen,
};
use hdf5_sys::h5l::{H5L_type_t, H5Lunregister};
use hdf5_sys::h5p::{
    H5P_CLS_FILE_ACCESS, H5P_CLS_FILE_CREATE, H5P_DEFAULT, H5Pcreate, H5Pget_userblock,
    H5Pset_fapl_core, H5Pset_file_locking, H5Pset_libver_bounds,
};

use super::{Failure, Handle, c_text, check, failure, locked, owned, types};

/// Memory grows by this step; large files double their step through [`create`]'s argument.
const SMALLEST_STEP: usize = 64 << 10;

/// Creates a file that lives in memory, in the format that HDF5 1.8 and newer read. `expected` bytes set the growth step.
///
/// In memory, because then no disk error can happen inside the library, whose state after one is undefined, and because the
/// many small writes of metadata become one large one.
pub fn create(expected: usize) -> Result<Handle, Failure> {
    // The library takes two files in memory with equal names for the same file.
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let name = c_text(format!(
        "container-{}",
        COUNT.fetch_add(1, Ordering::Relaxed)
    ))?;
    // SAFETY: plain calls with lists of the right kinds; the name is terminated and never used for a real file.
    locked(|| unsafe {
        let access = owned(H5Pcreate(*H5P_CLS_FILE_ACCESS))?;
        check(H5Pset_fapl_core(
            access.0,
            (expected / 8).clamp(SMALLEST_STEP, 64 << 20),
            0,
        ))?;
        check(H5Pset_libver_bounds(
            access.0,
            H5F_libver_t::H5F_LIBVER_V18,
            H5F_libver_t::H5F_LIBVER_V110,
        ))?;
        let creation = owned(H5Pcreate(*H5P_CLS_FILE_CREATE))?;
        types::compact(creation.0)?;
        owned(H5Fcreate(
            name.as_ptr(),
            H5F_ACC_TRUNC,
            creation.0,
            access.0,
        ))
    })
}

/// Hands the finished bytes of a file made by [`create`] to `consume`.
///
/// `consume` runs outside the library's lock; the file must not be changed meanwhile, which the `&mut` ensures.
pub fn with_image<T>(file: &mut Handle, consume: impl FnOnce(&[u8]) -> T) -> Result<T, Failure> {
    // SAFETY: the memory driver's handle is a pointer to its buffer's address; the buffer holds at least as many bytes as the
    // image is long, and stays where it is until the next change of the file.
    let bytes = locked(|| unsafe {
        check(H5Fflush(file.0, H5F_scope_t::H5F_SCOPE_GLOBAL))?;
        let length = usize::try_from(H5Fget_file_image(file.0, std::ptr::null_mut(), 0))
            .map_err(|_| failure())?;
        let mut handle: *mut c_void = std::ptr::null_mut();
        check(H5Fget_vfd_handle(file.0, H5P_DEFAULT, &raw mut handle))?;
        let buffer = *handle.cast::<*const u8>();
        Ok(std::slice::from_raw_parts(buffer, length))
    })?;
    Ok(consume(bytes))
}

/// Opens a file for reading. Locks where the file system can, so that a file which another program is changing is refused.
pub fn open(path: &Path) -> Result<Handle, Failure> {
    match open_with(path, true) {
        // Only "somebody else holds it" (EAGAIN) counts; network file systems without locks answer otherwise.
        Err(Failure(m)) if m.contains("unable to lock file") && !m.contains("errno = 11") => {
            open_with(path, false)
        }
        answer => answer,
    }
}

fn open_with(path: &Path, lock: bool) -> Result<Handle, Failure> {
    refuse_external_links();
    let name = c_text(path.as_os_str().as_bytes())?;
    // SAFETY: plain calls; the name is terminated.
    locked(|| unsafe {
        let access = owned(H5Pcreate(*H5P_CLS_FILE_ACCESS))?;
        check(H5Pset_file_locking(access.0, u8::from(lock), 1))?;
        owned(H5Fopen(name.as_ptr(), H5F_ACC_RDONLY, access.0))
    })
}

/// Makes the library forget how to follow links to other files, for good: a container could name any file that its reader may
/// read. Such links are still listed.
fn refuse_external_links() {
    static ONCE: Once = Once::new();
    // SAFETY: a plain call; nothing else in this process follows or makes such links.
    ONCE.call_once(|| {
        locked(|| unsafe { H5Lunregister(H5L_type_t::H5L_TYPE_EXTERNAL) });
    });
}

/// Bytes before the HDF5 part of a file, usually 0.
pub fn user_block(file: &Handle) -> Result<u64, Failure> {
    // SAFETY: `file` is a file; the size is written to a local.
    locked(|| unsafe {
        let list = owned(H5Fget_create_plist(file.0))?;
        let mut size = 0;
        check(H5Pget_userblock(list.0, &raw mut size))?;
        Ok(size)
    })
}
