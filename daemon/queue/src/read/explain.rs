//! Why a task is where it is, in words that a person can act on.

use jiff::Timestamp;
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::status::holds;
use super::tasks::{Neighbour, one, upstream};
use super::{all, first};
use crate::Store;
use crate::error::Result;
use crate::ids::{PassId, TaskId};
use crate::model::{Failure, TaskRow};
use crate::statements;
use crate::states::{Gate, PlateState, Require, RootState, SubjectState, TaskState};
use crate::transaction::Target;

/// Ready tasks that are counted at most to say how many are ahead.
const AHEAD: i64 = 10_000;

/// Why a task is where it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// The task.
    pub task: TaskId,
    /// Where it stands.
    pub state: TaskState,
    /// The reasons as sentences, the weightiest first.
    pub because: Vec<String>,
    /// The same for programs.
    pub reasons: Vec<Reason>,
}

/// One reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Reason {
    /// An upstream task has not ended yet.
    UpstreamPending {
        /// The upstream task.
        upstream: Neighbour,
    },
    /// An upstream task will not succeed unless someone acts.
    UpstreamDead {
        /// The upstream task.
        upstream: Neighbour,
    },
    /// More upstream tasks than are listed.
    MoreUpstream {
        /// How many are not satisfied in all.
        unmet: u64,
    },
    /// The plate does not have all its images yet.
    PlateNotComplete {
        /// Where the plate stands.
        plate: PlateState,
    },
    /// The subject does not have all its planes.
    SubjectNotComplete {
        /// Where the subject stands.
        subject: SubjectState,
        /// The planes that are missing.
        missing: Value,
    },
    /// Claims are paused.
    Paused {
        /// What is paused.
        target: Target,
        /// By whom.
        holder: String,
        /// Why.
        why: String,
    },
    /// The watched folder is not there, or no longer configured.
    RootOffline {
        /// Name of the root.
        root: String,
        /// Which of the two.
        state: RootState,
        /// What is known about it.
        detail: Option<String>,
    },
    /// The subject is being worked on in another pass.
    SubjectBusy {
        /// That pass.
        pass: PassId,
    },
    /// It is in the queue.
    InQueue {
        /// Ready tasks that are claimed before it; 10000 stands for that many or more.
        ahead: u64,
    },
    /// It is tried again at a time.
    RetryAt {
        /// When.
        at: Timestamp,
        /// Attempts so far.
        attempts: u32,
        /// Most attempts.
        max_attempts: u32,
    },
    /// A worker has it.
    Running {
        /// The worker.
        worker: String,
        /// Since when.
        since: Timestamp,
        /// Until when it has to be heard of again.
        lease_until: Timestamp,
    },
    /// It failed.
    Failed {
        /// The failure.
        failure: Failure,
    },
    /// Workers died over it.
    Quarantined {
        /// How often.
        crashes: u32,
    },
    /// A person stopped it.
    Cancelled,
    /// Its result is there and its key is as it was: nothing to do.
    UpToDate {
        /// The key.
        key: Option<String>,
        /// Since when.
        since: Option<Timestamp>,
    },
    /// Why it was set back last.
    SetBack {
        /// The ingredients that changed, or what else happened.
        because: Value,
    },
}

impl Store {
    /// Why a task is where it is.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) for an unknown id.
    pub fn explain(&self, id: TaskId) -> Result<Explanation> {
        self.read(|connection| {
            let task = one(connection, id)?;
            let mut reasons = match task.state {
                TaskState::Waiting => waiting(connection, &task)?,
                TaskState::Ready => ready(connection, &task)?,
                TaskState::Running => running(connection, &task)?,
                TaskState::Retrying => task
                    .ready_at
                    .map(|at| retry(&task, at))
                    .into_iter()
                    .collect(),
                TaskState::Quarantined => vec![Reason::Quarantined {
                    crashes: task.crashes,
                }],
                TaskState::Cancelled => vec![Reason::Cancelled],
                TaskState::Succeeded => vec![Reason::UpToDate {
                    key: task.key.clone(),
                    since: task.finished_at,
                }],
                TaskState::Failed => Vec::new(),
            };
            reasons.extend(task.error.clone().map(|failure| Reason::Failed { failure }));
            reasons.extend(
                task.because
                    .clone()
                    .map(|because| Reason::SetBack { because }),
            );
            let because = reasons.iter().map(Reason::sentence).collect();
            Ok(Explanation {
                task: id,
                state: task.state,
                because,
                reasons,
            })
        })
    }
}

fn waiting(connection: &Connection, task: &TaskRow) -> Result<Vec<Reason>> {
    let (unmet, gated, subject, missing, plate): (i64, i64, SubjectState, crate::columns::Json<Value>, PlateState) =
        connection.query_row(
            "SELECT task.unmet, task.gated, subject.state, subject.missing, plate.state FROM task \
             JOIN subject ON subject.id = task.subject_id JOIN plate ON plate.id = task.plate_id WHERE task.id = ?1",
            [task.id],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)),
        )?;
    let mut reasons = Vec::new();
    if gated != 0 {
        reasons.push(match task.gate {
            Gate::PlateComplete => Reason::PlateNotComplete { plate },
            Gate::SubjectComplete | Gate::None => Reason::SubjectNotComplete {
                subject,
                missing: missing.0,
            },
        });
    }
    let mut listed = 0;
    for upstream in upstream(connection, task.id)? {
        let dead = matches!(
            upstream.state,
            TaskState::Failed | TaskState::Quarantined | TaskState::Cancelled
        ) || (upstream.state == TaskState::Waiting
            && one(connection, upstream.task)?.blocked);
        match (upstream.state, dead, upstream.require) {
            (TaskState::Succeeded, ..) | (_, true, Require::Settled) => continue,
            (_, true, Require::Succeeded) => reasons.push(Reason::UpstreamDead { upstream }),
            (_, false, _) => reasons.push(Reason::UpstreamPending { upstream }),
        }
        listed += 1;
    }
    if unmet > listed {
        reasons.push(Reason::MoreUpstream {
            unmet: unmet.unsigned_abs(),
        });
    }
    reasons.extend(task.ready_at.map(|at| retry(task, at)));
    Ok(reasons)
}

