//! Containers as HDF5 files.

mod carry;
mod chunk;
mod dataset_image;
mod deflate;
mod ffi;
mod image;
mod inspect;
mod reader;
mod table_form;
mod tree;
mod writer;

use std::path::Path;

pub(crate) use dataset_image::dataset_image;
pub use deflate::Encoder;
use ffi::Failure;
pub(super) use inspect::inspect;
pub(crate) use reader::Hdf5File;
pub use tree::{Tree, Values};
pub(super) use writer::Assembly;

use crate::Error;

impl Failure {
    /// A failure while writing.
    fn at(self, path: &Path, action: impl Into<String>) -> Error {
        Error::Hdf5 {
            path: path.to_owned(),
            action: action.into(),
            message: self.0,
        }
    }

    /// A failure while reading: unless the system refused something or somebody else has the file locked, its bytes are bad.
    fn reading(self, path: &Path, what: &str) -> Error {
        if self.0.contains("errno") || self.0.contains("unable to lock") {
            return self.at(path, format!("read {what}"));
        }
        Error::Damaged {
            path: path.to_owned(),
            reason: format!("{what}: {}", self.0),
        }
    }
}
