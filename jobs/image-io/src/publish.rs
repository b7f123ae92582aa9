//! Publishing: write aside, fsync, rename. A reader sees the old file or the whole new one, whatever happens in between.

mod leftovers;
mod scratch;
mod tree;

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use faults::{Point, write_point};
use rustix::fs::{FlockOperation, flock};

pub use leftovers::{Leftovers, remove_leftovers};
pub use scratch::Scratch;
pub(crate) use tree::{StagedTree, aside, recover};

use crate::{Error, Result};

/// The end of the names of files that are not published yet.
const SUFFIX: &str = ".partial";
/// Longest file name that the usual file systems take.
const LONGEST_NAME: usize = 255;

/// A hidden file beside its target, removed when dropped unless it was committed.
///
/// The name is `.<target>.<pid>-<random>.partial`, so no pattern for results matches it. The file is locked while it
/// lives, which tells [`remove_leftovers`], also on other machines, that its writer is alive.
#[derive(Debug)]
pub struct Staged {
    file: File,
    path: PathBuf,
    target: PathBuf,
    committed: bool,
}

impl Staged {
    /// Creates the hidden file in the folder of `target`, which must exist.
    ///
    /// # Errors
    /// [`Error::Io`] if `target` has no file name, or the folder is missing, full or not writable.
    pub fn create(target: &Path) -> Result<Self> {
        let failed = |path: &Path, source| Error::Io {
            path: path.to_owned(),
            action: "create",
            source,
        };
        let Some(name) = target.file_name() else {
            return Err(failed(
                target,
                std::io::Error::from(std::io::ErrorKind::InvalidInput),
            ));
        };
        loop {
            let path = target.with_file_name(partial_name(name, std::process::id(), unique()));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => {
                    // Where locks do not exist the process id has to do. Shared, because it outlives the renaming: HDF5
                    // readers take a shared lock too, and would be refused under an exclusive one.
                    let _ = flock(&file, FlockOperation::NonBlockingLockShared);
                    let staged = Self {
                        file,
                        path,
                        target: target.to_owned(),
                        committed: false,
                    };
                    write_point(Point::PublishCreated).map_err(|e| failed(&staged.path, e))?;
                    return Ok(staged);
                }
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(failed(&path, e)),
            }
        }
    }

    /// The file to write into.
    #[must_use]
    pub const fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Where the hidden file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// [`Error::Io`], for example if the disk is full.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        // In two halves only where a test may want to see what becomes of one.
        let (first, second) = if faults::ENABLED {
            bytes.split_at(bytes.len() / 2)
        } else {
            (bytes, &[][..])
        };
        self.file
            .write_all(first)
            .and_then(|()| write_point(Point::PublishHalf))
            .and_then(|()| self.file.write_all(second))
            .map_err(|source| Error::Io {
                path: self.path.clone(),
                action: "write",
                source,
            })
    }

    /// Makes the content durable, gives it the target's name, and makes that durable too.
    ///
    /// # Errors
    /// [`Error::Io`]; then the target is as it was. Only if the last step fails (fsync of the folder) the new file is in
    /// place, and may be gone after a power loss.
    pub fn commit(mut self) -> Result<()> {
        let failed = |path: &Path, action, source| Error::Io {
            path: path.to_owned(),
            action,
            source,
        };
        write_point(Point::PublishWritten)
            .and_then(|()| self.file.sync_all())
            .map_err(|e| failed(&self.path, "flush", e))?;
        write_point(Point::PublishSynced)
            .and_then(|()| std::fs::rename(&self.path, &self.target))
            .map_err(|e| failed(&self.target, "rename a new file to", e))?;
        self.committed = true;
        let folder = parent(&self.target);
        let flushed = write_point(Point::PublishRenamed).and_then(|()| flush_folder(folder));
        faults::point(Point::PublishDurable);
        flushed.map_err(|e| failed(folder, "flush", e))
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.committed {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Writes a whole file: readers see the old or the new content, never a part.
///
/// # Errors
/// [`Error::Io`]; then the old file, if any, is unchanged.
pub fn write_bytes_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut staged = Staged::create(path)?;
    staged.write(bytes)?;
    staged.commit()
}

/// The folder that something lies in.
fn parent(path: &Path) -> &Path {
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}

/// Makes the names in a folder durable.
fn flush_folder(folder: &Path) -> std::io::Result<()> {
    use std::io::ErrorKind;
    match File::open(folder).and_then(|f| f.sync_all()) {
        // Some network file systems cannot do it, and need not.
        Err(e) if matches!(e.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        result => result,
    }
}

/// Removes a file, a link, or a folder with all that is in it.
fn remove_any(path: &Path) -> std::io::Result<()> {
    if std::fs::symlink_metadata(path)?.is_dir() {
        scratch::remove_tree(path)
    } else {
        std::fs::remove_file(path)
    }
}

/// A number that no other live process uses, and none of this one used before.
fn unique() -> u64 {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |d| d.as_nanos() as u64);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    // Mixed, so that processes which start at the same time on two machines differ in more than the last digits.
    (now ^ count.rotate_left(40)).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// `.<name>.<pid>-<random>.partial`; a long name is cut to what file systems take.
fn partial_name(name: &OsStr, pid: u32, random: u64) -> std::ffi::OsString {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    let tail = format!(".{pid}-{random:016x}{SUFFIX}");
    let keep = name.len().min(LONGEST_NAME - 1 - tail.len());
    let mut bytes = b".".to_vec();
    bytes.extend_from_slice(&name.as_bytes()[..keep]);
    bytes.extend_from_slice(tail.as_bytes());
    std::ffi::OsString::from_vec(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn the_target_changes_only_at_commit() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.h5");
        std::fs::write(&target, "old").unwrap();
        let mut staged = Staged::create(&target).unwrap();
        staged.write(b"new content").unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"old");
        assert_eq!(staged.path().parent(), target.parent());
        staged.commit().unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"new content");
        assert_eq!(names(folder.path()), ["a.h5"]);
    }

    #[test]
    fn the_lock_keeps_readers_out_at_no_time() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.h5");
        let staged = Staged::create(&target).unwrap();
        // As HDF5 does when it opens a file for reading; the name does not matter to a lock.
        let reader = File::open(staged.path()).unwrap();
        flock(&reader, FlockOperation::NonBlockingLockShared).unwrap();
    }

    #[test]
    fn dropping_removes_the_hidden_file() {
        let folder = tempfile::tempdir().unwrap();
        drop(Staged::create(&folder.path().join("a.h5")).unwrap());
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn a_missing_folder_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = write_bytes_atomically(&folder.path().join("gone/a.h5"), b"x").unwrap_err();
        assert!(error.to_string().contains("gone"), "{error}");
        assert_eq!(error.class(), crate::ErrorClass::Environment);
    }

    #[test]
    fn the_longest_names_still_fit() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("x".repeat(255));
        write_bytes_atomically(&target, b"x").unwrap();
        assert_eq!(names(folder.path()).len(), 1);
    }
}
