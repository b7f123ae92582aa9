//! Questions about the queue. Each is answered from one snapshot and blocks nobody.

mod audit;
mod events;
mod explain;
mod files;
mod notices;
mod pace;
mod plates;
mod sites;
mod status;
mod subjects;
mod tasks;
mod workflows;

use rusqlite::{Connection, Params, Row};
use serde::{Deserialize, Serialize};

pub use explain::{Explanation, Reason};
pub use files::FileFilter;
pub use pace::{Ended, JobLoad, Pace, PlateLoad, SetProgress, Throughput};
pub use plates::{PlateFilter, PlateSummary};
pub use sites::SiteSummary;
pub use status::{FileCounts, Hold, PassSummary, PlateCounts, Status};
pub use subjects::{SubjectFilter, SubjectSummary, WellSummary};
pub use tasks::{Neighbour, TaskDetail};
pub use workflows::{JobUse, WorkflowUse};

use crate::error::Result;

/// Part of a list, and where the next part starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Pass this as `after` for the next part; absent after the last one.
    pub next: Option<i64>,
}

/// Which part of a list: rows after an id, at most so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The `next` of the part before; 0 for the first.
    pub after: i64,
    /// Most rows; at least 1 are given.
    pub limit: u32,
}

impl Cursor {
    /// The first `limit` rows.
    #[must_use]
    pub const fn first(limit: u32) -> Self {
        Self { after: 0, limit }
    }

    /// One more row than asked for is read, to know whether there is a next part.
    fn fetch(self) -> i64 {
        i64::from(self.limit.max(1)) + 1
    }

    fn page<T>(self, mut items: Vec<T>, id: impl Fn(&T) -> i64) -> Page<T> {
        let limit = self.limit.max(1) as usize;
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(id);
        Page { items, next }
    }
}

/// All rows of a query.
fn all<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>> {
    Ok(connection
        .prepare_cached(sql)?
        .query_map(params, read)?
        .collect::<rusqlite::Result<_>>()?)
}

/// The first row of a query, if there is one.
fn first<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Option<T>> {
    use rusqlite::OptionalExtension as _;
    Ok(connection
        .prepare_cached(sql)?
        .query_row(params, read)
        .optional()?)
}
