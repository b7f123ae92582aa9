//! The one writing connection, with group commit.
//!
//! Durability costs one `fsync` a commit. A caller runs its own changes on the shared connection, as a
//! savepoint of an open transaction, while it holds the lock; if others queue for the lock by then, it leaves
//! the commit to the last of them and only waits for it. So one `fsync` acknowledges everybody who
//! came while the previous one was under way, and a lone caller pays no hand-over to another thread.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use faults::Point;
use rusqlite::Connection;

use crate::error::{Error, Result};
use crate::ids::EventId;

/// The writing connection and the queue for it.
#[derive(Debug)]
pub(crate) struct Writer {
    inner: Mutex<Inner>,
    waiting: AtomicUsize,
    group_limit: usize,
}

#[derive(Debug)]
struct Inner {
    connection: Connection,
    /// The open transaction, if one is open.
    group: Option<Arc<Group>>,
    members: usize,
    last_event: Option<EventId>,
}

/// The callers that one commit acknowledges.
#[derive(Debug, Default)]
struct Group {
    outcome: Mutex<Option<Result<(), String>>>,
    decided: Condvar,
}

/// What an operation hands back: its value, and the last event that it appended.
pub(crate) type Written<T> = Result<(T, Option<EventId>)>;

impl Writer {
    /// `group_limit` 1 commits each operation by itself.
    pub(crate) fn new(connection: Connection, group_limit: usize) -> Self {
        let inner = Inner {
            connection,
            group: None,
            members: 0,
            last_event: None,
        };
        Self {
            inner: Mutex::new(inner),
            waiting: AtomicUsize::new(0),
            group_limit: group_limit.max(1),
        }
    }

    /// Runs `operation` and returns once its changes are on disk. An error undoes its changes and nobody
    /// else's. `committed` is called by the caller that commits, with the last event of the whole group.
    pub(crate) fn run<T>(
        &self,
        operation: impl FnOnce(&Connection) -> Written<T>,
        committed: impl FnOnce(EventId),
    ) -> Result<T> {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let mut inner = lock(&self.inner);
        self.waiting.fetch_sub(1, Ordering::SeqCst);

        let group = inner.join()?;
        // A panic must not leave the transaction open or the others waiting: treat it as an error first.
        let result = catch_unwind(AssertUnwindSafe(|| inner.savepoint(operation)));
        if inner.connection.is_autocommit() {
            // SQLite gave up the whole transaction (disk full, I/O error): nobody's changes exist.
            let detail = match &result {
                Ok(Err(error)) => error.to_string(),
                _ => "the transaction was rolled back".to_owned(),
            };
            inner.close(&group, Err(detail.clone()));
            return result
                .unwrap_or_else(|panic| resume_unwind(panic))
                .and(Err(Error::NotCommitted { detail }));
        }
        if inner.members < self.group_limit && self.waiting.load(Ordering::SeqCst) > 0 {
            drop(inner);
            let value = result.unwrap_or_else(|panic| resume_unwind(panic))?;
            group.wait()?;
            return Ok(value);
        }
        let outcome = inner.commit(&group);
        let event = inner.last_event.take();
        drop(inner);
        if let (Ok(()), Some(event)) = (&outcome, event) {
            committed(event);
        }
        let value = result.unwrap_or_else(|panic| resume_unwind(panic))?;
        outcome.map_err(|detail| Error::NotCommitted { detail })?;
        Ok(value)
    }

    /// The connection itself, outside a transaction, for maintenance.
    pub(crate) fn exclusive<T>(
        &self,
        operation: impl FnOnce(&Connection) -> Result<T>,
    ) -> Result<T> {
        loop {
            let inner = lock(&self.inner);
            if inner.group.is_none() {
                return operation(&inner.connection);
            }
            // Whoever the open group was left to is about to commit it.
            drop(inner);
            std::thread::yield_now();
        }
    }
}

impl Inner {
    fn join(&mut self) -> Result<Arc<Group>> {
        if let Some(group) = &self.group {
            self.members += 1;
            return Ok(Arc::clone(group));
        }
        self.connection
            .prepare_cached("BEGIN IMMEDIATE")?
            .execute([])?;
        let group = Arc::new(Group::default());
        self.group = Some(Arc::clone(&group));
        self.members = 1;
        self.last_event = None;
        Ok(group)
    }

    fn savepoint<T>(&mut self, operation: impl FnOnce(&Connection) -> Written<T>) -> Result<T> {
        let connection = &self.connection;
        connection
            .prepare_cached("SAVEPOINT operation")?
            .execute([])?;
        // A panic unwinds through here; the guard undoes what it had changed.
        let mut undo = Undo {
            connection,
            armed: true,
        };
        let (value, event) = operation(connection)?;
        connection
            .prepare_cached("RELEASE operation")?
            .execute([])?;
        undo.armed = false;
        self.last_event = self.last_event.max(event);
        Ok(value)
    }

    fn commit(&mut self, group: &Arc<Group>) -> Result<(), String> {
        let outcome = faults::write_point(Point::QueueCommitting)
            .map_err(|error| error.to_string())
            .and_then(|()| {
                self.connection
                    .prepare_cached("COMMIT")
                    .and_then(|mut statement| statement.execute([]))
                    .map(drop)
                    .map_err(|error| error.to_string())
            });
        faults::point(Point::QueueCommitted);
        if outcome.is_err() && !self.connection.is_autocommit() {
            // If even this fails the next BEGIN fails too, and says so.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
        self.close(group, outcome.clone());
        outcome
    }

    fn close(&mut self, group: &Arc<Group>, outcome: Result<(), String>) {
        if outcome.is_err() {
            self.last_event = None;
        }
        self.group = None;
        self.members = 0;
        *lock(&group.outcome) = Some(outcome);
        group.decided.notify_all();
    }
}

/// Undoes a savepoint unless the operation came to its end.
struct Undo<'c> {
    connection: &'c Connection,
    armed: bool,
}

