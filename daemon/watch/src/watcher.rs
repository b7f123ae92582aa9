//! The handle that callers hold.

mod explain;
mod supervise;

use crate::FileIdentity;
use crate::counters::Counters;
use crate::host::RootState;
use crate::mailbox::{Mailbox, Message, mailbox};
use crate::rules::Rules;
use crate::shared::Shared;
use crate::status::{FileStatus, SettlingFile};
use crate::verification::Verification;
use crate::{Error, Host, RootSpec};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

/// A file that the host has not registered so long after it was reported will not be: the host knows why.
const REGISTERED_WITHIN: Duration = Duration::from_secs(30);
/// How long [`Watcher::stop`] waits for threads that hang in a call to a server that does not answer.
const STOP_WITHIN: Duration = Duration::from_millis(900);

/// Watches roots until it is stopped or dropped.
pub struct Watcher {
    host: Arc<dyn Host>,
    roots: BTreeMap<i64, Handle>,
    threads: Mutex<Vec<(i64, JoinHandle<()>)>>,
    ended: Mutex<Receiver<i64>>,
}

struct Handle {
    shared: Arc<Shared>,
    mailbox: Mailbox,
}

impl Watcher {
    /// Starts one thread a root. Returns at once; [`RootState`] events tell which roots are online.
    ///
    /// # Errors
    /// When an `ignore` pattern is no glob, an id stands twice, or no thread can be started.
    pub fn start(specs: Vec<RootSpec>, host: Arc<dyn Host>) -> Result<Self, Error> {
        let (sender, ended) = channel();
        let mut watcher = Self {
            host,
            roots: BTreeMap::new(),
            threads: Mutex::new(Vec::new()),
            ended: Mutex::new(ended),
        };
        for mut spec in specs {
            spec.path = std::path::absolute(&spec.path).map_err(|source| Error::Path {
                root: spec.path.clone(),
                source,
            })?;
            spec.limit_times();
            watcher.add(spec, sender.clone())?;
        }
        Ok(watcher)
    }

    fn add(&mut self, spec: RootSpec, ended: Sender<i64>) -> Result<(), Error> {
        let (id, path) = (spec.id, spec.path.clone());
        if self.roots.contains_key(&id) {
            return Err(Error::DuplicateRoot(id));
        }
        let rules = Rules::new(&spec)?;
        let (mailbox, inbox) = mailbox(spec.event_queue);
        let shared = Arc::new(Shared::new(spec, rules));
        let thread = {
            let (shared, host, mailbox) =
                (Arc::clone(&shared), Arc::clone(&self.host), mailbox.clone());
            let run = move || {
                supervise::run(&shared, &*host, &inbox, &mailbox);
                let _ = ended.send(id);
            };
            Builder::new()
                .name(format!("watch-{id}"))
                .spawn(run)
                .map_err(|source| Error::Thread { root: path, source })?
        };
        self.threads
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .push((id, thread));
        self.roots.insert(id, Handle { shared, mailbox });
        Ok(())
    }

    /// Asks for a full scan now, which also re-examines the files that were given up. False if no root has this id.
    pub fn rescan(&self, root: i64) -> bool {
        let Some(handle) = self.roots.get(&root) else {
            return false;
        };
        handle.mailbox.command(Message::Rescan);
        true
    }

    /// Asks for a scan that reports again what was reported and is not known to the host, because the host could not take it.
    pub fn redeliver(&self, root: i64) {
        if let Some(handle) = self.roots.get(&root) {
            handle.mailbox.command(Message::Redeliver);
        }
    }

    /// Asks for a folder of a root to be listed, with everything below it. Once that is done, every file that was there
    /// when this was called has been seen, though it may still be [pending](Self::is_pending).
    #[must_use]
    pub fn verify(&self, root: i64, folder: &Path) -> Option<Verification> {
        let verification = Verification::new();
        let message = Message::Verify(folder.to_owned(), verification.clone());
        self.roots.get(&root)?.mailbox.command(message);
        Some(verification)
    }

