//! The store: opening it, running transactions, and one method for each change.

mod changes;
mod maintenance;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;

use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::ids::EventId;
use crate::lock::Lock;
use crate::notify::Notifier;
use crate::readers::Readers;
use crate::schema;
use crate::transaction::Transaction;
use crate::writer::Writer;

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the time comes from.
    pub clock: Clock,
    /// Reading connections that are kept open.
    pub readers: usize,
    /// Changes that one commit may acknowledge together; 1 commits each by itself.
    pub group: usize,
    /// Databases up to this size (bytes) are checked for damage when they are opened, which reads every page.
    pub check_up_to: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            clock: Clock::system(),
            readers: 4,
            group: 256,
            check_up_to: 64 * 1024 * 1024,
        }
    }
}

/// The queue. Clones share one connection for writing and a pool for reading; all methods block, so async callers use
/// a blocking thread.
///
/// A change has been synced to the disk when its method returns. A process that dies loses nothing that
/// had been acknowledged; one that is killed in the middle of a change leaves no trace of it.
#[derive(Clone, Debug)]
pub struct Store {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    clock: Clock,
    boot: String,
    /// Absent in a store that was opened for reading only. Dropped before the lock is given back.
    writer: Option<Writer>,
    readers: Readers,
    notifier: Notifier,
    _lock: Option<Lock>,
}

impl Store {
    /// Opens the queue for writing; creates it, or migrates it from an older release, as needed. Its folder must exist
    /// and be on a local disk. One process can have it open for writing.
    ///
    /// # Errors
    /// [`Error::InUse`] names the process that has it open. A file that is damaged, newer, or not ours is refused
    /// ([`Error::Corrupt`], [`Error::Newer`], [`Error::NotOurs`]) and left as it is.
    pub fn open(path: impl AsRef<Path>, options: Options) -> Result<Self> {
        let path = path.as_ref();
        if let Some(folder) = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            std::fs::metadata(folder)
                .map_err(|source| Error::io(folder, "use the folder", source))?;
        }
        let lock = Lock::acquire(path)?;
        let size = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        let connection = schema::open_writer(path, size <= options.check_up_to)?;
        let boot =
            connection.query_row("SELECT lower(hex(randomblob(16)))", [], |row| row.get(0))?;
        let last: i64 =
            connection.query_row("SELECT coalesce(max(id), 0) FROM event", [], |row| {
                row.get(0)
            })?;
        let notifier = Notifier::default();
        notifier.publish(EventId(last));
        Ok(Self {
            shared: Arc::new(Shared {
                path: path.to_owned(),
                clock: options.clock,
                boot,
                writer: Some(Writer::new(connection, options.group)),
                readers: Readers::new(path.to_owned(), options.readers),
                notifier,
                _lock: Some(lock),
            }),
        })
    }

    /// Opens the queue for reading, also while a daemon has it open for writing. Changes are refused.
    ///
    /// # Errors
    /// As [`Store::open`], and [`Error::NeedsMigration`] for a queue of an older release.
    pub fn open_read_only(path: impl AsRef<Path>, options: Options) -> Result<Self> {
        let path = path.as_ref();
        let store = Self {
            shared: Arc::new(Shared {
                path: path.to_owned(),
                clock: options.clock,
                boot: String::new(),
                writer: None,
                readers: Readers::new(path.to_owned(), options.readers),
                notifier: Notifier::default(),
                _lock: None,
            }),
        };
        // Opens the first connection, and so finds out whether the file is any good.
        store.read(|_| Ok(()))?;
        Ok(store)
    }

    /// The database file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// Identifies this run of the daemon; empty in a store that was opened for reading only.
    #[must_use]
    pub fn boot_id(&self) -> &str {
        &self.shared.boot
    }

    /// The clock that leases and retries are measured with.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    /// Makes several changes that are recorded together, or not at all. When it returns they are on disk.
    /// `change` runs under the writer's lock: it should neither wait nor call other methods of the store.
    ///
    /// # Errors
    /// Whatever `change` returns, after undoing it; [`Error::NotCommitted`] if the disk did not take it.
    pub fn transaction<T>(
        &self,
        change: impl FnOnce(&mut Transaction<'_>) -> Result<T>,
    ) -> Result<T> {
        let shared = &*self.shared;
        let writer = shared.writer.as_ref().ok_or(Error::ReadOnly)?;
        writer.run(
            |connection| {
                let mut transaction = Transaction::new(connection, &shared.clock, &shared.boot);
                let value = change(&mut transaction)?;
                Ok((value, transaction.finish()?))
            },
            |event| shared.notifier.publish(event),
        )
    }

    /// Calls `callback` after each commit that appended events, with the id of the last one, on the thread that
    /// committed. It must be quick and must not call the store.
    pub fn on_event(&self, callback: impl Fn(EventId) + Send + Sync + 'static) {
        self.shared.notifier.subscribe(Box::new(callback));
    }

    /// The last event that this store committed or found when it was opened.
    #[must_use]
    pub fn last_event(&self) -> EventId {
        self.shared.notifier.latest()
    }

    /// Blocks until this store has committed an event after `after`, or `timeout` has passed. Returns the last event.
    #[must_use]
    pub fn wait_for_event(&self, after: EventId, timeout: Duration) -> EventId {
        self.shared.notifier.wait(after, timeout)
    }

    pub(crate) fn read<T>(&self, query: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        self.shared.readers.run(query)
    }
}
