//! Files.

use std::path::Path;

use rusqlite::params_from_iter;
use rusqlite::types::Value;
use serde::{Deserialize, Serialize};

use super::{Cursor, Page, first};
use crate::Store;
use crate::columns::{Columns, like};
use crate::error::{Error, Result};
use crate::ids::{FileId, RootId, SubjectId};
use crate::model::{FILE_COLUMNS, FileRow, KnownFile};
use crate::paths::bytes;
use crate::states::FileState;

/// Which files a request is about; the default is all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FileFilter {
    /// Only of this root.
    pub root: Option<RootId>,
    /// Only in this state.
    pub state: Option<FileState>,
    /// Only planes of this subject.
    pub subject: Option<SubjectId>,
    /// Only those that are gone (true), or only those that are there (false).
    pub vanished: Option<bool>,
    /// Only where the path or the reason contains this text.
    pub q: Option<String>,
}

impl Store {
    /// Files in the order in which they were first seen.
    ///
    /// # Errors
    /// If the database fails.
    pub fn files(&self, filter: &FileFilter, cursor: Cursor) -> Result<Page<FileRow>> {
        // `+` keeps the planner from the index on (root, path), after which it would sort all files of the root.
        let mut sql = format!("SELECT {FILE_COLUMNS} FROM file WHERE id > ?");
        let mut values = vec![Value::Integer(cursor.after)];
        let numbers = [
            ("+root_id", filter.root.map(|root| root.0)),
            ("subject_id", filter.subject.map(|subject| subject.0)),
        ];
        for (column, value) in numbers {
            if let Some(value) = value {
                sql.push_str(&format!(" AND {column} = ?"));
                values.push(Value::Integer(value));
            }
        }
        if let Some(state) = filter.state {
            sql.push_str(" AND state = ?");
            values.push(Value::Text(state.as_str().into()));
        }
        if let Some(vanished) = filter.vanished {
            sql.push_str(if vanished {
                " AND vanished_at IS NOT NULL"
            } else {
                " AND vanished_at IS NULL"
            });
        }
        if let Some(text) = &filter.q {
            sql.push_str(
                " AND (CAST(path AS TEXT) LIKE ? ESCAPE '\\' OR reason LIKE ? ESCAPE '\\')",
            );
            values.extend([Value::Text(like(text)), Value::Text(like(text))]);
        }
        sql.push_str(" ORDER BY id LIMIT ?");
        values.push(Value::Integer(cursor.fetch()));
        self.read(|connection| {
            let mut statement = connection.prepare(&sql)?;
            let rows = statement
                .query_map(params_from_iter(values), FileRow::read)?
                .collect::<rusqlite::Result<_>>()?;
            Ok(cursor.page(rows, |file: &FileRow| file.id.0))
        })
    }

    /// One file.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown id.
    pub fn file(&self, id: FileId) -> Result<FileRow> {
        self.read(|connection| {
            first(
                connection,
                &format!("SELECT {FILE_COLUMNS} FROM file WHERE id = ?1"),
                [id],
                FileRow::read,
            )?
            .ok_or_else(|| Error::not_found("file", id))
        })
    }

    /// The file at a path below a root.
    ///
    /// # Errors
    /// If the database fails.
    pub fn find_file(&self, root: RootId, path: &Path) -> Result<Option<FileRow>> {
        let sql = format!("SELECT {FILE_COLUMNS} FROM file WHERE root_id = ?1 AND path = ?2");
        self.read(|connection| {
            first(
                connection,
                &sql,
                rusqlite::params![root, bytes(path)],
                FileRow::read,
            )
        })
    }

    /// Hands every recorded file of a root that has not vanished to `each`, in no particular order: the watcher's memory of what it has
    /// reported. Nothing but one row is held in memory.
    ///
    /// # Errors
    /// If the database fails.
    pub fn known_files(&self, root: RootId, mut each: impl FnMut(KnownFile)) -> Result<()> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT path, size, mtime_ns, ctime_ns, inode, device, content, state FROM file \
                 WHERE root_id = ?1 AND vanished_at IS NULL",
            )?;
            let mut rows = statement.query([root])?;
            while let Some(row) = rows.next()? {
                let mut columns = Columns::of(row);
                each(KnownFile {
                    path: columns.path()?,
                    size: columns.next::<i64>()?.cast_unsigned(),
                    mtime_ns: columns.next()?,
                    ctime_ns: columns.next()?,
                    inode: columns.next::<i64>()?.cast_unsigned(),
                    device: columns.next::<i64>()?.cast_unsigned(),
                    content: columns.next()?,
                    state: columns.next()?,
                });
            }
            Ok(())
        })
    }
}
