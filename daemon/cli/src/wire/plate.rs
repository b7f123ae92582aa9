//! Plates and wells.

use jiff::Timestamp;
use serde::Deserialize;

use super::Counts;

/// A plate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Plate {
    pub id: i64,
    pub root: i64,
    pub key: String,
    pub name: String,
    pub directory: String,
    pub output: String,
    pub state: String,
    pub decided_by: Option<String>,
    pub detail: Option<String>,
    pub created_at: Option<Timestamp>,
    pub last_arrival: Option<Timestamp>,
    pub completed_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub counts: Counts,
    pub image_sets: ImageSets,
}

impl Plate {
    /// Whether nothing more happens to it by itself.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.state.as_str(), "done" | "done_with_failures")
    }

    /// Whether it ended, but not well.
    pub(crate) fn has_failures(&self) -> bool {
        self.state == "done_with_failures"
    }
}

/// How many image sets a plate has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct ImageSets {
    pub expected: Option<u64>,
    pub seen: u64,
    pub arriving: u64,
    pub complete: u64,
    pub incomplete: u64,
}

impl ImageSets {
    /// Those that are there, of those that are expected where that is known.
    pub(crate) fn text(&self) -> String {
        let whole = self.complete + self.incomplete;
        match self.expected {
            Some(expected) => format!("{whole}/{expected}"),
            None if self.seen > whole => format!("{whole}/{}", self.seen),
            None => whole.to_string(),
        }
    }
}

/// A well.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Well {
    pub well: String,
    pub sites: u64,
    pub by_state: Counts,
    pub missing: u64,
    pub arriving: u64,
}

/// BatchLib's status and log files of a plate.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct StatusFiles {
    pub folder: String,
    pub names: Vec<String>,
}
