//! Removes what killed writers left behind.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::SUFFIX;
use crate::{Error, Result};

/// Nothing is written for so long; older partial files are dead wherever their writer ran.
const OLD: Duration = Duration::from_secs(24 * 3600);

/// Deletes the hidden files of dead writers in `folder` (not below it) and returns how many there were.
///
/// A file is kept while somebody holds its lock. Without a holder it goes if its process is not alive here, if it is older
/// than the last start of the machine, or after a day. Where the file system has no locks, only after a day, because its
/// writer may be on another machine.
///
/// # Errors
/// [`Error::Io`] if the folder cannot be listed. A file that cannot be deleted is left for the next time.
pub fn remove_leftovers(folder: &Path) -> Result<usize> {
    let mut removed = 0;
    for (path, pid) in hidden(folder)? {
        if is_dead(&path, pid) && std::fs::remove_file(&path).is_ok() {
            removed += 1;
        }
    }
    Ok(removed)
}

/// The hidden files in `folder`, of live writers and dead ones.
///
/// # Errors
/// [`Error::Io`] if the folder cannot be listed.
pub fn leftovers(folder: &Path) -> Result<Vec<PathBuf>> {
    Ok(hidden(folder)?.into_iter().map(|(path, _)| path).collect())
}

/// Hidden files with the process ids in their names.
fn hidden(folder: &Path) -> Result<Vec<(PathBuf, u32)>> {
    let entries = std::fs::read_dir(folder).map_err(|source| Error::Io {
        path: folder.to_owned(),
        action: "list",
        source,
    })?;
    let found = |entry: std::fs::DirEntry| {
        let pid = writer(&entry.file_name().to_string_lossy())?;
        entry
            .file_type()
            .is_ok_and(|t| t.is_file())
            .then(|| (entry.path(), pid))
    };
    Ok(entries.flatten().filter_map(found).collect())
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

fn is_dead(path: &Path, pid: u32) -> bool {
    let Ok(file) = OpenOptions::new().write(true).open(path) else {
        return false;
    };
    let Ok(modified) = file.metadata().and_then(|m| m.modified()) else {
        return false;
    };
    let is_old = SystemTime::now()
        .duration_since(modified)
        .is_ok_and(|age| age > OLD);
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => is_old || !is_alive(pid) || started().is_some_and(|start| modified < start),
        Err(Errno::WOULDBLOCK) => false,
        Err(_) => is_old,
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

/// When the machine started.
fn started() -> Option<SystemTime> {
    let text = std::fs::read_to_string("/proc/stat").ok()?;
    let seconds = text
        .lines()
        .find_map(|l| l.strip_prefix("btime "))?
        .trim()
        .parse()
        .ok()?;
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
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
        assert_eq!(remove_leftovers(folder.path()).unwrap(), 1);
        assert!(!dead.exists());
        assert!(stranger.exists() && alive.path().exists());
    }

    #[test]
    fn a_locked_file_is_kept_though_its_process_is_unknown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder
            .path()
            .join(partial_name("a.h5".as_ref(), 999_999_999, 7));
        let elsewhere = std::fs::File::create(&path).unwrap();
        flock(&elsewhere, FlockOperation::LockExclusive).unwrap();
        assert_eq!(remove_leftovers(folder.path()).unwrap(), 0);
        assert_eq!(leftovers(folder.path()).unwrap(), [path]);
        drop(elsewhere);
        assert_eq!(remove_leftovers(folder.path()).unwrap(), 1);
        assert!(leftovers(folder.path()).unwrap().is_empty());
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
