//! Lists the files under a folder: sorted, bounded, and never out of it.

use std::fs;
use std::path::{Path, PathBuf};

use super::Remark;
use crate::{Error, Result, junk_rule};

/// More files than the largest plate with all its slices.
pub(super) const FILES: usize = 2_000_000;
const DEPTH: usize = 32;

const FOLDER_LINK: &str = "symbolic link to a folder";
const LINK_OUT: &str = "symbolic link out of the folder";
const NO_FILE: &str = "neither a file nor a folder";

#[derive(Default)]
pub(super) struct Walk {
    /// Files, relative to the folder, sorted.
    pub files: Vec<PathBuf>,
    /// The rules by which entries that are not in `files` were left out.
    pub ignored: Vec<&'static str>,
    pub unreadable: Vec<Remark>,
    pub truncated: bool,
}

/// Lists at most `limit` files under `dir`.
pub(super) fn files(dir: &Path, limit: usize) -> Result<Walk> {
    let io = |source| Error::Io {
        doing: "list",
        path: dir.to_path_buf(),
        source,
    };
    let inside = fs::canonicalize(dir).map_err(io)?;
    // An error of the folder itself is an error; one of a sub-folder is a remark.
    fs::read_dir(dir).map_err(io)?;
    let mut walk = Walk::default();
    let mut folders = vec![(PathBuf::new(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        if depth > DEPTH || walk.files.len() >= limit {
            walk.truncated = true;
            continue;
        }
        if let Err(error) = walk.list(dir, &inside, &folder, depth, &mut folders) {
            walk.unreadable.push(Remark {
                path: folder,
                why: error.to_string(),
            });
        }
    }
    walk.files.sort();
    if walk.files.len() > limit {
        walk.files.truncate(limit);
        walk.truncated = true;
    }
    walk.unreadable.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(walk)
}

impl Walk {
    fn list(
        &mut self,
        dir: &Path,
        inside: &Path,
        folder: &Path,
        depth: usize,
        folders: &mut Vec<(PathBuf, usize)>,
    ) -> std::io::Result<()> {
        let mut below = Vec::new();
        for entry in fs::read_dir(dir.join(folder))? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            let kind = entry.file_type()?;
            if kind.is_symlink() {
                match link_rule(&entry.path(), inside) {
                    Some(rule) => self.ignored.push(rule),
                    None => self.files.push(path),
                }
            } else if kind.is_dir() {
                // What lies in a junk folder is junk: count the folder once and leave it alone.
                match junk_rule(&path.join("x")) {
                    Some(rule) => self.ignored.push(rule),
                    None => below.push((path, depth + 1)),
                }
            } else if kind.is_file() {
                self.files.push(path);
            } else {
                self.ignored.push(NO_FILE);
            }
        }
        // The first folder by name is looked at first, so that a truncated survey is the same each time.
        below.sort_by(|a: &(PathBuf, usize), b| b.0.cmp(&a.0));
        folders.append(&mut below);
        Ok(())
    }
}

/// The rule by which a link is left out; `None` for one to a file inside the folder.
fn link_rule(link: &Path, inside: &Path) -> Option<&'static str> {
    match fs::canonicalize(link) {
        Ok(target) if !target.starts_with(inside) => Some(LINK_OUT),
        Ok(target) if target.is_dir() => Some(FOLDER_LINK),
        Ok(target) if target.is_file() => None,
        _ => Some(NO_FILE),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_do_not_lead_out_or_round() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("o.tif"), "").unwrap();
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir_all(at("b/.hidden")).unwrap();
        fs::write(at("b/x.tif"), "").unwrap();
        fs::write(at("b/.hidden/y.tif"), "").unwrap();
        fs::write(at("a.tif"), "").unwrap();
        symlink(outside.path().join("o.tif"), at("out.tif")).unwrap();
        symlink(outside.path(), at("outdir")).unwrap();
        symlink(dir.path(), at("b/round")).unwrap();
        symlink(at("a.tif"), at("b/in.tif")).unwrap();
        symlink(at("nowhere"), at("broken.tif")).unwrap();
        let walk = files(dir.path(), FILES).unwrap();
        assert_eq!(
            walk.files,
            ["a.tif", "b/in.tif", "b/x.tif"].map(PathBuf::from)
        );
        let mut ignored = walk.ignored;
        ignored.sort_unstable();
        assert_eq!(
            ignored,
            [
                ".* (hidden file or folder)",
                NO_FILE,
                LINK_OUT,
                LINK_OUT,
                FOLDER_LINK
            ]
        );
        assert!(!walk.truncated);
    }

    #[test]
    fn bounds_are_kept_and_said() {
        let dir = tempfile::tempdir().unwrap();
        for i in 0..5 {
            fs::write(dir.path().join(format!("{i}.tif")), "").unwrap();
        }
        let walk = files(dir.path(), 3).unwrap();
        assert_eq!((walk.files.len(), walk.truncated), (3, true));
        let mut deep = dir.path().to_path_buf();
        for _ in 0..DEPTH + 2 {
            deep.push("d");
        }
        fs::create_dir_all(&deep).unwrap();
        assert!(files(dir.path(), FILES).unwrap().truncated);
        let error = files(&dir.path().join("none"), FILES).err().unwrap();
        assert!(error.to_string().contains("none"), "{error}");
    }
}
