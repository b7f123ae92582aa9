//! Folders that are entered by their handle, so that no link is followed and a folder which is replaced meanwhile stays the
//! one that was opened.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, fstat, open, openat, statat};
use rustix::io::Errno;

const FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::CLOEXEC)
    .union(OFlags::DIRECTORY);
/// Without `NONBLOCK` opening a named pipe would wait for a writer for ever.
const FILE: OFlags = OFlags::RDONLY
    .union(OFlags::CLOEXEC)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY);

/// What an entry of a folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Folder,
    File,
    /// A link, a pipe, a socket, a device.
    Other,
}

/// An open folder.
#[derive(Debug)]
pub struct Folder(OwnedFd);

impl Folder {
    /// Opens a folder by its path, in which links are followed: it is where somebody said that it is.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(open(path, FOLDER, Mode::empty())?))
    }

    /// A folder in this one. `None` if there is nothing of that name, or a file; [`io::ErrorKind::InvalidInput`] for a link.
    pub fn folder(&self, name: impl AsRef<OsStr>) -> io::Result<Option<Self>> {
        let name = name.as_ref();
        match openat(&self.0, name, FOLDER | OFlags::NOFOLLOW, Mode::empty()) {
            Ok(fd) => Ok(Some(Self(fd))),
            Err(Errno::NOENT | Errno::NAMETOOLONG) => Ok(None),
            Err(Errno::NOTDIR | Errno::LOOP) => match self.kind_of(name)? {
                Some(Kind::Other) => Err(odd()),
                _ => Ok(None),
            },
            Err(error) => Err(error.into()),
        }
    }

    /// The folder at a path below this one; the same errors.
    pub fn descend(&self, path: &str) -> io::Result<Option<Self>> {
        let mut found = Self(self.0.try_clone()?);
        for part in path.split('/').filter(|part| !part.is_empty()) {
            if !is_name(part) {
                return Ok(None);
            }
            match found.folder(part)? {
                Some(inner) => found = inner,
                None => return Ok(None),
            }
        }
        Ok(Some(found))
    }

    /// A file in this folder. `None` if there is nothing of that name; [`io::ErrorKind::InvalidInput`] for what is no file.
    pub fn file(&self, name: impl AsRef<OsStr>) -> io::Result<Option<File>> {
        match openat(&self.0, name.as_ref(), FILE, Mode::empty()) {
            Ok(fd) => {
                let file = File::from(fd);
                if file.metadata()?.is_file() {
                    Ok(Some(file))
                } else {
                    Err(odd())
                }
            }
            Err(Errno::NOENT) => Ok(None),
            Err(Errno::LOOP | Errno::NXIO) => Err(odd()),
            Err(error) => Err(error.into()),
        }
    }

    /// The whole of a small file. [`io::ErrorKind::InvalidInput`] if it has more than `most` bytes.
    pub fn read(&self, name: &str, most: u64) -> io::Result<Option<Vec<u8>>> {
        let Some(file) = self.file(name)? else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        // The size is asked of the bytes that come: the file may grow while it is read.
        file.take(most + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > most {
            let why = format!("larger than {most} bytes, which no such file is");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        Ok(Some(bytes))
    }

    /// All entries, sorted by name. [`io::ErrorKind::InvalidInput`] if there are more than `most`.
    pub fn entries(&self, most: usize) -> io::Result<Vec<(OsString, Kind)>> {
        let mut found = Vec::new();
        for entry in Dir::read_from(&self.0)? {
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name == "." || name == ".." {
                continue;
            }
            let kind = match entry.file_type() {
                // Some file systems do not tell.
                FileType::Unknown => match self.kind_of(name)? {
                    Some(kind) => kind,
                    None => continue,
                },
                told => kind(told),
            };
            if found.len() >= most {
                let why = format!("a folder of more than {most} entries");
                return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
            }
            found.push((name.to_owned(), kind));
        }
        found.sort();
        Ok(found)
    }

    /// Size of a file in this folder; 0 if it is not there.
    pub fn size_of(&self, name: impl AsRef<OsStr>) -> io::Result<u64> {
        match statat(&self.0, name.as_ref(), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(u64::try_from(stat.st_size).unwrap_or(0)),
            Err(Errno::NOENT) => Ok(0),
            Err(error) => Err(error.into()),
        }
    }

    /// Device and number of the folder: who it is, whatever its name.
    pub fn identity(&self) -> io::Result<(u64, u64)> {
        let stat = fstat(&self.0)?;
        Ok((stat.st_dev, stat.st_ino))
    }

    fn kind_of(&self, name: &OsStr) -> io::Result<Option<Kind>> {
        match statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(kind(FileType::from_raw_mode(stat.st_mode)))),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl AsFd for Folder {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Whether a part of a path is the name of a group or dataset, and not a way out of the folder.
pub fn is_name(part: &str) -> bool {
    !(part.is_empty()
        || part == "."
        || part == ".."
        || part == super::ATTRIBUTES
        || part.len() > 255
        || part.contains(['/', '\0']))
}

fn kind(told: FileType) -> Kind {
    match told {
        FileType::Directory => Kind::Folder,
        FileType::RegularFile => Kind::File,
        _ => Kind::Other,
    }
}

fn odd() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidInput,
        "a link or a device, which is not followed",
    )
}
