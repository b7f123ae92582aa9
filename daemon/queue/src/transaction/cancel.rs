//! Stopping tasks.

use rusqlite::params;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Transaction;
use super::graph::Node;
use crate::error::Result;
use crate::filter::TaskFilter;
use crate::ids::{PassId, TaskId};
use crate::states::{EventKind, TaskState};

/// What a cancellation did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancelled {
    /// Tasks that are cancelled now.
    pub tasks: Vec<TaskId>,
    /// Running tasks that were asked to stop.
    pub stopping: Vec<TaskId>,
    /// Their passes: whoever runs the workers should end them.
    pub passes: Vec<PassId>,
}

impl Transaction<'_> {
    /// Cancels the tasks that the filter finds and that have not ended. Running ones are asked to stop and are
    /// cancelled when their pass ends, unless they succeed first. Doing it again changes nothing.
    ///
    /// # Errors
    /// If the database fails.
    pub fn cancel(&mut self, filter: &TaskFilter) -> Result<Cancelled> {
        let mut cancelled = Cancelled::default();
        for task in filter.ids(self.connection)? {
            let old = self.node(task)?;
            match old.state {
                TaskState::Waiting | TaskState::Ready | TaskState::Retrying => {
                    let new = Node {
                        state: TaskState::Cancelled,
                        ready_at: None,
                        ..old.clone()
                    };
                    self.execute(
                        "UPDATE task SET state = 'cancelled', ready_at = NULL, finished_at = ?2 WHERE id = ?1",
                        params![task, self.now],
                    )?;
                    self.moved(&old, &new, json!({}))?;
                    cancelled.tasks.push(task);
                }
                TaskState::Running => {
                    cancelled.passes.extend(self.stop_running(&old)?);
                    cancelled.stopping.push(task);
                }
                TaskState::Succeeded
                | TaskState::Failed
                | TaskState::Quarantined
                | TaskState::Cancelled => {}
            }
        }
        cancelled.passes.sort_unstable();
        cancelled.passes.dedup();
        Ok(cancelled)
    }

    /// Asks a running task to stop; returns its pass.
    pub(super) fn stop_running(&mut self, node: &Node) -> Result<Option<PassId>> {
        let asked = self.execute(
            "UPDATE task SET cancel_requested = 1 WHERE id = ?1 AND cancel_requested = 0",
            [node.id],
        )?;
        if asked > 0 {
            self.event(
                EventKind::TaskStopping,
                node.about(),
                &json!({ "job": node.job }),
            )?;
        }
        Ok(self
            .first("SELECT pass_id FROM task WHERE id = ?1", [node.id], |row| {
                row.get(0)
            })?
            .flatten())
    }
}
