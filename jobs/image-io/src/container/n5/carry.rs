//! Carries what is not replaced over from the previous folder: as further names of the same files.
//!
//! That is safe because no file is ever changed in place: the next container gets new files, and removing the old folder takes
//! its names away, not the files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Map, Value};

use super::folder::{Folder, Kind};
use super::{ATTRIBUTES, damaged, failed, json};
use crate::container::DEEPEST;
use crate::publish::StagedTree;
use crate::{Error, Result};

/// No container has so many files.
const MOST_FILES: usize = 1 << 21;

/// Carries all objects and attributes of the container `previous` over to `staged`, except the paths in `replaced` and what
/// is there already: `objects` are those that will be written, which get the attributes that they do not have.
pub(super) fn carry_over(
    previous: &Path,
    objects: &mut BTreeMap<String, Map<String, Value>>,
    replaced: &BTreeSet<String>,
    staged: &mut StagedTree,
) -> Result<()> {
    let root = Folder::open(previous).map_err(|source| Error::Io {
        path: previous.to_owned(),
        action: "open",
        source,
    })?;
    let mut carry = Carry {
        previous,
        objects,
        replaced,
        staged,
    };
    carry.group(&root, "")
}

struct Carry<'a> {
    previous: &'a Path,
    objects: &'a mut BTreeMap<String, Map<String, Value>>,
    replaced: &'a BTreeSet<String>,
    staged: &'a mut StagedTree,
}

impl Carry<'_> {
    /// Takes over the attributes and members of a group of which a part is new or left out.
    fn group(&mut self, from: &Folder, path: &str) -> Result<()> {
        self.staged.add_folder(Path::new(path))?;
        let theirs = json::read(from, self.previous, path)?.unwrap_or_default();
        let ours = self.objects.entry(path.to_owned()).or_default();
        for (name, value) in theirs {
            ours.entry(name).or_insert(value);
        }
        for (name, kind) in entries(from, self.previous, path)? {
            if name == ATTRIBUTES {
                continue;
            }
            let inner = name.to_str().map(|name| join(path, name));
            if let Some(inner) = &inner {
                let rooted = format!("/{inner}");
                let below = format!("{rooted}/");
                let first_below = self.replaced.range(below.clone()..).next();
                let partly = first_below.is_some_and(|p| p.starts_with(&below));
                let is_new = self.objects.contains_key(inner);
                if self.replaced.contains(&rooted) || (is_new && kind != Kind::Folder) {
                    continue;
                }
                if kind == Kind::Folder && (partly || is_new) {
                    if inner.matches('/').count() > DEEPEST {
                        return Err(damaged(self.previous, inner, "it lies too deep"));
                    }
                    let folder = from
                        .folder(&name)
                        .map_err(|e| failed(self.previous, inner, e))?;
                    if let Some(folder) = folder {
                        self.group(&folder, inner)?;
                    }
                    continue;
                }
            }
            let to = Path::new(path).join(&name);
            one(from, self.previous, (&name, kind), &to, self.staged)?;
        }
        Ok(())
    }
}

/// Takes over everything in a folder, as `to` below the staged one. `container` is where it belongs to, for errors.
pub(super) fn link_all(
    folder: &Folder,
    container: &Path,
    to: &Path,
    staged: &mut StagedTree,
) -> Result<()> {
    staged.add_folder(to)?;
    let at = to.display().to_string();
    if to.components().count() > DEEPEST {
        return Err(damaged(container, &at, "it lies too deep"));
    }
    for (name, kind) in entries(folder, container, &at)? {
        one(folder, container, (&name, kind), &to.join(&name), staged)?;
    }
    Ok(())
}

/// Takes over one entry of a folder.
fn one(
    from: &Folder,
    container: &Path,
    (name, kind): (&std::ffi::OsStr, Kind),
    to: &Path,
    staged: &mut StagedTree,
) -> Result<()> {
    let at = to.display().to_string();
    match kind {
        Kind::Folder => match from.folder(name).map_err(|e| failed(container, &at, e))? {
            Some(folder) => link_all(&folder, container, to, staged),
            None => Ok(()),
        },
        // What file browsers and network file systems leave behind.
        Kind::File if name.as_encoded_bytes().starts_with(b".") => Ok(()),
        Kind::File => {
            if staged.links() >= MOST_FILES {
                return Err(damaged(
                    container,
                    &at,
                    format!("there are more than {MOST_FILES} files"),
                ));
            }
            staged.link(from, name, to)
        }
        Kind::Other => Err(damaged(
            container,
            &at,
            "a link or a device cannot be carried over; remove it, or the whole folder",
        )),
    }
}

fn entries(folder: &Folder, container: &Path, at: &str) -> Result<Vec<(std::ffi::OsString, Kind)>> {
    folder
        .entries(MOST_FILES)
        .map_err(|e| failed(container, at, e))
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}/{name}")
    }
}
