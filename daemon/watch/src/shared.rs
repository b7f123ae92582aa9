//! What the thread of a root and its callers both see.

use crate::counters::Tally;
use crate::host::RootState;
use crate::rules::Rules;
use crate::settling::Settling;
use crate::{FileIdentity, RootSpec};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// One root. Locks are held for a look-up, never over a call to the host or to the disk.
#[derive(Debug)]
pub(crate) struct Shared {
    pub spec: RootSpec,
    pub rules: Rules,
    pub tally: Tally,
    pub stop: AtomicBool,
    arrivals: Mutex<Arrivals>,
    state: Mutex<RootState>,
}

/// Files on their way in. Those that the host knows are not here: memory does not grow with the root.
#[derive(Debug)]
pub(crate) struct Arrivals {
    /// Waited for.
    pub settling: Settling,
    /// Reported, and not yet known to the host when last asked.
    pub reported: HashMap<PathBuf, (FileIdentity, Instant)>,
    /// Given up in this state.
    pub unreadable: HashMap<PathBuf, (FileIdentity, String)>,
}

impl Shared {
    pub fn new(spec: RootSpec, rules: Rules) -> Self {
        let arrivals = Arrivals {
            settling: Settling::new(spec.settle, spec.give_up),
            reported: HashMap::new(),
            unreadable: HashMap::new(),
        };
        Self {
            spec,
            rules,
            tally: Tally::default(),
            stop: AtomicBool::new(false),
            arrivals: Mutex::new(arrivals),
            state: Mutex::new(RootState::Offline {
                reason: "not looked at yet".into(),
            }),
        }
    }

    /// A panic in another thread leaves at worst one file unlisted, which the next scan repairs.
    pub fn arrivals(&self) -> MutexGuard<'_, Arrivals> {
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn state(&self) -> MutexGuard<'_, RootState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
