//! What is in a container, or in any HDF5 file or N5 folder, for people and for scripts.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{Attribute, Format, hdf5, n5};
use crate::Result;

/// The content of a file or folder without its values.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Inspection {
    /// The file or folder.
    pub path: PathBuf,
    /// Its size; of a folder, that of all files in it.
    pub bytes: u64,
    /// The root group.
    pub root: Node,
    /// Whether objects were left out because there are too many.
    pub truncated: bool,
}

/// A group, dataset or link.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Node {
    /// Its name in its group; `/` for the root.
    pub name: String,
    /// What it is.
    #[serde(flatten)]
    pub kind: NodeKind,
    /// Its attributes, sorted by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<(String, Attribute)>,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum NodeKind {
    /// A group with its members, sorted by name.
    Group {
        /// The members.
        members: Vec<Node>,
    },
    /// A dataset.
    Dataset(DatasetInfo),
    /// A link to a path of the same file.
    SoftLink {
        /// The path.
        target: String,
    },
    /// Another name of an object listed before.
    HardLink {
        /// The path under which it is listed.
        target: String,
    },
    /// A link to another file, a named type, or something unknown. In an N5 folder, every link.
    Other,
}

/// A dataset's form and size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DatasetInfo {
    /// Length of each axis, slowest first: (y, x) for an image.
    pub shape: Vec<u64>,
    /// NumPy-like name of the element type.
    pub dtype: String,
    /// "compact", "contiguous", "chunked" or "virtual".
    pub layout: &'static str,
    /// Lengths of a chunk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chunk: Option<Vec<u64>>,
    /// Filters in the order of application, for example `shuffle`, `deflate 4`.
    pub filters: Vec<String>,
    /// Bytes without compression.
    pub bytes: u64,
    /// Bytes on disk.
    pub stored_bytes: u64,
}

/// Lists what any HDF5 file holds, or any folder whose name ends in `.n5`.
///
/// # Errors
/// [`crate::Error::Io`] if it cannot be opened, [`crate::Error::Damaged`] if its structure cannot be read.
pub fn inspect(path: &Path) -> Result<Inspection> {
    match Format::of(path) {
        Format::Hdf5 => hdf5::inspect(path),
        Format::N5 => n5::inspect(path),
    }
}
