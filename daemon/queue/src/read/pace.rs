//! What is left to do, how long such work takes, and how much ended lately. Read from tallies, however many tasks there are.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use super::{all, first};
use crate::Store;
use crate::counts::{SubjectCounts, TaskCounts};
use crate::error::Result;
use crate::ids::PlateId;
use crate::model::{PLATE_COLUMNS, PlateRow};
use crate::statements::{JOBS_OF_PLATE, OTHER_PACE, OWN_PACE, SAMPLE_TASK, SET_PROGRESS};
use crate::states::SubjectKind;
use crate::transaction::MINUTE;

/// Hours that [`Throughput::hours`] covers.
pub(crate) const HOURS: usize = 24;

/// How long the executions of a job took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pace {
    /// Executions that succeeded.
    pub executions: u64,
    /// Seconds of a worker that one took on average, with its part of reading and publishing.
    pub seconds: f64,
    /// Whether they were of this very plate; otherwise of the last others with the same workflow.
    pub is_own: bool,
}

/// The tasks of one job on a plate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobLoad {
    /// The workflow.
    pub workflow: String,
    /// The job.
    pub job: String,
    /// What its tasks work on.
    pub kind: SubjectKind,
    /// Its tasks by state.
    pub tasks: TaskCounts,
    /// How long one takes; `None` while none has ended anywhere.
    pub pace: Option<Pace>,
}

/// What is left to do on a plate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlateLoad {
    /// The plate.
    pub plate: PlateRow,
    /// Its image sets.
    pub image_sets: SubjectCounts,
    /// Larger is claimed first; plates with the same are claimed in the order of their ids.
    pub priority: i64,
    /// Its jobs, in the order of their names.
    pub jobs: Vec<JobLoad>,
}

/// Image sets (and stacks) of a plate whose planes are there, by what becomes of their tasks. Each is counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetProgress {
    /// A worker is on it.
    pub running: u64,
    /// It has tasks that will run by themselves.
    pub queued: u64,
    /// All its tasks succeeded.
    pub done: u64,
    /// One of its tasks failed for good, and nothing else of it is left to run.
    pub failed: u64,
    /// Nothing of it will run unless a person acts: cancelled, or blocked by what is missing.
    pub stopped: u64,
}

/// Numbers of what ended in some time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Image sets (and stacks) of which no task was left to run.
    pub image_sets: u64,
    /// Executions of tasks that succeeded.
    pub succeeded: u64,
    /// Executions of tasks that failed.
    pub failed: u64,
}

/// How much ended lately.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Throughput {
    /// In the last ten minutes.
    pub ten_minutes: Ended,
    /// In the last hour.
    pub hour: Ended,
    /// In each of the last 24 hours, the oldest first; the last one is [`Throughput::hour`].
    pub hours: Vec<Ended>,
}

impl Store {
    /// What is left to do on all plates that are not done, in the order in which their tasks are claimed.
    ///
    /// # Errors
    /// If the database fails.
    pub fn loads(&self) -> Result<Vec<PlateLoad>> {
        self.read(|connection| {
            let plates = all(
                connection,
                &format!(
                    "SELECT {PLATE_COLUMNS} FROM plate WHERE state IN ('arriving', 'complete', 'stale') ORDER BY id"
                ),
                [],
                PlateRow::read,
            )?;
            let mut loads = plates
                .into_iter()
                .map(|plate| load(connection, plate))
                .collect::<Result<Vec<_>>>()?;
            loads.sort_by_key(|load| (std::cmp::Reverse(load.priority), load.plate.id));
            Ok(loads)
        })
    }

