//! The dependency graph, kept up to date step by step.
//!
//! Each task carries two counters: `unmet`, its upstream edges that are not satisfied, and `blocked`, those
//! of them that nothing but a person's action will satisfy. A change of one task updates the counters of
//! the tasks behind it, so a plate task behind ten thousand image sets costs one small update for
//! each of them and no search. `Store::check` recounts.

use std::collections::{HashSet, VecDeque};

use rusqlite::params;
use serde_json::{Value, json};

use super::{About, Transaction};
use crate::error::{Error, Result};
use crate::ids::{PlateId, SubjectId, TaskId};
use crate::statements;
use crate::states::{EventKind, Gate, PlateState, Require, SubjectState, TaskState};

/// The gate is open.
pub(super) const OPEN: i64 = 0;
/// The gate may open by itself.
pub(super) const CLOSED: i64 = 1;
/// The gate opens only if a plane comes that was given up.
pub(super) const SHUT: i64 = 2;

/// What the tasks behind a task need to know about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settlement {
    /// It may still succeed.
    Pending,
    Succeeded,
    /// It succeeds only if a person acts.
    Dead,
}

impl Require {
    /// What an edge adds to the counters of the task behind it: (unmet, blocked).
    pub(super) fn counts(self, upstream: Settlement) -> (i64, i64) {
        match (self, upstream) {
            (_, Settlement::Succeeded) | (Self::Settled, Settlement::Dead) => (0, 0),
            (_, Settlement::Pending) => (1, 0),
            (Self::Succeeded, Settlement::Dead) => (1, 1),
        }
    }
}

/// The part of a task that the graph is made of.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) id: TaskId,
    pub(super) plate: PlateId,
    pub(super) subject: SubjectId,
    pub(super) job: String,
    pub(super) position: i64,
    pub(super) state: TaskState,
    pub(super) unmet: i64,
    pub(super) blocked: i64,
    pub(super) gated: i64,
    pub(super) ready_at: Option<i64>,
}

pub(super) const NODE_COLUMNS: &str = "task.id, task.plate_id, task.subject_id, task.job, task.position, task.state, \
     task.unmet, task.blocked, task.gated, task.ready_at";

impl Node {
    pub(super) fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        let mut columns = crate::columns::Columns::of(row);
        Ok(Self {
            id: columns.next()?,
            plate: columns.next()?,
            subject: columns.next()?,
            job: columns.next()?,
            position: columns.next()?,
            state: columns.next()?,
            unmet: columns.next()?,
            blocked: columns.next()?,
            gated: columns.next()?,
            ready_at: columns.next()?,
        })
    }

    pub(super) fn settlement(&self) -> Settlement {
        match self.state {
            TaskState::Succeeded => Settlement::Succeeded,
            TaskState::Failed | TaskState::Quarantined | TaskState::Cancelled => Settlement::Dead,
            TaskState::Waiting if self.blocked > 0 || self.gated == SHUT => Settlement::Dead,
            TaskState::Waiting | TaskState::Ready | TaskState::Running | TaskState::Retrying => {
                Settlement::Pending
            }
        }
    }

    /// The state that a task without a worker and without a verdict is in.
    pub(super) fn resting(&self, steady: i64) -> TaskState {
        if self.unmet > 0 || self.gated != OPEN {
            TaskState::Waiting
        } else if self.ready_at.is_some_and(|at| at > steady) {
            TaskState::Retrying
        } else {
            TaskState::Ready
        }
    }

    pub(super) const fn about(&self) -> About {
        About {
            plate: Some(self.plate),
            subject: Some(self.subject),
            task: Some(self.id),
        }
    }
}

/// How a gate stands.
pub(super) const fn gated(gate: Gate, subject: SubjectState, plate: PlateState) -> i64 {
    match (gate, subject) {
        (Gate::None, _) | (Gate::SubjectComplete, SubjectState::Complete) => OPEN,
        (Gate::SubjectComplete, SubjectState::Arriving) => CLOSED,
        (Gate::SubjectComplete, SubjectState::Incomplete) => SHUT,
        (Gate::PlateComplete, _) if plate.is_complete() => OPEN,
        (Gate::PlateComplete, _) => CLOSED,
    }
}

