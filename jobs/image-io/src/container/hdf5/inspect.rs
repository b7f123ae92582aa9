//! What is in an HDF5 file.

use std::path::Path;

use super::ffi::link::{self, Kind, Link};
use super::ffi::{Failure, Handle, attribute, dataset, file, locked};
use crate::container::inspect::{DatasetInfo, Inspection, Node, NodeKind};
use crate::container::reader::open_plain;
use crate::container::{Attribute, DEEPEST, MOST_NODES};
use crate::{Error, Result};

/// Lists what any HDF5 file holds.
///
/// # Errors
/// [`Error::Io`] if it cannot be opened, [`Error::Damaged`] if its structure cannot be read.
pub(in crate::container) fn inspect(path: &Path) -> Result<Inspection> {
    let bytes = open_plain(path)?
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
