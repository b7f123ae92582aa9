//! The end of a pass: outcomes become states, in one transaction.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use rusqlite::params;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Transaction;
use super::graph::Node;
use super::pace::Execution;
use crate::backoff::{self, MAX_CRASHES};
use crate::clock::millis;
use crate::columns::Json;
use crate::error::{Error, Result};
use crate::ids::{AttemptId, PassId, SubjectId, TaskId};
use crate::model::{Failure, Outcome, TaskReport};
use crate::statements;
use crate::states::{AttemptOutcome, FailureClass, TaskState};

/// Longest log that is kept of an attempt, bytes; the end is what matters.
const LOG_LIMIT: usize = 64 * 1024;

/// Answer to a heartbeat.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beat {
    /// Tasks of the pass that were asked to stop.
    pub cancel: Vec<TaskId>,
}

/// A running task of the pass, with what its verdict depends on.
pub(super) struct Held {
    pub(super) node: Node,
    attempt: AttemptId,
    /// The task was set back after it had been claimed: its outcome is about something else.
    outdated: bool,
    cancel_requested: bool,
    attempts: u32,
    crashes: u32,
    interruptions: u32,
    max_attempts: u32,
}

/// What an outcome does to its task.
struct Verdict {
    /// `None` is the resting state: waiting, ready or retrying, as the graph says.
    state: Option<TaskState>,
    attempts: u32,
    crashes: u32,
    interruptions: u32,
    ready_at: Option<i64>,
    error: Option<Failure>,
    result: Option<Value>,
    /// How the attempt is recorded; `None` removes it: the task was never started.
    attempt: Option<AttemptOutcome>,
    why: Value,
}

