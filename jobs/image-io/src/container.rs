//! The container of one image set: multiscale images, label images and tables, as an HDF5 file or an N5 folder.
//!
//! The layout is BatchLib's, which BatchLib's own code, PlateViewer and plain h5py read:
//! `/<image>/s0..sN` with viewer attributes, and `/tables/<name>/{cells,columns,visible}` with every value as text. Beside it
//! `/typed/<name>/<column>` holds the same tables as numbers. The extension of its path decides in which [`Format`] a
//! container is written and read.
//!
//! Writing happens in memory: chunks are compressed in parallel, and the finished container is published in one step
//! ([`crate::publish`]). Arrays are planes in (y, x) order.

mod attribute;
mod contrast;
mod hdf5;
mod image;
mod inspect;
mod n5;
mod pyramid;
mod reader;
mod store;
mod table_form;
mod writer;

use std::path::Path;

pub use attribute::{Attribute, Color};
pub use contrast::limits as contrast_limits;
pub(crate) use hdf5::{Hdf5File, dataset_image};
pub use hdf5::{Tree, Values};
pub use image::ImageOptions;
pub use inspect::{DatasetInfo, Inspection, Node, NodeKind, inspect};
pub use n5::recover;
pub use pyramid::{is_averaged, levels as pyramid_levels};
pub use reader::{Container, ImageInfo, read_attributes, read_dataset_2d};
pub use table_form::VisibleType;
pub use writer::{ContainerWriter, Published};

/// Compresses one chunk of shuffled planes; for measurements.
#[doc(hidden)]
pub mod measure {
    pub use super::hdf5::Encoder;
}

/// The group that holds the tables as BatchLib writes them.
const TABLES: &str = "tables";
/// The group that holds the tables as typed columns. PlateViewer passes over it, because it has no attribute `Skip`.
const TYPED: &str = "typed";
/// Larger planes are refused before memory is taken.
const MOST_PLANE_BYTES: u64 = 16 << 30;
/// No dataset of this size is worth an attack.
const HARMLESS: u64 = 64 << 20;
/// Deflate makes at most 1032 bytes of one.
const MOST_DEFLATED: u64 = 1100;
/// Names below the tables' group: a group that holds itself under many names has more than can be walked.
const MOST_TABLE_GROUPS: usize = 20_000;
/// Groups below the tables' group, one in another: no table lies deeper.
const DEEPEST_TABLE: usize = 8;
/// Objects beyond this number are not listed.
const MOST_NODES: usize = 100_000;
/// Groups deeper than this are not opened.
const DEEPEST: usize = 32;

/// How a container is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One HDF5 file.
    Hdf5,
    /// A folder with a folder a group and a file a block (N5 2.0).
    N5,
}

impl Format {
    /// The format that a path stands for: N5 if it ends in `.n5`, in either case, else HDF5. BatchLib's `open_file` goes by the
    /// extension too.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        match path.extension() {
            Some(extension) if extension.eq_ignore_ascii_case("n5") => Self::N5,
            _ => Self::Hdf5,
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
