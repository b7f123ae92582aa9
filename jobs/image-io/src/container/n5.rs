//! Containers as N5 folders (N5 2.0): a folder a group or dataset with its `attributes.json`, a file a block.
//!
//! N5 counts axes from the fastest, so a plane (y, x) has `dimensions` [width, height] and its blocks lie at `x/y`; z5py and
//! zarr turn that around again. Groups, attributes and pyramids are those of the HDF5 form. N5 has no texts: text cells are
//! uint8 with one more axis for their bytes, which NumPy views as `S100`.
//!
//! No block is ever written in place: a new container is a new folder, and what it keeps of the previous one are further
//! names (hard links) of the same files.

mod assembly;
mod block;
mod blocks;
mod carry;
mod dataset;
mod folder;
mod inspect;
mod json;
mod reader;
mod table;

use std::path::Path;

pub(super) use assembly::Assembly;
pub(super) use inspect::inspect;
pub(super) use reader::N5Folder;

use super::Format;
use crate::{Error, Result};

/// The file of a group or dataset that says what it is.
const ATTRIBUTES: &str = "attributes.json";
/// The root's attribute with the version of the format.
const VERSION_KEY: &str = "n5";
/// The version that is written: what z5py and zarr write.
const VERSION: &str = "2.0.0";
/// The newest version whose blocks and attributes are as described here.
const NEWEST_MAJOR: u64 = 4;

/// Brings back an N5 container whose writer died in the moment between moving the old one aside and the new one into its
/// place, which exists only on file systems that cannot exchange two folders. Whether there was one. Other formats have no
/// such moment.
///
/// # Errors
/// [`Error::Io`] if it cannot be renamed.
pub fn recover(target: &Path) -> Result<bool> {
    match Format::of(target) {
        Format::Hdf5 => Ok(false),
        Format::N5 => crate::publish::recover(target),
    }
}

/// What the system answered about `at`, a path in the container `root`.
fn failed(root: &Path, at: &str, source: std::io::Error) -> Error {
    if source.kind() == std::io::ErrorKind::InvalidInput {
        return Error::Damaged {
            path: root.to_owned(),
            reason: format!("`{at}` is {source}"),
        };
    }
    Error::Io {
        path: root.join(at.trim_matches('/')),
        action: "read",
        source,
    }
}

/// What is wrong with `at`, a path in the container `root`.
fn damaged(root: &Path, at: &str, reason: impl std::fmt::Display) -> Error {
    Error::Damaged {
        path: root.to_owned(),
        reason: format!("`{at}`: {reason}"),
    }
}
