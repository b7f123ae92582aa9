//! Files and roots.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use queue::{Cursor, FileFilter, FileRecord, FileState, Recorded, RootState, Upserted};
use serde_json::json;

use crate::support::{Queue, image_set, new_plate, new_root};

fn file(queue: &Queue, path: &str) -> FileRecord {
    FileRecord {
        root: queue.root,
        path: path.into(),
        size: 8_388_608,
        mtime_ns: 1_700_000_000_123_456_789,
        ctime_ns: 1_700_000_000_123_456_789,
        inode: u64::MAX - 1,
        device: 2049,
        content: Some("c0ffee".into()),
        state: FileState::Registered,
        reason: None,
        remedy: None,
        subject: None,
        parsed: json!({ "well": "A01" }),
    }
}

#[test]
fn a_file_is_recorded_once_whatever_happens_to_its_time_stamps() {
    let queue = Queue::new();
    let record = file(&queue, "p/A01.tif");
    let Recorded::New(id) = queue.store.record_file(&record).unwrap() else {
        panic!()
    };
    let last = queue.store.last_event();
    assert_eq!(
        queue.store.record_file(&record).unwrap(),
        Recorded::Same(id)
    );
    let touched = FileRecord {
        mtime_ns: 5,
        ctime_ns: 6,
        inode: 7,
        ..record.clone()
    };
    assert_eq!(
        queue.store.record_file(&touched).unwrap(),
        Recorded::Same(id)
    );
    assert_eq!(queue.store.last_event(), last, "touching is no event");
    let row = queue.store.file(id).unwrap();
    assert_eq!((row.mtime_ns, row.inode, row.revision), (5, 7, 1));
    queue.assert_sound();
}

#[test]
fn new_content_under_the_old_name_supersedes() {
    let queue = Queue::new();
    let plate = queue.plate("p");
    let subject = queue.image_set(plate, "A01-0001");
    let record = FileRecord {
        subject: Some(subject),
        ..file(&queue, "p/A01.tif")
    };
    let id = queue.store.record_file(&record).unwrap().file();
    let other = FileRecord {
        content: Some("beef".into()),
        subject: None,
        ..record
    };
    let superseded = Recorded::Superseded {
        file: id,
        revision: 2,
        previous_subject: Some(subject),
    };
    assert_eq!(queue.store.record_file(&other).unwrap(), superseded);
    assert_eq!(queue.store.record_file(&other).unwrap(), Recorded::Same(id));
}

#[test]
fn without_a_hash_size_and_time_stand_in() {
    let queue = Queue::new();
    let record = FileRecord {
        content: None,
        state: FileState::Ignored,
        ..file(&queue, "p/Thumbs.db")
    };
    let id = queue.store.record_file(&record).unwrap().file();
    assert_eq!(
        queue.store.record_file(&record).unwrap(),
        Recorded::Same(id)
    );
    let hashed = FileRecord {
        content: Some("c0ffee".into()),
        ..record.clone()
    };
    assert_eq!(
        queue.store.record_file(&hashed).unwrap(),
        Recorded::Same(id)
    );
    assert_eq!(
        queue.store.record_file(&record).unwrap(),
        Recorded::Same(id)
    );
    assert_eq!(
        queue.store.file(id).unwrap().content.as_deref(),
        Some("c0ffee"),
        "a hash is not forgotten"
    );
    let longer = FileRecord {
        size: 9,
        content: None,
        ..record
    };
    assert!(matches!(
        queue.store.record_file(&longer).unwrap(),
        Recorded::Superseded { .. }
    ));
}

