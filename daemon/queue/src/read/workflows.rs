//! Which workflows the tasks belong to.

use std::collections::BTreeMap;

use rusqlite::params;
use serde::{Deserialize, Serialize};

use super::{all, first};
use crate::Store;
use crate::counts::TaskCounts;
use crate::error::Result;
use crate::ids::PlateId;
use crate::statements::JOB_OF_WORKFLOW;

/// A plate with tasks of a version of a workflow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkflowUse {
    /// The workflow.
    pub workflow: String,
    /// Its version.
    pub version: String,
    /// The plate.
    pub plate: PlateId,
    /// The plate's name.
    pub plate_name: String,
    /// Its tasks of this version by state.
    pub tasks: TaskCounts,
}

/// A job of a workflow that has tasks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobUse {
    /// The job.
    pub job: String,
    /// Its kind.
    pub kind: String,
    /// What its tasks work on.
    pub scope: String,
    /// Place in the order of the workflow.
    pub position: i64,
    /// All its tasks by state, of whatever version.
    pub tasks: TaskCounts,
}

impl Store {
    /// The plates with tasks of a workflow (`None` for any), newest plate first. The cost grows with the plates, not with the tasks.
    ///
    /// # Errors
    /// If the database fails.
    pub fn workflow_uses(&self, workflow: Option<&str>) -> Result<Vec<WorkflowUse>> {
        self.read(|connection| {
            let rows = all(
                connection,
                "SELECT job_tally.plate_id, workflow, version, plate.name, bucket, sum(n) FROM job_tally \
                 JOIN plate ON plate.id = job_tally.plate_id WHERE n > 0 AND (?1 IS NULL OR workflow = ?1) \
                 GROUP BY 1, 2, 3, 5 ORDER BY 1 DESC, 2, 3",
                [workflow],
                |row| {
                    let one = WorkflowUse {
                        plate: row.get(0)?,
                        workflow: row.get(1)?,
                        version: row.get(2)?,
                        plate_name: row.get(3)?,
                        tasks: TaskCounts::default(),
                    };
                    Ok((one, row.get::<_, String>(4)?, row.get::<_, i64>(5)?))
                },
            )?;
            let mut uses: Vec<WorkflowUse> = Vec::new();
            for (one, bucket, n) in rows {
                let is_same = |last: &WorkflowUse| {
                    last.plate == one.plate
                        && last.workflow == one.workflow
                        && last.version == one.version
                };
                if !uses.last().is_some_and(is_same) {
                    uses.push(one);
                }
                if let Some(last) = uses.last_mut() {
                    last.tasks.add_to(&bucket, n.unsigned_abs());
                }
            }
            Ok(uses)
        })
    }

    /// The jobs of a workflow that have tasks, in the order in which they run.
    ///
    /// # Errors
    /// If the database fails.
    pub fn workflow_jobs(&self, workflow: &str) -> Result<Vec<JobUse>> {
        self.read(|connection| {
            let rows = all(
                connection,
                "SELECT job, bucket, sum(n), max(plate_id) FROM job_tally WHERE workflow = ?1 AND n > 0 GROUP BY job, bucket",
                [workflow],
                |row| {
                    Ok((
                        row.get::<_, String>(0)?,
                        row.get::<_, String>(1)?,
                        row.get::<_, i64>(2)?,
                        row.get::<_, PlateId>(3)?,
                    ))
                },
            )?;
            let mut jobs: BTreeMap<String, (TaskCounts, PlateId)> = BTreeMap::new();
            for (job, bucket, n, plate) in rows {
                let (tasks, newest) = jobs.entry(job).or_insert((TaskCounts::default(), plate));
                tasks.add_to(&bucket, n.unsigned_abs());
                *newest = plate.max(*newest);
            }
            let mut uses = Vec::new();
            for (job, (tasks, plate)) in jobs {
                let found = first(
                    connection,
                    JOB_OF_WORKFLOW,
                    params![plate, workflow, job],
                    |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
                )?;
                if let Some((kind, scope, position)) = found {
                    uses.push(JobUse {
                        job,
                        kind,
                        scope,
                        position,
                        tasks,
                    });
                }
            }
            uses.sort_by(|one, other| (one.position, &one.job).cmp(&(other.position, &other.job)));
            Ok(uses)
        })
    }

    /// The jobs that a plate has tasks of, in the order in which they run.
    ///
    /// # Errors
    /// If the database fails.
    pub fn plate_jobs(&self, plate: PlateId) -> Result<Vec<String>> {
        self.read(|connection| {
            let names = all(
                connection,
                "SELECT DISTINCT workflow, job FROM job_tally WHERE plate_id = ?1 AND n > 0",
                [plate],
                |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)),
            )?;
            let mut jobs = Vec::new();
            for (workflow, job) in names {
                let position = first(
                    connection,
                    JOB_OF_WORKFLOW,
                    params![plate, workflow, job],
                    |row| row.get::<_, i64>(2),
                )?;
                jobs.extend(position.map(|position| (position, job)));
            }
            jobs.sort();
            jobs.dedup();
            Ok(jobs.into_iter().map(|(_, job)| job).collect())
        })
    }
}
