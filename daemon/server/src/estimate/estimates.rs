//! Estimates of all plates, from one look at the queue.

use jiff::Timestamp;
use queue::{Hold, PlateId, PlateLoad, RootRow};

use super::{Circumstances, Estimate, of_plate};
use crate::app::Inner;

/// What the queue and the workers were like at some time.
pub(crate) struct Estimates {
    now: Timestamp,
    workers: usize,
    holds: Vec<Hold>,
    roots: Vec<RootRow>,
    loads: Vec<PlateLoad>,
}

impl Estimates {
    /// Looks at them.
    pub(crate) fn read(inner: &Inner) -> queue::Result<Self> {
        let status = inner.store.status()?;
        Ok(Self {
            now: Timestamp::now(),
            workers: inner.control.workers().len(),
            holds: status.holds,
            roots: status.roots,
            loads: inner.store.loads()?,
        })
    }

    /// When a plate will be done; `None` if it is.
    pub(crate) fn of(&self, plate: PlateId) -> Option<Estimate> {
        let about = Circumstances {
            now: self.now,
            workers: self.workers,
            holds: &self.holds,
            roots: &self.roots,
            loads: &self.loads,
        };
        of_plate(plate, &about)
    }
}