#[test]
fn a_vanished_file_is_marked_once_and_comes_back_as_the_same() {
    let queue = Queue::new();
    let record = file(&queue, "p/A01.tif");
    let other = file(&queue, "p/A02.tif");
    let id = queue.store.record_file(&record).unwrap().file();
    queue.store.record_file(&other).unwrap();
    let known = || {
        let mut paths = Vec::new();
        let visited = queue
            .store
            .known_files(queue.root, |known| paths.push((known.path, known.device)));
        visited.unwrap();
        paths.sort();
        paths
    };
    assert_eq!(known().len(), 2);
    assert!(queue.store.mark_vanished(queue.root, &record.path).unwrap());
    let last = queue.store.last_event();
    assert!(!queue.store.mark_vanished(queue.root, &record.path).unwrap());
    assert!(
        !queue
            .store
            .mark_vanished(queue.root, "never".as_ref())
            .unwrap()
    );
    assert_eq!(queue.store.last_event(), last, "it is told once");
    assert_eq!(known(), [(PathBuf::from("p/A02.tif"), 2049)]);
    let row = queue.store.file(id).unwrap();
    assert_eq!(row.state, FileState::Registered, "what came of it stays");
    assert!(row.vanished_at.is_some());
    let filter = |vanished| FileFilter {
        vanished: Some(vanished),
        ..FileFilter::default()
    };
    let listed = |vanished| {
        let page = queue.store.files(&filter(vanished), Cursor::first(10));
        page.unwrap()
            .items
            .into_iter()
            .map(|f| f.path)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (listed(true), listed(false)),
        (vec![record.path.clone()], vec![other.path])
    );
    let files = queue.store.status().unwrap().files;
    assert_eq!((files.registered, files.vanished), (2, 1));
    // Back with the same content, and then with other content.
    assert_eq!(
        queue.store.record_file(&record).unwrap(),
        Recorded::Returned(id)
    );
    assert_eq!(
        queue.store.record_file(&record).unwrap(),
        Recorded::Same(id)
    );
    assert_eq!(queue.store.file(id).unwrap().vanished_at, None);
    assert!(queue.store.mark_vanished(queue.root, &record.path).unwrap());
    let replaced = FileRecord {
        content: Some("beef".into()),
        ..record
    };
    assert!(matches!(
        queue.store.record_file(&replaced).unwrap(),
        Recorded::Superseded { revision: 2, .. }
    ));
    assert_eq!(queue.store.status().unwrap().files.vanished, 0);
    queue.assert_sound();
}

#[test]
fn a_changed_judgement_is_told_apart_from_changed_content() {
    let queue = Queue::new();
    let record = FileRecord {
        state: FileState::Unmatched,
        reason: Some("no well in the name".into()),
        ..file(&queue, "p/x.tif")
    };
    let id = queue.store.record_file(&record).unwrap().file();
    assert_eq!(queue.store.status().unwrap().files.unmatched, 1);
    let judged = FileRecord {
        state: FileState::Registered,
        reason: None,
        ..record
    };
    assert_eq!(
        queue.store.record_file(&judged).unwrap(),
        Recorded::Reclassified(id)
    );
    let files = queue.store.status().unwrap().files;
    assert_eq!((files.unmatched, files.registered), (0, 1));
    queue.assert_sound();
}

#[test]
fn paths_are_bytes() {
    let queue = Queue::new();
    let path = PathBuf::from(OsStr::from_bytes(b"p/\xff\xfe.tif"));
    let record = FileRecord {
        path: path.clone(),
        ..file(&queue, "")
    };
    let id = queue.store.record_file(&record).unwrap().file();
    assert_eq!(
        queue.store.record_file(&record).unwrap(),
        Recorded::Same(id)
    );
    let mut known = Vec::new();
    queue
        .store
        .known_files(queue.root, |file| known.push(file))
        .unwrap();
    assert_eq!(known.len(), 1);
    assert_eq!(
        (&known[0].path, known[0].inode, known[0].size),
        (&path, u64::MAX - 1, 8_388_608)
    );
    let row = serde_json::to_value(queue.store.file(id).unwrap()).unwrap();
    assert_eq!(row["path"], "p/\u{fffd}\u{fffd}.tif");
}

