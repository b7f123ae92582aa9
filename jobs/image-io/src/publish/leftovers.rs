//! Removes what killed writers left behind.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::SUFFIX;
use super::scratch::remove_tree;
use super::tree::{aside_of, is_aside, recover};
use crate::{Error, Result};

/// Nothing is written for so long; older partial files are dead wherever their writer ran.
const OLD: Duration = Duration::from_secs(24 * 3600);

/// A writer locks its file right after it made it: a file without a lock that is older than this has no writer.
const UNLOCKED: Duration = Duration::from_secs(10);

/// What was found of hidden files and folders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leftovers {
    /// Deleted: their writers are dead.
    pub removed: usize,
    /// Kept: their writers are alive, or may be.
    pub kept: usize,
}

/// Deletes the hidden files and folders of dead writers in `folder` (not below it), and brings back what one had moved aside.
///
/// Either is kept while somebody holds its lock. Without a holder it goes if its process is not alive here, or if it was not
/// written to for some seconds. Where the file system has no locks, only after a day, because its writer may be on another
/// machine.
///
/// # Errors
/// [`Error::Io`] if the folder cannot be listed. A file that cannot be deleted is left for the next time.
pub fn remove_leftovers(folder: &Path) -> Result<Leftovers> {
    let entries = std::fs::read_dir(folder).map_err(|source| Error::Io {
        path: folder.to_owned(),
        action: "list",
        source,
    })?;
    let mut found = Leftovers::default();
    for entry in entries.flatten() {
        if is_aside(&entry.file_name()) {
            match settle(&entry.path()) {
                Some(true) => found.removed += 1,
                Some(false) => {}
                None => found.kept += 1,
            }
            continue;
        }
        let Some(pid) = writer(&entry.file_name().to_string_lossy()) else {
            continue;
        };
        let path = entry.path();
        let (is_dead, remove): (bool, fn(&Path) -> std::io::Result<()>) = match entry.file_type() {
            Ok(kind) if kind.is_file() => (
                is_dead(OpenOptions::new().write(true).open(&path), pid),
                |p| std::fs::remove_file(p),
            ),
            Ok(kind) if kind.is_dir() => (is_dead(File::open(&path), pid), remove_tree),
            _ => continue,
        };
        if is_dead && remove(&path).is_ok() {
            found.removed += 1;
        } else {
            found.kept += 1;
        }
    }
    Ok(found)
}

/// Brings back an old folder that was moved aside for a new one which never came, or removes it where it came. Whether it was
/// removed; `None` if its writer may be at work.
fn settle(old: &Path) -> Option<bool> {
    let metadata = std::fs::symlink_metadata(old).ok()?;
    // Moving it aside changed this time.
    let moved = SystemTime::UNIX_EPOCH + Duration::from_secs(metadata.ctime().try_into().ok()?);
    let is_old = SystemTime::now()
        .duration_since(moved)
        .is_ok_and(|age| age > UNLOCKED);
    let target = aside_of(old).filter(|_| is_old && metadata.is_dir())?;
    if recover(&target).ok()? {
        return Some(false);
    }
    remove_tree(old).ok().map(|()| true)
}

/// The process id in the name of a hidden file.
fn writer(name: &str) -> Option<u32> {
    let (_, tail) = name
        .strip_prefix('.')?
        .strip_suffix(SUFFIX)?
        .rsplit_once('.')?;
    let (pid, random) = tail.split_once('-')?;
    (random.len() == 16 && random.bytes().all(|b| b.is_ascii_hexdigit())).then_some(())?;
    pid.parse().ok()
}

fn is_dead(opened: std::io::Result<File>, pid: u32) -> bool {
    let Ok(file) = opened else {
        return false;
    };
    let Ok(modified) = file.metadata().and_then(|m| m.modified()) else {
        return false;
    };
    let older_than = |limit| {
        let age = SystemTime::now().duration_since(modified);
        age.is_ok_and(|age| age > limit)
    };
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => !is_alive(pid) || older_than(UNLOCKED),
        Err(Errno::WOULDBLOCK) => false,
        Err(_) => older_than(OLD),
    }
}

fn is_alive(pid: u32) -> bool {
    let Some(pid) = i32::try_from(pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw)
    else {
        return false;
    };
    // A process of another user answers "not permitted": it is alive.
    !matches!(rustix::process::test_kill_process(pid), Err(Errno::SRCH))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::publish::{Staged, partial_name};

    #[test]
    fn only_the_files_of_dead_writers_go() {
        let folder = tempfile::tempdir().unwrap();
        let alive = Staged::create(&folder.path().join("alive.h5")).unwrap();
        // No Linux process gets an id this large.
        let dead = folder
            .path()
            .join(partial_name("dead,1.h5".as_ref(), 999_999_999, 7));
        let stranger = folder.path().join(".notes.partial");
        for path in [&dead, &stranger] {
            std::fs::write(path, "x").unwrap();
        }
        assert_eq!(
            remove_leftovers(folder.path()).unwrap(),
            Leftovers {
                removed: 1,
                kept: 1
            }
        );
        assert!(!dead.exists());
        assert!(stranger.exists() && alive.path().exists());
    }

    #[test]
    fn a_locked_file_is_kept_though_its_process_is_unknown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder
            .path()
            .join(partial_name("a.h5".as_ref(), 999_999_999, 7));
        let elsewhere = File::create(&path).unwrap();
        flock(&elsewhere, FlockOperation::LockExclusive).unwrap();
        assert_eq!(
            remove_leftovers(folder.path()).unwrap(),
            Leftovers {
                removed: 0,
                kept: 1
            }
        );
        drop(elsewhere);
        assert_eq!(
            remove_leftovers(folder.path()).unwrap(),
            Leftovers {
                removed: 1,
                kept: 0
            }
        );
    }

    #[test]
    fn names_without_a_process_are_left_alone() {
        assert_eq!(writer(".a.h5.12-0123456789abcdef.partial"), Some(12));
        for name in [
            "a.h5",
            ".a.h5.partial",
            ".a.12-xyz.partial",
            "a.12-0123456789abcdef.partial",
            ".12-0123456789abcdef.partial",
        ] {
            assert_eq!(writer(name), None, "{name}");
        }
    }
}
