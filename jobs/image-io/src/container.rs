//! The HDF5 file of one image set: multiscale images, label images and tables.
//!
//! The layout is BatchLib's, which BatchLib's own code, PlateViewer and plain h5py read:
//! `/<image>/s0..sN` with viewer attributes, and `/tables/<name>/{cells,columns,visible}` with every value as text. Beside it
//! `/typed/<name>/<column>` holds the same tables as numbers.
//!
//! Writing happens in memory: chunks are compressed in parallel outside the HDF5 library's lock, and the finished file is
//! published in one step ([`crate::publish`]). Arrays are planes in (y, x) order.

mod attribute;
mod carry;
mod chunk;
mod contrast;
mod dataset_image;
mod deflate;
mod ffi;
mod image;
mod inspect;
mod pyramid;
mod reader;
mod table_form;
mod tree;
mod writer;

pub use attribute::{Attribute, Color};
pub use contrast::limits as contrast_limits;
pub(crate) use dataset_image::dataset_image;
pub use image::ImageOptions;
pub use inspect::{DatasetInfo, Inspection, Node, NodeKind, inspect};
pub use pyramid::{is_averaged, levels as pyramid_levels};
pub use reader::{Container, ImageInfo, read_attributes, read_dataset_2d};
pub use table_form::VisibleType;
pub use tree::{Tree, Values};
pub use writer::{ContainerWriter, Published};

/// Compresses one chunk of shuffled planes; for measurements.
#[doc(hidden)]
pub mod measure {
    pub use super::deflate::Encoder;
}

use std::path::Path;

use ffi::Failure;

use crate::Error;

/// The group that holds the tables as BatchLib writes them.
const TABLES: &str = "tables";
/// The group that holds the tables as typed columns. PlateViewer passes over it, because it has no attribute `Skip`.
const TYPED: &str = "typed";

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

/// Whether a name can be that of a root image: not empty, no path.
fn is_image_name(name: &str) -> bool {
    !(name.is_empty()
        || name == "."
        || name == TABLES
        || name == TYPED
        || name.contains(['/', '\0']))
}

/// Whether a name can be that of a table: parts joined by `/`, none of them empty.
fn is_table_name(name: &str) -> bool {
    !name.contains('\0') && name.split('/').all(|part| !part.is_empty() && part != ".")
}
