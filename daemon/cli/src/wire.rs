//! What the daemon answers, as far as it is printed. What is not known is passed over and what is missing is empty, so that
//! a client and a daemon of different versions understand each other.

mod file;
mod plate;
mod status;
mod task;

use serde::Deserialize;

pub(crate) use file::File;
pub(crate) use plate::{Plate, StatusFiles, Well};
pub(crate) use status::{Gpu, Pause, Recipient, Root, Status};
pub(crate) use task::{Attempt, Cancelled, Explanation, Requeued, Task, TaskDetail};

/// Part of a list, and where the next part starts.
#[derive(Debug, Deserialize)]
pub(crate) struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// `after` of the next part.
    #[serde(default)]
    pub next: Option<i64>,
}

/// What is wrong with a request (RFC 9457).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Problem {
    pub title: String,
    pub status: u16,
    pub detail: String,
    pub remedy: Option<String>,
}

/// Numbers of tasks by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Counts {
    pub waiting: u64,
    pub blocked: u64,
    pub ready: u64,
    pub running: u64,
    pub succeeded: u64,
    pub retrying: u64,
    pub failed: u64,
    pub quarantined: u64,
    pub cancelled: u64,
}

impl Counts {
    /// The numbers with their words, in the order of a task's life.
    pub(crate) const fn words(&self) -> [(&'static str, u64); 9] {
        [
            ("waiting", self.waiting),
            ("blocked", self.blocked),
            ("ready", self.ready),
            ("running", self.running),
            ("retrying", self.retrying),
            ("succeeded", self.succeeded),
            ("failed", self.failed),
            ("quarantined", self.quarantined),
            ("cancelled", self.cancelled),
        ]
    }

    pub(crate) fn total(&self) -> u64 {
        self.words().iter().map(|(_, number)| number).sum()
    }

    /// Those that nothing more happens to by itself.
    pub(crate) const fn ended(&self) -> u64 {
        self.succeeded + self.failed + self.quarantined + self.cancelled + self.blocked
    }

    /// Those that a person should look at.
    pub(crate) const fn broken(&self) -> u64 {
        self.failed + self.quarantined
    }

    /// The numbers that are not zero, as words.
    pub(crate) fn text(&self) -> String {
        let parts = self.words().into_iter().filter(|(_, number)| *number > 0);
        let parts: Vec<_> = parts
            .map(|(word, number)| format!("{number} {word}"))
            .collect();
        if parts.is_empty() {
            return "none".to_owned();
        }
        parts.join(", ")
    }
}
