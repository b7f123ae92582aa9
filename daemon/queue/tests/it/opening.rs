//! Which files are opened, and which are refused and left alone.

use std::fs;
use std::path::{Path, PathBuf};

use queue::{Cursor, Error, FailureClass, Options, Store, TaskFilter, TaskState};

use crate::support::{Queue, chain, ids, open_free};

fn open(path: &Path) -> queue::Result<Store> {
    open_free(path, &Options::default())
}

/// The same, without patience.
fn open_taken(path: &Path) -> queue::Result<Store> {
    Store::open(path, Options::default())
}

fn refused(path: &Path) -> Error {
    let before = fs::read(path).unwrap();
    let error = open(path).unwrap_err();
    assert_eq!(
        fs::read(path).unwrap(),
        before,
        "a refused file is left as it is"
    );
    assert!(
        error.to_string().contains(path.to_str().unwrap()),
        "{error}"
    );
    assert!(error.remedy().is_some());
    error
}

#[test]
fn the_second_daemon_is_told_who_the_first_is() {
    let queue = Queue::new();
    let error = open_taken(queue.store.path()).unwrap_err();
    assert!(
        matches!(&error, Error::InUse { pid: Some(pid), .. } if *pid == std::process::id()),
        "{error}"
    );
    assert!(
        error
            .remedy()
            .unwrap()
            .contains(&std::process::id().to_string())
    );
    assert_eq!(error.class(), FailureClass::Environment);
    let path = queue.store.path().to_owned();
    let clone = queue.store.clone();
    drop(queue.store);
    assert!(
        matches!(open_taken(&path), Err(Error::InUse { .. })),
        "a clone still has it open"
    );
    drop(clone);
    open(&path).unwrap();
}

#[test]
fn readers_need_no_lock_and_cannot_write() {
    let queue = Queue::new();
    let plate = queue.plate("p");
    queue.put(queue.image_set(plate, "A01-0001"), chain());
    let reader = Store::open_read_only(queue.store.path(), Options::default()).unwrap();
    assert_eq!(reader.status().unwrap().tasks.total(), 3);
    queue.run_all();
    assert_eq!(
        reader.status().unwrap().tasks.succeeded,
        3,
        "it sees what is committed meanwhile"
    );
    assert!(matches!(reader.boot(), Err(Error::ReadOnly)));
    assert!(
        Store::open_read_only(queue.folder.path().join("none.db"), Options::default()).is_err()
    );
    assert!(!queue.folder.path().join("none.db").exists());
}

#[test]
fn foreign_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.txt");
    fs::write(&text, "buy milk, ".repeat(1000)).unwrap();
    assert!(matches!(refused(&text), Error::NotOurs { .. }));
    let foreign = folder.path().join("foreign.db");
    let connection = rusqlite::Connection::open(&foreign).unwrap();
    connection
        .execute_batch("CREATE TABLE milk (litres INTEGER)")
        .unwrap();
    drop(connection);
    assert!(matches!(refused(&foreign), Error::NotOurs { .. }));
}

#[test]
fn an_empty_file_is_a_new_queue() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue.db");
    fs::write(&path, "").unwrap();
    assert_eq!(open(&path).unwrap().status().unwrap().tasks.total(), 0);
}

#[test]
fn a_first_start_that_was_killed_before_its_first_commit_is_taken_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue.db");
    // Switching to WAL writes a header, before there is any table.
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))
        .unwrap();
    drop(connection);
    assert!(fs::metadata(&path).unwrap().len() > 0);
    open(&path).unwrap();
}

#[test]
fn a_missing_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = open(&folder.path().join("none/queue.db")).unwrap_err();
    assert!(
        matches!(&error, Error::Io { path, .. } if *path == folder.path().join("none")),
        "{error}"
    );
}

/// A closed queue with a few rows, so that damage has something to hit.
fn closed_queue() -> (tempfile::TempDir, PathBuf) {
    let queue = Queue::new();
    let plate = queue.plate("p");
    for index in 0..200 {
        queue.put(queue.image_set(plate, &format!("A01-{index:04}")), chain());
    }
    let Queue { folder, store, .. } = queue;
    let path = store.path().to_owned();
    drop(store);
    assert!(
        !path.with_file_name("queue.db-wal").exists(),
        "closing leaves one file"
    );
    (folder, path)
}

