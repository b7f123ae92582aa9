//! Datasets of strangers: values that lie elsewhere, and sizes that cannot be.

use hdf5_sys::h5d::{H5D_layout_t, H5Dget_create_plist};
use hdf5_sys::h5p::{H5Pget_external_count, H5Pget_layout};

use super::{Description, stored_bytes};
use crate::container::hdf5::ffi::{Failure, Handle, check, locked, owned};
use crate::container::{HARMLESS, MOST_DEFLATED};

/// Refuses values that lie in other files: a container could name any file that its reader may read.
pub(super) fn lies_in_this_file(dataset: &Handle) -> Result<(), Failure> {
    // SAFETY: `dataset` is a dataset; the list is released by its handle.
    locked(|| unsafe {
        let list = owned(H5Dget_create_plist(dataset.0))?;
        let external = H5Pget_external_count(list.0);
        check(external)?;
        if external > 0 || H5Pget_layout(list.0) == H5D_layout_t::H5D_VIRTUAL {
            return Err(Failure(
                "its values lie in another file, which is not read".to_owned(),
            ));
        }
        Ok(())
    })
}

/// Refuses a dataset that claims far more than its bytes in the file can stand for: all of it would be made of nothing.
pub fn plausible(dataset: &Handle, described: &Description) -> Result<(), Failure> {
    let bytes = described
        .elements()
        .and_then(|n| n.checked_mul(described.element_bytes as u64));
    let stored = stored_bytes(dataset);
    let most = stored.saturating_mul(MOST_DEFLATED).max(HARMLESS);
    match bytes {
        Some(bytes) if bytes <= most => {}
        _ => {
            return Err(Failure(format!(
                "extents {:?} cannot be true: there are only {stored} bytes of them in the file",
                described.extents
            )));
        }
    }
    let chunk_bytes = described.chunk.as_ref().map_or(0, |chunk| {
        chunk
            .iter()
            .fold(described.element_bytes as u64, |n, e| n.saturating_mul(*e))
    });
    // The library unpacks chunks whole.
    if chunk_bytes > bytes.unwrap_or(0).saturating_mul(4).max(HARMLESS) {
        return Err(Failure(format!(
            "chunks of {chunk_bytes} bytes are much larger than the dataset"
        )));
    }
    Ok(())
}
