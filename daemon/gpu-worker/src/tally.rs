//! What a GPU was asked and what came of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Radius from which on a disk counts as large, in pixels.
pub(crate) const LARGE_DISK: usize = 10;

/// An operation, as it is counted and weighed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// The flat field.
    FlatField,
    /// A filter of grey morphology by a small disk.
    GreySmall,
    /// The same by a disk of [`LARGE_DISK`] pixels radius or more: the larger, the more a GPU gains.
    Grey,
    /// ilastik's features and forest.
    Probabilities,
    /// The distance transform of a mask.
    Distances,
    /// Connected components of a mask.
    Label,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 6] = [
        Self::FlatField,
        Self::GreySmall,
        Self::Grey,
        Self::Probabilities,
        Self::Distances,
        Self::Label,
    ];

    /// That of a filter by a disk of this radius.
    #[must_use]
    pub const fn grey(radius: usize) -> Self {
        if radius < LARGE_DISK {
            Self::GreySmall
        } else {
            Self::Grey
        }
    }

    /// The name in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::FlatField => "flat_field",
            Self::GreySmall => "grey_small",
            Self::Grey => "grey",
            Self::Probabilities => "probabilities",
            Self::Distances => "distances",
            Self::Label => "label",
        }
    }
}

/// What one operation used in sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Used {
    /// How often it was run.
    pub calls: u64,
    /// Kernels that were dispatched.
    pub dispatches: u64,
    /// Pixels that it ran on.
    pub pixels: u64,
    /// Seconds on the device with the transfers to and from it.
    pub device_seconds: f64,
    /// Seconds that the worker waited for the answer.
    pub wall_seconds: f64,
}

/// Counts since the last time that they were taken.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    /// What ran on the GPU.
    pub used: BTreeMap<Operation, Used>,
    /// What should have and ran on the CPU instead, by reason.
    pub fallbacks: BTreeMap<String, u64>,
    /// The adapter, once one was talked to.
    pub adapter: Option<String>,
}

impl Tally {
    /// Whether there is nothing to tell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.used.is_empty() && self.fallbacks.is_empty()
    }

    /// Adds other counts.
    pub fn add(&mut self, other: &Self) {
        for (operation, more) in &other.used {
            let used = self.used.entry(*operation).or_default();
            used.calls += more.calls;
            used.dispatches += more.dispatches;
            used.pixels += more.pixels;
            used.device_seconds += more.device_seconds;
            used.wall_seconds += more.wall_seconds;
        }
        for (reason, more) in &other.fallbacks {
            *self.fallbacks.entry(reason.clone()).or_default() += more;
        }
        if other.adapter.is_some() {
            self.adapter.clone_from(&other.adapter);
        }
    }
}
