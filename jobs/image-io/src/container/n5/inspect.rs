//! What is in an N5 folder.

use std::path::Path;

use super::folder::{Folder, Kind};
use super::reader::{N5Folder, attributes};
use super::{
    ATTRIBUTES, blocks::Blocks, damaged, dataset::Compression, dataset::Dataset, failed, json,
};
use crate::Result;
use crate::container::inspect::{DatasetInfo, Inspection, Node, NodeKind};
use crate::container::{DEEPEST, MOST_NODES};

/// Lists what a folder holds.
pub(in crate::container) fn inspect(path: &Path) -> Result<Inspection> {
    N5Folder::open(path)?.inspect()
}

struct Walk<'c> {
    root: &'c Path,
    nodes: usize,
    bytes: u64,
}

impl N5Folder {
    fn inspect(&self) -> Result<Inspection> {
        self.steady(|| {
            let mut walk = Walk {
                root: self.path(),
                nodes: 0,
                bytes: 0,
            };
            let folder = self
                .root()
                .descend("")
                .map_err(|e| failed(self.path(), "/", e))?;
            let root = match folder {
                Some(folder) => walk.object(folder, "/".to_owned(), "", 0)?,
                None => return Err(damaged(self.path(), "/", "it is gone")),
            };
            Ok(Inspection {
                path: self.path().to_owned(),
                bytes: walk.bytes,
                root,
                truncated: walk.nodes >= MOST_NODES,
            })
        })
    }
}

impl Walk<'_> {
    fn object(&mut self, folder: Folder, name: String, path: &str, depth: usize) -> Result<Node> {
        let map = json::read(&folder, self.root, path)?.unwrap_or_default();
        self.bytes += folder
            .size_of(ATTRIBUTES)
            .map_err(|e| failed(self.root, path, e))?;
        let dataset = Dataset::of(&map)
            .map_err(|reason| damaged(self.root, path, format!("{reason} cannot be understood")))?;
        let kind = match dataset {
            Some(dataset) => {
                let blocks = Blocks {
                    root: self.root,
                    at: path.to_owned(),
                    folder,
                    dataset,
                };
                let stored = blocks.stored(&blocks.list()?)?;
                self.bytes += stored;
                NodeKind::Dataset(info(blocks.dataset, stored))
            }
            None => NodeKind::Group {
                members: self.members(&folder, path, depth)?,
            },
        };
        Ok(Node {
            name,
            kind,
            attributes: attributes(&map, path.is_empty()),
        })
    }

    fn members(&mut self, folder: &Folder, path: &str, depth: usize) -> Result<Vec<Node>> {
        let mut members = Vec::new();
        if depth >= DEEPEST {
            return Ok(members);
        }
        let entries = folder.entries(MOST_NODES);
        for (name, kind) in entries.map_err(|e| failed(self.root, path, e))? {
            if self.nodes >= MOST_NODES {
                break;
            }
            if name == ATTRIBUTES {
                continue;
            }
            self.nodes += 1;
            let text = name.to_string_lossy().into_owned();
            let inner = format!("{path}/{text}").trim_start_matches('/').to_owned();
            let opened = match kind {
                Kind::Folder => folder
                    .folder(&name)
                    .map_err(|e| failed(self.root, &inner, e))?,
                Kind::File => {
                    self.bytes += folder
                        .size_of(&name)
                        .map_err(|e| failed(self.root, &inner, e))?;
                    None
                }
                Kind::Other => None,
            };
            members.push(match opened {
                Some(opened) => self.object(opened, text, &inner, depth + 1)?,
                None => Node {
                    name: text,
                    kind: NodeKind::Other,
                    attributes: Vec::new(),
                },
            });
        }
        Ok(members)
    }
}

fn info(dataset: Dataset, stored: u64) -> DatasetInfo {
    let filter = match (&dataset.compression, dataset.level) {
        (Compression::Raw, _) => None,
        (Compression::Other(name), _) => Some(name.clone()),
        (Compression::Zlib, _) => Some("zlib".to_owned()),
        (Compression::Gzip, Some(level)) => Some(format!("gzip {level}")),
        (Compression::Gzip, None) => Some("gzip".to_owned()),
    };
    DatasetInfo {
        bytes: dataset.bytes().unwrap_or(u64::MAX),
        filters: filter.into_iter().collect(),
        shape: dataset.shape,
        dtype: dataset.data_type,
        layout: "chunked",
        chunk: Some(dataset.block),
        stored_bytes: stored,
    }
}
