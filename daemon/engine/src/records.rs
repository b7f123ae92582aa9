//! Questions to the queue that the engine asks in several places.

use std::collections::{BTreeMap, HashMap};

use queue::{
    Cursor, FileRecord, FileRow, NewPlate, Page, PlateFilter, PlateId, PlateRow, PlateState,
    Result, RootId, Store, SubjectFilter, SubjectId, SubjectKind, SubjectRow, TaskFilter,
    TaskState,
};

use watch::FileIdentity;

/// Rows of one page; the engine always reads all pages.
const PAGE: u32 = 500;

/// All rows of a list that is given out in pages.
pub(crate) fn pages<T>(mut next: impl FnMut(Cursor) -> Result<Page<T>>) -> Result<Vec<T>> {
    let mut out = Vec::new();
    let mut cursor = Cursor::first(PAGE);
    loop {
        let page = next(cursor)?;
        out.extend(page.items);
        match page.next {
            Some(after) => cursor.after = after,
            None => return Ok(out),
        }
    }
}

/// Plates in these states; all plates for an empty list.
pub(crate) fn plates(store: &Store, states: &[PlateState]) -> Result<Vec<PlateRow>> {
    let filter = PlateFilter {
        states: states.to_vec(),
        ..PlateFilter::default()
    };
    let found = pages(|cursor| store.plates(&filter, cursor))?;
    Ok(found.into_iter().map(|p| p.plate).collect())
}

/// All plates of a root.
pub(crate) fn plates_of(store: &Store, root: RootId) -> Result<Vec<PlateRow>> {
    let filter = PlateFilter {
        root: Some(root),
        ..PlateFilter::default()
    };
    let found = pages(|cursor| store.plates(&filter, cursor))?;
    Ok(found.into_iter().map(|p| p.plate).collect())
}

/// Image sets of a plate.
pub(crate) fn image_sets(store: &Store, plate: PlateId) -> Result<Vec<SubjectRow>> {
    let filter = SubjectFilter {
        kind: Some(SubjectKind::ImageSet),
        ..SubjectFilter::default()
    };
    let found = pages(|cursor| store.subjects(plate, &filter, cursor))?;
    Ok(found.into_iter().map(|s| s.subject).collect())
}

/// Why subjects of a plate have no (whole) result: their failed jobs, each with the reason.
pub(crate) fn failures_by_subject(
    store: &Store,
    plate: PlateId,
) -> Result<HashMap<SubjectId, BTreeMap<String, String>>> {
    let filter = TaskFilter {
        states: vec![
            TaskState::Failed,
            TaskState::Quarantined,
            TaskState::Cancelled,
        ],
        ..TaskFilter::plate(plate)
    };
    let mut out: HashMap<SubjectId, BTreeMap<String, String>> = HashMap::new();
    for task in pages(|cursor| store.tasks(&filter, cursor))? {
        let why = task
            .error
            .map_or_else(|| task.state.as_str().to_owned(), |e| e.message);
        let reason = format!("{}: {why}", task.job);
        out.entry(task.subject)
            .or_default()
            .insert(task.job, reason);
    }
    Ok(out)
}

/// A known plate in the form in which plates are put.
pub(crate) fn new_plate(row: PlateRow) -> NewPlate {
    NewPlate {
        root: row.root,
        key: row.key,
        name: row.name,
        directory: row.directory,
        output: row.output,
        expected: row.expected,
        rows: row.rows,
        columns: row.columns,
    }
}

/// A known file in the form in which files are recorded, with what the file system says of it now.
pub(crate) fn file_record(file: FileRow, identity: FileIdentity) -> FileRecord {
    FileRecord {
        root: file.root,
        path: file.path,
        size: identity.size,
        mtime_ns: identity.mtime_ns,
        ctime_ns: identity.ctime_ns,
        inode: identity.inode,
        device: identity.device,
        content: file.content,
        state: file.state,
        reason: file.reason,
        remedy: file.remedy,
        subject: file.subject,
        parsed: file.parsed,
    }
}