    /// How far the image sets of a plate are. Reads an index over the plate's tasks.
    ///
    /// # Errors
    /// If the database fails.
    pub fn set_progress(&self, plate: PlateId) -> Result<SetProgress> {
        self.read(|connection| {
            let mut progress = SetProgress::default();
            let rows = all(connection, SET_PROGRESS, [plate], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
            })?;
            for (word, n) in rows {
                let count = match word.as_str() {
                    "running" => &mut progress.running,
                    "queued" => &mut progress.queued,
                    "failed" => &mut progress.failed,
                    "stopped" => &mut progress.stopped,
                    _ => &mut progress.done,
                };
                *count += n.unsigned_abs();
            }
            Ok(progress)
        })
    }

    /// How much ended lately.
    ///
    /// # Errors
    /// If the database fails.
    pub fn throughput(&self) -> Result<Throughput> {
        let now = self.clock().now().div_euclid(MINUTE);
        self.read(|connection| {
            let since = now - 60 * HOURS as i64;
            let rows = all(
                connection,
                "SELECT minute, image_sets, succeeded, failed FROM ended WHERE minute > ?1",
                [since],
                |row| {
                    let number = |column| row.get::<_, i64>(column).map(i64::unsigned_abs);
                    let ended = Ended {
                        image_sets: number(1)?,
                        succeeded: number(2)?,
                        failed: number(3)?,
                    };
                    Ok((row.get::<_, i64>(0)?, ended))
                },
            )?;
            let mut throughput = Throughput {
                hours: vec![Ended::default(); HOURS],
                ..Throughput::default()
            };
            for (minute, ended) in rows {
                // After the clock was set back there may be minutes that are yet to come.
                let age = (now - minute).max(0);
                if age < 10 {
                    throughput.ten_minutes += ended;
                }
                let hour = usize::try_from(age / 60).unwrap_or(HOURS).min(HOURS - 1);
                throughput.hours[HOURS - 1 - hour] += ended;
            }
            throughput.hour = throughput.hours.last().copied().unwrap_or_default();
            Ok(throughput)
        })
    }
}

impl std::ops::AddAssign for Ended {
    fn add_assign(&mut self, other: Self) {
        self.image_sets += other.image_sets;
        self.succeeded += other.succeeded;
        self.failed += other.failed;
    }
}

fn load(connection: &Connection, plate: PlateRow) -> Result<PlateLoad> {
    let mut jobs: BTreeMap<(String, String), TaskCounts> = BTreeMap::new();
    let rows = all(connection, JOBS_OF_PLATE, [plate.id], |row| {
        let key = (row.get::<_, String>(0)?, row.get::<_, String>(1)?);
        Ok((key, row.get::<_, String>(2)?, row.get::<_, i64>(3)?))
    })?;
    for (key, bucket, n) in rows {
        jobs.entry(key)
            .or_default()
            .add_to(&bucket, n.unsigned_abs());
    }
    let mut priority = 0;
    let mut loads = Vec::new();
    for ((workflow, job), tasks) in jobs {
        let sample = first(
            connection,
            SAMPLE_TASK,
            params![plate.id, workflow, job],
            |row| Ok((row.get::<_, SubjectKind>(0)?, row.get::<_, i64>(1)?)),
        )?;
        // Every job in the tally has a task, unless it counts none.
        let Some((kind, of_task)) = sample else {
            continue;
        };
        priority = of_task;
        loads.push(JobLoad {
            pace: pace(connection, plate.id, &workflow, &job)?,
            workflow,
            job,
            kind,
            tasks,
        });
    }
    Ok(PlateLoad {
        image_sets: SubjectCounts::of_plate(connection, plate.id)?,
        plate,
        priority,
        jobs: loads,
    })
}

/// Of the plate itself if there is one, otherwise of the last plates on which the job ran.
fn pace(
    connection: &Connection,
    plate: PlateId,
    workflow: &str,
    job: &str,
) -> Result<Option<Pace>> {
    let read = |is_own| {
        move |row: &rusqlite::Row<'_>| {
            let executions = row.get::<_, i64>(0)?.unsigned_abs();
            let micros = row.get::<_, i64>(1)? as f64;
            Ok((executions > 0).then(|| Pace {
                executions,
                seconds: micros / 1e6 / executions as f64,
                is_own,
            }))
        }
    };
    let own = first(
        connection,
        OWN_PACE,
        params![workflow, job, plate],
        read(true),
    )?;
    match own.flatten() {
        Some(own) => Ok(Some(own)),
        None => Ok(first(connection, OTHER_PACE, params![workflow, job], read(false))?.flatten()),
    }
}
