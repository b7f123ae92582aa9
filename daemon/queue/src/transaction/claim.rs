//! Claiming: a worker takes a subject, with all of its tasks that can be run in one go.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::params;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Transaction;
use super::graph::{NODE_COLUMNS, Node, OPEN, Settlement};
use crate::clock::{millis, timestamp};
use crate::error::{Error, Result};
use crate::ids::{PassId, PlateId, RootId, SubjectId, TaskId};
use crate::model::{PLATE_COLUMNS, PlateRow, SUBJECT_COLUMNS, SubjectRow, TASK_SELECT, TaskRow};
use crate::statements;
use crate::states::{Require, TaskState};

/// Who claims, and what it would take.
#[derive(Clone, Debug, Default)]
pub struct ClaimRequest {
    /// Name of the worker.
    pub worker: String,
    /// Its process.
    pub pid: Option<u32>,
    /// How long the claim is good without a heartbeat.
    pub lease: Duration,
    /// What it would take.
    pub filter: ClaimFilter,
}

/// Which subjects a worker would take; the default is any.
#[derive(Clone, Debug, Default)]
pub struct ClaimFilter {
    /// Only of this plate.
    pub plate: Option<PlateId>,
    /// Only of this root.
    pub root: Option<RootId>,
    /// Only tasks of these scopes; empty for all. A plate's tasks are searched one by one for it.
    pub scopes: Vec<String>,
    /// Not these subjects.
    pub exclude: Vec<SubjectId>,
    /// Asked last, with all that would be claimed: is there room for it?
    pub admit: Option<Admit>,
}

/// Decides about a subject that would be claimed.
#[derive(Clone)]
pub struct Admit(pub Arc<dyn Fn(&Candidate<'_>) -> Admission + Send + Sync>);

impl fmt::Debug for Admit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Admit")
    }
}

/// What would be claimed.
#[derive(Debug)]
pub struct Candidate<'a> {
    /// Its root.
    pub root: RootId,
    /// The subject.
    pub subject: &'a SubjectRow,
    /// The workflow of all its tasks.
    pub workflow: &'a str,
    /// The jobs of its tasks, in the order in which they are to be run.
    pub jobs: &'a [String],
}

/// Whether there is room for a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Claim it.
    Take,
    /// Not this one, nor others of its workflow that begin with the same job; look for something else.
    Skip,
    /// Claim nothing now: what comes later must not overtake it for ever.
    Wait,
}

/// Rows of a group that one claim looks at: behind so many that are not admitted, nothing is searched for.
const LOOK_AHEAD: usize = 20_000;

/// What the search in a group came to.
enum Search {
    Found(TaskId),
    Nothing,
    Wait,
}

/// A claimed subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pass {
    /// Identifier.
    pub id: PassId,
    /// The plate.
    pub plate: PlateRow,
    /// The subject.
    pub subject: SubjectRow,
    /// The workflow of all its tasks.
    pub workflow: String,
    /// The tasks, in the order in which they are to be run.
    pub tasks: Vec<TaskRow>,
    /// When the lease ends unless a heartbeat comes.
    pub lease_until: Timestamp,
}

/// Tasks of equal priority of one plate; groups are visited from the most urgent.
#[derive(Clone, Copy)]
struct Group {
    priority: i64,
    plate: PlateId,
}

