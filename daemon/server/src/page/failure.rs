//! Failed tasks with their reason and their remedy.

use jiff::Timestamp;
use queue::TaskRow;

use super::show::{Prose, When, prose};
use super::tone::Pill;

/// Failed tasks of a subject with the reason and the remedy that they have in common.
#[derive(Clone, Debug)]
pub(super) struct FailureItem {
    /// Id and job of each.
    pub tasks: Vec<(i64, String)>,
    pub subject: String,
    pub plate: i64,
    pub plate_name: String,
    pub pill: Pill,
    pub code: String,
    pub reason: Prose,
    pub remedy: String,
    /// Empty where the reason names it.
    pub path: String,
    pub when: Option<When>,
    message: String,
}

/// Those that one file or one mistake made fail stand together; otherwise in the order of the tasks.
pub(super) fn failures(
    tasks: impl IntoIterator<Item = TaskRow>,
    now: Timestamp,
) -> Vec<FailureItem> {
    let mut items: Vec<FailureItem> = Vec::new();
    for task in tasks {
        let item = FailureItem::new(task, now);
        match items.iter_mut().find(|known| known.is_like(&item)) {
            Some(known) => known.tasks.extend(item.tasks),
            None => items.push(item),
        }
    }
    for item in &mut items {
        item.tasks.sort();
    }
    items
}

impl FailureItem {
    fn new(task: TaskRow, now: Timestamp) -> Self {
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
            tasks: vec![(task.id.0, task.job)],
            pill: Pill::task(task.state, task.blocked),
            subject: task.subject_name,
            plate: task.plate.0,
            plate_name: task.plate_name,
            code,
            reason: prose(&message),
            remedy,
            path: unless_in(&message, path),
            message,
            when: task.finished_at.map(|at| When::new(at, now)),
        }
    }

    fn is_like(&self, other: &Self) -> bool {
        let of = |item: &Self| {
            (
                item.plate,
                item.subject.clone(),
                item.code.clone(),
                item.message.clone(),
                item.remedy.clone(),
                item.path.clone(),
                item.pill.word.clone(),
            )
        };
        of(self) == of(other)
    }

    /// The first of the tasks, which the form is sent to.
    pub(super) fn first(&self) -> i64 {
        self.tasks.first().map_or(0, |(id, _)| *id)
    }

    /// The others, as the form has them.
    pub(super) fn also(&self) -> String {
        let others: Vec<_> = self
            .tasks
            .iter()
            .skip(1)
            .map(|(id, _)| id.to_string())
            .collect();
        others.join(",")
    }

    /// The jobs as a person reads them.
    pub(super) fn jobs(&self) -> String {
        let jobs: Vec<_> = self.tasks.iter().map(|(_, job)| job.as_str()).collect();
        match jobs.split_last() {
            Some((last, [])) => (*last).to_owned(),
            Some((last, others)) => format!("{} and {last}", others.join(", ")),
            None => String::new(),
        }
    }
}

/// The path of a failure, unless its message names it already.
pub(super) fn unless_in(message: &str, path: String) -> String {
    if message.contains(&path) {
        String::new()
    } else {
        path
    }
}
