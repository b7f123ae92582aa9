//! Subjects by jobs: where each task stands.

use std::collections::BTreeMap;

use queue::{Cursor, PlateId, SubjectFilter, SubjectKind, TaskFilter, TaskRow};

use crate::app::Inner;
use crate::page::tone::Pill;

/// Tasks of a well that are shown.
const TASKS: u32 = 1000;

/// Subjects by jobs.
pub(crate) struct Matrix {
    pub title: String,
    pub jobs: Vec<String>,
    pub rows: Vec<MatrixRow>,
    pub is_cut: bool,
}

pub(crate) struct MatrixRow {
    pub subject: String,
    pub cells: Cells,
}

/// The task of each job, where the subject has one.
type Cells = Vec<Option<(i64, Pill)>>;

impl Matrix {
    fn new(title: String, tasks: Vec<TaskRow>, is_cut: bool) -> Self {
        let mut jobs: Vec<(i64, String)> = tasks
            .iter()
            .map(|task| (task.position, task.job.clone()))
            .collect();
        jobs.sort();
        jobs.dedup();
        let mut rows: BTreeMap<(String, i64), Cells> = BTreeMap::new();
        for task in tasks {
            let key = (task.subject_name, task.subject.0);
            let row = rows.entry(key).or_insert_with(|| vec![None; jobs.len()]);
            let column = jobs
                .iter()
                .position(|(position, job)| *position == task.position && *job == task.job);
            if let Some(column) = column {
                row[column] = Some((task.id.0, Pill::task(task.state, task.blocked)));
            }
        }
        Self {
            title,
            jobs: jobs.into_iter().map(|(_, job)| job).collect(),
            rows: rows
                .into_iter()
                .map(|((subject, _), cells)| MatrixRow { subject, cells })
                .collect(),
            is_cut,
        }
    }

    /// The tasks of wells.
    pub(crate) fn of_wells(
        inner: &Inner,
        plate: PlateId,
        wells: &[String],
        title: String,
    ) -> queue::Result<Self> {
        let most = TASKS * wells.len() as u32;
        let filter = TaskFilter {
            wells: Some(wells.to_vec()),
            ..TaskFilter::plate(plate)
        };
        let page = inner.store.tasks(&filter, Cursor::first(most))?;
        Ok(Self::new(title, page.items, page.next.is_some()))
    }

    /// The tasks of the plate as a whole.
    pub(crate) fn of_plate(inner: &Inner, plate: PlateId) -> queue::Result<Option<Self>> {
        let filter = SubjectFilter {
            kind: Some(SubjectKind::Plate),
            ..SubjectFilter::default()
        };
        let mut tasks = Vec::new();
        let subjects = inner.store.subjects(plate, &filter, Cursor::first(10))?;
        for subject in subjects.items {
            let filter = TaskFilter {
                subject: Some(subject.subject.id),
                ..TaskFilter::default()
            };
            tasks.extend(inner.store.tasks(&filter, Cursor::first(TASKS))?.items);
        }
        Ok((!tasks.is_empty()).then(|| Self::new("Plate".to_owned(), tasks, false)))
    }
}
