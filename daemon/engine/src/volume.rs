//! Free space of the file systems that are written to.

use std::path::{Path, PathBuf};

/// A file system that is written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// A folder on it, or one that will be there.
    pub folder: PathBuf,
    /// Bytes that may still be written.
    pub free: u64,
    /// Its size in bytes.
    pub total: u64,
}

impl Volume {
    /// The volume that a folder lies on, or will lie on once it is made. `None` where the system does not say.
    #[must_use]
    pub fn of(folder: &Path) -> Option<Self> {
        let existing = folder.ancestors().find(|p| p.exists())?;
        let stat = rustix::fs::statvfs(existing).ok()?;
        Some(Self {
            folder: folder.to_owned(),
            free: stat.f_bavail.saturating_mul(stat.f_frsize),
            total: stat.f_blocks.saturating_mul(stat.f_frsize),
        })
    }
}
