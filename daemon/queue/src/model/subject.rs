//! What tasks work on.

use std::path::PathBuf;

use jiff::Timestamp;
use rusqlite::Row;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::columns::Columns;
use crate::ids::{PlateId, SubjectId};
use crate::paths;
use crate::states::{SubjectKind, SubjectState};

/// A subject as the caller knows it now.
#[derive(Clone, Debug, PartialEq)]
pub struct NewSubject {
    /// The plate.
    pub plate: PlateId,
    /// What it is.
    pub kind: SubjectKind,
    /// Identifies it among its kind in the plate, for example `A01-0001`.
    pub name: String,
    /// Canonical well name, for example `A01`.
    pub well: Option<String>,
    /// Site (field of view) in the well.
    pub site: Option<i64>,
    /// Timepoint.
    pub timepoint: Option<i64>,
    /// Whether all planes are there.
    pub state: SubjectState,
    /// Planes that are not there, as JSON.
    pub missing: Value,
    /// Planes that are there, as JSON.
    pub inputs: Value,
    /// Hash of the planes' contents.
    pub input_hash: Option<String>,
}

/// What an upsert changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upserted<Id> {
    /// The row is new.
    Created(Id),
    /// The row was known and something about it changed.
    Changed(Id),
    /// Everything was as given.
    Unchanged(Id),
}

impl<Id: Copy> Upserted<Id> {
    /// The row.
    #[must_use]
    pub const fn id(self) -> Id {
        match self {
            Self::Created(id) | Self::Changed(id) | Self::Unchanged(id) => id,
        }
    }
}

/// What tasks work on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SubjectRow {
    /// Identifier.
    pub id: SubjectId,
    /// The plate.
    pub plate: PlateId,
    /// What it is.
    pub kind: SubjectKind,
    /// Identifies it among its kind in the plate.
    pub name: String,
    /// Canonical well name.
    pub well: Option<String>,
    /// Site (field of view) in the well.
    pub site: Option<i64>,
    /// Timepoint.
    pub timepoint: Option<i64>,
    /// Whether all planes are there.
    pub state: SubjectState,
    /// Planes that are not there.
    pub missing: Value,
    /// Planes that are there.
    pub inputs: Value,
    /// Hash of the planes' contents.
    pub input_hash: Option<String>,
    /// The published container.
    #[serde(with = "paths::optional")]
    pub container: Option<PathBuf>,
    /// When it was first registered.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

pub(crate) const SUBJECT_COLUMNS: &str = "subject.id, subject.plate_id, subject.kind, subject.name, subject.well, \
     subject.site, subject.timepoint, subject.state, subject.missing, subject.inputs, subject.input_hash, \
     subject.container, subject.created_at, subject.updated_at";

impl SubjectRow {
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let mut columns = Columns::of(row);
        Ok(Self {
            id: columns.next()?,
            plate: columns.next()?,
            kind: columns.next()?,
            name: columns.next()?,
            well: columns.next()?,
            site: columns.next()?,
            timepoint: columns.next()?,
            state: columns.next()?,
            missing: columns.json()?,
            inputs: columns.json()?,
            input_hash: columns.next()?,
            container: columns.optional_path()?,
            created_at: columns.time()?,
            updated_at: columns.time()?,
        })
    }
}
