//! Planning: which tasks a subject has, and which of them must be computed (again).

use std::collections::{BTreeSet, HashMap};

use rusqlite::params;
use serde_json::{Value, json};

use super::edges::Place;
use super::graph::{Node, Settlement, gated};
use super::{About, Transaction};
use crate::columns::{Columns, Json};
use crate::difference::difference;
use crate::error::{Error, Result};
use crate::ids::{PlateId, TaskId};
use crate::model::{Change, NewTask, Plan, PlannedTask};
use crate::states::{EventKind, Gate, PlateState, SubjectState, TaskState};

/// What planning needs to know about the subject.
struct Subject {
    plate: PlateId,
    well: Option<String>,
    state: SubjectState,
    plate_state: PlateState,
}

/// What planning needs to know about a task that exists.
struct Existing {
    id: TaskId,
    settings: Settings,
    key: Option<String>,
    ingredients: Value,
}

/// What may change about a task without computing it again.
#[derive(PartialEq)]
struct Settings {
    version: String,
    kind: String,
    scope: String,
    gate: Gate,
    position: i64,
    priority: i64,
    max_attempts: u32,
}

impl Transaction<'_> {
    /// Creates and updates the tasks of a subject. Planning the same again changes nothing. A task whose key
    /// differs from before starts over, and so does what depends on it; one that is running is marked
    /// to run again. Cancelled tasks stay cancelled.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown subject; [`Error::InvalidPlan`] where a job appears twice, an upstream job
    /// is unknown, or an upstream job does not have a smaller position.
    pub fn put_tasks(&mut self, plan: &Plan) -> Result<Vec<PlannedTask>> {
        let subject = self.subject_of(plan)?;
        let mut existing = self.existing(plan)?;
        let mut order: Vec<&NewTask> = plan.tasks.iter().collect();
        order.sort_by_key(|task| task.position);
        let mut names = BTreeSet::new();
        let mut planned = Vec::with_capacity(order.len());
        for task in order {
            if !names.insert(task.job.as_str()) {
                let detail = "the plan names it twice".to_owned();
                return Err(Error::InvalidPlan {
                    job: task.job.clone(),
                    detail,
                });
            }
            let (id, change) = match existing.remove(&task.job) {
                Some(existing) => self.update_task(plan, task, &subject, &existing)?,
                None => self.create_task(plan, task, &subject)?,
            };
            planned.push((id, task.job.clone(), change));
        }
        if plan.retire_missing {
            let mut missing: Vec<_> = existing.into_iter().collect();
            missing.sort_by_key(|(_, task)| std::cmp::Reverse(task.settings.position));
            for (job, task) in missing {
                if self.retire(task.id)? {
                    planned.push((task.id, job, Change::Retired));
                }
            }
        }
        self.conclude(plan, &subject, planned)
    }

    /// Reads the final states and appends one event for the subject, if anything changed.
    fn conclude(
        &mut self,
        plan: &Plan,
        subject: &Subject,
        planned: Vec<(TaskId, String, Change)>,
    ) -> Result<Vec<PlannedTask>> {
        let mut tasks = Vec::with_capacity(planned.len());
        for (id, job, change) in planned {
            let state = match change {
                Change::Retired => TaskState::Cancelled,
                _ => self.node(id)?.state,
            };
            tasks.push(PlannedTask {
                id,
                job,
                state,
                change,
            });
        }
        let news: Vec<_> = tasks
            .iter()
            .filter(|task| task.change != Change::Unchanged)
            .collect();
        if !news.is_empty() {
            let data = json!({ "workflow": plan.workflow, "version": plan.workflow_version, "tasks": news });
            self.event(
                EventKind::TasksPlanned,
                About::subject(subject.plate, plan.subject),
                &data,
            )?;
        }
        Ok(tasks)
    }

    fn subject_of(&self, plan: &Plan) -> Result<Subject> {
        self.first(
            "SELECT subject.plate_id, subject.well, subject.state, plate.state \
             FROM subject JOIN plate ON plate.id = subject.plate_id WHERE subject.id = ?1",
            [plan.subject],
            |row| {
                Ok(Subject {
                    plate: row.get(0)?,
                    well: row.get(1)?,
                    state: row.get(2)?,
                    plate_state: row.get(3)?,
                })
            },
        )?
        .ok_or_else(|| Error::not_found("subject", plan.subject))
    }

    fn existing(&self, plan: &Plan) -> Result<HashMap<String, Existing>> {
        let rows = self.all(
            "SELECT job, id, workflow_version, kind, scope, gate, position, priority, max_attempts, key, ingredients \
             FROM task WHERE subject_id = ?1 AND workflow = ?2",
            params![plan.subject, plan.workflow],
            |row| {
                let mut columns = Columns::of(row);
                let job: String = columns.next()?;
                let id = columns.next()?;
                let settings = Settings {
                    version: columns.next()?,
                    kind: columns.next()?,
                    scope: columns.next()?,
                    gate: columns.next()?,
                    position: columns.next()?,
                    priority: columns.next()?,
                    max_attempts: columns.next()?,
                };
                Ok((job, Existing { id, settings, key: columns.next()?, ingredients: columns.json()? }))
            },
        )?;
        Ok(rows.into_iter().collect())
    }

    fn create_task(
        &mut self,
        plan: &Plan,
        task: &NewTask,
        subject: &Subject,
    ) -> Result<(TaskId, Change)> {
        let place = place(plan, task, subject);
        let (edges, patterns) = self.resolve(place, &task.upstream)?;
        let (unmet, blocked) = self.count(&edges)?;
        let mut node = Node {
            id: TaskId(0),
            plate: subject.plate,
            subject: plan.subject,
            job: task.job.clone(),
            position: task.position,
            state: TaskState::Waiting,
            unmet,
            blocked,
            gated: gated(task.gate, subject.state, subject.plate_state),
            ready_at: None,
        };
        node.state = node.resting(self.steady);
        let adopted = task
            .done
            .as_ref()
            .filter(|_| node.state == TaskState::Ready);
        if adopted.is_some() {
            node.state = TaskState::Succeeded;
        }
        let id = self.insert(
            "INSERT INTO task (plate_id, subject_id, workflow, workflow_version, job, kind, scope, gate, position, \
             priority, state, gated, unmet, blocked, key, ingredients, max_attempts, result, created_at, finished_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)",
            params![
                subject.plate,
                plan.subject,
                plan.workflow,
                plan.workflow_version,
                task.job,
                task.kind,
                task.scope,
                task.gate,
                task.position,
                task.priority,
                node.state,
                node.gated,
                unmet,
                blocked,
                task.key,
                Json(&task.ingredients),
                task.max_attempts,
                adopted.map(Json),
                self.now,
                adopted.map(|_| self.now),
            ],
        )?;
        node.id = TaskId(id);
        self.touched.insert(node.plate);
        self.add_edges(node.id, place, &edges, &patterns)?;
        self.attach(&node, place)?;
        Ok((
            node.id,
            if adopted.is_some() {
                Change::Adopted
            } else {
                Change::Created
            },
        ))
    }

    fn update_task(
        &mut self,
        plan: &Plan,
        task: &NewTask,
        subject: &Subject,
        existing: &Existing,
    ) -> Result<(TaskId, Change)> {
        let id = existing.id;
        let settings = Settings {
            version: plan.workflow_version.clone(),
            kind: task.kind.clone(),
            scope: task.scope.clone(),
            gate: task.gate,
            position: task.position,
            priority: task.priority,
            max_attempts: task.max_attempts,
        };
        if existing.settings != settings || existing.ingredients != task.ingredients {
            self.execute(
                "UPDATE task SET workflow_version = ?2, kind = ?3, scope = ?4, gate = ?5, position = ?6, \
                 priority = ?7, max_attempts = ?8, ingredients = ?9 WHERE id = ?1",
                params![
                    id,
                    settings.version,
                    settings.kind,
                    settings.scope,
                    settings.gate,
                    settings.position,
                    settings.priority,
                    settings.max_attempts,
                    Json(&task.ingredients),
                ],
            )?;
        }
        let rewired = self.update_edges(plan, task, subject, id)?;
        let mut change = Change::Unchanged;
        if existing.key == task.key {
            if rewired {
                let changed = vec!["upstream".to_owned()];
                // The job: what depends on it is set back with the same words.
                self.start_over(&[id], &json!({ "job": task.job, "changed": changed }))?;
                change = Change::Recompute { changed };
            }
        } else {
            let changed = difference(&existing.ingredients, &task.ingredients);
            let why = json!({
                "job": task.job,
                "key": { "from": existing.key, "to": task.key },
                "changed": changed,
            });
            self.execute(
                "UPDATE task SET key = ?2 WHERE id = ?1",
                params![id, task.key],
            )?;
            if self.node(id)?.state == TaskState::Cancelled {
                self.execute(
                    "UPDATE task SET because = ?2 WHERE id = ?1",
                    params![id, why.to_string()],
                )?;
            } else {
                self.start_over(&[id], &why)?;
            }
            change = Change::Recompute { changed };
        }
        if let Some(result) = &task.done
            && self.adopt(id, result)?
        {
            change = Change::Adopted;
        }
        Ok((id, change))
    }

    /// Whether the task had succeeded, but not on top of what it depends on now.
    fn update_edges(
        &mut self,
        plan: &Plan,
        task: &NewTask,
        subject: &Subject,
        id: TaskId,
    ) -> Result<bool> {
        let place = place(plan, task, subject);
        let (edges, patterns) = self.resolve(place, &task.upstream)?;
        let old = self.node(id)?;
        let mut new = Node {
            gated: gated(task.gate, subject.state, subject.plate_state),
            ..old.clone()
        };
        let changed = edges != self.edges_of(id)? || patterns != self.patterns_of(id)?;
        if changed {
            self.write_edges(id, place, &edges, &patterns)?;
            (new.unmet, new.blocked) = self.count(&edges)?;
        }
        let new = self.update_node(&old, new, json!({ "planned": plan.workflow_version }))?;
        Ok(changed && new.unmet > 0 && new.state == TaskState::Succeeded)
    }

    /// Takes a result that exists already, where the task could run now.
    fn adopt(&mut self, task: TaskId, result: &Value) -> Result<bool> {
        let old = self.node(task)?;
        if !matches!(old.state, TaskState::Ready | TaskState::Retrying) {
            return Ok(false);
        }
        let new = Node {
            state: TaskState::Succeeded,
            ready_at: None,
            ..old.clone()
        };
        self.execute(
            "UPDATE task SET state = 'succeeded', result = ?2, error = NULL, ready_at = NULL, finished_at = ?3 \
             WHERE id = ?1",
            params![task, Json(result), self.now],
        )?;
        self.moved(&old, &new, json!({ "adopted": true }))?;
        Ok(true)
    }

    /// Removes a task that is no longer planned; a running one is asked to stop and stays.
    fn retire(&mut self, task: TaskId) -> Result<bool> {
        let node = self.node(task)?;
        if node.state == TaskState::Running {
            self.stop_running(&node)?;
            return Ok(false);
        }
        // Counts as settled for what is behind it, then its edges go with the row.
        self.propagate(task, node.settlement(), Settlement::Succeeded)?;
        self.execute("DELETE FROM task WHERE id = ?1", [task])?;
        self.touched.insert(node.plate);
        Ok(true)
    }

    pub(super) fn nodes_gated_by(&self, plate: PlateId, gate: Gate) -> Result<Vec<TaskId>> {
        self.all(
            "SELECT id FROM task WHERE plate_id = ?1 AND gate = ?2 ORDER BY position, id",
            params![plate, gate],
            |row| row.get(0),
        )
    }
}

fn place<'a>(plan: &'a Plan, task: &'a NewTask, subject: &'a Subject) -> Place<'a> {
    Place {
        plate: subject.plate,
        subject: plan.subject,
        well: subject.well.as_deref(),
        workflow: &plan.workflow,
        job: &task.job,
        position: task.position,
    }
}
