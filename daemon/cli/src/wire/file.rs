//! Files.

use jiff::Timestamp;
use serde::Deserialize;

/// A recorded file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct File {
    pub id: i64,
    pub path: String,
    pub size: u64,
    pub state: String,
    pub reason: Option<String>,
    pub remedy: Option<String>,
    pub revision: i64,
    pub vanished_at: Option<Timestamp>,
}
