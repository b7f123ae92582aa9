//! Files that were reported and could not be recorded: their roots are scanned again as soon as the queue takes writes.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use queue::RootId;

use crate::lock::lock;

/// What the intake could not take.
#[derive(Debug, Default)]
pub(crate) struct Missed {
    roots: Mutex<BTreeSet<RootId>>,
    /// Nothing is taken while the state's volume is nearly full: the queue would grow.
    closed: AtomicBool,
}

impl Missed {
    /// A file of this root was not recorded.
    pub fn add(&self, root: RootId) {
        let mut roots = lock(&self.roots);
        roots.insert(root);
    }

    /// The roots to be scanned again; they are forgotten here.
    pub fn take(&self) -> BTreeSet<RootId> {
        let mut roots = lock(&self.roots);
        std::mem::take(&mut *roots)
    }

    /// Opens or closes the intake.
    pub fn close(&self, closed: bool) {
        self.closed.store(closed, Ordering::Release);
    }

    /// Whether nothing is to be taken.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}
