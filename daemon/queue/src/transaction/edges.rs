//! Edges of the graph: those that a plan names, and those that follow from "all tasks of this job".

use std::collections::BTreeMap;

use rusqlite::params;
use serde_json::json;

use super::Transaction;
use super::graph::{NODE_COLUMNS, Node};
use crate::error::{Error, Result};
use crate::ids::{PlateId, SubjectId, TaskId};
use crate::model::Upstream;
use crate::statements;
use crate::states::{Require, TaskState};

/// The upstream tasks of one task, with what is required of each.
pub(super) type Edges = BTreeMap<TaskId, Require>;

/// "All tasks of this job in the plate, or in a well".
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pattern {
    pub(super) job: String,
    /// Empty for the whole plate.
    pub(super) well: String,
    pub(super) require: Require,
}

/// Where a task stands while its edges are looked up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) plate: PlateId,
    pub(super) subject: SubjectId,
    pub(super) well: Option<&'a str>,
    pub(super) workflow: &'a str,
    pub(super) job: &'a str,
    pub(super) position: i64,
}

impl Transaction<'_> {
    /// The edges that exist now, and the patterns that will make more.
    pub(super) fn resolve(
        &self,
        place: Place<'_>,
        upstream: &[Upstream],
    ) -> Result<(Edges, Vec<Pattern>)> {
        let mut edges = Edges::new();
        let mut patterns = Vec::new();
        let mut add = |node: Node, require: Require| {
            if node.plate != place.plate {
                let detail = format!("its upstream task {} belongs to another plate", node.id);
                return Err(Error::InvalidPlan {
                    job: place.job.to_owned(),
                    detail,
                });
            }
            if node.position >= place.position {
                let detail = format!(
                    "its upstream `{}` has position {}, which is not before its own {}",
                    node.job, node.position, place.position
                );
                return Err(Error::InvalidPlan {
                    job: place.job.to_owned(),
                    detail,
                });
            }
            // The stricter requirement wins where two rules name the same task.
            let entry = edges.entry(node.id).or_insert(require);
            if require == Require::Succeeded {
                *entry = Require::Succeeded;
            }
            Ok(())
        };
        for rule in upstream {
            match rule {
                Upstream::Job(job) => {
                    let found = self.first(
                        &format!("SELECT {NODE_COLUMNS} FROM task WHERE subject_id = ?1 AND workflow = ?2 AND job = ?3"),
                        params![place.subject, place.workflow, job],
                        Node::read,
                    )?;
                    let node = found.ok_or_else(|| Error::InvalidPlan {
                        job: place.job.to_owned(),
                        detail: format!(
                            "its upstream `{job}` is neither in the plan nor planned before"
                        ),
                    })?;
                    add(node, Require::Succeeded)?;
                }
                Upstream::Task { task, require } => add(self.node(*task)?, *require)?,
                Upstream::Plate { job, require } => {
                    patterns.push(Pattern {
                        job: job.clone(),
                        well: String::new(),
                        require: *require,
                    });
                }
                Upstream::Well { well, job, require } => {
                    patterns.push(Pattern {
                        job: job.clone(),
                        well: well.clone(),
                        require: *require,
                    });
                }
            }
        }
        patterns.sort();
        // `succeeded` sorts before `settled`, so the stricter of two is the one that stays.
        patterns.dedup_by(|next, kept| next.job == kept.job && next.well == kept.well);
        for pattern in &patterns {
            for node in self.matching(place.plate, place.workflow, pattern)? {
                add(node, pattern.require)?;
            }
        }
        Ok((edges, patterns))
    }

    fn matching(&self, plate: PlateId, workflow: &str, pattern: &Pattern) -> Result<Vec<Node>> {
        let sql = if pattern.well.is_empty() {
            format!(
                "SELECT {NODE_COLUMNS} FROM task WHERE plate_id = ?1 AND workflow = ?2 AND job = ?3 AND ?4 = ''"
            )
        } else {
            format!(
                "SELECT {NODE_COLUMNS} FROM task JOIN subject ON subject.id = task.subject_id \
                 WHERE task.plate_id = ?1 AND workflow = ?2 AND job = ?3 AND subject.well = ?4"
            )
        };
        self.all(
            &sql,
            params![plate, workflow, pattern.job, pattern.well],
            Node::read,
        )
    }

    /// The counters that follow from a set of edges.
    pub(super) fn count(&self, edges: &Edges) -> Result<(i64, i64)> {
        let mut total = (0, 0);
        for (upstream, require) in edges {
            let (unmet, blocked) = require.counts(self.node(*upstream)?.settlement());
            total = (total.0 + unmet, total.1 + blocked);
        }
        Ok(total)
    }

    pub(super) fn edges_of(&self, task: TaskId) -> Result<Edges> {
        Ok(self
            .all(
                "SELECT upstream_id, require FROM task_dependency WHERE task_id = ?1",
                [task],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?
            .into_iter()
            .collect())
    }

    pub(super) fn patterns_of(&self, task: TaskId) -> Result<Vec<Pattern>> {
        let mut patterns = self.all(
            "SELECT job, well, require FROM task_upstream WHERE task_id = ?1",
            [task],
            |row| {
                Ok(Pattern {
                    job: row.get(0)?,
                    well: row.get(1)?,
                    require: row.get(2)?,
                })
            },
        )?;
        patterns.sort();
        Ok(patterns)
    }

    /// Writes edges and patterns in place of the old ones; the counters are the caller's.
    pub(super) fn write_edges(
        &self,
        task: TaskId,
        place: Place<'_>,
        edges: &Edges,
        patterns: &[Pattern],
    ) -> Result<()> {
        self.execute("DELETE FROM task_dependency WHERE task_id = ?1", [task])?;
        self.execute("DELETE FROM task_upstream WHERE task_id = ?1", [task])?;
        self.add_edges(task, place, edges, patterns)
    }

    /// Writes edges and patterns of a task that has none.
    pub(super) fn add_edges(
        &self,
        task: TaskId,
        place: Place<'_>,
        edges: &Edges,
        patterns: &[Pattern],
    ) -> Result<()> {
        for (upstream, require) in edges {
            self.execute(
                "INSERT INTO task_dependency (task_id, upstream_id, require) VALUES (?1, ?2, ?3)",
                params![task, upstream, require],
            )?;
        }
        for pattern in patterns {
            self.execute(
                "INSERT INTO task_upstream (task_id, plate_id, workflow, job, well, require) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    task,
                    place.plate,
                    place.workflow,
                    pattern.job,
                    pattern.well,
                    pattern.require
                ],
            )?;
        }
        Ok(())
    }

    /// Puts a new task in front of the tasks whose patterns it matches. Those that had ended start over:
    /// they have not seen it.
    pub(super) fn attach(&mut self, new: &Node, place: Place<'_>) -> Result<()> {
        let behind = self.all(
            statements::PATTERNS,
            params![
                place.plate,
                place.workflow,
                place.job,
                place.well.unwrap_or_default()
            ],
            |row| Ok((row.get::<_, TaskId>(0)?, row.get::<_, Require>(1)?)),
        )?;
        for (downstream, require) in behind {
            let old = self.node(downstream)?;
            if old.position <= place.position {
                let detail = format!(
                    "`{}`, which depends on it, has position {}",
                    old.job, old.position
                );
                return Err(Error::InvalidPlan {
                    job: place.job.to_owned(),
                    detail,
                });
            }
            let added = self.execute(
                "INSERT INTO task_dependency (task_id, upstream_id, require) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
                params![downstream, new.id, require],
            )?;
            if added == 0 {
                // Two patterns name the same task; the stricter one came first.
                continue;
            }
            self.recount(downstream, require.counts(new.settlement()))?;
            if old.state.starts_over() && old.state != TaskState::Ready {
                self.start_over(
                    &[downstream],
                    &json!({ "new_upstream": new.id, "job": new.job }),
                )?;
            }
        }
        Ok(())
    }

    fn recount(&mut self, task: TaskId, more: (i64, i64)) -> Result<()> {
        let old = self.node(task)?;
        let new = Node {
            unmet: old.unmet + more.0,
            blocked: old.blocked + more.1,
            ..old.clone()
        };
        self.update_node(&old, new, json!({}))?;
        Ok(())
    }
}
