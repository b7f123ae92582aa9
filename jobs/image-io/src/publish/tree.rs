//! Publishing a folder: written aside, everything in it flushed, then put into its place in one step.

mod swap;

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use faults::{Point, write_point};
use rustix::fs::{AtFlags, CWD, FlockOperation, Mode, OFlags, flock, linkat, openat};
use rustix::io::Errno;

pub(crate) use swap::{aside, recover};
pub(super) use swap::{aside_of, is_aside};

use super::{flush_folder, partial_name, remove_any, unique};
use crate::{Error, Result};

/// Files that are written and flushed at a time: a file system makes one commit of what is flushed together.
const WRITERS: usize = 16;

/// A hidden folder beside its target, removed when dropped unless it was committed.
///
/// Named and locked as a [`super::Staged`] file, so [`super::remove_leftovers`] finds what a killed writer left.
#[derive(Debug)]
pub(crate) struct StagedTree {
    path: PathBuf,
    target: PathBuf,
    /// Below `path`; to be flushed.
    folders: Vec<PathBuf>,
    bytes: u64,
    links: usize,
    _lock: File,
    committed: bool,
}

impl StagedTree {
    /// Creates the hidden folder in the folder of `target`, which must exist.
    ///
    /// # Errors
    /// [`Error::Io`] if `target` has no file name, or its folder is missing, full or not writable.
    pub fn create(target: &Path) -> Result<Self> {
        let Some(name) = target.file_name() else {
            return Err(failed(target, "create", io::ErrorKind::InvalidInput.into()));
        };
        loop {
            let path = target.with_file_name(partial_name(name, std::process::id(), unique()));
            match DirBuilder::new().create(&path) {
                Ok(()) => {
                    let lock = File::open(&path).map_err(|e| failed(&path, "create", e))?;
                    // Where locks do not exist the process id has to do.
                    let _ = flock(&lock, FlockOperation::NonBlockingLockShared);
                    let staged = Self {
                        path,
                        target: target.to_owned(),
                        folders: vec![PathBuf::new()],
                        bytes: 0,
                        links: 0,
                        _lock: lock,
                        committed: false,
                    };
                    write_point(Point::PublishCreated)
                        .map_err(|e| failed(&staged.path, "create", e))?;
                    return Ok(staged);
                }
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(failed(&path, "create", e)),
            }
        }
    }

    /// Where the hidden folder is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Number of files that [`Self::link`] took over.
    pub const fn links(&self) -> usize {
        self.links
    }

    /// Makes a folder; its parent must be there. One that is there already is fine.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn add_folder(&mut self, relative: &Path) -> Result<()> {
        if relative.as_os_str().is_empty() {
            return Ok(());
        }
        let path = self.path.join(relative);
        match DirBuilder::new().create(&path) {
            Ok(()) => {
                self.folders.push(relative.to_owned());
                Ok(())
            }
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
            Err(e) => Err(failed(&path, "create", e)),
        }
    }

    /// Writes files, makes the folders on the way to them, and flushes the files, several at a time.
    ///
    /// # Errors
    /// [`Error::Io`], for example if the disk is full, or a file is there already.
    pub fn write(&mut self, files: &[(PathBuf, Vec<u8>)]) -> Result<()> {
        for (file, bytes) in files {
            self.bytes += bytes.len() as u64;
            let parents: Vec<&Path> = file.ancestors().skip(1).collect();
            // Sorted as they are, most files lie where the one before does.
            if parents
                .first()
                .is_some_and(|p| self.folders.last().is_some_and(|f| f == p))
            {
                continue;
            }
            for parent in parents.into_iter().rev() {
                self.add_folder(parent)?;
            }
        }
        // In two halves only where a test may want to see what becomes of one.
        let half = if faults::ENABLED {
            files.len() / 2
        } else {
            files.len()
        };
        let (first, second) = files.split_at(half);
        self.write_part(first)?;
        write_point(Point::PublishHalf).map_err(|e| failed(&self.path, "write", e))?;
        self.write_part(second)
    }

    fn write_part(&self, files: &[(PathBuf, Vec<u8>)]) -> Result<()> {
        together(files, |(relative, bytes)| {
            let path = self.path.join(relative);
            let written = OpenOptions::new()
                .write(true)
                .create_new(true)
                .open(&path)
                .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
            written.map_err(|e| failed(&path, "write", e))
        })
    }

    /// Gives a file of another folder a name in this one too; where the file system has no such links, or refuses this one, the
    /// file is copied. What lies on disk already is not flushed again.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn link(&mut self, from: impl AsFd, name: &std::ffi::OsStr, relative: &Path) -> Result<()> {
        let path = self.path.join(relative);
        self.links += 1;
        let size = |path: &Path| std::fs::symlink_metadata(path).map(|m| m.len());
        let linked = match linkat(&from, name, CWD, &path, AtFlags::empty()) {
            Ok(()) => size(&path),
            Err(
                Errno::PERM
                | Errno::XDEV
                | Errno::MLINK
                | Errno::OPNOTSUPP
                | Errno::NOSYS
                | Errno::ACCESS,
            ) => copy(from, name, &path),
            Err(error) => Err(error.into()),
        };
        self.bytes += linked.map_err(|e| failed(&path, "create", e))?;
        Ok(())
    }

    /// Makes the folders durable, gives the folder the target's name, makes that durable too, and removes what had the name
    /// before. Returns the bytes of all files.
    ///
    /// # Errors
    /// [`Error::Io`]; then the target is as it was. Only if the last step fails (flushing the folder around it) the new one is in
    /// place, and may be gone after a power loss.
    pub fn commit(mut self) -> Result<u64> {
        write_point(Point::PublishWritten).map_err(|e| failed(&self.path, "flush", e))?;
        together(&self.folders, |relative| {
            let path = self.path.join(relative);
            flush_folder(&path).map_err(|e| failed(&path, "flush", e))
        })?;
        let old = write_point(Point::PublishSynced)
            .and_then(|()| swap::swap(&self.path, &self.target))
            .map_err(|e| failed(&self.target, "rename a new folder to", e))?;
        self.committed = true;
        let around = super::parent(&self.target);
        let flushed = write_point(Point::PublishRenamed).and_then(|()| flush_folder(around));
        faults::point(Point::PublishDurable);
        flushed.map_err(|e| failed(around, "flush", e))?;
        if let Some(old) = old {
            // Whoever looks for leftovers next tries again.
            let _ = remove_any(&old);
        }
        Ok(self.bytes)
    }
}

