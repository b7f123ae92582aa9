//! Opening files that strangers put into a watched folder.
//!
//! A name says nothing about what is behind it: a pipe blocks its reader for ever, a device never ends, a symbolic link
//! leads out of the folder, and a file grows while it is read.

mod xml;

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use rustix::fs::{Mode, OFlags};

pub use xml::{XmlLimits, parse_xml};

/// Opens a regular file for reading, and nothing else; a symbolic link is followed.
///
/// Opening never waits: a named pipe is opened without waiting for its writer, and then refused.
///
/// # Errors
/// Those of the system; [`io::ErrorKind::IsADirectory`] for a folder; [`io::ErrorKind::InvalidInput`] for anything else that is
/// no regular file, with its kind in the message ([`is_irregular`]).
pub fn open(path: &Path) -> io::Result<File> {
    open_with(path, OFlags::empty())
}

/// As [`open`], but a name that is itself a symbolic link is refused: for files that are found by their names beside the
/// images, and so could be made to lead anywhere.
///
/// # Errors
/// As [`open`].
pub fn open_no_link(path: &Path) -> io::Result<File> {
    open_with(path, OFlags::NOFOLLOW)
}

/// Whether an error of [`open`] says that the name is something else than a regular file.
#[must_use]
pub fn is_irregular(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::InvalidInput
}

/// Reads a whole file that is no link and has at most `limit` bytes. `Err(Ok(bytes))` tells the size of one that has more.
///
/// # Errors
/// As [`open_no_link`], wrapped in `Err`; a file above the limit gives `Ok(size)` inside the error.
pub fn read_limited(path: &Path, limit: u64) -> Result<Vec<u8>, Result<u64, io::Error>> {
    let file = open_no_link(path).map_err(Err)?;
    let known = file.metadata().map_err(Err)?.len();
    if known > limit {
        return Err(Ok(known));
    }
    let mut bytes = Vec::new();
    // The size is asked of the bytes that come: the file may grow while it is read.
    file.take(limit + 1).read_to_end(&mut bytes).map_err(Err)?;
    if bytes.len() as u64 > limit {
        return Err(Ok(bytes.len() as u64));
    }
    Ok(bytes)
}

fn open_with(path: &Path, more: OFlags) -> io::Result<File> {
    // Asked before opening, because opening a device can already do something (rewind a tape).
    let before = if more.contains(OFlags::NOFOLLOW) {
        fs::symlink_metadata(path)?
    } else {
        fs::metadata(path)?
    };
    check(before.file_type())?;
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY | more;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    // Asked again of what is open: the name may have come to mean something else in between.
    check(file.metadata()?.file_type())?;
    Ok(file)
}

fn check(kind: fs::FileType) -> io::Result<()> {
    if kind.is_file() {
        return Ok(());
    }
    if kind.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let what = if kind.is_symlink() {
        "a symbolic link, which is not followed"
    } else if kind.is_fifo() {
        "a named pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    };
    Err(io::Error::new(
        io::ErrorKind::InvalidInput,
        format!("it is not a regular file but {what}"),
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_regular_files_are_opened_and_nothing_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), "abc").unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            at("pipe"),
            rustix::fs::FileType::Fifo,
            Mode::RWXU,
            0,
        )
        .unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        for (name, target) in [
            ("link", "file"),
            ("to-pipe", "pipe"),
            ("to-device", "/dev/zero"),
        ] {
            std::os::unix::fs::symlink(target, at(name)).unwrap();
        }
        assert!(open(&at("file")).is_ok() && open(&at("link")).is_ok());
        for (name, word) in [
            ("pipe", "pipe"),
            ("socket", "socket"),
            ("to-pipe", "pipe"),
            ("to-device", "device"),
        ] {
            let error = open(&at(name)).unwrap_err();
            assert!(
                is_irregular(&error) && error.to_string().contains(word),
                "{name}: {error}"
            );
        }
        for name in ["link", "to-pipe", "to-device"] {
            let error = open_no_link(&at(name)).unwrap_err();
            assert!(
                is_irregular(&error) && error.to_string().contains("link"),
                "{name}: {error}"
            );
        }
        assert_eq!(
            open(folder.path()).unwrap_err().kind(),
            io::ErrorKind::IsADirectory
        );
        assert_eq!(
            open(&at("absent")).unwrap_err().kind(),
            io::ErrorKind::NotFound
        );
    }

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "abcd").unwrap();
        assert_eq!(read_limited(&path, 4).unwrap(), b"abcd");
        assert!(matches!(read_limited(&path, 3), Err(Ok(4))));
        // A hole of a terabyte costs nothing.
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_len(1 << 40)
            .unwrap();
        assert!(matches!(read_limited(&path, 1 << 20), Err(Ok(size)) if size == 1 << 40));
        assert!(matches!(
            read_limited(&folder.path().join("absent"), 3),
            Err(Err(_))
        ));
    }
}