#[test]
fn a_newer_queue_is_refused() {
    let (_folder, path) = closed_queue();
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .pragma_update(None, "user_version", 1000)
        .unwrap();
    drop(connection);
    assert!(matches!(refused(&path), Error::Newer { found: 1000, .. }));
    assert!(matches!(
        Store::open_read_only(&path, Options::default()),
        Err(Error::Newer { .. })
    ));
}

#[test]
fn damage_is_refused() {
    let (_folder, path) = closed_queue();
    let whole = fs::read(&path).unwrap();

    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    assert!(matches!(refused(&path), Error::Corrupt { .. }), "truncated");

    let mut damaged = whole.clone();
    let middle = damaged.len() / 8192 / 2 * 8192;
    damaged[middle..middle + 4096].fill(0xA5);
    fs::write(&path, &damaged).unwrap();
    let error = refused(&path);
    assert!(matches!(error, Error::Corrupt { .. }), "{error}");
    assert!(error.remedy().unwrap().contains(".recover"));

    let mut headless = whole.clone();
    headless[..16].fill(0);
    fs::write(&path, &headless).unwrap();
    assert!(matches!(refused(&path), Error::NotOurs { .. }));

    fs::write(&path, &whole).unwrap();
    assert_eq!(open(&path).unwrap().status().unwrap().tasks.total(), 600);
}

/// Queues as earlier versions wrote them: five tasks of two image sets and a plate.
const OLD: [(i64, &str); 4] = [
    (1, include_str!("../fixtures/version_1.sql")),
    (2, include_str!("../fixtures/version_2.sql")),
    (3, include_str!("../fixtures/version_3.sql")),
    (4, include_str!("../fixtures/version_4.sql")),
];

#[test]
fn an_old_queue_is_migrated_with_all_it_holds() {
    for (version, dump) in OLD {
        is_migrated(version, dump);
    }
}

fn is_migrated(version: i64, dump: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute_batch(dump).unwrap();
    drop(connection);
    let old = Store::open_read_only(&path, Options::default()).unwrap_err();
    assert!(
        matches!(old, Error::NeedsMigration { found, .. } if found == version),
        "{old}"
    );

    let store = open(&path).unwrap();
    assert_eq!(store.check().unwrap(), Vec::<String>::new());
    let status = store.status().unwrap();
    let tasks = status.tasks;
    assert_eq!(
        (
            tasks.succeeded,
            tasks.running,
            tasks.failed,
            tasks.blocked,
            tasks.waiting
        ),
        (1, 1, 1, 1, 1)
    );
    assert_eq!(status.files.registered, 2);
    assert_eq!(status.files.vanished, u64::from(version >= 3));
    let recipients = store.recipients().unwrap();
    assert_eq!(recipients.len(), usize::from(version >= 4));
    let jobs = store.loads().unwrap().remove(0).jobs;
    let of_a = jobs.iter().find(|job| job.job == "a").unwrap().tasks;
    assert_eq!((of_a.succeeded, of_a.failed, of_a.total()), (1, 1, 2));
    let recovered = store.boot().unwrap();
    assert_eq!(recovered.tasks.len(), 1, "the old daemon's pass is over");
    let filter = TaskFilter::default().in_state(TaskState::Ready);
    let ready = store.tasks(&filter, Cursor::first(10)).unwrap().items;
    assert_eq!(
        ready.iter().map(|task| task.id).collect::<Vec<_>>(),
        recovered.tasks
    );
    assert_eq!(
        store
            .requeue(&TaskFilter::default(), None, false)
            .unwrap()
            .len(),
        1
    );
    drop(store);
    open(&path).unwrap();
}

#[test]
fn the_same_queue_goes_on_after_it_was_closed() {
    let queue = Queue::new();
    let plate = queue.plate("p");
    let tasks = ids(&queue.put(queue.image_set(plate, "A01-0001"), chain()));
    queue.run_all();
    let boot = queue.store.boot_id().to_owned();
    let last = queue.store.last_event();
    let queue = queue.reopen();
    assert_ne!(queue.store.boot_id(), boot);
    assert!(queue.store.last_event() > last, "ids go on rising");
    assert!(
        tasks
            .iter()
            .all(|task| queue.state(*task) == TaskState::Succeeded)
    );
    queue.assert_sound();
}