impl Drop for StagedTree {
    fn drop(&mut self) {
        if !self.committed {
            let _ = remove_any(&self.path);
        }
    }
}

fn copy(from: impl AsFd, name: &std::ffi::OsStr, to: &Path) -> io::Result<u64> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let source = File::from(openat(from, name, flags, Mode::empty())?);
    let length = source.metadata()?.len();
    let mut target = OpenOptions::new().write(true).create_new(true).open(to)?;
    let copied = io::copy(&mut source.take(length), &mut target)?;
    target.sync_all()?;
    Ok(copied)
}

/// Does the same to all items, several at a time. After the first error no new one is begun.
fn together<T: Sync>(items: &[T], each: impl Fn(&T) -> Result<()> + Sync) -> Result<()> {
    let (next, error) = (AtomicUsize::new(0), Mutex::new(None));
    let work = || {
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(e) = each(item) {
                next.store(items.len(), Ordering::Relaxed);
                error
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .get_or_insert(e);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..WRITERS.min(items.len()) {
            // Fewer threads than wanted only take longer.
            let _ = std::thread::Builder::new().spawn_scoped(scope, work);
        }
        work();
    });
    match error.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

fn failed(path: &Path, action: &'static str, source: io::Error) -> Error {
    Error::Io {
        path: path.to_owned(),
        action,
        source,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn publish(target: &Path, content: &str) -> u64 {
        let mut staged = StagedTree::create(target).unwrap();
        let files: Vec<_> = (0..40)
            .map(|i| (PathBuf::from(format!("{}/{i}", i % 3)), content.into()))
            .collect();
        staged.write(&files).unwrap();
        staged.commit().unwrap()
    }

    #[test]
    fn the_target_changes_only_at_commit_and_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.n5");
        assert_eq!(publish(&target, "old"), 120);
        let mut staged = StagedTree::create(&target).unwrap();
        staged.write(&[("x/y".into(), "new".into())]).unwrap();
        assert_eq!(names(&target), ["0", "1", "2"]);
        assert_eq!(staged.path().parent(), target.parent());
        staged.commit().unwrap();
        assert_eq!(names(&target), ["x"]);
        assert_eq!(names(folder.path()), ["a.n5"]);
        // A file or a link in its place is replaced, not followed.
        let other = folder.path().join("b.n5");
        std::os::unix::fs::symlink(&target, &other).unwrap();
        publish(&other, "new");
        assert!(!other.is_symlink());
        assert_eq!(names(&target), ["x"]);
        assert_eq!(names(folder.path()), ["a.n5", "b.n5"]);
    }

    #[test]
    fn dropping_removes_the_hidden_folder() {
        let folder = tempfile::tempdir().unwrap();
        let mut staged = StagedTree::create(&folder.path().join("a.n5")).unwrap();
        staged.write(&[("x/y".into(), "new".into())]).unwrap();
        drop(staged);
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn a_linked_file_survives_the_folder_that_it_came_from() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.n5");
        publish(&target, "kept");
        let mut staged = StagedTree::create(&target).unwrap();
        let from = File::open(target.join("0")).unwrap();
        staged.link(&from, "0".as_ref(), "kept".as_ref()).unwrap();
        assert_eq!(staged.commit().unwrap(), 4);
        assert_eq!(names(&target), ["kept"]);
        assert_eq!(fs::read(target.join("kept")).unwrap(), b"kept");
        assert_eq!(
            copy(
                File::open(&target).unwrap(),
                "kept".as_ref(),
                &target.join("copy")
            )
            .unwrap(),
            4
        );
    }
}
