//! Running tasks again, and in which order tasks are run.

use rusqlite::params;
use serde_json::json;

use super::{About, Transaction};
use crate::error::{Error, Result};
use crate::filter::TaskFilter;
use crate::ids::TaskId;
use crate::states::{EventKind, TaskState};

impl Transaction<'_> {
    /// Runs tasks again, with their counters at zero, and after them everything that depends on them.
    ///
    /// Which tasks: those that the filter finds. Where it names neither states nor tasks, only the failed and
    /// quarantined ones of them. With `from_job`, of every subject that has a task which the filter finds (in
    /// whatever state), the task of that job. Tasks that are to be run anyway are left alone, so doing it again
    /// changes nothing. Returns the tasks that were requeued; with `dry_run`, that would be.
    ///
    /// # Errors
    /// [`Error::Running`] if one of the tasks is running: nothing is requeued then.
    pub fn requeue(
        &mut self,
        filter: &TaskFilter,
        from_job: Option<&str>,
        dry_run: bool,
    ) -> Result<Vec<TaskId>> {
        let found = match from_job {
            Some(job) => self.same_subjects(&filter.ids(self.connection)?, job)?,
            None if filter.states.is_empty() && filter.tasks.is_empty() => {
                let states = vec![TaskState::Failed, TaskState::Quarantined];
                TaskFilter {
                    states,
                    ..filter.clone()
                }
                .ids(self.connection)?
            }
            None => filter.ids(self.connection)?,
        };
        let mut seeds = Vec::new();
        let mut running = Vec::new();
        for task in found {
            match self.node(task)?.state {
                TaskState::Waiting | TaskState::Ready => {}
                TaskState::Running => running.push(task),
                _ => seeds.push(task),
            }
        }
        if !running.is_empty() {
            return Err(Error::Running { running });
        }
        if !dry_run {
            self.start_over(&seeds, &json!({ "requeued": true }))?;
        }
        Ok(seeds)
    }

    /// How many tasks will run again after these because they depend on them. The same before and after
    /// [`Transaction::requeue`].
    ///
    /// # Errors
    /// If the database fails.
    pub fn following(&self, tasks: &[TaskId]) -> Result<usize> {
        let runs = |state: TaskState| state == TaskState::Waiting || state.starts_over();
        let behind = self.downstream(tasks)?;
        Ok(behind.iter().filter(|node| runs(node.state)).count())
    }

    fn same_subjects(&self, tasks: &[TaskId], job: &str) -> Result<Vec<TaskId>> {
        let mut found = Vec::new();
        for task in tasks {
            found.extend(self.first(
                "SELECT other.id FROM task JOIN task AS other ON other.subject_id = task.subject_id \
                 AND other.workflow = task.workflow AND other.job = ?2 WHERE task.id = ?1",
                params![task, job],
                |row| row.get::<_, TaskId>(0),
            )?);
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// Sets the priority of the tasks that the filter finds; larger is claimed first. Returns how many changed.
    ///
    /// # Errors
    /// If the database fails.
    pub fn prioritise(&mut self, filter: &TaskFilter, priority: i64) -> Result<usize> {
        let mut changed = 0;
        for task in filter.ids(self.connection)? {
            changed += self.execute(
                "UPDATE task SET priority = ?2 WHERE id = ?1 AND priority <> ?2",
                params![task, priority],
            )?;
        }
        if changed > 0 {
            let about = About {
                plate: filter.plate,
                ..About::NOTHING
            };
            self.event(
                EventKind::TasksPrioritised,
                about,
                &json!({ "tasks": changed, "priority": priority }),
            )?;
        }
        Ok(changed)
    }
}
