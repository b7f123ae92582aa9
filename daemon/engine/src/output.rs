//! The folder that receives the results: ours alone, and really there.
//!
//! A locked file in it keeps a second daemon out, which would replace our results by its own. The same file tells a share
//! from its bare mount point: results that are written there are hidden as soon as the share is mounted again.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use queue::Store;

use crate::error::{Error, Result};
use crate::lock::lock;

/// Name of the file in the output folder.
const NAME: &str = ".wellspring.lock";
/// A daemon that was killed while it started a worker leaves its lock to that child for a moment.
const DYING: (u32, Duration) = (100, Duration::from_millis(50));

/// An output folder.
#[derive(Debug)]
pub struct Output {
    folder: PathBuf,
    /// Who we are, for a second daemon to tell.
    signature: String,
    standing: Mutex<Standing>,
}

#[derive(Debug)]
enum Standing {
    /// Locked; device and inode of the file.
    Held { _file: File, id: (u64, u64) },
    /// The file system has no locks, or the file cannot be made: publishing will say what is wrong, if anything is.
    Unguarded,
    /// It is not there.
    Away(String),
}

impl Output {
    /// Takes a folder over. One that is not there, though results were written to it, is no error: it is waited for.
    ///
    /// # Errors
    /// [`Error::OutputInUse`] if another daemon has it.
    pub(crate) fn take(store: &Store, folder: &Path, state_dir: &Path) -> Result<Self> {
        let host = rustix::system::uname()
            .nodename()
            .to_string_lossy()
            .into_owned();
        let (pid, state) = (std::process::id(), state_dir.display());
        let output = Self {
            folder: folder.to_owned(),
            signature: format!("process {pid} on {host}, state folder `{state}`"),
            standing: Mutex::new(Standing::Unguarded),
        };
        let standing = output.attach(store)?;
        if let Standing::Away(reason) = &standing {
            tracing::warn!(output = %folder.display(), reason, "the results' folder is offline; work waits for it");
        }
        *lock(&output.standing) = standing;
        Ok(output)
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Why nothing can be written there now, as far as the last look tells.
    pub(crate) fn trouble(&self) -> Option<String> {
        match &*lock(&self.standing) {
            Standing::Away(reason) => Some(reason.clone()),
            Standing::Held { id, .. } if self.marker_id() != Some(*id) => Some(self.gone()),
            _ => None,
        }
    }

    /// Looks again, and takes the folder over where it is back. Why nothing can be written there.
    ///
    /// # Errors
    /// The queue fails.
    pub(crate) fn look(&self, store: &Store) -> Result<Option<String>> {
        if self.trouble().is_none() {
            return Ok(None);
        }
        if matches!(&*lock(&self.standing), Standing::Held { .. }) {
            // Passes that are running may still publish into the bare mount point, also after a restart.
            store.set_setting(&self.lost_key(), "1")?;
        }
        let standing = match self.attach(store) {
            Err(Error::OutputInUse { holder, .. }) => {
                Standing::Away(format!("`{}` was taken by {holder}", self.folder.display()))
            }
            other => other?,
        };
        *lock(&self.standing) = standing;
        Ok(self.trouble())
    }

    fn attach(&self, store: &Store) -> Result<Standing> {
        let key = format!("output.device.{}", self.folder.display());
        let recorded: Option<u64> = store.setting(&key)?.and_then(|text| text.parse().ok());
        let marker = self.folder.join(NAME);
        // The folder, or where it will be made.
        let device = self.folder.ancestors().find_map(|p| p.metadata().ok());
        let is_another_place =
            device.as_ref().map(MetadataExt::dev) != recorded && recorded.is_some();
        let is_empty = std::fs::read_dir(&self.folder).map_or(true, |mut all| all.next().is_none());
        // What lies in a place that went away under us may be what running passes left there: only our file tells.
        let lost_key = self.lost_key();
        let was_lost = store.setting(&lost_key)?.is_some_and(|lost| lost == "1");
        if is_another_place && (is_empty || was_lost) && !marker.exists() {
            return Ok(Standing::Away(self.gone()));
        }
        let opened = std::fs::create_dir_all(&self.folder).and_then(|()| {
            OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&marker)
        });
        let mut file = match opened {
            Ok(file) => file,
            Err(error) => {
                tracing::warn!(output = %self.folder.display(), %error, "the results' folder cannot be locked against a second daemon");
                return Ok(Standing::Unguarded);
            }
        };
        if !self.lock(&mut file)? {
            return Ok(Standing::Unguarded);
        }
        let written = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", self.signature));
        if let Err(error) = written {
            tracing::debug!(%error, "the lock of the results' folder does not name its holder");
        }
        let Some(id) = self.marker_id() else {
            return Ok(Standing::Away(self.gone()));
        };
        if recorded != Some(id.0) {
            store.set_setting(&key, &id.0.to_string())?;
        }
        if was_lost {
            store.set_setting(&lost_key, "0")?;
        }
        Ok(Standing::Held { _file: file, id })
    }