fn ready(connection: &Connection, task: &TaskRow) -> Result<Vec<Reason>> {
    let mut reasons = Vec::new();
    let (root, name, state, detail): (i64, String, RootState, Option<String>) = connection.query_row(
        "SELECT root.id, root.name, root.state, root.detail FROM plate JOIN root ON root.id = plate.root_id \
         WHERE plate.id = ?1",
        [task.plate],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
    )?;
    if state != RootState::Online {
        reasons.push(Reason::RootOffline {
            root: name,
            state,
            detail,
        });
    }
    for hold in holds(connection)? {
        let applies = match hold.target {
            Target::All => true,
            Target::Root(id) => id.0 == root,
            Target::Plate(plate) => plate == task.plate,
        };
        if applies {
            reasons.push(Reason::Paused {
                target: hold.target,
                holder: hold.holder,
                why: hold.reason,
            });
        }
    }
    let busy = first(
        connection,
        "SELECT id FROM pass WHERE subject_id = ?1 AND ended_at IS NULL",
        [task.subject],
        |row| row.get(0),
    )?;
    reasons.extend(busy.map(|pass| Reason::SubjectBusy { pass }));
    let place = params![task.priority, task.plate, task.id, AHEAD];
    let ahead: i64 = connection
        .prepare_cached(statements::AHEAD)?
        .query_row(place, |row| row.get(0))?;
    let ahead = ahead.min(AHEAD);
    reasons.push(Reason::InQueue {
        ahead: ahead.unsigned_abs(),
    });
    Ok(reasons)
}

fn running(connection: &Connection, task: &TaskRow) -> Result<Vec<Reason>> {
    all(
        connection,
        "SELECT worker, started_at, lease_until FROM pass WHERE id = ?1",
        [task.pass],
        |row| {
            Ok(Reason::Running {
                worker: row.get(0)?,
                since: crate::clock::timestamp(row.get(1)?),
                lease_until: crate::clock::timestamp(row.get(2)?),
            })
        },
    )
}

fn retry(task: &TaskRow, at: Timestamp) -> Reason {
    Reason::RetryAt {
        at,
        attempts: task.attempts,
        max_attempts: task.max_attempts,
    }
}

impl Reason {
    /// The reason as a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::UpstreamPending { upstream } => format!(
                "`{}` of {} (task {}) is {}",
                upstream.job, upstream.subject_name, upstream.task, upstream.state
            ),
            Self::UpstreamDead { upstream } => format!(
                "`{}` of {} (task {}) is {}; requeue it or what it waits for",
                upstream.job, upstream.subject_name, upstream.task, upstream.state
            ),
            Self::MoreUpstream { unmet } => format!("it waits for {unmet} tasks in all"),
            Self::PlateNotComplete { plate } => {
                format!("the plate is {plate}: not all of its images are decided to be there")
            }
            Self::SubjectNotComplete { subject, missing } => {
                format!("the image set is {subject}; missing: {missing}")
            }
            Self::Paused {
                target: Target::All,
                holder,
                why,
            } => format!("everything is paused by {holder}: {why}"),
            Self::Paused {
                target: Target::Root(_),
                holder,
                why,
            } => format!("its root is paused by {holder}: {why}"),
            Self::Paused {
                target: Target::Plate(_),
                holder,
                why,
            } => format!("its plate is paused by {holder}: {why}"),
            Self::RootOffline {
                root,
                state,
                detail,
            } => {
                format!(
                    "the root {root} is {state}{}",
                    detail
                        .as_ref()
                        .map(|text| format!(": {text}"))
                        .unwrap_or_default()
                )
            }
            Self::SubjectBusy { pass } => {
                format!("other tasks of its subject are running in pass {pass}")
            }
            Self::InQueue { ahead } => format!("it is ready; {ahead} tasks are ahead of it"),
            Self::RetryAt {
                at,
                attempts,
                max_attempts,
            } => {
                format!("it is tried again at {at} (attempts so far: {attempts} of {max_attempts})")
            }
            Self::Running { worker, since, .. } => format!("worker {worker} has it since {since}"),
            Self::Failed { failure } => {
                let remedy = if failure.remedy.is_empty() {
                    String::new()
                } else {
                    format!("; {}", failure.remedy)
                };
                format!(
                    "last error, {} ({}): {}{remedy}",
                    failure.code, failure.class, failure.message
                )
            }
            Self::Quarantined { crashes } => {
                format!(
                    "its worker died {crashes} times; it is not run again before it is requeued"
                )
            }
            Self::Cancelled => "it was cancelled; requeue it to run it".to_owned(),
            Self::UpToDate { key, since } => {
                let key = key.as_deref().unwrap_or("none");
                let since = since.map(|at| at.to_string()).unwrap_or_default();
                format!("its result of {since} is up to date (key {key})")
            }
            Self::SetBack { because } => match because.get("changed").and_then(Value::as_array) {
                Some(changed) => {
                    let names: Vec<_> = changed.iter().filter_map(Value::as_str).collect();
                    let of = because.get("job").and_then(Value::as_str);
                    let of = of.map_or_else(String::new, |job| format!(" of job `{job}`"));
                    format!(
                        "it was set back because these changed{of}: {}",
                        names.join(", ")
                    )
                }
                None => format!("it was set back: {because}"),
            },
        }
    }
}