#[test]
fn files_are_listed_in_parts_and_by_text() {
    let queue = Queue::new();
    for index in 0..5 {
        queue
            .store
            .record_file(&file(&queue, &format!("p/A0{index}_50%.tif")))
            .unwrap();
    }
    let filter = FileFilter::default();
    let first = queue.store.files(&filter, Cursor::first(3)).unwrap();
    assert_eq!(first.items.len(), 3);
    let rest = queue
        .store
        .files(
            &filter,
            Cursor {
                after: first.next.unwrap(),
                limit: 3,
            },
        )
        .unwrap();
    assert_eq!((rest.items.len(), rest.next), (2, None));
    let found = |text: &str| {
        let filter = FileFilter {
            q: Some(text.into()),
            ..Default::default()
        };
        queue
            .store
            .files(&filter, Cursor::first(10))
            .unwrap()
            .items
            .len()
    };
    assert_eq!(
        (
            found("A03"),
            found("0%."),
            found("0%T"),
            found("_"),
            found("a%f")
        ),
        (1, 5, 0, 5, 0)
    );
    let filter = FileFilter {
        state: Some(FileState::Ignored),
        root: Some(queue.root),
        ..Default::default()
    };
    assert_eq!(
        queue.store.files(&filter, Cursor::first(10)).unwrap().items,
        []
    );
}

#[test]
fn roots_plates_and_subjects_are_upserted() {
    let queue = Queue::new();
    let mut root = new_root();
    assert_eq!(
        queue.store.upsert_root(&root).unwrap(),
        Upserted::Unchanged(queue.root)
    );
    root.workflow = "other".into();
    assert_eq!(
        queue.store.upsert_root(&root).unwrap(),
        Upserted::Changed(queue.root)
    );
    assert!(
        queue
            .store
            .set_root_state(queue.root, RootState::Removed, None)
            .unwrap()
    );
    assert!(
        !queue
            .store
            .set_root_state(queue.root, RootState::Removed, None)
            .unwrap()
    );
    assert_eq!(
        queue.store.upsert_root(&root).unwrap(),
        Upserted::Changed(queue.root)
    );
    assert_eq!(queue.store.roots().unwrap()[0].state, RootState::Online);

    let plate = queue.plate("p");
    let mut wanted = new_plate(queue.root, "p");
    assert_eq!(
        queue.store.upsert_plate(&wanted).unwrap(),
        Upserted::Unchanged(plate)
    );
    wanted.expected = Some(9);
    assert_eq!(
        queue.store.upsert_plate(&wanted).unwrap(),
        Upserted::Changed(plate)
    );
    assert_eq!(
        queue
            .store
            .find_plate(queue.root, "p")
            .unwrap()
            .unwrap()
            .expected,
        Some(9)
    );
    assert_eq!(queue.store.find_plate(queue.root, "q").unwrap(), None);

    let mut subject = image_set(plate, "A01-0001", queue::SubjectState::Arriving);
    let id = queue.store.upsert_subject(&subject).unwrap().id();
    assert_eq!(
        queue.store.upsert_subject(&subject).unwrap(),
        Upserted::Unchanged(id)
    );
    subject.inputs = json!(["a", "b"]);
    assert_eq!(
        queue.store.upsert_subject(&subject).unwrap(),
        Upserted::Changed(id)
    );
    let found = queue
        .store
        .find_subject(plate, subject.kind, "A01-0001")
        .unwrap()
        .unwrap();
    assert_eq!((found.id, found.inputs), (id, json!(["a", "b"])));
}

#[test]
fn several_changes_are_recorded_together_or_not_at_all() {
    let queue = Queue::new();
    let result: queue::Result<()> = queue.store.transaction(|transaction| {
        let plate = transaction.upsert_plate(&new_plate(queue.root, "p"))?.id();
        transaction.upsert_subject(&image_set(plate, "A01-0001", queue::SubjectState::Complete))?;
        transaction.upsert_subject(&image_set(
            queue::PlateId(99),
            "A01-0001",
            queue::SubjectState::Complete,
        ))?;
        Ok(())
    });
    assert!(result.is_err());
    assert_eq!(queue.store.find_plate(queue.root, "p").unwrap(), None);
}
