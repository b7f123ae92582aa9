//! Putting a folder into the place of another.
//!
//! Linux exchanges two names in one step on local file systems (ext4, xfs, btrfs, tmpfs, overlayfs). NFS, SMB and FUSE cannot:
//! there the old folder is moved aside, to `.<name>.old`, and the new one into its place. Between these two steps the name
//! leads nowhere, for well under a millisecond; a reader never finds half a folder. A writer that dies just there leaves the
//! old folder aside, whole, and [`recover`] moves it back.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::failed;
use crate::Result;
use crate::publish::{flush_folder, parent, remove_any};

/// The end of the name of an old folder that is aside.
const OLD: &str = ".old";

/// Gives `new` the name `target`. Returns where the one is now that had it.
pub(super) fn swap(new: &Path, target: &Path) -> io::Result<Option<PathBuf>> {
    match std::fs::symlink_metadata(target) {
        Ok(_) => {}
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            std::fs::rename(new, target)?;
            // What a writer that died left aside is older than what is published now.
            return Ok(aside(target));
        }
        Err(e) => return Err(e),
    }
    match renameat_with(CWD, new, CWD, target, RenameFlags::EXCHANGE) {
        Ok(()) => Ok(Some(new.to_owned())),
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => two_steps(new, target).map(Some),
        Err(e) => Err(e.into()),
    }
}

/// The same where names cannot be exchanged.
fn two_steps(new: &Path, target: &Path) -> io::Result<PathBuf> {
    let old = aside_name(target)?;
    // The target is there: what lies aside is of no use any more.
    match remove_any(&old) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    std::fs::rename(target, &old)?;
    if let Err(error) = std::fs::rename(new, target) {
        // If that fails too, the old folder is found where it is.
        let _ = std::fs::rename(&old, target);
        return Err(error);
    }
    Ok(old)
}

/// Where the old folder is while the new one is put into its place.
fn aside_name(target: &Path) -> io::Result<PathBuf> {
    let name = target.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(OLD);
    Ok(target.with_file_name(hidden))
}

/// An old folder that is aside.
pub(crate) fn aside(target: &Path) -> Option<PathBuf> {
    let path = aside_name(target).ok()?;
    let is_folder = std::fs::symlink_metadata(&path).is_ok_and(|m| m.is_dir());
    is_folder.then_some(path)
}

/// Whether a name is that of an old N5 folder that is aside.
pub(in crate::publish) fn is_aside(name: &OsStr) -> bool {
    let bytes = name.as_bytes();
    bytes.starts_with(b".") && bytes.to_ascii_lowercase().ends_with(b".n5.old")
}

/// The target of a folder that is aside.
pub(in crate::publish) fn aside_of(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.as_bytes();
    let name = name.strip_prefix(b".")?.strip_suffix(OLD.as_bytes())?;
    Some(path.with_file_name(OsStr::from_bytes(name)))
}

/// Moves an old folder back whose writer died before the new one was in its place. Whether there was one.
///
/// Only for the one who may write the target: for another it would look the same while the writer is at work.
///
/// # Errors
/// [`crate::Error::Io`] if it cannot be renamed.
pub(crate) fn recover(target: &Path) -> Result<bool> {
    let is_gone =
        std::fs::symlink_metadata(target).is_err_and(|e| e.kind() == io::ErrorKind::NotFound);
    let Some(old) = is_gone.then(|| aside(target)).flatten() else {
        return Ok(false);
    };
    std::fs::rename(&old, target)
        .and_then(|()| flush_folder(parent(target)))
        .map_err(|e| failed(target, "rename the old folder back to", e))?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;

    use super::*;

    fn folder_with(path: &Path, content: &str) {
        fs::create_dir(path).unwrap();
        fs::write(path.join("file"), content).unwrap();
    }

    fn content(path: &Path) -> String {
        fs::read_to_string(path.join("file")).unwrap()
    }

    #[test]
    fn two_steps_do_what_one_does() {
        let folder = tempfile::tempdir().unwrap();
        let (new, target) = (folder.path().join(".new"), folder.path().join("a.n5"));
        for run in [swap, |n: &Path, t: &Path| two_steps(n, t).map(Some)] {
            folder_with(&target, "old");
            folder_with(&new, "new");
            let old = run(&new, &target).unwrap().unwrap();
            assert_eq!(
                (content(&target), content(&old)),
                ("new".into(), "old".into())
            );
            fs::remove_dir_all(&target).unwrap();
            fs::remove_dir_all(&old).unwrap();
        }
        // What a writer left there that died after both steps is in nobody's way.
        folder_with(&target, "old");
        folder_with(&folder.path().join(".a.n5.old"), "older");
        folder_with(&new, "new");
        let old = two_steps(&new, &target).unwrap();
        assert_eq!(
            (content(&target), content(&old)),
            ("new".into(), "old".into())
        );
        // If the second step fails, the first is undone.
        assert!(two_steps(&new, &target).is_err());
        assert_eq!(content(&target), "new");
    }

    #[test]
    fn a_writer_that_died_between_the_steps_loses_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.n5");
        assert!(!recover(&target).unwrap());
        let aside_path = folder.path().join(".a.n5.old");
        folder_with(&aside_path, "old");
        assert_eq!(aside(&target).as_ref(), Some(&aside_path));
        assert_eq!(aside_of(&aside_path).as_ref(), Some(&target));
        assert!(recover(&target).unwrap());
        assert_eq!(content(&target), "old");
        // With a target there is nothing to bring back.
        folder_with(&aside_path, "older");
        assert!(!recover(&target).unwrap());
        assert_eq!(content(&target), "old");
    }
}