impl Transaction<'_> {
    /// Claims the subject of the best task that is ready: highest priority, then oldest plate, then oldest task.
    /// All tasks of the same subject and workflow that are ready, or wait only for tasks claimed with them, come along.
    /// Nothing is claimed of a subject that is being worked on, of a paused plate, or of a root that is not there.
    ///
    /// A worker that goes on to its next subject does best to finish and claim in one
    /// [`Store::transaction`](crate::Store::transaction): one sync of the disk a subject instead of two.
    ///
    /// # Errors
    /// If the database fails.
    pub fn claim_pass(&mut self, request: &ClaimRequest) -> Result<Option<Pass>> {
        self.promote_due()?;
        if self.is_held(0, 0)? {
            return Ok(None);
        }
        let mut refused = HashSet::new();
        let mut group = self.next_group(None)?;
        while let Some(at) = group {
            if let Some(root) = self.admits(&request.filter, at.plate)? {
                match self.best_of(at, root, &request.filter, &mut refused)? {
                    Search::Found(best) => return self.claim(request, best).map(Some),
                    Search::Wait => return Ok(None),
                    Search::Nothing => {}
                }
            }
            group = self.next_group(Some(at))?;
        }
        Ok(None)
    }

    /// Tasks whose retry time has come are ready.
    fn promote_due(&mut self) -> Result<()> {
        for task in self.all(statements::DUE, [self.steady], |row| row.get(0))? {
            let old = self.node(task)?;
            let new = Node {
                state: TaskState::Ready,
                ready_at: None,
                ..old.clone()
            };
            self.execute(
                "UPDATE task SET state = 'ready', ready_at = NULL WHERE id = ?1",
                [new.id],
            )?;
            self.moved(&old, &new, json!({}))?;
        }
        Ok(())
    }

    fn is_held(&self, root: i64, plate: i64) -> Result<bool> {
        let held = self.first(
            "SELECT 1 FROM hold WHERE root_id = ?1 AND plate_id = ?2 LIMIT 1",
            [root, plate],
            |_| Ok(()),
        )?;
        Ok(held.is_some())
    }

    /// Steps through the ready index group by group, so a paused plate costs one look, however many tasks it has.
    fn next_group(&self, after: Option<Group>) -> Result<Option<Group>> {
        let read = |row: &rusqlite::Row<'_>| {
            Ok(Group {
                priority: row.get(0)?,
                plate: row.get(1)?,
            })
        };
        let Some(after) = after else {
            return self.first(statements::FIRST_GROUP, [], read);
        };
        let same_priority = self.first(
            statements::NEXT_PLATE,
            params![after.priority, after.plate],
            read,
        )?;
        if same_priority.is_some() {
            return Ok(same_priority);
        }
        self.first(statements::NEXT_PRIORITY, [after.priority], read)
    }

    /// The root of a plate of which tasks may be claimed.
    fn admits(&self, filter: &ClaimFilter, plate: PlateId) -> Result<Option<RootId>> {
        if filter.plate.is_some_and(|wanted| wanted != plate) {
            return Ok(None);
        }
        let found: Option<(RootId, bool)> = self.first(
            "SELECT root.id, root.state = 'online' FROM plate JOIN root ON root.id = plate.root_id WHERE plate.id = ?1",
            [plate],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let Some((root, there)) = found else {
            return Ok(None);
        };
        let admitted = there
            && filter.root.is_none_or(|wanted| wanted == root)
            && !self.is_held(root.0, 0)?
            && !self.is_held(0, plate.0)?;
        Ok(admitted.then_some(root))
    }

    /// The oldest ready task of the group whose subject is free and for which there is room.
    fn best_of(
        &self,
        group: Group,
        root: RootId,
        filter: &ClaimFilter,
        refused: &mut HashSet<(String, String)>,
    ) -> Result<Search> {
        let mut statement = self.connection.prepare_cached(statements::BEST_OF_GROUP)?;
        let mut rows = statement.query(params![group.priority, group.plate])?;
        let mut seen = 0;
        while let Some(row) = rows.next()? {
            seen += 1;
            if seen > LOOK_AHEAD {
                break;
            }
            let wanted_scope = filter.scopes.is_empty()
                || filter.scopes.iter().any(|scope| {
                    row.get_ref(2)
                        .is_ok_and(|found| found.as_str() == Ok(scope))
                });
            let subject: SubjectId = row.get(1)?;
            if !wanted_scope || filter.exclude.contains(&subject) {
                continue;
            }
            let Some(admit) = &filter.admit else {
                return Ok(Search::Found(row.get(0)?));
            };
            let kind: (String, String) = (row.get(3)?, row.get(4)?);
            if refused.contains(&kind) {
                continue;
            }
            let jobs: Vec<String> = self
                .closure(subject, &kind.0)?
                .into_iter()
                .map(|node| node.job)
                .collect();
            let candidate = Candidate {
                root,
                subject: &self.subject_row(subject)?,
                workflow: &kind.0,
                jobs: &jobs,
            };
            match (admit.0)(&candidate) {
                Admission::Take => return Ok(Search::Found(row.get(0)?)),
                Admission::Wait => return Ok(Search::Wait),
                Admission::Skip => drop(refused.insert(kind)),
            }
        }
        Ok(Search::Nothing)
    }

    fn subject_row(&self, subject: SubjectId) -> Result<SubjectRow> {
        Ok(self
            .connection
            .prepare_cached(&format!(
                "SELECT {SUBJECT_COLUMNS} FROM subject WHERE id = ?1"
            ))?
            .query_row([subject], SubjectRow::read)?)
    }

    fn claim(&mut self, request: &ClaimRequest, best: TaskId) -> Result<Pass> {
        let (subject, plate, workflow): (SubjectId, PlateId, String) = self
            .connection
            .prepare_cached("SELECT subject_id, plate_id, workflow FROM task WHERE id = ?1")?
            .query_row([best], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let nodes = self.closure(subject, &workflow)?;
        let lease_until = self.steady.saturating_add(millis(request.lease));
        let pass = PassId(self.insert(
            "INSERT INTO pass (plate_id, subject_id, workflow, worker, pid, boot_id, lease_until, started_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![plate, subject, workflow, request.worker, request.pid, self.boot, lease_until, self.now],
        )?);
        let mut tasks = Vec::with_capacity(nodes.len());
        for old in nodes {
            self.execute(
                "UPDATE task SET state = 'running', pass_id = ?2, started_at = ?3, ready_at = NULL, cancel_requested = 0 \
                 WHERE id = ?1",
                params![old.id, pass, self.now],
            )?;
            let task = self
                .connection
                .prepare_cached(&format!("{TASK_SELECT} WHERE task.id = ?1"))?
                .query_row([old.id], TaskRow::read)?;
            let number: i64 = self.connection.prepare_cached(
                "INSERT INTO attempt (task_id, pass_id, number, revision, started_at, outcome) \
                 VALUES (?1, ?2, 1 + (SELECT coalesce(max(number), 0) FROM attempt WHERE task_id = ?1), ?3, ?4, 'running') \
                 RETURNING number",
            )?.query_row(params![old.id, pass, task.revision, self.now], |row| row.get(0))?;
            let new = Node {
                state: TaskState::Running,
                ready_at: None,
                ..old.clone()
            };
            self.moved(
                &old,
                &new,
                json!({ "pass": pass, "worker": request.worker, "attempt": number }),
            )?;
            tasks.push(task);
        }
        let plate = self
            .connection
            .prepare_cached(&format!("SELECT {PLATE_COLUMNS} FROM plate WHERE id = ?1"))?
            .query_row([plate], PlateRow::read)?;
        let subject = self.subject_row(subject)?;
        faults::write_point(faults::Point::QueueClaimed).map_err(Error::not_committed)?;
        Ok(Pass {
            id: pass,
            plate,
            subject,
            workflow,
            tasks,
            lease_until: timestamp(lease_until),
        })
    }

    /// The tasks that can be run together: ready ones, and those that wait for nothing else than them.
    /// Upstream tasks have smaller positions, so one walk in that order finds them all.
    fn closure(&self, subject: SubjectId, workflow: &str) -> Result<Vec<Node>> {
        let candidates = self.all(
            &format!(
                "SELECT {NODE_COLUMNS} FROM task WHERE subject_id = ?1 AND workflow = ?2 \
                 AND state IN ('ready', 'waiting') ORDER BY position, id"
            ),
            params![subject, workflow],
            Node::read,
        )?;
        let mut claimed: Vec<Node> = Vec::new();
        let mut ids = HashSet::new();
        for node in candidates {
            let comes_along = match node.state {
                TaskState::Ready => true,
                _ => {
                    node.gated == OPEN
                        && node.settlement() == Settlement::Pending
                        && node.ready_at.is_none_or(|at| at <= self.steady)
                        && self.waits_only_for(&node, &ids)?
                }
            };
            if comes_along {
                ids.insert(node.id);
                claimed.push(node);
            }
        }
        Ok(claimed)
    }

    fn waits_only_for(&self, node: &Node, claimed: &HashSet<TaskId>) -> Result<bool> {
        // A plate task may wait for thousands: not worth listing them.
        if usize::try_from(node.unmet).is_ok_and(|unmet| unmet > claimed.len()) {
            return Ok(false);
        }
        let edges = self.all(
            &format!(
                "SELECT {NODE_COLUMNS}, require FROM task_dependency JOIN task ON task.id = upstream_id WHERE task_id = ?1"
            ),
            [node.id],
            |row| Ok((Node::read(row)?, row.get::<_, Require>("require")?)),
        )?;
        Ok(edges.iter().all(|(upstream, require)| {
            require.counts(upstream.settlement()) == (0, 0) || claimed.contains(&upstream.id)
        }))
    }
}
