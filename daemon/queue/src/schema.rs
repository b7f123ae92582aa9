//! Opening a database file: is it ours, is it whole, is it of this version?
//!
//! Nothing is ever replaced or repaired here: a file that is not understood is refused by name.

use std::path::Path;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::error::{Error, Result};

/// Marks the file as ours ("Wsq1"), where `file(1)` and SQLite's `PRAGMA application_id` look.
const APPLICATION_ID: i64 = 0x5773_7131;

/// One step a file; step `n` leads to version `n`. Released steps are never edited.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_initial.sql"),
    include_str!("migrations/0002_tally.sql"),
    include_str!("migrations/0003_vanished.sql"),
    include_str!("migrations/0004_notices.sql"),
    include_str!("migrations/0005_pace.sql"),
];

/// Page caches, KiB. Small: what does not fit is in the kernel's cache, and a daemon must not swell with its history.
const WRITER_CACHE: u32 = 16 * 1024;
const READER_CACHE: u32 = 2 * 1024;

/// The version that this release reads and writes.
pub(crate) const VERSION: i64 = MIGRATIONS.len() as i64;

/// Opens for reading and writing; creates or migrates as needed.
pub(crate) fn open_writer(path: &Path, quick_check: bool) -> Result<Connection> {
    let connection = Connection::open(path).map_err(|error| explain(path, error))?;
    let found = identify(path, &connection)?;
    if quick_check && found > 0 {
        check(path, &connection)?;
    }
    // Set before the first transaction: WAL cannot be switched on inside one.
    let mode: String = connection
        .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
        .map_err(|error| explain(path, error))?;
    if !mode.eq_ignore_ascii_case("wal") {
        let detail =
            format!("write-ahead logging is not possible there (journal mode stays `{mode}`)");
        return Err(Error::NotCommitted { detail });
    }
    configure(&connection, WRITER_CACHE)?;
    // FULL: what was acknowledged survives a power loss, not only a crash.
    connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864;")?;
    migrate(&connection, found).map_err(|error| match error {
        Error::Sqlite(error) => explain(path, error),
        other => other,
    })?;
    Ok(connection)
}

/// Opens for reading only; the database must be of this version.
pub(crate) fn open_reader(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection =
        Connection::open_with_flags(path, flags).map_err(|error| explain(path, error))?;
    let found = identify(path, &connection)?;
    if found < VERSION {
        return Err(Error::NeedsMigration {
            path: path.to_owned(),
            found,
            known: VERSION,
        });
    }
    configure(&connection, READER_CACHE)?;
    Ok(connection)
}

fn configure(connection: &Connection, cache_kib: u32) -> Result<()> {
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    connection.set_prepared_statement_cache_capacity(256);
    connection.execute_batch(&format!(
        "PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -{cache_kib}; \
         PRAGMA trusted_schema = OFF;",
    ))?;
    Ok(())
}

/// The schema version, 0 for an empty database; an error for a foreign, newer or damaged one.
fn identify(path: &Path, connection: &Connection) -> Result<i64> {
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let read = || -> rusqlite::Result<(i64, i64, i64)> {
        Ok((
            number("PRAGMA application_id")?,
            number("PRAGMA user_version")?,
            number("SELECT count(*) FROM sqlite_schema")?,
        ))
    };
    let (application, version, objects) = read().map_err(|error| explain(path, error))?;
    match (application, version, objects) {
        // Also what is left when the very first start was killed before its first commit.
        (0, 0, 0) => Ok(0),
        (APPLICATION_ID, version, _) if version > VERSION => Err(Error::Newer {
            path: path.to_owned(),
            found: version,
            known: VERSION,
        }),
        (APPLICATION_ID, version, _) if version >= 1 => Ok(version),
        (APPLICATION_ID, version, _) => Err(Error::Corrupt {
            path: path.to_owned(),
            detail: format!("schema version {version} never existed"),
        }),
        (other, ..) => Err(Error::NotOurs {
            path: path.to_owned(),
            detail: format!(
                "an SQLite database of another program (application_id {other:#010x}, {objects} objects)"
            ),
        }),
    }
}

/// All missing steps and the new version in one transaction: a crash leaves the old version whole.
fn migrate(connection: &Connection, found: i64) -> Result<()> {
    if found == VERSION {
        return Ok(());
    }
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let steps = MIGRATIONS
        .iter()
        .zip(1_i64..)
        .filter(|(_, version)| *version > found);
    let result = steps
        .map(|(sql, _)| sql)
        .try_for_each(|sql| connection.execute_batch(sql))
        .and_then(|()| {
            connection.pragma_update(None, "application_id", APPLICATION_ID)?;
            connection.pragma_update(None, "user_version", VERSION)
        })
        .map_err(Error::from)
        .and_then(|()| {
            faults::write_point(faults::Point::QueueMigrated).map_err(Error::not_committed)
        })
        .and_then(|()| Ok(connection.execute_batch("COMMIT")?));
    if let Err(error) = result {
        // The first error is the one to report; a failed ROLLBACK means there is nothing to undo.
        let _ = connection.execute_batch("ROLLBACK");
        return Err(error);
    }
    if found > 0 {
        tracing::info!(from = found, to = VERSION, "queue migrated");
    }
    Ok(())
}

/// Reads every page and index once.
pub(crate) fn check(path: &Path, connection: &Connection) -> Result<()> {
    let findings = || -> rusqlite::Result<Vec<String>> {
        connection
            .prepare("PRAGMA quick_check(5)")?
            .query_map([], |row| row.get(0))?
            .collect()
    };
    let findings = findings().map_err(|error| explain(path, error))?;
    if findings.iter().any(|finding| finding != "ok") {
        return Err(Error::Corrupt {
            path: path.to_owned(),
            detail: findings.join("; "),
        });
    }
    Ok(())
}

/// Turns SQLite's codes for a bad file into errors that name it.
fn explain(path: &Path, error: rusqlite::Error) -> Error {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => Error::NotOurs {
            path: path.to_owned(),
            detail: "not an SQLite database".into(),
        },
        Some(ErrorCode::DatabaseCorrupt) => Error::Corrupt {
            path: path.to_owned(),
            detail: error.to_string(),
        },
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            Error::io(path, "open", std::io::Error::other(error))
        }
        _ => error.into(),
    }
}
