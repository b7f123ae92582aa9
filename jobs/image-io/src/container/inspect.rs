//! What is in an HDF5 file, for people and for scripts.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::Attribute;
use super::ffi::link::{self, Kind, Link};
use super::ffi::{Failure, Handle, attribute, dataset, file, locked};
use crate::{Error, Result};

/// Objects beyond this number are not listed.
const MOST_NODES: usize = 100_000;
/// Groups deeper than this are not opened.
const DEEPEST: usize = 32;

/// The content of a file without its values.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Inspection {
    /// The file.
    pub path: PathBuf,
    /// Its size.
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
    /// A link to another file, a named type, or something unknown.
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
    /// Bytes in the file.
    pub stored_bytes: u64,
}

/// Lists what any HDF5 file holds.
///
/// # Errors
/// [`Error::Io`] if it cannot be opened, [`Error::Damaged`] if its structure cannot be read.
pub fn inspect(path: &Path) -> Result<Inspection> {
    let bytes = super::reader::open_plain(path)?
        .metadata()
        .map_err(|source| Error::Io {
            path: path.to_owned(),
            action: "open",
            source,
        })?
        .len();
    let mut walk = Walk {
        seen: std::collections::HashMap::new(),
        nodes: 0,
    };
    let root = locked(|| {
        let file = file::open(path)?;
        let root = link::open_group(&file, "/")?;
        walk.seen
            .insert(link::object(&file, "/")?.identity, "/".to_owned());
        Ok(Node {
            name: "/".to_owned(),
            kind: NodeKind::Group {
                members: walk.members(&root, "", 0)?,
            },
            attributes: attributes(&root)?,
        })
    })
    .map_err(|f: Failure| f.reading(path, "the file"))?;
    Ok(Inspection {
        path: path.to_owned(),
        bytes,
        root,
        truncated: walk.nodes >= MOST_NODES,
    })
}

struct Walk {
    seen: std::collections::HashMap<[u8; 16], String>,
    nodes: usize,
}

impl Walk {
    fn members(&mut self, group: &Handle, path: &str, depth: usize) -> Result<Vec<Node>, Failure> {
        let mut members = Vec::new();
        if depth >= DEEPEST {
            return Ok(members);
        }
        for (name, link) in link::links(group)? {
            if self.nodes >= MOST_NODES {
                break;
            }
            self.nodes += 1;
            let path = format!("{path}/{name}");
            members.push(match link {
                Link::Hard => self.object(group, name, &path, depth)?,
                Link::Soft => Node {
                    kind: NodeKind::SoftLink {
                        target: link::soft_target(group, &name)?,
                    },
                    name,
                    attributes: Vec::new(),
                },
                Link::External => Node {
                    name,
                    kind: NodeKind::Other,
                    attributes: Vec::new(),
                },
            });
        }
        Ok(members)
    }

    fn object(
        &mut self,
        group: &Handle,
        name: String,
        path: &str,
        depth: usize,
    ) -> Result<Node, Failure> {
        let object = link::object(group, &name)?;
        if let Some(first) = self.seen.get(&object.identity) {
            return Ok(Node {
                name,
                kind: NodeKind::HardLink {
                    target: first.clone(),
                },
                attributes: Vec::new(),
            });
        }
        self.seen.insert(object.identity, path.to_owned());
        let handle = link::open_object(group, &name)?;
        let kind = match object.kind {
            Kind::Group => NodeKind::Group {
                members: self.members(&handle, path, depth + 1)?,
            },
            Kind::Dataset => NodeKind::Dataset(dataset_info(&handle)?),
            Kind::Other => NodeKind::Other,
        };
        Ok(Node {
            name,
            kind,
            attributes: attributes(&handle)?,
        })
    }
}

fn attributes(object: &Handle) -> Result<Vec<(String, Attribute)>, Failure> {
    attribute::names(object)?
        .into_iter()
        .map(|n| attribute::read(object, &n).map(|v| (n, v)))
        .collect()
}

fn dataset_info(data: &Handle) -> Result<DatasetInfo, Failure> {
    let d = dataset::describe_dataset(data)?;
    let bytes = d
        .elements()
        .unwrap_or(u64::MAX)
        .saturating_mul(d.element_bytes as u64);
    let filters = d.filters.iter().map(|f| match (f.id, f.parameter) {
        (1, Some(level)) => format!("deflate {level}"),
        (2, _) => "shuffle".to_owned(),
        (id, _) if f.name.is_empty() => format!("filter {id}"),
        _ => f.name.clone(),
    });
    Ok(DatasetInfo {
        filters: filters.collect(),
        shape: d.extents,
        dtype: d.element.name(),
        layout: d.layout,
        chunk: d.chunk,
        bytes,
        stored_bytes: dataset::stored_bytes(data),
    })
}
