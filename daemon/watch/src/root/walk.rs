//! Listing folders, in turns.

use super::Root;
use crate::FileIdentity;
use crate::counters::count;
use crate::native::NativeError;
use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::fs::{self, DirEntry, ReadDir};
use std::hash::BuildHasher;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Folders still to be listed.
#[derive(Debug, Default)]
pub(super) struct Walk {
    todo: Vec<PathBuf>,
    current: Option<Folder>,
    full: Option<FullScan>,
}

#[derive(Debug)]
struct Folder {
    relative: PathBuf,
    entries: ReadDir,
}

/// A listing of the whole root.
#[derive(Debug)]
pub(super) struct FullScan {
    started: Instant,
    /// Hashes of the paths seen: 8 bytes a file, however long its path. A collision hides that a file is gone; it never
    /// makes one up.
    seen: HashSet<u64>,
    hasher: RandomState,
    pub folders: u64,
    pub root_entries: u64,
    pub unreadable_folders: u64,
    /// Registered files that were seen.
    pub known: u64,
}

impl FullScan {
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    pub fn files(&self) -> u64 {
        self.seen.len() as u64
    }

    pub fn has_seen(&self, relative: &Path) -> bool {
        self.seen
            .contains(&self.hasher.hash_one(relative.as_os_str()))
    }
}

impl Walk {
    pub fn is_active(&self) -> bool {
        !self.todo.is_empty() || self.current.is_some() || self.full.is_some()
    }

    pub fn is_full_scan(&self) -> bool {
        self.full.is_some()
    }

    /// A folder appeared.
    pub fn add(&mut self, relative: PathBuf) {
        self.todo.push(relative);
    }

    fn saw(&mut self, relative: &Path, known: bool) {
        if let Some(full) = &mut self.full {
            let hash = full.hasher.hash_one(relative.as_os_str());
            if full.seen.insert(hash) && known {
                full.known += 1;
            }
        }
    }

    fn could_not_read(&mut self) {
        if let Some(full) = &mut self.full {
            full.unreadable_folders += 1;
        }
    }
}

impl Root<'_> {
    /// Starts to list everything.
    pub(super) fn start_full_scan(&mut self) {
        if self.online().is_none() || !self.is_still_there() {
            return;
        }
        self.scan_at = None;
        self.walk = Walk {
            todo: vec![PathBuf::new()],
            current: None,
            full: Some(FullScan {
                started: Instant::now(),
                seen: HashSet::new(),
                hasher: RandomState::new(),
                folders: 0,
                root_entries: 0,
                unreadable_folders: 0,
                known: 0,
            }),
        };
    }

    /// Lists until the time is over.
    pub(super) fn walk_on(&mut self, until: Instant) {
        let mut left = self.walk.is_active();
        while left && Instant::now() < until && !self.stopping() {
            if let Some(folder) = &mut self.walk.current {
                match folder.entries.next() {
                    Some(Ok(entry)) => self.list(&entry),
                    Some(Err(error)) => {
                        let relative = std::mem::take(&mut folder.relative);
                        self.walk.current = None;
                        self.folder_failed(&relative, &error);
                    }
                    None => self.walk.current = None,
                }
            } else if let Some(relative) = self.walk.todo.pop() {
                self.enter(relative);
            } else if let Some(full) = self.walk.full.take() {
                self.finish_full_scan(&full);
            }
            left = self.walk.is_active();
        }
        if !left && !self.waiting.is_empty() {
            self.waiting.done();
        }
    }

    /// Watches a folder, then opens it for listing: what arrives in between is seen by both, what arrived before by the
    /// listing, what arrives later by the watch.
    fn enter(&mut self, relative: PathBuf) {
        let absolute = self.absolute(&relative);
        match self.native.as_mut().map(|native| native.watch(&absolute)) {
            Some(Err(NativeError::Limit(why))) => self.fall_back_to_polling(&why),
            // The listing below fails for the same reason, and tells it better.
            Some(Err(NativeError::Folder(why))) => {
                tracing::debug!(folder = %absolute.display(), why, "not watched");
            }
            Some(Ok(())) | None => {}
        }
        match fs::read_dir(&absolute) {
            Ok(entries) => {
                if let Some(full) = &mut self.walk.full {
                    full.folders += 1;
                }
                self.walk.current = Some(Folder { relative, entries });
            }
            Err(error) => self.folder_failed(&relative, &error),
        }
    }

    fn folder_failed(&mut self, relative: &Path, error: &io::Error) {
        if relative.as_os_str().is_empty() {
            // The root itself: finds the reason, and goes offline.
            return self.attach();
        }
        if is_gone(error) {
            return;
        }
        count(&self.shared.tally.errors);
        self.walk.could_not_read();
        self.waiting.lost();
        tracing::warn!(folder = %self.absolute(relative).display(), %error, "folder cannot be listed; tried again by the next scan");
        if is_trouble_of_the_share(error) {
            self.check_at = Some(Instant::now());
        }
    }

    fn list(&mut self, entry: &DirEntry) {
        let Some(folder) = &self.walk.current else {
            return;
        };
        let relative = folder.relative.join(entry.file_name());
        if folder.relative.as_os_str().is_empty()
            && let Some(full) = &mut self.walk.full
        {
            full.root_entries += 1;
        }
        if self
            .shared
            .rules
            .excludes(self.host, self.id(), &relative)
            .is_some()
        {
            return;
        }
        // From the directory itself on most file systems: costs no stat.
        let result = entry.file_type().and_then(|kind| {
            if kind.is_dir() {
                if self.shared.rules.folder_may_be_entered(&relative) {
                    self.walk.add(relative.clone());
                }
                Ok(None)
            } else if kind.is_file() {
                entry.metadata().map(Some)
            } else if kind.is_symlink() {
                Ok(self.follow(&relative))
            } else {
                Ok(None)
            }
        });
        match result {
            Ok(Some(metadata)) if metadata.is_file() => {
                let known = self.found(&relative, FileIdentity::of(&metadata));
                self.walk.saw(&relative, known);
            }
            Ok(_) => {}
            Err(error) if is_gone(&error) => {}
            Err(error) => {
                count(&self.shared.tally.errors);
                self.walk.could_not_read();
                self.waiting.lost();
                tracing::warn!(path = %self.absolute(&relative).display(), %error, "file cannot be looked at");
                if is_trouble_of_the_share(&error) {
                    self.check_at = Some(Instant::now());
                }
            }
        }
    }
}

/// Whether something was removed between two looks, which is no error.
pub(super) fn is_gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// Whether the server or the medium is gone rather than this one file.
pub(super) fn is_trouble_of_the_share(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(
            libc::ENOTCONN
                | libc::ESTALE
                | libc::EIO
                | libc::EHOSTDOWN
                | libc::EHOSTUNREACH
                | libc::ETIMEDOUT
                | libc::ENODEV
                | libc::ENXIO
        )
    )
}