impl Transaction<'_> {
    pub(super) fn node(&self, task: TaskId) -> Result<Node> {
        self.first(
            &format!("SELECT {NODE_COLUMNS} FROM task WHERE id = ?1"),
            [task],
            Node::read,
        )?
        .ok_or_else(|| Error::not_found("task", task))
    }

    /// Follows up a change that is already written to the row: appends the event and updates the tasks behind it.
    pub(super) fn moved(&mut self, before: &Node, after: &Node, more: Value) -> Result<()> {
        self.announce(before, after, more)?;
        self.propagate(after.id, before.settlement(), after.settlement())
    }

    fn announce(&mut self, before: &Node, after: &Node, more: Value) -> Result<()> {
        self.touched.insert(after.plate);
        if before.state == after.state {
            return Ok(());
        }
        let mut data = json!({ "from": before.state, "to": after.state, "job": after.job });
        if let (Some(data), Value::Object(more)) = (data.as_object_mut(), more) {
            data.extend(more);
        }
        self.event(after.state.into(), after.about(), &data)
    }

    /// Updates the counters of everything behind `task`, and what follows from them.
    pub(super) fn propagate(
        &mut self,
        task: TaskId,
        before: Settlement,
        after: Settlement,
    ) -> Result<()> {
        let mut changes = VecDeque::from([(task, before, after)]);
        while let Some((upstream, before, after)) = changes.pop_front() {
            if before == after {
                continue;
            }
            let edges = self.all(statements::BEHIND, [upstream], |row| {
                Ok((row.get::<_, TaskId>(0)?, row.get::<_, Require>(1)?))
            })?;
            for (downstream, require) in edges {
                let (unmet_before, blocked_before) = require.counts(before);
                let (unmet_after, blocked_after) = require.counts(after);
                let (unmet, blocked) = (unmet_after - unmet_before, blocked_after - blocked_before);
                if (unmet, blocked) == (0, 0) {
                    continue;
                }
                let old = self.node(downstream)?;
                let mut new = old.clone();
                new.unmet += unmet;
                new.blocked += blocked;
                self.rest(&old, &mut new, json!({ "upstream": upstream }))?;
                changes.push_back((downstream, old.settlement(), new.settlement()));
            }
        }
        Ok(())
    }

    /// Writes changed counters, and the state that follows for a task that is neither running nor ended.
    /// The tasks behind it are left to the caller.
    fn rest(&mut self, old: &Node, new: &mut Node, why: Value) -> Result<()> {
        if matches!(
            old.state,
            TaskState::Waiting | TaskState::Ready | TaskState::Retrying
        ) {
            new.state = new.resting(self.steady);
        }
        self.execute(
            "UPDATE task SET unmet = ?2, blocked = ?3, gated = ?4, state = ?5 WHERE id = ?1",
            params![new.id, new.unmet, new.blocked, new.gated, new.state],
        )?;
        self.announce(old, new, why)
    }

    /// Sets counters or gate of a task and follows up.
    pub(super) fn update_node(&mut self, old: &Node, mut new: Node, why: Value) -> Result<Node> {
        if (old.unmet, old.blocked, old.gated) != (new.unmet, new.blocked, new.gated) {
            self.rest(old, &mut new, why)?;
            self.propagate(new.id, old.settlement(), new.settlement())?;
        }
        Ok(new)
    }

    /// Sets gates anew after the state of a subject or a plate changed.
    pub(super) fn set_gates(&mut self, tasks: &[TaskId], gated: i64, why: &Value) -> Result<()> {
        for task in tasks {
            let old = self.node(*task)?;
            let new = Node {
                gated,
                ..old.clone()
            };
            self.update_node(&old, new, why.clone())?;
        }
        Ok(())
    }

    /// Makes tasks that ended (or are about to start) start over. Whatever is behind them starts over too,
    /// once they have succeeded. A running task is marked to run again. Quarantined and cancelled tasks
    /// behind them stay: new inputs do not undo a person's decision, nor make a poisoned file safe.
    pub(super) fn start_over(&mut self, seeds: &[TaskId], why: &Value) -> Result<()> {
        let mut nodes = seeds
            .iter()
            .map(|seed| self.node(*seed))
            .collect::<Result<Vec<_>>>()?;
        nodes.sort_by_key(|node| node.position);
        for node in nodes {
            self.reset(node.id, why)?;
        }
        let mut behind = self.downstream(seeds)?;
        // Upstream first, so that each task is reset once, to its final state.
        behind.sort_by_key(|node| node.position);
        for node in behind {
            // Also one that waits for its upstream tasks and for a later time: what put it off is over.
            let put_off = node.state == TaskState::Waiting && node.ready_at.is_some();
            if node.state.starts_over() || put_off {
                self.reset(node.id, why)?;
            }
        }
        Ok(())
    }

    /// Everything that depends on `seeds`, the seeds themselves left out.
    pub(super) fn downstream(&self, seeds: &[TaskId]) -> Result<Vec<Node>> {
        let mut seen: HashSet<TaskId> = seeds.iter().copied().collect();
        let mut frontier: Vec<TaskId> = seeds.to_vec();
        let mut found = Vec::new();
        while let Some(task) = frontier.pop() {
            let next = self.all(statements::BEHIND, [task], |row| row.get(0))?;
            for id in next {
                if seen.insert(id) {
                    frontier.push(id);
                    found.push(self.node(id)?);
                }
            }
        }
        Ok(found)
    }

    fn reset(&mut self, task: TaskId, why: &Value) -> Result<()> {
        let old = self.node(task)?;
        if old.state == TaskState::Running {
            self.execute(
                "UPDATE task SET revision = revision + 1, because = ?2 WHERE id = ?1",
                params![task, why.to_string()],
            )?;
            return self.event(
                EventKind::TaskInvalidated,
                old.about(),
                &json!({ "job": old.job, "because": why }),
            );
        }
        let mut new = Node {
            ready_at: None,
            ..old.clone()
        };
        new.state = new.resting(self.steady);
        self.execute(
            "UPDATE task SET state = ?2, revision = revision + 1, because = ?3, attempts = 0, crashes = 0, \
             interruptions = 0, ready_at = NULL, cancel_requested = 0, error = NULL, result = NULL, \
             finished_at = NULL WHERE id = ?1",
            params![task, new.state, why.to_string()],
        )?;
        self.moved(&old, &new, json!({ "because": why }))
    }
}
