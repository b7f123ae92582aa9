//! Tasks, their neighbours in the graph, and their attempts.

use rusqlite::types::Value;
use rusqlite::{Connection, params, params_from_iter};
use serde::{Deserialize, Serialize};

use super::{Cursor, Page, all, first};
use crate::Store;
use crate::error::{Error, Result};
use crate::filter::TaskFilter;
use crate::ids::{SubjectId, TaskId};
use crate::model::{ATTEMPT_COLUMNS, AttemptRow, TASK_SELECT, TaskRow};
use crate::statements::{BY_KEY, FAILURES};
use crate::states::{Require, TaskState};

/// Neighbours that are listed at most on each side: a plate task has thousands.
const NEIGHBOURS: i64 = 200;

/// What is read of each.
const NEIGHBOUR: &str = "task.id, task.subject_id, subject.name, task.job, task.state, \
     task.state = 'waiting' AND (task.blocked > 0 OR task.gated = 2), edge.require";

/// A task before or behind another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Neighbour {
    /// The task.
    pub task: TaskId,
    /// Its subject.
    pub subject: SubjectId,
    /// Its subject's name.
    pub subject_name: String,
    /// Its job.
    pub job: String,
    /// Where it stands.
    pub state: TaskState,
    /// Whether it waits for something that will not come by itself.
    pub blocked: bool,
    /// What the one behind needs of the one before.
    pub require: Require,
}

/// A task with its place in the graph.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskDetail {
    /// The task.
    #[serde(flatten)]
    pub task: TaskRow,
    /// Tasks that it needs, those that have not succeeded first; at most 200.
    pub upstream: Vec<Neighbour>,
    /// Tasks that need it; at most 200.
    pub downstream: Vec<Neighbour>,
}

impl Store {
    /// Tasks that the filter finds, oldest first.
    ///
    /// # Errors
    /// If the database fails.
    pub fn tasks(&self, filter: &TaskFilter, cursor: Cursor) -> Result<Page<TaskRow>> {
        let (clause, mut values) = filter.clause();
        values.extend([Value::Integer(cursor.after), Value::Integer(cursor.fetch())]);
        let sql = format!("{TASK_SELECT} WHERE {clause} AND task.id > ? ORDER BY task.id LIMIT ?");
        self.read(|connection| {
            let mut statement = connection.prepare(&sql)?;
            let rows = statement
                .query_map(params_from_iter(values), TaskRow::read)?
                .collect::<rusqlite::Result<_>>()?;
            Ok(cursor.page(rows, |task: &TaskRow| task.id.0))
        })
    }

    /// The last `limit` tasks that the filter finds before an id, oldest first. `next` is where the part before them ends:
    /// absent if there is none.
    ///
    /// # Errors
    /// If the database fails.
    pub fn tasks_before(
        &self,
        filter: &TaskFilter,
        before: TaskId,
        limit: u32,
    ) -> Result<Page<TaskRow>> {
        let cursor = Cursor::first(limit);
        let (clause, mut values) = filter.clause();
        values.extend([Value::Integer(before.0), Value::Integer(cursor.fetch())]);
        let sql =
            format!("{TASK_SELECT} WHERE {clause} AND task.id < ? ORDER BY task.id DESC LIMIT ?");
        self.read(|connection| {
            let mut statement = connection.prepare(&sql)?;
            let rows = statement
                .query_map(params_from_iter(values), TaskRow::read)?
                .collect::<rusqlite::Result<_>>()?;
            let mut page = cursor.page(rows, |task: &TaskRow| task.id.0);
            page.items.reverse();
            Ok(page)
        })
    }

    /// How many tasks the filter finds, counted up to `most`.
    ///
    /// # Errors
    /// If the database fails.
    pub fn count_tasks(&self, filter: &TaskFilter, most: u32) -> Result<u64> {
        let (clause, mut values) = filter.clause();
        values.push(Value::Integer(most.into()));
        // Not counting more is what keeps it short: a list of a million tasks is no list that anybody counts.
        let sql = format!(
            "SELECT count(*) FROM (SELECT 1 FROM task JOIN subject ON subject.id = task.subject_id \
             WHERE {clause} LIMIT ?)"
        );
        self.read(|connection| {
            let n: i64 = connection.query_row(&sql, params_from_iter(values), |row| row.get(0))?;
            Ok(n.unsigned_abs())
        })
    }

    /// One task.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown id.
    pub fn task(&self, id: TaskId) -> Result<TaskDetail> {
        self.read(|connection| {
            Ok(TaskDetail {
                task: one(connection, id)?,
                upstream: upstream(connection, id)?,
                downstream: downstream(connection, id)?,
            })
        })
    }

    /// The executions of a task, newest first.
    ///
    /// # Errors
    /// If the database fails.
    pub fn attempts(&self, task: TaskId) -> Result<Vec<AttemptRow>> {
        self.read(|connection| {
            all(
                connection,
                &format!(
                    "SELECT {ATTEMPT_COLUMNS} FROM attempt JOIN pass ON pass.id = attempt.pass_id \
                     WHERE attempt.task_id = ?1 ORDER BY attempt.number DESC"
                ),
                [task],
                AttemptRow::read,
            )
        })
    }

    /// Failed and quarantined tasks, the latest first.
    ///
    /// # Errors
    /// If the database fails.
    pub fn failures(&self, limit: u32) -> Result<Vec<TaskRow>> {
        self.read(|connection| {
            let sql = format!("{TASK_SELECT} {FAILURES}");
            all(connection, &sql, [limit], TaskRow::read)
        })
    }

    /// A task that succeeded with this key, whatever its workflow: its result can be used again.
    ///
    /// # Errors
    /// If the database fails.
    pub fn succeeded_with_key(&self, key: &str) -> Result<Option<TaskRow>> {
        self.read(|connection| {
            let sql = format!("{TASK_SELECT} {BY_KEY}");
            first(connection, &sql, [key], TaskRow::read)
        })
    }
}

pub(super) fn one(connection: &Connection, id: TaskId) -> Result<TaskRow> {
    first(
        connection,
        &format!("{TASK_SELECT} WHERE task.id = ?1"),
        [id],
        TaskRow::read,
    )?
    .ok_or_else(|| Error::not_found("task", id))
}

pub(super) fn upstream(connection: &Connection, id: TaskId) -> Result<Vec<Neighbour>> {
    let sql = format!(
        "SELECT {NEIGHBOUR} FROM task_dependency AS edge JOIN task ON task.id = edge.upstream_id \
         JOIN subject ON subject.id = task.subject_id WHERE edge.task_id = ?1 \
         ORDER BY task.state = 'succeeded', task.position, task.id LIMIT ?2"
    );
    all(connection, &sql, params![id, NEIGHBOURS], neighbour)
}

fn downstream(connection: &Connection, id: TaskId) -> Result<Vec<Neighbour>> {
    let sql = format!(
        "SELECT {NEIGHBOUR} FROM task_dependency AS edge JOIN task ON task.id = edge.task_id \
         JOIN subject ON subject.id = task.subject_id WHERE edge.upstream_id = ?1 \
         ORDER BY task.position, task.id LIMIT ?2"
    );
    all(connection, &sql, params![id, NEIGHBOURS], neighbour)
}

fn neighbour(row: &rusqlite::Row<'_>) -> rusqlite::Result<Neighbour> {
    Ok(Neighbour {
        task: row.get(0)?,
        subject: row.get(1)?,
        subject_name: row.get(2)?,
        job: row.get(3)?,
        state: row.get(4)?,
        blocked: row.get(5)?,
        require: row.get(6)?,
    })
}