    /// Whether something below a folder of a root is being waited for, or was reported a moment ago and is not known to
    /// the host yet.
    #[must_use]
    pub fn is_pending(&self, root: i64, folder: &Path) -> bool {
        let Some(handle) = self.roots.get(&root) else {
            return false;
        };
        let reported: Vec<(PathBuf, FileIdentity)> = {
            let arrivals = handle.shared.arrivals();
            if arrivals
                .settling
                .iter()
                .any(|(path, _)| path.starts_with(folder))
            {
                return true;
            }
            let fresh = arrivals.reported.iter().filter(|(path, (_, at))| {
                at.elapsed() < REGISTERED_WITHIN && path.starts_with(folder)
            });
            fresh
                .map(|(path, (identity, _))| (path.clone(), *identity))
                .collect()
        };
        // Asked without the lock: the host looks into its database. Inodes are left out, as the file system is not known here.
        reported.iter().any(|(path, identity)| {
            let known = self.host.known(root, path);
            !known.is_some_and(|known| known.same_state(identity, false))
        })
    }

    /// The state of a root, if one has this id.
    #[must_use]
    pub fn state(&self, root: i64) -> Option<RootState> {
        self.roots
            .get(&root)
            .map(|handle| handle.shared.state().clone())
    }

    /// The files of a root that are being waited for, longest first.
    #[must_use]
    pub fn settling(&self, root: i64) -> Vec<SettlingFile> {
        let Some(handle) = self.roots.get(&root) else {
            return Vec::new();
        };
        let mut files: Vec<SettlingFile> = handle
            .shared
            .arrivals()
            .settling
            .iter()
            .map(|(path, entry)| SettlingFile {
                path: path.to_owned(),
                since: entry.since,
                size: entry.identity.size,
                waiting_for: entry.waiting_for.clone(),
            })
            .collect();
        files.sort_by(|a, b| a.since.cmp(&b.since).then_with(|| a.path.cmp(&b.path)));
        files
    }

    /// The files of a root that were given up, with what they lack.
    #[must_use]
    pub fn unreadable(&self, root: i64) -> Vec<(PathBuf, String)> {
        let Some(handle) = self.roots.get(&root) else {
            return Vec::new();
        };
        let arrivals = handle.shared.arrivals();
        let mut files: Vec<(PathBuf, String)> = arrivals
            .unreadable
            .iter()
            .map(|(path, (_, reason))| (path.clone(), reason.clone()))
            .collect();
        files.sort();
        files
    }

    /// The figures of every root, by id.
    #[must_use]
    pub fn counters(&self) -> BTreeMap<i64, Counters> {
        let read = |shared: &Shared| {
            let settling = shared.arrivals().settling.len() as u64;
            Counters {
                settling,
                ..shared.tally.read()
            }
        };
        self.roots
            .iter()
            .map(|(&id, handle)| (id, read(&handle.shared)))
            .collect()
    }

    /// Where one path of a root stands. Looks at the disk from the caller's thread: on a share that hangs, so does this.
    #[must_use]
    pub fn explain(&self, root: i64, relative: &Path) -> FileStatus {
        match self.roots.get(&root) {
            Some(handle) => explain::explain(&handle.shared, &*self.host, relative),
            None => FileStatus::UnknownRoot,
        }
    }

    /// Stops all threads. Returns within a second even if one hangs in a call to a dead server; such a thread is left to
    /// itself and reports nothing more once it comes back.
    pub fn stop(&self) {
        for handle in self.roots.values() {
            handle.shared.stop.store(true, Ordering::Release);
            handle.mailbox.command(Message::Wake);
        }
        let deadline = Instant::now() + STOP_WITHIN;
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        while !threads.is_empty() {
            let Ok(id) = ended.recv_timeout(deadline.saturating_duration_since(Instant::now()))
            else {
                break;
            };
            if let Some(at) = threads.iter().position(|(thread, _)| *thread == id) {
                // It has said its last word, so joining waits for nothing.
                let _ = threads.swap_remove(at).1.join();
            }
        }
        for (id, _) in threads.drain(..) {
            tracing::warn!(
                root = id,
                "the watching thread hangs in a file system call and is left behind"
            );
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.stop();
    }
}
