//! Wells and subjects of a plate.

use std::collections::BTreeMap;

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use serde::{Deserialize, Serialize};

use super::{Cursor, Page, first};
use crate::Store;
use crate::counts::{SubjectCounts, TaskCounts};
use crate::error::{Error, Result};
use crate::ids::{PlateId, SubjectId};
use crate::model::{SUBJECT_COLUMNS, SubjectRow};
use crate::states::{SubjectKind, SubjectState};

/// One well: its image sets, and how far their tasks are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WellSummary {
    /// Canonical name, for example `A01`.
    pub well: String,
    /// Its image sets by state.
    pub image_sets: SubjectCounts,
    /// Tasks of the well and of its image sets by state.
    pub tasks: TaskCounts,
}

/// Which subjects a request is about; the default is all of the plate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SubjectFilter {
    /// Only of this kind.
    pub kind: Option<SubjectKind>,
    /// Only of this well.
    pub well: Option<String>,
    /// Only in this state.
    pub state: Option<SubjectState>,
}

/// A subject with the numbers of its tasks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SubjectSummary {
    /// The subject.
    #[serde(flatten)]
    pub subject: SubjectRow,
    /// Its tasks by state.
    pub tasks: TaskCounts,
}

/// The bucket of a task in a tally.
const BUCKET: &str = "CASE WHEN task.state = 'waiting' AND (task.blocked > 0 OR task.gated = 2) THEN 'blocked' ELSE task.state END";

impl Store {
    /// The wells of a plate that have anything, by name.
    ///
    /// # Errors
    /// If the database fails.
    pub fn wells(&self, plate: PlateId) -> Result<Vec<WellSummary>> {
        self.read(|connection| {
            let mut wells: BTreeMap<String, WellSummary> = BTreeMap::new();
            let mut statement = connection.prepare_cached(
                "SELECT well, state, count(*) FROM subject WHERE plate_id = ?1 AND well IS NOT NULL \
                 AND kind = 'image_set' GROUP BY well, state",
            )?;
            let mut rows = statement.query([plate])?;
            while let Some(row) = rows.next()? {
                let name: String = row.get(0)?;
                let n = row.get::<_, i64>(2)?.unsigned_abs();
                let well = wells.entry(name.clone()).or_insert_with(|| WellSummary { well: name, ..Default::default() });
                well.image_sets.add(row.get(1)?, n);
            }
            let mut statement = connection.prepare_cached(&format!(
                "SELECT subject.well, {BUCKET}, count(*) FROM task JOIN subject ON subject.id = task.subject_id \
                 WHERE task.plate_id = ?1 AND subject.well IS NOT NULL GROUP BY 1, 2"
            ))?;
            let mut rows = statement.query([plate])?;
            while let Some(row) = rows.next()? {
                let name: String = row.get(0)?;
                let n = row.get::<_, i64>(2)?.unsigned_abs();
                let well = wells.entry(name.clone()).or_insert_with(|| WellSummary { well: name, ..Default::default() });
                well.tasks.add_to(row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?, n);
            }
            Ok(wells.into_values().collect())
        })
    }

    /// Subjects of a plate in the order in which they came.
    ///
    /// # Errors
    /// If the database fails.
    pub fn subjects(
        &self,
        plate: PlateId,
        filter: &SubjectFilter,
        cursor: Cursor,
    ) -> Result<Page<SubjectSummary>> {
        let mut sql =
            format!("SELECT {SUBJECT_COLUMNS} FROM subject WHERE plate_id = ? AND id > ?");
        let mut values = vec![Value::Integer(plate.0), Value::Integer(cursor.after)];
        let words = [
            ("kind", filter.kind.map(SubjectKind::as_str)),
            ("state", filter.state.map(SubjectState::as_str)),
            ("well", filter.well.as_deref()),
        ];
        for (column, value) in words {
            if let Some(value) = value {
                sql.push_str(&format!(" AND {column} = ?"));
                values.push(Value::Text(value.to_owned()));
            }
        }
        sql.push_str(" ORDER BY id LIMIT ?");
        values.push(Value::Integer(cursor.fetch()));
        self.read(|connection| {
            let mut statement = connection.prepare(&sql)?;
            let rows: Vec<SubjectRow> = statement
                .query_map(params_from_iter(values), SubjectRow::read)?
                .collect::<rusqlite::Result<_>>()?;
            let page = cursor.page(rows, |subject| subject.id.0);
            let items = page
                .items
                .into_iter()
                .map(|subject| summary(connection, subject))
                .collect::<Result<_>>()?;
            Ok(Page {
                items,
                next: page.next,
            })
        })
    }

    /// One subject.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown id.
    pub fn subject(&self, id: SubjectId) -> Result<SubjectSummary> {
        self.read(|connection| {
            let sql = format!("SELECT {SUBJECT_COLUMNS} FROM subject WHERE id = ?1");
            let subject = first(connection, &sql, [id], SubjectRow::read)?
                .ok_or_else(|| Error::not_found("subject", id))?;
            summary(connection, subject)
        })
    }

    /// The subject of this kind and name in a plate.
    ///
    /// # Errors
    /// If the database fails.
    pub fn find_subject(
        &self,
        plate: PlateId,
        kind: SubjectKind,
        name: &str,
    ) -> Result<Option<SubjectRow>> {
        self.read(|connection| {
            first(
                connection,
                &format!("SELECT {SUBJECT_COLUMNS} FROM subject WHERE plate_id = ?1 AND kind = ?2 AND name = ?3"),
                rusqlite::params![plate, kind, name],
                SubjectRow::read,
            )
        })
    }
}

fn summary(connection: &Connection, subject: SubjectRow) -> Result<SubjectSummary> {
    let mut tasks = TaskCounts::default();
    let mut statement =
        connection.prepare_cached(&format!("SELECT {BUCKET} FROM task WHERE subject_id = ?1"))?;
    let mut rows = statement.query([subject.id])?;
    while let Some(row) = rows.next()? {
        tasks.add_to(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?, 1);
    }
    Ok(SubjectSummary { subject, tasks })
}
