//! Opening a file below a folder without following any symbolic link.
//!
//! Whoever may write into a watched folder may put a link there, also in place of a folder that was looked at a moment
//! ago. The kernel therefore walks the path itself and refuses every link; nothing is checked before and used after.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Component, Path};

use rustix::fs::{Mode, OFlags, ResolveFlags, open, openat, openat2};
use rustix::io::Errno;

/// For the file itself. Without `NONBLOCK` opening a named pipe would wait for a writer for ever.
const FILE: OFlags = OFlags::RDONLY
    .union(OFlags::CLOEXEC)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY);
/// For the folders on the way.
const FOLDER: OFlags = OFlags::PATH.union(OFlags::CLOEXEC).union(OFlags::DIRECTORY);

/// Opens `relative` below `root` for reading. `root` itself may be a link, or lie behind one.
///
/// # Errors
/// `ELOOP` (or `ENOTDIR` for a link in place of a folder) if any part of `relative` is a link, `EINVAL` if it is empty,
/// absolute or has `..`; otherwise those of open(2).
pub fn open_below(root: &Path, relative: &Path) -> io::Result<File> {
    let plain = relative
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    if !plain || relative.as_os_str().is_empty() {
        return Err(Errno::INVAL.into());
    }
    let folder = open(root, FOLDER, Mode::empty())?;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    match openat2(&folder, relative, FILE, Mode::empty(), resolve) {
        // Kernels before 5.6, and sandboxes that do not know the call.
        Err(Errno::NOSYS | Errno::PERM) => step_by_step(folder, relative),
        result => Ok(File::from(result?)),
    }
}

/// The same with one call a folder.
fn step_by_step(mut folder: OwnedFd, relative: &Path) -> io::Result<File> {
    let mut parts = relative.components().peekable();
    while let Some(part) = parts.next() {
        let name = part.as_os_str();
        if parts.peek().is_none() {
            return Ok(File::from(openat(&folder, name, FILE, Mode::empty())?));
        }
        folder = openat(&folder, name, FOLDER | OFlags::NOFOLLOW, Mode::empty())?;
    }
    Err(Errno::INVAL.into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::fs;
    use std::io::Read;
    use std::os::unix::fs::symlink;

    fn both(root: &Path, relative: &str) -> [io::Result<File>; 2] {
        let folder = open(root, FOLDER, Mode::empty()).unwrap();
        [
            open_below(root, relative.as_ref()),
            step_by_step(folder, relative.as_ref()),
        ]
    }

    #[test]
    fn no_link_is_followed_wherever_it_stands() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("a.tif"), "secret").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("root/p")).unwrap();
        fs::write(at("root/p/a.tif"), "mine").unwrap();
        symlink(outside.path().join("a.tif"), at("root/p/link.tif")).unwrap();
        symlink("a.tif", at("root/p/inside.tif")).unwrap();
        symlink(outside.path(), at("root/q")).unwrap();
        symlink(at("root"), at("alias")).unwrap();
        // The root may be a link: a person configured it.
        for root in ["root", "alias"] {
            for file in both(&at(root), "p/a.tif") {
                let mut text = String::new();
                file.unwrap().read_to_string(&mut text).unwrap();
                assert_eq!(text, "mine");
            }
        }
        for link in ["p/link.tif", "p/inside.tif", "q/a.tif"] {
            for file in both(&at("root"), link) {
                let code = file.unwrap_err().raw_os_error();
                let codes = [Errno::LOOP, Errno::NOTDIR].map(|e| Some(e.raw_os_error()));
                assert!(codes.contains(&code), "{link}: {code:?}");
            }
        }
        for odd in ["", "/etc/passwd", "../root/p/a.tif", "p/../p/a.tif"] {
            assert!(open_below(&at("root"), odd.as_ref()).is_err(), "{odd}");
        }
    }
}
