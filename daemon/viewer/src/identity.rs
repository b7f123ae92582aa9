//! Which state of a file an answer speaks of.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::{Error, Question, Result};

/// A published file or folder as it was at one moment. Whatever is published is a new file or folder, never one written in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

impl Identity {
    /// Looks at a file or folder. May block.
    ///
    /// # Errors
    /// [`Error::NoContainer`] if it is not there, [`Error::Io`].
    pub fn of(path: &Path) -> Result<Self> {
        match std::fs::metadata(path) {
            Ok(meta) => Ok(Self {
                device: meta.dev(),
                inode: meta.ino(),
                size: meta.size(),
                modified: (meta.mtime(), meta.mtime_nsec()),
            }),
            Err(error)
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
                ) =>
            {
                Err(Error::NoContainer {
                    path: path.to_owned(),
                })
            }
            Err(error) => Err(Error::io(format!("look at `{}`", path.display()), error)),
        }
    }

    /// Names this state: it changes whenever something is published.
    #[must_use]
    pub fn version(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        // An answer may change with the program that gives it.
        env!("CARGO_PKG_VERSION").hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }

    /// Names the answer to a question about this state: equal only if both are.
    #[must_use]
    pub fn tag(&self, question: &Question) -> String {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        serde_json::to_string(question)
            .unwrap_or_default()
            .hash(&mut hasher);
        env!("CARGO_PKG_VERSION").hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_version_stays_until_something_is_published() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.h5");
        let publish = |bytes: &[u8]| {
            let aside = folder.path().join("c.h5.new");
            std::fs::write(&aside, bytes).unwrap();
            std::fs::rename(&aside, &path).unwrap();
            Identity::of(&path).unwrap().version()
        };
        let first = publish(b"one");
        assert_eq!(first.len(), 16);
        assert_eq!(Identity::of(&path).unwrap().version(), first);
        assert_ne!(publish(b"three"), first);
    }
}
