//! Which tasks of an earlier run are run again.

use std::collections::HashMap;
use std::path::Path;

use queue::{Store, TaskFilter, TaskId, TaskState};
use workflow::Workflow;

use super::RunOptions;
use crate::blame::Blame;
use crate::error::{Error, Result};
use crate::records;

/// Sets back what is to be run again although its key is the same, and with it all that depends on it: what is forced, and what
/// failed before unless it is ignored. What new images, parameters or models change was set back when it was planned.
pub(super) fn set_back(
    store: &Store,
    options: &RunOptions,
    workflow: &Workflow,
    folder: &Path,
) -> Result<()> {
    let ended = vec![
        TaskState::Succeeded,
        TaskState::Failed,
        TaskState::Quarantined,
        TaskState::Cancelled,
    ];
    if options.force {
        let all = TaskFilter {
            states: ended,
            ..TaskFilter::default()
        };
        store.requeue(&all, None, false)?;
        return Ok(());
    }
    for job in &options.force_jobs {
        if workflow.position(job).is_none() {
            return Err(Error::UnknownJob {
                workflow: workflow.name.clone(),
                job: job.clone(),
                jobs: workflow.jobs.iter().map(|j| j.id.clone()).collect(),
            });
        }
        let of_job = TaskFilter {
            states: ended.clone(),
            job: Some(job.clone()),
            ..TaskFilter::default()
        };
        store.requeue(&of_job, None, false)?;
    }
    let tasks = failed_before(store, options, folder)?;
    // Without a name of a task all failed ones would be meant.
    if !tasks.is_empty() {
        let these = TaskFilter {
            tasks,
            ..TaskFilter::default()
        };
        store.requeue(&these, None, false)?;
    }
    Ok(())
}

fn failed_before(store: &Store, options: &RunOptions, folder: &Path) -> Result<Vec<TaskId>> {
    let outputs: HashMap<_, _> = records::plates(store, &[])?
        .into_iter()
        .map(|plate| (plate.id, plate.output))
        .collect();
    let failed = TaskFilter {
        states: vec![TaskState::Failed, TaskState::Quarantined],
        ..TaskFilter::default()
    };
    let tasks = records::pages(|cursor| store.tasks(&failed, cursor))?;
    Ok(tasks
        .into_iter()
        .filter(|task| {
            let results = outputs.get(&task.plate).map_or(folder, |path| path);
            match Blame::of(task, folder, results) {
                Some(Blame::Input) => !options.keep_invalid,
                _ => !options.keep_failed,
            }
        })
        .map(|task| task.id)
        .collect())
}
