//! A failed task with its reason and its remedy.

use jiff::Timestamp;
use queue::TaskRow;

use super::show::When;
use super::tone::Pill;

/// A failed task with its reason and its remedy.
#[derive(Clone, Debug)]
pub(super) struct FailureItem {
    pub id: i64,
    pub job: String,
    pub subject: String,
    pub plate: i64,
    pub plate_name: String,
    pub pill: Pill,
    pub code: String,
    pub message: String,
    pub remedy: String,
    pub path: String,
    pub when: Option<When>,
}

impl FailureItem {
    pub(super) fn new(task: TaskRow, now: Timestamp) -> Self {
        let (code, message, remedy, path) = match task.error {
            Some(error) => (
                error.code,
                error.message,
                error.remedy,
                error.path.unwrap_or_default(),
            ),
            None => (
                task.state.as_str().to_owned(),
                format!("its worker died {} times", task.crashes),
                String::new(),
                String::new(),
            ),
        };
        Self {
            id: task.id.0,
            pill: Pill::task(task.state, task.blocked),
            job: task.job,
            subject: task.subject_name,
            plate: task.plate.0,
            plate_name: task.plate_name,
            code,
            message,
            remedy,
            path,
            when: task.finished_at.map(|at| When::new(at, now)),
        }
    }
}