impl Transaction<'_> {
    /// Prolongs the lease of a pass.
    ///
    /// # Errors
    /// [`Error::PassEnded`] if the pass was taken away; its worker should stop.
    pub fn heartbeat(&mut self, pass: PassId, lease: Duration) -> Result<Beat> {
        let until = self.steady.saturating_add(millis(lease));
        let alive = self.execute(
            "UPDATE pass SET lease_until = ?2 WHERE id = ?1 AND ended_at IS NULL",
            params![pass, until],
        )?;
        if alive == 0 {
            return Err(Error::PassEnded { pass });
        }
        let cancel = self.all(statements::STOPPING, [pass], |row| row.get(0))?;
        Ok(Beat { cancel })
    }

    /// Records the outcomes of a pass and ends it. A task of the pass without a report counts as interrupted.
    /// `container` is where the results were published, if they were.
    ///
    /// # Errors
    /// [`Error::PassEnded`] if the pass was taken away or reported before: nothing is recorded.
    /// [`Error::NotInPass`] if a report names another task.
    pub fn finish_pass(
        &mut self,
        pass: PassId,
        reports: &[TaskReport],
        container: Option<&Path>,
    ) -> Result<()> {
        let subject = self.open_pass(pass)?;
        let executions = self.record(pass, reports)?;
        self.interrupt(pass, "the worker did not report on it")?;
        self.close_pass(pass)?;
        self.note_pace(pass, &executions)?;
        self.note_ended(subject, &executions)?;
        faults::write_point(faults::Point::QueueFinished).map_err(Error::not_committed)?;
        match container {
            Some(container) => self.set_container(subject, container),
            None => Ok(()),
        }
    }

    /// Records outcomes while the pass goes on with its other tasks; the last one ends it.
    ///
    /// # Errors
    /// As [`Transaction::finish_pass`].
    pub fn finish_tasks(&mut self, pass: PassId, reports: &[TaskReport]) -> Result<()> {
        let subject = self.open_pass(pass)?;
        // Of the pace nothing is noted: how much of the pass so far was theirs is not known.
        let executions = self.record(pass, reports)?;
        self.note_ended(subject, &executions)?;
        if self.held(pass)?.is_empty() {
            self.close_pass(pass)?;
        }
        Ok(())
    }

    fn open_pass(&self, pass: PassId) -> Result<SubjectId> {
        self.first(
            "SELECT subject_id FROM pass WHERE id = ?1 AND ended_at IS NULL",
            [pass],
            |row| row.get(0),
        )?
        .ok_or(Error::PassEnded { pass })
    }

    pub(super) fn close_pass(&mut self, pass: PassId) -> Result<()> {
        self.execute(
            "UPDATE pass SET ended_at = ?2 WHERE id = ?1",
            params![pass, self.now],
        )?;
        Ok(())
    }

    fn record(&mut self, pass: PassId, reports: &[TaskReport]) -> Result<Vec<Execution>> {
        let mut executions = Vec::new();
        let mut by_task: HashMap<TaskId, &TaskReport> =
            reports.iter().map(|report| (report.task, report)).collect();
        // In the order of the graph: whether a success counts depends on its upstream tasks.
        for held in self.held(pass)? {
            if let Some(report) = by_task.remove(&held.node.id) {
                let node = self.node(held.node.id)?;
                let held = Held { node, ..held };
                let outcome = self.apply(&held, report)?;
                executions.extend(outcome.map(|outcome| {
                    Execution::new(&held.node.job, outcome, report.timings.as_ref())
                }));
            }
        }
        match by_task.into_keys().min() {
            Some(task) => Err(Error::NotInPass { task, pass }),
            None => Ok(executions),
        }
    }

    /// Every running task of a pass goes back, without an attempt being counted.
    pub(super) fn interrupt(&mut self, pass: PassId, reason: &str) -> Result<Vec<TaskId>> {
        let mut tasks = Vec::new();
        for held in self.held(pass)? {
            let node = self.node(held.node.id)?;
            let report = TaskReport::new(
                node.id,
                Outcome::Interrupted {
                    reason: reason.to_owned(),
                },
            );
            tasks.push(node.id);
            self.apply(&Held { node, ..held }, &report)?;
        }
        Ok(tasks)
    }

    fn held(&self, pass: PassId) -> Result<Vec<Held>> {
        self.all(
            "SELECT task.id, task.plate_id, task.subject_id, task.job, task.position, task.state, task.unmet, \
             task.blocked, task.gated, task.ready_at, attempt.id, attempt.revision <> task.revision, \
             task.cancel_requested, task.attempts, task.crashes, task.interruptions, task.max_attempts \
             FROM task JOIN attempt ON attempt.task_id = task.id AND attempt.pass_id = task.pass_id \
             AND attempt.outcome = 'running' WHERE task.pass_id = ?1 ORDER BY task.position, task.id",
            [pass],
            |row| {
                Ok(Held {
                    node: Node::read(row)?,
                    attempt: row.get(10)?,
                    outdated: row.get(11)?,
                    cancel_requested: row.get(12)?,
                    attempts: row.get(13)?,
                    crashes: row.get(14)?,
                    interruptions: row.get(15)?,
                    max_attempts: row.get(16)?,
                })
            },
        )
    }

    /// Returns how the attempt is recorded, if it is.
    fn apply(&mut self, held: &Held, report: &TaskReport) -> Result<Option<AttemptOutcome>> {
        let verdict = self.judge(held, &report.outcome);
        let old = &held.node;
        let mut new = Node {
            ready_at: verdict.ready_at,
            ..old.clone()
        };
        new.state = verdict.state.unwrap_or_else(|| new.resting(self.steady));
        let finished = (new.state.is_terminal() || verdict.attempt.is_some()).then_some(self.now);
        self.execute(
            "UPDATE task SET state = ?2, pass_id = NULL, cancel_requested = 0, attempts = ?3, crashes = ?4, \
             interruptions = ?5, ready_at = ?6, error = CASE WHEN ?2 = 'succeeded' THEN NULL ELSE coalesce(?7, error) END, \
             result = coalesce(?8, result), finished_at = coalesce(?9, finished_at) WHERE id = ?1",
            params![
                new.id,
                new.state,
                verdict.attempts,
                verdict.crashes,
                verdict.interruptions,
                verdict.ready_at,
                verdict.error.as_ref().map(Json),
                verdict.result.as_ref().map(Json),
                finished,
            ],
        )?;
        match verdict.attempt {
            None => self.execute("DELETE FROM attempt WHERE id = ?1", [held.attempt])?,
            Some(outcome) => self.execute(
                "UPDATE attempt SET ended_at = ?2, outcome = ?3, error = ?4, log = ?5, timings = ?6, peak_rss = ?7 \
                 WHERE id = ?1",
                params![
                    held.attempt,
                    self.now,
                    outcome,
                    verdict.error.as_ref().map(Json),
                    report.log.as_deref().map(tail),
                    report.timings.as_ref().map(Json),
                    report.peak_rss.map(u64::cast_signed),
                ],
            )?,
        };
        self.moved(old, &new, verdict.why)?;
        Ok(verdict.attempt)
    }

    fn judge(&self, held: &Held, outcome: &Outcome) -> Verdict {
        let mut verdict = Verdict {
            state: None,
            attempts: held.attempts,
            crashes: held.crashes,
            interruptions: held.interruptions,
            ready_at: None,
            error: None,
            result: None,
            attempt: None,
            why: json!({}),
        };
        match outcome {
            Outcome::Crashed { signal, detail } => {
                self.crashed(held, *signal, detail, &mut verdict);
            }
            _ if held.cancel_requested && !matches!(outcome, Outcome::Succeeded { .. }) => {
                cancelled(&mut verdict);
            }
            _ if held.outdated => {
                verdict.attempt = Some(AttemptOutcome::Interrupted);
                verdict.why = json!({ "reason": "what it depends on changed while it ran" });
            }
            // Nothing below an unpublished result can be published; never believe a report that says so.
            Outcome::Succeeded { .. } if held.node.unmet > 0 => {
                verdict.why = json!({ "reason": "an upstream task did not succeed" });
            }
            Outcome::Succeeded { result } => {
                verdict.state = Some(TaskState::Succeeded);
                verdict.attempts += 1;
                verdict.result = Some(result.clone());
                verdict.attempt = Some(AttemptOutcome::Succeeded);
            }
            Outcome::Failed { failure } => self.failed(held, failure, &mut verdict),
            Outcome::Skipped => {
                verdict.why = json!({ "reason": "an upstream task did not succeed" });
            }
            Outcome::Interrupted { reason } => {
                verdict.interruptions += 1;
                verdict.attempt = Some(AttemptOutcome::Interrupted);
                verdict.why = json!({ "reason": reason });
            }
            Outcome::Cancelled => cancelled(&mut verdict),
        }
        verdict
    }

    fn crashed(&self, held: &Held, signal: Option<i32>, detail: &str, verdict: &mut Verdict) {
        verdict.crashes += 1;
        verdict.attempt = Some(AttemptOutcome::Crashed);
        let how = signal.map_or_else(
            || "ended unexpectedly".to_owned(),
            |signal| format!("was killed by signal {signal}"),
        );
        let failure = Failure::new(FailureClass::Transient, "worker_crashed", format!("the worker {how}: {detail}"))
            .with_remedy("look at the log of the attempt; requeue the task once its input or the memory limit is mended");
        verdict.why = json!({ "crashes": verdict.crashes, "error": failure });
        if verdict.crashes >= MAX_CRASHES {
            verdict.state = Some(TaskState::Quarantined);
        } else if held.cancel_requested {
            verdict.state = Some(TaskState::Cancelled);
        } else {
            verdict.ready_at = Some(
                self.steady
                    .saturating_add(backoff::after(verdict.crashes, held.node.id.0)),
            );
        }
        verdict.error = Some(failure);
    }

    fn failed(&self, held: &Held, failure: &Failure, verdict: &mut Verdict) {
        verdict.attempt = Some(AttemptOutcome::Failed);
        verdict.error = Some(failure.clone());
        let delay = match failure.class {
            FailureClass::Permanent => {
                verdict.attempts += 1;
                None
            }
            FailureClass::Transient => {
                verdict.attempts += 1;
                (verdict.attempts < held.max_attempts)
                    .then(|| backoff::after(verdict.attempts, held.node.id.0))
            }
            FailureClass::Environment => Some(backoff::environment(held.node.id.0)),
        };
        match delay {
            Some(delay) => verdict.ready_at = Some(self.steady.saturating_add(delay)),
            None => verdict.state = Some(TaskState::Failed),
        }
        verdict.why = json!({ "attempts": verdict.attempts, "error": failure });
    }
}

fn cancelled(verdict: &mut Verdict) {
    verdict.state = Some(TaskState::Cancelled);
    verdict.attempt = Some(AttemptOutcome::Cancelled);
}

/// The end of a log, cut at a character.
fn tail(log: &str) -> &str {
    let mut start = log.len().saturating_sub(LOG_LIMIT);
    while !log.is_char_boundary(start) {
        start += 1;
    }
    &log[start..]
}

#[cfg(test)]
mod tests {
    use super::{LOG_LIMIT, tail};

    #[test]
    fn keeps_the_end_of_a_log_and_whole_characters() {
        assert_eq!(tail("short"), "short");
        let long = format!("{}µ{}", "x".repeat(10), "y".repeat(LOG_LIMIT - 1));
        assert_eq!(tail(&long).len(), LOG_LIMIT - 1);
        assert!(tail(&long).starts_with('y'));
    }
}
