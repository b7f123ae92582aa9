//! "List this folder, and tell when you are through."
//!
//! Who wants to decide on a folder as a whole cannot rely on events, which may still be in the kernel's queue: what was
//! there when a listing began has been seen when it ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// Where a listing that was asked for stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    /// Not yet through.
    Pending,
    /// Every file that was there when it was asked for has been seen.
    Done,
    /// It could not be listed, or the root went offline meanwhile: ask again.
    Lost,
}

/// A listing that was asked for. Dropping it does not stop the listing.
#[derive(Debug, Clone)]
pub struct Verification(Arc<AtomicU8>);

impl Verification {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicU8::new(PENDING)))
    }

    /// Where it stands.
    #[must_use]
    pub fn listed(&self) -> Listed {
        match self.0.load(Ordering::Acquire) {
            PENDING => Listed::Pending,
            DONE => Listed::Done,
            _ => Listed::Lost,
        }
    }
}

const PENDING: u8 = 0;
const DONE: u8 = 1;
const LOST: u8 = 2;

/// Those that wait for the present walk to end. Whatever ends the walk otherwise drops this, and they are lost.
#[derive(Debug, Default)]
pub(crate) struct Waiting(Vec<Verification>);

impl Waiting {
    pub fn add(&mut self, verification: Verification) {
        self.0.push(verification);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn done(&mut self) {
        self.end(DONE);
    }

    pub fn lost(&mut self) {
        self.end(LOST);
    }

    fn end(&mut self, how: u8) {
        for verification in self.0.drain(..) {
            verification.0.store(how, Ordering::Release);
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.lost();
    }
}
