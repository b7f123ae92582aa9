//! What was read last from a few files, as long as they are what they were: every image set of a plate reads the same ones.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use crate::error::Failure;

/// Entries that are remembered.
const MOST: usize = 8;

/// A file as it was when something was read from it: inode, time, size.
type Stamp = (u64, SystemTime, u64);

/// A file, and what was read from it.
type Key = (PathBuf, String);

/// The memory.
pub(crate) struct Recent<T>(Mutex<HashMap<Key, (Stamp, Arc<T>)>>);

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Recent<T> {
    /// What `read` gave when the file was last another one.
    pub(crate) fn get(
        &self,
        path: &Path,
        name: &str,
        read: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<Arc<T>, Failure> {
        let now = stamp(path)?;
        let mut known = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let key = (path.to_owned(), name.to_owned());
        if let Some((then, value)) = known.get(&key)
            && *then == now
        {
            return Ok(Arc::clone(value));
        }
        let value = Arc::new(read()?);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(key, (now, Arc::clone(&value)));
        Ok(value)
    }
}

fn stamp(path: &Path) -> Result<Stamp, Failure> {
    let meta = std::fs::metadata(path).map_err(|source| image_io::Error::Io {
        path: path.to_owned(),
        action: "open",
        source,
    })?;
    let modified = meta.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    Ok((meta.ino(), modified, meta.len()))
}
