//! Which tasks a request is about.

use std::collections::BTreeSet;

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use serde::{Deserialize, Serialize};

use crate::columns::like;
use crate::error::Result;
use crate::ids::{PlateId, RootId, SubjectId, TaskId};
use crate::states::TaskState;

/// Which tasks a request is about: those that satisfy every field that is set. The default is all tasks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TaskFilter {
    /// Only these tasks.
    pub tasks: Vec<TaskId>,
    /// Only of this plate.
    pub plate: Option<PlateId>,
    /// Only of the plates of this root.
    pub root: Option<RootId>,
    /// Only of this subject.
    pub subject: Option<SubjectId>,
    /// Only in these states.
    pub states: Vec<TaskState>,
    /// Only of this workflow.
    pub workflow: Option<String>,
    /// Only of this job.
    pub job: Option<String>,
    /// Only of this kind of job.
    pub kind: Option<String>,
    /// Only of these wells; of none if the list is empty.
    pub wells: Option<Vec<String>>,
    /// Only where the subject, the job or the error contains this text.
    pub q: Option<String>,
}

impl TaskFilter {
    /// One task.
    #[must_use]
    pub fn task(task: TaskId) -> Self {
        Self {
            tasks: vec![task],
            ..Self::default()
        }
    }

    /// All tasks of a plate.
    #[must_use]
    pub fn plate(plate: PlateId) -> Self {
        Self {
            plate: Some(plate),
            ..Self::default()
        }
    }

    /// Narrows to one more state.
    #[must_use]
    pub fn in_state(mut self, state: TaskState) -> Self {
        self.states.push(state);
        self
    }

    /// The WHERE clause (over `task` and `subject`), and its parameters.
    pub(crate) fn clause(&self) -> (String, Vec<Value>) {
        let mut terms = vec!["TRUE".to_owned()];
        let mut values = Vec::new();
        if !self.tasks.is_empty() {
            // One parameter, however long the list: SQLite allows only so many.
            terms.push("task.id IN (SELECT value FROM json_each(?))".to_owned());
            let ids = self.tasks.iter().map(|task| task.0).collect::<Vec<_>>();
            values.push(Value::Text(serde_json::Value::from(ids).to_string()));
        }
        if !self.states.is_empty() {
            // Each once: SQLite allows only so many parameters.
            let states: BTreeSet<&str> = self.states.iter().map(|state| state.as_str()).collect();
            // With `+` the index on the state is not used: of a plate, that of the plate is the narrow one.
            let narrow = self.plate.is_some() || self.subject.is_some() || !self.tasks.is_empty();
            let column = if narrow { "+task.state" } else { "task.state" };
            terms.push(format!("{column} IN ({})", marks(states.len())));
            values.extend(states.into_iter().map(|state| Value::Text(state.into())));
        }
        let numbers = [
            ("task.plate_id", self.plate.map(|plate| plate.0)),
            ("task.subject_id", self.subject.map(|subject| subject.0)),
        ];
        for (column, value) in numbers {
            if let Some(value) = value {
                terms.push(format!("{column} = ?"));
                values.push(Value::Integer(value));
            }
        }
        if let Some(root) = self.root {
            terms.push("task.plate_id IN (SELECT id FROM plate WHERE root_id = ?)".to_owned());
            values.push(Value::Integer(root.0));
        }
        if let Some(wells) = &self.wells {
            terms.push("subject.well IN (SELECT value FROM json_each(?))".to_owned());
            values.push(Value::Text(
                serde_json::Value::from(wells.clone()).to_string(),
            ));
        }
        let texts = [
            ("task.workflow", &self.workflow),
            ("task.job", &self.job),
            ("task.kind", &self.kind),
        ];
        for (column, value) in texts {
            if let Some(value) = value {
                terms.push(format!("{column} = ?"));
                values.push(Value::Text(value.clone()));
            }
        }
        if let Some(text) = &self.q {
            let term = "(subject.name LIKE ? ESCAPE '\\' OR task.job LIKE ? ESCAPE '\\' OR task.error LIKE ? ESCAPE '\\')";
            terms.push(term.to_owned());
            values.extend(std::iter::repeat_n(Value::Text(like(text)), 3));
        }
        (terms.join(" AND "), values)
    }

    /// The tasks, oldest first.
    pub(crate) fn ids(&self, connection: &Connection) -> Result<Vec<TaskId>> {
        let (clause, values) = self.clause();
        let sql = format!(
            "SELECT task.id FROM task JOIN subject ON subject.id = task.subject_id WHERE {clause} ORDER BY task.id"
        );
        let mut statement = connection.prepare(&sql)?;
        let ids = statement
            .query_map(params_from_iter(values), |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        Ok(ids)
    }
}

fn marks(count: usize) -> String {
    vec!["?"; count].join(", ")
}
