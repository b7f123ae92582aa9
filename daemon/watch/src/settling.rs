//! Files that are being waited for, and when to look at each again. No clock and no disk in here.

use crate::FileIdentity;
use crate::status::WaitingFor;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// The least quiet time of a file of which no close was seen (its writer may only be pausing), and of one that was found
/// old by a scan. Matters only where `settle` is shorter.
pub(crate) const UNCLOSED_QUIET: Duration = Duration::from_secs(1);
/// A file that is being written is looked at no more often than this.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// First and last pause between two probes of a file that is quiet but not whole.
const RECHECK: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// One file that is being waited for.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Its state at the last look.
    pub identity: FileIdentity,
    /// When it was first seen.
    pub since: SystemTime,
    /// What it lacks.
    pub waiting_for: WaitingFor,
    /// When it will have been quiet for long enough.
    pub ready_at: Instant,
    quiet_since: Instant,
    looked_at: Instant,
    closed: bool,
    rechecks: u32,
    due: Instant,
    /// The one item of the heap that stands for this file.
    queued: Option<Instant>,
}

/// All files of a root that are being waited for.
#[derive(Debug)]
pub(crate) struct Settling {
    settle: Duration,
    give_up: Duration,
    entries: HashMap<Arc<Path>, Entry>,
    heap: BinaryHeap<Reverse<(Instant, Arc<Path>)>>,
}

impl Settling {
    pub fn new(settle: Duration, give_up: Duration) -> Self {
        Self {
            settle,
            give_up,
            entries: HashMap::new(),
            heap: BinaryHeap::new(),
        }
    }

    pub fn get(&self, path: &Path) -> Option<&Entry> {
        self.entries.get(path)
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Path, &Entry)> {
        self.entries.iter().map(|(path, entry)| (&**path, entry))
    }

    /// Forgets a file. Its item in the heap is dropped when it comes up.
    pub fn remove(&mut self, path: &Path) -> Option<Entry> {
        self.entries.remove(path)
    }

    pub fn clear(&mut self) {
        self.entries.clear();
        self.heap.clear();
    }

    /// A file not waited for so far was seen. `old` says that its last change is longer ago than [`Self::old_after`].
    pub fn insert(
        &mut self,
        path: &Path,
        identity: FileIdentity,
        closed: bool,
        old: bool,
        now: Instant,
    ) {
        let ready_at = if old { now } else { now + self.quiet(closed) };
        let entry = Entry {
            identity,
            since: SystemTime::now(),
            waiting_for: WaitingFor::Quiet,
            ready_at,
            quiet_since: now,
            looked_at: now,
            closed,
            rechecks: 0,
            due: ready_at,
            queued: None,
        };
        let path: Arc<Path> = path.into();
        self.entries.insert(Arc::clone(&path), entry);
        self.schedule(&path, ready_at);
    }

    /// How long ago the last change of a file must be for its first sight to count as settled.
    pub fn old_after(&self) -> Duration {
        self.settle.max(UNCLOSED_QUIET)
    }

    /// A file that is waited for was looked at. A change of its state, or a write, starts its quiet time again.
    pub fn look(
        &mut self,
        path: &Path,
        identity: FileIdentity,
        closed: Option<bool>,
        now: Instant,
    ) {
        let Some((key, entry)) = self.entries.get_key_value(path) else {
            return;
        };
        let key = Arc::clone(key);
        let changed = entry.identity != identity;
        if !changed && closed.is_none() {
            return;
        }
        let quiet = self.quiet(closed.unwrap_or(!changed && entry.closed));
        let Some(entry) = self.entries.get_mut(path) else {
            return;
        };
        // A change that comes without any event (poll mode, mmap) says that the writer is still there.
        entry.closed = closed.unwrap_or(false);
        entry.identity = identity;
        entry.looked_at = now;
        entry.quiet_since = now;
        entry.ready_at = now + quiet;
        entry.rechecks = 0;
        entry.waiting_for = WaitingFor::Quiet;
        let due = entry.ready_at;
        self.schedule(&key, due);
    }

    /// A file is being written. Whether that was noted without a need to look at it now: writers of large files cause
    /// thousands of events a second.
    pub fn written(&mut self, path: &Path, now: Instant) -> bool {
        let quiet = self.quiet(false);
        let Some((key, _)) = self.entries.get_key_value(path) else {
            return false;
        };
        let key = Arc::clone(key);
        let Some(entry) = self.entries.get_mut(path) else {
            return false;
        };
        if now.duration_since(entry.looked_at) >= LOOK_EVERY {
            return false;
        }
        entry.closed = false;
        entry.quiet_since = now;
        entry.ready_at = now + quiet;
        let due = entry.looked_at + LOOK_EVERY;
        self.schedule(&key, due);
        true
    }

    /// When the next file must be looked at.
    pub fn next_due(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    /// A file that must be looked at now. It stays waited for, but comes up again only after one of the other calls.
    pub fn pop_due(&mut self, now: Instant) -> Option<(Arc<Path>, Entry)> {
        while let Some(Reverse((at, _))) = self.heap.peek() {
            if *at > now {
                return None;
            }
            let Reverse((at, path)) = self.heap.pop()?;
            let Some(entry) = self.entries.get_mut(&path) else {
                continue;
            };
            if entry.queued != Some(at) {
                continue;
            }
            entry.queued = None;
            if entry.due > now {
                let due = entry.due;
                self.schedule(&path, due);
                continue;
            }
            return Some((path, entry.clone()));
        }
        None
    }

    /// Nothing changed, but the quiet time is not over.
    pub fn wait_on(&mut self, path: &Arc<Path>, now: Instant) {
        let Some(entry) = self.entries.get_mut(path) else {
            return;
        };
        entry.looked_at = now;
        let due = entry.ready_at;
        self.schedule(path, due);
    }

    /// Quiet, but not whole: look again later. False when it was waited for long enough.
    pub fn postpone(&mut self, path: &Arc<Path>, waiting_for: WaitingFor, now: Instant) -> bool {
        let give_up = self.give_up;
        let first = RECHECK.0.max(self.settle).min(RECHECK.1);
        let Some(entry) = self.entries.get_mut(path) else {
            return true;
        };
        let end = entry.quiet_since + give_up;
        if now >= end {
            return false;
        }
        let pause = first
            .saturating_mul(1 << entry.rechecks.min(10))
            .min(RECHECK.1);
        entry.rechecks += 1;
        entry.waiting_for = waiting_for;
        let due = (now + pause).min(end);
        self.schedule(path, due);
        true
    }

    fn quiet(&self, closed: bool) -> Duration {
        if closed {
            self.settle
        } else {
            self.settle.max(UNCLOSED_QUIET)
        }
    }

    /// Sets the time of the next look. A later time needs no new item in the heap: the item that is there finds it.
    fn schedule(&mut self, path: &Arc<Path>, due: Instant) {
        let Some(entry) = self.entries.get_mut(path) else {
            return;
        };
        entry.due = due;
        if entry.queued.is_none_or(|queued| due < queued) {
            entry.queued = Some(due);
            self.heap.push(Reverse((due, Arc::clone(path))));
        }
    }
}

#[cfg(test)]
mod tests;
