//! Plates with their counts.

use rusqlite::types::Value;
use rusqlite::{Connection, params, params_from_iter};
use serde::{Deserialize, Serialize};

use super::{Cursor, Page, first};
use crate::Store;
use crate::columns::like;
use crate::counts::{SubjectCounts, TaskCounts};
use crate::error::{Error, Result};
use crate::ids::{PlateId, RootId};
use crate::model::{PLATE_COLUMNS, PlateRow};
use crate::states::PlateState;

/// Which plates a request is about; the default is all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PlateFilter {
    /// Only of this root.
    pub root: Option<RootId>,
    /// Only in these states.
    pub states: Vec<PlateState>,
    /// Only where the name or the key contains this text.
    pub q: Option<String>,
}

/// A plate with the numbers of its image sets and tasks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlateSummary {
    /// The plate.
    #[serde(flatten)]
    pub plate: PlateRow,
    /// Its image sets (or stacks) by state.
    pub image_sets: SubjectCounts,
    /// Its tasks by state.
    pub tasks: TaskCounts,
}

impl Store {
    /// Plates, newest first: `after` is the last id of the part before, 0 for the first part.
    ///
    /// # Errors
    /// If the database fails.
    pub fn plates(&self, filter: &PlateFilter, cursor: Cursor) -> Result<Page<PlateSummary>> {
        let after = if cursor.after > 0 {
            cursor.after
        } else {
            i64::MAX
        };
        let mut sql = format!("SELECT {PLATE_COLUMNS} FROM plate WHERE id < ?");
        let mut values = vec![Value::Integer(after)];
        if let Some(root) = filter.root {
            sql.push_str(" AND root_id = ?");
            values.push(Value::Integer(root.0));
        }
        if !filter.states.is_empty() {
            sql.push_str(&format!(
                " AND state IN ({})",
                vec!["?"; filter.states.len()].join(", ")
            ));
            values.extend(
                filter
                    .states
                    .iter()
                    .map(|state| Value::Text(state.as_str().into())),
            );
        }
        if let Some(text) = &filter.q {
            sql.push_str(" AND (name LIKE ? ESCAPE '\\' OR key LIKE ? ESCAPE '\\')");
            values.extend([Value::Text(like(text)), Value::Text(like(text))]);
        }
        sql.push_str(" ORDER BY id DESC LIMIT ?");
        values.push(Value::Integer(cursor.fetch()));
        self.read(|connection| {
            let mut statement = connection.prepare(&sql)?;
            let rows: Vec<PlateRow> = statement
                .query_map(params_from_iter(values), PlateRow::read)?
                .collect::<rusqlite::Result<_>>()?;
            let page = cursor.page(rows, |plate| plate.id.0);
            let items = page
                .items
                .into_iter()
                .map(|plate| summary(connection, plate))
                .collect::<Result<_>>()?;
            Ok(Page {
                items,
                next: page.next,
            })
        })
    }

    /// One plate.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown id.
    pub fn plate(&self, id: PlateId) -> Result<PlateSummary> {
        self.read(|connection| {
            let plate = first(
                connection,
                &format!("SELECT {PLATE_COLUMNS} FROM plate WHERE id = ?1"),
                [id],
                PlateRow::read,
            )?
            .ok_or_else(|| Error::not_found("plate", id))?;
            summary(connection, plate)
        })
    }

    /// The plate of this key in a root.
    ///
    /// # Errors
    /// If the database fails.
    pub fn find_plate(&self, root: RootId, key: &str) -> Result<Option<PlateRow>> {
        self.read(|connection| {
            first(
                connection,
                &format!("SELECT {PLATE_COLUMNS} FROM plate WHERE root_id = ?1 AND key = ?2"),
                params![root, key],
                PlateRow::read,
            )
        })
    }
}

fn summary(connection: &Connection, plate: PlateRow) -> Result<PlateSummary> {
    let image_sets = SubjectCounts::of_plate(connection, plate.id)?;
    let tasks = TaskCounts::of_plate(connection, plate.id)?;
    Ok(PlateSummary {
        plate,
        image_sets,
        tasks,
    })
}