    /// Locks the file. False where the file system has no locks.
    fn lock(&self, file: &mut File) -> Result<bool> {
        for attempt in 0.. {
            match file.try_lock() {
                Ok(()) => return Ok(true),
                Err(TryLockError::Error(error)) => {
                    tracing::warn!(output = %self.folder.display(), %error, "the results' folder cannot be locked against a second daemon");
                    return Ok(false);
                }
                Err(TryLockError::WouldBlock) => {
                    let mut holder = String::new();
                    let read = file
                        .rewind()
                        .and_then(|()| file.read_to_string(&mut holder));
                    let holder = match read {
                        Ok(n) if n > 0 => holder.trim().to_owned(),
                        _ => "another daemon".to_owned(),
                    };
                    if attempt >= DYING.0 || !is_dead(&holder) {
                        return Err(Error::OutputInUse {
                            path: self.folder.clone(),
                            holder,
                        });
                    }
                    std::thread::sleep(DYING.1);
                }
            }
        }
        Ok(false)
    }

    /// Whether the folder went away while it was held.
    fn lost_key(&self) -> String {
        format!("output.lost.{}", self.folder.display())
    }

    fn marker_id(&self) -> Option<(u64, u64)> {
        let meta = std::fs::metadata(self.folder.join(NAME)).ok()?;
        Some((meta.dev(), meta.ino()))
    }

    fn gone(&self) -> String {
        format!(
            "the results' folder `{}` is not there: it is missing, or is the mount point of a share that is not mounted (if the results were moved to another file system, make an empty file `{NAME}` there)",
            self.folder.display()
        )
    }
}

/// Whether a signature names a process of this machine that is no more.
fn is_dead(signature: &str) -> bool {
    let host = rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned();
    let Some((pid, rest)) = signature
        .strip_prefix("process ")
        .and_then(|rest| rest.split_once(" on "))
    else {
        return false;
    };
    rest.starts_with(&format!("{host},")) && !Path::new("/proc").join(pid).exists()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn store(folder: &Path) -> Store {
        Store::open(folder.join("queue.db"), queue::Options::default()).unwrap()
    }

    #[test]
    fn one_daemon_has_a_folder_and_a_second_is_told_who() {
        let folder = tempfile::tempdir().unwrap();
        let (store, output) = (store(folder.path()), folder.path().join("results/deep"));
        let first = Output::take(&store, &output, Path::new("/var/lib/a")).unwrap();
        assert_eq!(first.trouble(), None);
        let second = Output::take(&store, &output, Path::new("/var/lib/b"));
        let error = second.unwrap_err();
        let text = format!("{error} {}", error.remedy().unwrap());
        for part in [
            &std::process::id().to_string(),
            "/var/lib/a",
            output.to_str().unwrap(),
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        drop(first);
        Output::take(&store, &output, Path::new("/var/lib/b")).unwrap();
    }

    #[test]
    fn results_that_were_removed_are_not_a_share_that_went_away() {
        let folder = tempfile::tempdir().unwrap();
        let (store, path) = (store(folder.path()), folder.path().join("results"));
        let output = Output::take(&store, &path, Path::new("/s")).unwrap();
        std::fs::remove_dir_all(&path).unwrap();
        assert!(output.trouble().is_some());
        assert_eq!(output.look(&store).unwrap(), None, "it is made anew");
        assert!(path.join(NAME).exists());
        assert_eq!(output.trouble(), None);
    }

    /// A pass that was running has published into the bare mount point: that does not make it the results' folder.
    #[test]
    fn what_was_lost_under_us_comes_back_with_our_file_only() {
        let folder = tempfile::tempdir().unwrap();
        let (store, path) = (store(folder.path()), folder.path().join("results"));
        let output = Output::take(&store, &path, Path::new("/s")).unwrap();
        let key = format!("output.device.{}", path.display());
        store.set_setting(&key, &u64::MAX.to_string()).unwrap();
        let share = folder.path().join("share");
        std::fs::rename(&path, &share).unwrap();
        std::fs::create_dir_all(path.join("plate")).unwrap();
        assert!(output.look(&store).unwrap().is_some());
        // Also after a restart.
        let output = Output::take(&store, &path, Path::new("/s")).unwrap();
        assert!(output.look(&store).unwrap().is_some());
        assert!(!path.join(NAME).exists());
        std::fs::remove_dir_all(&path).unwrap();
        std::fs::rename(&share, &path).unwrap();
        assert_eq!(output.look(&store).unwrap(), None);
        // From then on as if nothing had been.
        assert_eq!(
            store.setting(&output.lost_key()).unwrap().as_deref(),
            Some("0")
        );
    }

    #[test]
    fn an_empty_folder_on_another_file_system_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let (store, path) = (store(folder.path()), folder.path().join("results"));
        std::fs::create_dir(&path).unwrap();
        let key = format!("output.device.{}", path.display());
        store.set_setting(&key, &u64::MAX.to_string()).unwrap();
        let output = Output::take(&store, &path, Path::new("/s")).unwrap();
        assert!(output.trouble().unwrap().contains("not mounted"));
        assert!(
            !path.join(NAME).exists(),
            "nothing is written to a bare mount point"
        );
        assert!(output.look(&store).unwrap().is_some());
        // The share, with what we left on it, or results that a person copied to a new disk.
        std::fs::write(path.join("plate_table.hdf5"), "x").unwrap();
        assert_eq!(output.look(&store).unwrap(), None);
    }
}
