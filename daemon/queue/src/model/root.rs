//! Watched folders.

use std::path::PathBuf;

use jiff::Timestamp;
use rusqlite::Row;
use serde::{Deserialize, Serialize};

use crate::columns::Columns;
use crate::ids::RootId;
use crate::paths;
use crate::states::RootState;

/// A watched folder as it is configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRoot {
    /// Absolute path; identifies the root.
    pub path: PathBuf,
    /// Name for people.
    pub name: String,
    /// Where results go.
    pub output: PathBuf,
    /// Name of the workflow.
    pub workflow: String,
    /// How it is watched, for example `native` or `polling`.
    pub mode: String,
}

/// A watched folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootRow {
    /// Identifier.
    pub id: RootId,
    /// Absolute path.
    #[serde(with = "paths")]
    pub path: PathBuf,
    /// Name for people.
    pub name: String,
    /// Where results go.
    #[serde(with = "paths")]
    pub output: PathBuf,
    /// Name of the workflow.
    pub workflow: String,
    /// Whether it is there.
    pub state: RootState,
    /// How it is watched.
    pub mode: String,
    /// Why it is in this state, or what the watcher has to say.
    pub detail: Option<String>,
    /// Last change of this row.
    pub updated_at: Timestamp,
}

pub(crate) const ROOT_COLUMNS: &str =
    "id, path, name, output, workflow, state, mode, detail, updated_at";

impl RootRow {
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let mut columns = Columns::of(row);
        Ok(Self {
            id: columns.next()?,
            path: columns.path()?,
            name: columns.next()?,
            output: columns.path()?,
            workflow: columns.next()?,
            state: columns.next()?,
            mode: columns.next()?,
            detail: columns.next()?,
            updated_at: columns.time()?,
        })
    }
}
