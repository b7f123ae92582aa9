//! The image sets of a plate in a few words each: enough to lay out a page.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::all;
use crate::Store;
use crate::columns::Columns;
use crate::error::Result;
use crate::ids::{PlateId, SubjectId};

/// An image set in a few words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteSummary {
    /// The image set.
    pub id: SubjectId,
    /// Its name.
    pub name: String,
    /// Canonical well name.
    pub well: Option<String>,
    /// Site (field of view) in the well.
    pub site: Option<i64>,
    /// Whether a container is published.
    pub has_container: bool,
    /// Whether a task of it failed.
    pub has_failed: bool,
    /// When it last changed: another moment, another container.
    pub updated_at: Timestamp,
}

impl Store {
    /// The image sets of a plate, by well and site; all of them.
    ///
    /// # Errors
    /// If the database fails.
    pub fn sites(&self, plate: PlateId) -> Result<Vec<SiteSummary>> {
        self.read(|connection| {
            all(
                connection,
                "SELECT id, name, well, site, container IS NOT NULL, \
                 EXISTS (SELECT 1 FROM task WHERE task.subject_id = subject.id AND task.state IN ('failed', 'quarantined')), \
                 updated_at FROM subject WHERE plate_id = ?1 AND kind = 'image_set' ORDER BY well, site, name",
                [plate],
                |row| {
                    let mut columns = Columns::of(row);
                    Ok(SiteSummary {
                        id: columns.next()?,
                        name: columns.next()?,
                        well: columns.next()?,
                        site: columns.next()?,
                        has_container: columns.next()?,
                        has_failed: columns.next()?,
                        updated_at: columns.time()?,
                    })
                },
            )
        })
    }
}
