//! Plates.

use std::path::PathBuf;

use jiff::Timestamp;
use rusqlite::Row;
use serde::{Deserialize, Serialize};

use crate::columns::Columns;
use crate::ids::{PlateId, RootId};
use crate::paths;
use crate::states::PlateState;

/// A plate as it is found under a root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPlate {
    /// The watched folder.
    pub root: RootId,
    /// Identifies the plate in its root.
    pub key: String,
    /// Name for people.
    pub name: String,
    /// Acquisition folder, below the root.
    pub directory: PathBuf,
    /// Where its results go.
    pub output: PathBuf,
    /// Image sets that the manifest or the layout promises.
    pub expected: Option<u32>,
    /// Rows of wells.
    pub rows: Option<u32>,
    /// Columns of wells.
    pub columns: Option<u32>,
}

/// A plate (or a stack).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlateRow {
    /// Identifier; rises with age.
    pub id: PlateId,
    /// The watched folder.
    pub root: RootId,
    /// Identifies the plate in its root.
    pub key: String,
    /// Name for people.
    pub name: String,
    /// Acquisition folder, below the root.
    #[serde(with = "paths")]
    pub directory: PathBuf,
    /// Where its results go.
    #[serde(with = "paths")]
    pub output: PathBuf,
    /// Where it stands.
    pub state: PlateState,
    /// What decided that it is complete, for example `manifest` or `quiet:900`.
    pub decided_by: Option<String>,
    /// More about the state.
    pub detail: Option<String>,
    /// Image sets that the manifest or the layout promises.
    pub expected: Option<u32>,
    /// Rows of wells.
    pub rows: Option<u32>,
    /// Columns of wells.
    pub columns: Option<u32>,
    /// When it was first seen.
    pub created_at: Timestamp,
    /// When its last image came.
    pub last_arrival: Option<Timestamp>,
    /// When it was decided to be complete.
    pub completed_at: Option<Timestamp>,
    /// When the last task ended.
    pub finished_at: Option<Timestamp>,
}

pub(crate) const PLATE_COLUMNS: &str = "plate.id, plate.root_id, plate.key, plate.name, plate.directory, plate.output, \
     plate.state, plate.decided_by, plate.detail, plate.expected, plate.rows, plate.columns, plate.created_at, \
     plate.last_arrival, plate.completed_at, plate.finished_at";

impl PlateRow {
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let mut columns = Columns::of(row);
        Ok(Self {
            id: columns.next()?,
            root: columns.next()?,
            key: columns.next()?,
            name: columns.next()?,
            directory: columns.path()?,
            output: columns.path()?,
            state: columns.next()?,
            decided_by: columns.next()?,
            detail: columns.next()?,
            expected: columns.next()?,
            rows: columns.next()?,
            columns: columns.next()?,
            created_at: columns.time()?,
            last_arrival: columns.optional_time()?,
            completed_at: columns.optional_time()?,
            finished_at: columns.optional_time()?,
        })
    }
}
