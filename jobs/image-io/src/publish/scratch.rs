//! A folder for the files of another program, which nobody else sees and which does not stay.

use std::fs::{DirBuilder, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use faults::{Point, write_point};
use rustix::fs::{FlockOperation, flock};

use super::{partial_name, unique};
use crate::{Error, Result};

/// A hidden folder, readable for its user only, removed with all that is in it when dropped.
///
/// Its name is that of a [`super::Staged`] file, and it is locked while it lives: what a killed process leaves is found
/// and removed by [`super::remove_leftovers`].
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    _lock: File,
}

impl Scratch {
    /// Makes a folder in `parent`, which is made too where it is missing. `name` becomes part of its name.
    ///
    /// # Errors
    /// [`Error::Io`], for example if the disk is full.
    pub fn create(parent: &Path, name: &str) -> Result<Self> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| Error::Io {
                path,
                action: "create",
                source,
            }
        };
        // Programs that run elsewhere are told its path.
        let parent = &std::path::absolute(parent).map_err(failed(parent))?;
        std::fs::create_dir_all(parent).map_err(failed(parent))?;
        loop {
            let path = parent.join(partial_name(name.as_ref(), std::process::id(), unique()));
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => {
                    let lock = File::open(&path).map_err(failed(&path))?;
                    let _ = flock(&lock, FlockOperation::NonBlockingLockShared);
                    let scratch = Self { path, _lock: lock };
                    write_point(Point::ScratchCreated).map_err(failed(&scratch.path))?;
                    return Ok(scratch);
                }
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(failed(&path)(e)),
            }
        }
    }

    /// Where it is, an absolute path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the folder a name under which nobody removes it: `<name>-<random>` beside it.
    ///
    /// # Errors
    /// [`Error::Io`]; then the folder is removed as always.
    pub fn keep(self, name: &str) -> Result<PathBuf> {
        let kept = self
            .path
            .with_file_name(format!("{name}-{:016x}", unique()));
        std::fs::rename(&self.path, &kept).map_err(|source| Error::Io {
            path: kept.clone(),
            action: "rename a folder to",
            source,
        })?;
        Ok(kept)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        match remove_tree(&self.path) {
            Ok(()) => {}
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            // Whoever looks for leftovers next tries again.
            Err(_) => {}
        }
    }
}

/// Removes a folder with all that is in it, also where a program took the right to do so from itself. Links are removed,
/// not followed.
///
/// # Errors
/// Those of the system.
pub(super) fn remove_tree(path: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(e) if e.kind() == io::ErrorKind::PermissionDenied => {
            open_up(path)?;
            std::fs::remove_dir_all(path)
        }
        result => result,
    }
}

/// Gives the right to list and change every folder from here on.
fn open_up(path: &Path) -> io::Result<()> {
    let mut open = vec![path.to_owned()];
    while let Some(folder) = open.pop() {
        std::fs::set_permissions(&folder, Permissions::from_mode(0o700))?;
        for entry in std::fs::read_dir(&folder)?.flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                open.push(entry.path());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::publish::{Leftovers, remove_leftovers};

    #[test]
    fn it_goes_with_everything_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let outside = folder.path().join("outside");
        std::fs::write(&outside, "mine").unwrap();
        let scratch = Scratch::create(&folder.path().join("made"), "job").unwrap();
        let mode = scratch.path().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        let inner = scratch.path().join("a/b");
        std::fs::create_dir_all(&inner).unwrap();
        std::fs::write(inner.join("file"), "x").unwrap();
        std::os::unix::fs::symlink(&outside, inner.join("link")).unwrap();
        std::fs::set_permissions(&inner, Permissions::from_mode(0o500)).unwrap();
        drop(scratch);
        assert_eq!(
            std::fs::read_dir(folder.path().join("made"))
                .unwrap()
                .count(),
            0
        );
        assert_eq!(std::fs::read(outside).unwrap(), b"mine");
    }

    #[test]
    fn it_can_be_kept() {
        let folder = tempfile::tempdir().unwrap();
        let scratch = Scratch::create(folder.path(), "job").unwrap();
        std::fs::write(scratch.path().join("file"), "x").unwrap();
        let kept = scratch.keep("kept-job").unwrap();
        assert!(kept.join("file").exists());
        assert_eq!(
            remove_leftovers(folder.path()).unwrap(),
            Leftovers::default()
        );
    }

    #[test]
    fn what_a_dead_process_left_goes_and_what_is_in_use_stays() {
        let folder = tempfile::tempdir().unwrap();
        let alive = Scratch::create(folder.path(), "job").unwrap();
        // No Linux process gets an id this large.
        let dead = folder
            .path()
            .join(partial_name("job".as_ref(), 999_999_999, 7));
        std::fs::create_dir_all(dead.join("in")).unwrap();
        std::fs::write(dead.join("in/file"), "x").unwrap();
        assert_eq!(
            remove_leftovers(folder.path()).unwrap(),
            Leftovers {
                removed: 1,
                kept: 1
            }
        );
        assert!(!dead.exists() && alive.path().exists());
    }
}
