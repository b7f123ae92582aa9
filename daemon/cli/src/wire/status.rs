//! The state of everything.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::{Counts, Task};

/// The state of everything.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Status {
    pub version: String,
    pub started_at: Option<Timestamp>,
    pub paused: Option<Pause>,
    pub pauses: Vec<Pause>,
    pub tasks: Counts,
    pub plates: BTreeMap<String, u64>,
    pub workers: Vec<Worker>,
    pub gpu: Option<Gpu>,
    pub roots: Vec<Root>,
    pub disk: Vec<Disk>,
    pub recipients: Vec<Recipient>,
    pub failures: Vec<Task>,
}

/// What a GPU did.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Gpu {
    pub adapter: Option<String>,
    pub used: BTreeMap<String, GpuUse>,
    pub fallbacks: BTreeMap<String, u64>,
}

/// What one operation used.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct GpuUse {
    pub calls: u64,
    pub device_seconds: f64,
}

/// Somebody who is told what becomes of the plates.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Recipient {
    pub name: String,
    pub waiting: u64,
    pub sent: u64,
    pub given_up: u64,
    pub last_error: Option<String>,
}

/// A pause in force.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Pause {
    pub root: Option<i64>,
    pub plate: Option<i64>,
    pub holder: String,
    pub reason: String,
    pub at: Option<Timestamp>,
}

/// A worker.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Worker {
    pub id: u64,
    pub pid: Option<u32>,
    pub state: String,
    pub plate: Option<String>,
    pub subject: Option<String>,
    pub job: Option<String>,
    pub since: Option<Timestamp>,
}

/// A watched folder.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Root {
    pub id: i64,
    pub path: String,
    pub name: String,
    pub workflow: String,
    pub state: String,
    pub mode: String,
    pub watched: Option<String>,
    pub detail: Option<String>,
    pub settling: u64,
}

/// A file system.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Disk {
    pub path: String,
    pub free_bytes: u64,
    pub total_bytes: u64,
}
