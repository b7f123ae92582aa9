//! How long jobs take and what ended when, noted as passes end: pages need not count it again.

use rusqlite::params;
use serde_json::Value;

use super::Transaction;
use crate::error::Result;
use crate::ids::{PassId, SubjectId};
use crate::states::AttemptOutcome;

/// Milliseconds in a row of `ended`.
pub(crate) const MINUTE: i64 = 60_000;

/// A task of a pass that was executed.
#[derive(Debug)]
pub(super) struct Execution {
    pub(super) job: String,
    pub(super) outcome: AttemptOutcome,
    /// Milliseconds that the worker measured for the job alone.
    pub(super) measured: Option<f64>,
}

impl Execution {
    /// `timings` names milliseconds by step of the pass; a step is a job, or something that all jobs share.
    pub(super) fn new(job: &str, outcome: AttemptOutcome, timings: Option<&Value>) -> Self {
        let measured = timings
            .and_then(|timings| timings.get(job))
            .and_then(Value::as_f64)
            .filter(|ms| ms.is_finite() && *ms >= 0.0);
        Self {
            job: job.to_owned(),
            outcome,
            measured,
        }
    }

    const fn is_whole(&self) -> bool {
        matches!(
            self.outcome,
            AttemptOutcome::Succeeded | AttemptOutcome::Failed
        )
    }
}

impl Transaction<'_> {
    /// Notes what a pass that ends now says about the pace of its jobs.
    pub(super) fn note_pace(&self, pass: PassId, executions: &[Execution]) -> Result<()> {
        let started: Option<(i64, i64, String)> = self.first(
            "SELECT started_at, plate_id, workflow FROM pass WHERE id = ?1",
            [pass],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )?;
        let Some((started_at, plate, workflow)) = started else {
            return Ok(());
        };
        let whole: Vec<&Execution> = executions.iter().filter(|one| one.is_whole()).collect();
        // The wall's clock may have been set back meanwhile.
        let wall = self.now.saturating_sub(started_at).max(0) as f64;
        for (execution, ms) in whole.iter().zip(shares(wall, &whole)) {
            if execution.outcome == AttemptOutcome::Succeeded {
                self.execute(
                    "INSERT INTO pace (workflow, job, plate_id, n, busy_us) VALUES (?1, ?2, ?3, 1, ?4) \
                     ON CONFLICT DO UPDATE SET n = n + 1, busy_us = busy_us + excluded.busy_us",
                    params![workflow, execution.job, plate, (ms * 1e3) as i64],
                )?;
            }
        }
        Ok(())
    }

    /// Counts what ended in this minute.
    pub(super) fn note_ended(&self, subject: SubjectId, executions: &[Execution]) -> Result<()> {
        let count = |wanted: &[AttemptOutcome]| {
            let found = executions
                .iter()
                .filter(|one| wanted.contains(&one.outcome));
            found.count() as i64
        };
        let succeeded = count(&[AttemptOutcome::Succeeded]);
        let failed = count(&[AttemptOutcome::Failed, AttemptOutcome::Crashed]);
        if succeeded + failed == 0 {
            return Ok(());
        }
        let is_through: Option<bool> = self.first(
            "SELECT NOT EXISTS (SELECT 1 FROM task WHERE subject_id = ?1 AND (state IN ('ready', 'running', 'retrying') \
             OR (state = 'waiting' AND blocked = 0 AND gated <> 2))) FROM subject \
             WHERE id = ?1 AND kind IN ('image_set', 'stack')",
            [subject],
            |row| row.get(0),
        )?;
        self.execute(
            "INSERT INTO ended (minute, image_sets, succeeded, failed) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT DO UPDATE SET image_sets = image_sets + excluded.image_sets, \
             succeeded = succeeded + excluded.succeeded, failed = failed + excluded.failed",
            params![
                self.now.div_euclid(MINUTE),
                is_through.unwrap_or_default(),
                succeeded,
                failed
            ],
        )?;
        Ok(())
    }
}

/// Milliseconds of a pass that each of its jobs is charged with: its own, and its part of what they share (reading, publishing).
fn shares(wall: f64, executions: &[&Execution]) -> Vec<f64> {
    let n = executions.len().max(1) as f64;
    let measured: Option<Vec<f64>> = executions.iter().map(|one| one.measured).collect();
    let Some(measured) = measured else {
        return vec![wall / n; executions.len()];
    };
    let sum: f64 = measured.iter().sum();
    if sum > wall {
        return measured.iter().map(|ms| wall * ms / sum).collect();
    }
    let shared = (wall - sum) / n;
    measured.iter().map(|ms| ms + shared).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn execution(job: &str, timings: Option<&Value>) -> Execution {
        Execution::new(job, AttemptOutcome::Succeeded, timings)
    }

    #[test]
    fn jobs_are_charged_with_their_own_time_and_a_part_of_what_they_share() {
        let timings = json!({ "read": 50.0, "a": 100.0, "b": 300.0, "publish": 50.0 });
        let (a, b) = (
            execution("a", Some(&timings)),
            execution("b", Some(&timings)),
        );
        assert_eq!(shares(600.0, &[&a, &b]), [200.0, 400.0]);
        assert_eq!(
            shares(200.0, &[&a, &b]),
            [50.0, 150.0],
            "never more than there was"
        );
        let c = execution("c", Some(&timings));
        assert_eq!(shares(600.0, &[&a, &b, &c]), [200.0; 3]);
        assert!(shares(600.0, &[]).is_empty());
    }

    #[test]
    fn timings_that_make_no_sense_are_none() {
        let timings = json!({ "a": -1.0, "b": "soon" });
        for job in ["a", "b", "c"] {
            assert_eq!(execution(job, Some(&timings)).measured, None);
        }
    }
}