impl Drop for Undo<'_> {
    fn drop(&mut self) {
        if self.armed && !self.connection.is_autocommit() {
            // Fails only where the whole transaction is lost, which the caller finds out by itself.
            let _ = self
                .connection
                .execute_batch("ROLLBACK TO operation; RELEASE operation");
        }
    }
}

impl Group {
    fn wait(&self) -> Result<()> {
        let mut outcome = lock(&self.outcome);
        loop {
            if let Some(outcome) = &*outcome {
                return outcome
                    .clone()
                    .map_err(|detail| Error::NotCommitted { detail });
            }
            outcome = self
                .decided
                .wait(outcome)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Locks, also after a panic elsewhere: every critical section here leaves its data whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Barrier;

    use rusqlite::{Connection, params};

    use super::Writer;
    use crate::error::{Error, Result};
    use crate::states::FailureClass;

    fn writer(folder: &tempfile::TempDir) -> Writer {
        let connection =
            crate::schema::open_writer(&folder.path().join("queue.db"), false).unwrap();
        Writer::new(connection, 256)
    }

    fn insert(writer: &Writer, key: &str, bytes: usize) -> Result<()> {
        let value = "x".repeat(bytes);
        writer.run(
            |connection| {
                connection.execute("INSERT INTO setting VALUES (?1, ?2)", params![key, value])?;
                Ok(((), None))
            },
            |_| {},
        )
    }

    fn count(writer: &Writer) -> i64 {
        let count = |connection: &Connection| {
            Ok(connection.query_row("SELECT count(*) FROM setting", [], |row| row.get(0))?)
        };
        writer.exclusive(count).unwrap()
    }

    #[test]
    fn a_full_disk_loses_nothing_that_was_acknowledged_and_passes() {
        let folder = tempfile::tempdir().unwrap();
        let writer = writer(&folder);
        insert(&writer, "first", 10).unwrap();
        // SQLite answers the same when this limit is reached as when the disk is full.
        let pages: i64 = writer
            .exclusive(|connection| {
                Ok(connection.query_row("PRAGMA page_count", [], |row| row.get(0))?)
            })
            .unwrap();
        let limit = |pages: i64| {
            writer
                .exclusive(|connection| {
                    Ok(connection.pragma_update(None, "max_page_count", pages)?)
                })
                .unwrap();
        };
        limit(pages + 2);
        let error = insert(&writer, "large", 100_000).unwrap_err();
        assert_eq!(error.class(), FailureClass::Environment, "{error}");
        assert!(error.remedy().unwrap().contains("free space"));
        insert(&writer, "small", 10).unwrap();
        limit(1_000_000);
        insert(&writer, "large", 100_000).unwrap();
        assert_eq!(count(&writer), 3);
    }

    #[test]
    fn those_who_share_a_transaction_that_sqlite_gives_up_are_all_told() {
        let folder = tempfile::tempdir().unwrap();
        let writer = writer(&folder);
        let (inside, queued) = (Barrier::new(2), Barrier::new(2));
        std::thread::scope(|scope| {
            let first = scope.spawn(|| {
                writer.run(
                    |connection| {
                        connection.execute("INSERT INTO setting VALUES ('first', '')", [])?;
                        inside.wait();
                        queued.wait();
                        Ok(((), None))
                    },
                    |_| {},
                )
            });
            inside.wait();
            let second = scope.spawn(|| {
                writer.run(
                    |connection| {
                        // What SQLite does by itself on some I/O errors.
                        connection.execute_batch("ROLLBACK")?;
                        Err::<((), _), _>(Error::ReadOnly)
                    },
                    |_| {},
                )
            });
            while writer.waiting.load(std::sync::atomic::Ordering::SeqCst) == 0 {
                std::thread::yield_now();
            }
            queued.wait();
            let first = first.join().unwrap();
            assert!(
                matches!(first, Err(Error::NotCommitted { .. })),
                "{first:?}"
            );
            assert!(second.join().unwrap().is_err());
        });
        assert_eq!(count(&writer), 0);
        insert(&writer, "after", 1).unwrap();
        assert_eq!(count(&writer), 1);
    }

    #[test]
    fn the_last_of_a_group_commits_for_all() {
        let folder = tempfile::tempdir().unwrap();
        let writer = writer(&folder);
        let (inside, queued) = (Barrier::new(2), Barrier::new(2));
        let commits = std::sync::atomic::AtomicUsize::new(0);
        let committed = |_| {
            commits.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        };
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let hold = |_: &Connection| {
                    inside.wait();
                    queued.wait();
                    Ok(((), Some(crate::EventId(1))))
                };
                writer.run(hold, committed).unwrap();
            });
            inside.wait();
            for id in 2..=5 {
                let (writer, committed) = (&writer, &committed);
                scope.spawn(move || {
                    writer
                        .run(|_| Ok(((), Some(crate::EventId(id)))), committed)
                        .unwrap();
                });
            }
            while writer.waiting.load(std::sync::atomic::Ordering::SeqCst) < 4 {
                std::thread::yield_now();
            }
            queued.wait();
        });
        assert_eq!(commits.into_inner(), 1, "one commit for five callers");
    }
}
