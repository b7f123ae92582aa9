//! An open file that is read at given offsets and knows its own size and name.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// A regular file opened for reading. Reads carry their offset, so threads can share it.
#[derive(Debug)]
pub(super) struct Source {
    path: PathBuf,
    file: File,
    len: u64,
}

impl Source {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let io_error = |action, source| Error::Io {
            path: path.to_path_buf(),
            action,
            source,
        };
        let file = plate::foreign::open(path).map_err(|error| {
            if plate::foreign::is_irregular(&error) {
                Error::Unsupported {
                    path: path.to_path_buf(),
                    reason: error.to_string(),
                }
            } else {
                io_error("open", error)
            }
        })?;
        Self::of_file(path.to_path_buf(), file)
    }

    /// Opens a file below `root` without following any link.
    pub(super) fn open_below(root: &Path, relative: &Path) -> Result<Self> {
        let path = root.join(relative);
        match super::open_below(root, relative) {
            Ok(file) => Self::of_file(path, file),
            Err(error) if is_link(&error) => Err(Error::Unsupported {
                path,
                reason: "it is, or lies behind, a symbolic link, and links in watched folders are not followed"
                    .to_owned(),
            }),
            Err(source) => Err(Error::Io {
                path,
                action: "open",
                source,
            }),
        }
    }

    fn of_file(path: PathBuf, file: File) -> Result<Self> {
        let io_error = |action, source| Error::Io {
            path: path.clone(),
            action,
            source,
        };
        let meta = file
            .metadata()
            .map_err(|e| io_error("read the size of", e))?;
        if meta.is_dir() {
            return Err(io_error(
                "open",
                io::Error::from(io::ErrorKind::IsADirectory),
            ));
        }
        if !meta.is_file() {
            return Err(Error::Unsupported {
                path,
                reason: "it is not a regular file".to_owned(),
            });
        }
        Ok(Self {
            path,
            file,
            len: meta.len(),
        })
    }

    pub(super) const fn len(&self) -> u64 {
        self.len
    }

    /// Whether `count` bytes from `offset` lie inside the file.
    pub(super) fn holds(&self, offset: u64, count: u64) -> bool {
        offset.checked_add(count).is_some_and(|end| end <= self.len)
    }

    /// Fills `buffer` from `offset`.
    pub(super) fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        self.file.read_exact_at(buffer, offset).map_err(|source| match source.kind() {
            io::ErrorKind::UnexpectedEof => self.damaged(format!(
                "{} bytes were expected at byte {offset}, but the file ends before (its size was {} when it was opened)",
                buffer.len(),
                self.len
            )),
            _ => Error::Io { path: self.path.clone(), action: "read", source },
        })
    }

    /// The bytes from `offset`, at most `count`, fewer at the end of the file.
    pub(super) fn read_up_to(&self, offset: u64, count: usize) -> Result<Vec<u8>> {
        let left = self.len.saturating_sub(offset);
        let count = usize::try_from(left).map_or(count, |left| left.min(count));
        let mut bytes = vec![0; count];
        self.read_at(offset, &mut bytes)?;
        Ok(bytes)
    }

    pub(super) fn damaged(&self, reason: impl Into<String>) -> Error {
        Error::Damaged {
            path: self.path.clone(),
            reason: reason.into(),
        }
    }

    pub(super) fn unsupported(&self, reason: impl Into<String>) -> Error {
        Error::Unsupported {
            path: self.path.clone(),
            reason: reason.into(),
        }
    }

    pub(super) fn limit(&self, reason: impl Into<String>) -> Error {
        Error::Limit {
            path: self.path.clone(),
            reason: reason.into(),
        }
    }

    pub(super) fn missing(&self, what: impl Into<String>) -> Error {
        Error::Missing {
            path: self.path.clone(),
            what: what.into(),
        }
    }
}

fn is_link(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}

/// A source as a stream, for decoders that want one: nothing but what they ask for is read.
#[derive(Debug)]
pub(super) struct SourceReader<'a> {
    source: &'a Source,
    at: u64,
}

impl<'a> SourceReader<'a> {
    pub(super) const fn new(source: &'a Source) -> Self {
        Self { source, at: 0 }
    }
}

impl Read for SourceReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.file.read_at(buffer, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for SourceReader<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.source.len.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}
