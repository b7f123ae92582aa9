//! Worker slots: each claims a pass, has its worker run it, and commits the outcome.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use queue::{
    ClaimRequest, Failure, FailureClass, Outcome, Pass, PassId, Store, SubjectKind, SubjectState,
    TaskReport, TaskRow,
};
use serde::Serialize;
use serde_json::json;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use worker::{PassEnd, PassLimits, SpawnOptions, WorkerProcess};
use workflow::PlateMember;
use workflow::pass::{JobOutcome, JobRequest, PassReport, PassRequest, Subject};

use crate::facility::Prepared;
use crate::image_set::ImageSet;
use crate::intake::Intake;
use crate::records;

/// What a worker slot is doing, for the status page.
#[derive(Clone, Debug, Serialize)]
pub struct WorkerState {
    /// Number of the slot, from 1.
    pub id: usize,
    /// Process id of its worker, once one is started.
    pub pid: Option<u32>,
    /// The running pass.
    pub pass: Option<i64>,
    /// Name of the plate.
    pub plate: Option<String>,
    /// Name of the image set or plate.
    pub subject: Option<String>,
    /// The job that runs now.
    pub job: Option<String>,
    /// Since when it is in this state.
    pub since: Timestamp,
}

/// Settings of the slots.
#[derive(Clone, Debug)]
pub(crate) struct DispatchOptions {
    pub spawn: SpawnOptions,
    pub count: usize,
    pub threads: usize,
    /// Threads of a pass on a whole plate, which runs while its image sets wait.
    pub plate_threads: usize,
    pub time_limit: Duration,
    pub memory_limit: Option<u64>,
    pub lease: Duration,
}

/// All slots, and how to reach them.
pub(crate) struct Dispatch {
    intake: Arc<Intake>,
    options: DispatchOptions,
    wake: Arc<Notify>,
    /// No new pass is claimed once this is cancelled.
    draining: CancellationToken,
    /// Running passes are stopped once this is cancelled.
    killed: CancellationToken,
    states: Mutex<Vec<WorkerState>>,
    running: Mutex<HashMap<PassId, CancellationToken>>,
}

/// A claimed pass, ready to be sent.
struct ReadyPass {
    prepared: Arc<Prepared>,
    request: PassRequest,
    container: Option<PathBuf>,
    threads: usize,
    limits: PassLimits,
}

impl Dispatch {
    pub fn new(
        intake: Arc<Intake>,
        options: DispatchOptions,
        wake: Arc<Notify>,
        draining: CancellationToken,
        killed: CancellationToken,
    ) -> Arc<Self> {
        let idle = |id| WorkerState {
            id,
            pid: None,
            pass: None,
            plate: None,
            subject: None,
            job: None,
            since: Timestamp::now(),
        };
        let states = (1..=options.count).map(idle).collect();
        Arc::new(Self {
            intake,
            options,
            wake,
            draining,
            killed,
            states: Mutex::new(states),
            running: Mutex::default(),
        })
    }

    /// What every slot is doing.
    pub fn states(&self) -> Vec<WorkerState> {
        self.states
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Ends a running pass, because its tasks were cancelled.
    pub fn stop(&self, pass: PassId) {
        if let Some(token) = self
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&pass)
        {
            token.cancel();
        }
    }

    /// Runs all slots until draining.
    pub async fn run(self: Arc<Self>) {
        let slots: Vec<_> = (1..=self.options.count)
            .map(|id| tokio::spawn(Arc::clone(&self).slot(id)))
            .collect();
        for slot in slots {
            if let Err(error) = slot.await {
                tracing::error!(%error, "a worker slot ended by a bug");
            }
        }
    }

    fn store(&self) -> &Store {
        self.intake.store()
    }

    fn describe(&self, id: usize, change: impl FnOnce(&mut WorkerState)) {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = states.get_mut(id - 1) {
            change(state);
            state.since = Timestamp::now();
        }
    }

    async fn slot(self: Arc<Self>, id: usize) {
        let mut worker: Option<WorkerProcess> = None;
        loop {
            let woken = self.wake.notified();
            if self.draining.is_cancelled() {
                break;
            }
            let Some(pass) = self.claim(id, worker.as_ref()).await else {
                let pause = self.until_next_wakeup().await;
                tokio::select! {
                    () = woken => {}
                    () = self.draining.cancelled() => {}
                    () = tokio::time::sleep(pause) => {}
                }
                continue;
            };
            // More may be ready than this slot can take.
            self.wake.notify_one();
            self.run_pass(id, &mut worker, pass).await;
        }
        if let Some(mut worker) = worker {
            worker.kill().await;
        }
    }

    async fn claim(&self, id: usize, worker: Option<&WorkerProcess>) -> Option<Pass> {
        let request = ClaimRequest {
            worker: format!("worker-{id}"),
            pid: worker.and_then(WorkerProcess::pid),
            lease: self.options.lease,
            ..ClaimRequest::default()
        };
        let store = self.store().clone();
        match blocking(move || store.claim_pass(&request)).await {
            Ok(pass) => pass,
            Err(error) => {
                tracing::error!(%error, "cannot claim from the queue");
                None
            }
        }
    }

    async fn until_next_wakeup(&self) -> Duration {
        let store = self.store().clone();
        let next = blocking(move || store.next_wakeup()).await.ok().flatten();
        let now = self.store().clock().steady();
        let pause = next.map_or(60_000, |at| at.as_millisecond() - now);
        Duration::from_millis(u64::try_from(pause).unwrap_or(0))
            .clamp(Duration::from_millis(5), Duration::from_secs(60))
    }

    async fn run_pass(&self, id: usize, worker: &mut Option<WorkerProcess>, pass: Pass) {
        let prepared = match self.prepare(&pass) {
            Ok(prepared) => prepared,
            Err(failure) => {
                return self
                    .commit(
                        &pass,
                        pass.tasks
                            .iter()
                            .map(|t| {
                                TaskReport::new(
                                    t.id,
                                    Outcome::Failed {
                                        failure: failure.clone(),
                                    },
                                )
                            })
                            .collect(),
                        None,
                    )
                    .await;
            }
        };
        if worker.is_none() {
            match WorkerProcess::spawn(&self.options.spawn).await {
                Ok(started) => *worker = Some(started),
                Err(error) => {
                    tracing::error!(%error, "no worker can be started");
                    let failure = Failure::new(FailureClass::Environment, "no-worker", error.to_string()).with_remedy("check the memory and process limits of the service; work resumes by itself");
                    return self
                        .commit(
                            &pass,
                            pass.tasks
                                .iter()
                                .map(|t| {
                                    TaskReport::new(
                                        t.id,
                                        Outcome::Failed {
                                            failure: failure.clone(),
                                        },
                                    )
                                })
                                .collect(),
                            None,
                        )
                        .await;
                }
            }
        }
        let Some(process) = worker.as_mut() else {
            return;
        };
        let pid = process.pid();
        self.describe(id, |s| {
            s.pid = pid;
            s.pass = Some(pass.id.0);
            s.plate = Some(pass.plate.name.clone());
            s.subject = Some(pass.subject.name.clone());
        });
        let stop = self.killed.child_token();
        self.running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(pass.id, stop.clone());
        let beating = tokio::spawn(heartbeat(
            self.store().clone(),
            pass.id,
            self.options.lease,
            stop.clone(),
        ));
        let _ = process.take_log();
        let end = process
            .run(
                (&prepared.prepared.id, &prepared.prepared.file),
                prepared.request,
                prepared.threads,
                &prepared.limits,
                stop.cancelled(),
                |job| {
                    self.describe(id, |s| s.job = Some(job.to_owned()));
                },
            )
            .await;
        beating.abort();
        self.running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&pass.id);
        let current = self.states().get(id - 1).and_then(|s| s.job.clone());
        let log = process.take_log();
        if !matches!(end, PassEnd::Done { .. } | PassEnd::Refused(_)) {
            *worker = None;
        }
        let published = matches!(&end, PassEnd::Done { report, .. } if report.published_bytes > 0);
        let mut reports = self.reports(&pass, end, current.as_deref(), &log);
        self.intake.judge_missing(&pass, &mut reports);
        self.commit(&pass, reports, prepared.container.filter(|_| published))
            .await;
        self.describe(id, |s| {
            *s = WorkerState {
                id,
                pid: worker.as_ref().and_then(WorkerProcess::pid),
                pass: None,
                plate: None,
                subject: None,
                job: None,
                since: s.since,
            }
        });
    }

    async fn commit(&self, pass: &Pass, reports: Vec<TaskReport>, container: Option<PathBuf>) {
        for report in &reports {
            if let Outcome::Failed { failure } = &report.outcome {
                let job = pass
                    .tasks
                    .iter()
                    .find(|t| t.id == report.task)
                    .map_or("", |t| t.job.as_str());
                tracing::warn!(task = report.task.0, plate = %pass.plate.name, subject = %pass.subject.name, job, class = ?failure.class, error = %failure.message, "task failed");
            }
        }
        let (store, id) = (self.store().clone(), pass.id);
        if let Err(error) =
            blocking(move || store.finish_pass(id, &reports, container.as_deref())).await
        {
            // The lease runs out and the tasks are run again; a container that is published already is replaced by an equal one.
            tracing::error!(pass = id.0, %error, "the outcome of a pass could not be recorded");
        }
        self.wake.notify_one();
    }

    /// Turns a claimed pass into what the worker needs.
    fn prepare(&self, pass: &Pass) -> Result<ReadyPass, Failure> {
        let gone = |what: &str| {
            Failure::new(
                FailureClass::Permanent,
                "not-configured",
                format!(
                    "{what} of plate `{}` is no longer configured",
                    pass.plate.name
                ),
            )
            .with_remedy("put the root back into the configuration, or cancel the tasks")
        };
        let settings = self
            .intake
            .facility()
            .root(pass.plate.root)
            .cloned()
            .ok_or_else(|| gone("the root"))?;
        if let Some(reason) = settings.guard.as_ref().and_then(|guard| guard.trouble()) {
            return Err(
                Failure::new(FailureClass::Environment, "output-offline", reason)
                    .with_remedy("mount the share; work resumes by itself"),
            );
        }
        let mapping = |reason: String| {
            Failure::new(FailureClass::Permanent, "bad-channel-mapping", reason)
                .with_remedy("correct channel_mapping.json in the plate's folder, then requeue")
        };
        let prepared = self
            .intake
            .facility()
            .workflow_for(&settings, &pass.plate.directory)
            .map_err(mapping)?;
        let jobs: Vec<JobRequest> = pass
            .tasks
            .iter()
            .map(|t| JobRequest {
                job: t.job.clone(),
                key: t.key.clone().unwrap_or_default(),
            })
            .collect();
        if let Some(unknown) = jobs
            .iter()
            .find(|j| prepared.workflow.position(&j.job).is_none())
        {
            return Err(gone(&format!("job `{}`", unknown.job)));
        }
        let limits_of = || {
            pass.tasks
                .iter()
                .filter_map(|t| prepared.workflow.position(&t.job))
                .map(|i| &prepared.workflow.jobs[i])
        };
        let limits = PassLimits {
            time: self.options.time_limit,
            times: limits_of()
                .filter_map(|j| Some((j.id.clone(), Duration::from_secs(j.limits.time_secs?))))
                .collect(),
            // The jobs of a pass share one process: the largest of their limits holds.
            memory: limits_of()
                .filter_map(|j| j.limits.memory_bytes.or(self.options.memory_limit))
                .max(),
        };
        let (subject, container, threads) = if pass.subject.kind == SubjectKind::Plate {
            (
                Subject::Plate {
                    members: self.members(pass, &settings.path)?,
                },
                Some(workflow::plate_table_file(&pass.plate.output)),
                self.options.plate_threads,
            )
        } else {
            let set: ImageSet =
                serde_json::from_value(pass.subject.inputs.clone()).map_err(|e| {
                    Failure::new(
                        FailureClass::Permanent,
                        "bad-record",
                        format!(
                            "the planes of `{}` cannot be read from the queue: {e}",
                            pass.subject.name
                        ),
                    )
                    .with_remedy("rescan the root")
                })?;
            let container = pass.plate.output.join(&set.container);
            (
                Subject::ImageSet {
                    name: pass.subject.name.clone(),
                    planes: set.planes(&settings.path),
                    input_hash: pass.subject.input_hash.clone().unwrap_or_default(),
                    container: container.clone(),
                },
                Some(container),
                self.options.threads,
            )
        };
        let request = PassRequest {
            pass: pass.id.0,
            plate: pass.plate.name.clone(),
            plate_dir: pass.plate.output.clone(),
            subject,
            jobs,
        };
        Ok(ReadyPass {
            prepared,
            request,
            container,
            threads,
            limits,
        })
    }

    /// The image sets of a plate as its jobs see them, in well and site order.
    fn members(&self, pass: &Pass, root: &std::path::Path) -> Result<Vec<PlateMember>, Failure> {
        let failed =
            |e: queue::Error| Failure::new(FailureClass::Transient, "queue", e.to_string());
        let troubles = records::failures_by_subject(self.store(), pass.plate.id).map_err(failed)?;
        let mut members = Vec::new();
        for row in records::image_sets(self.store(), pass.plate.id).map_err(failed)? {
            let Some(well) = row.well.as_deref().and_then(|w| w.parse().ok()) else {
                continue;
            };
            let set: ImageSet = serde_json::from_value(row.inputs.clone()).unwrap_or_default();
            let missing = (row.state != SubjectState::Complete)
                .then(|| format!("incomplete: missing {}", row.missing));
            members.push(PlateMember {
                name: row.name.clone(),
                well,
                site: row.site.and_then(|s| u32::try_from(s).ok()).unwrap_or(0),
                timepoint: row.timepoint.and_then(|t| u32::try_from(t).ok()),
                container: row
                    .container
                    .clone()
                    .unwrap_or_else(|| pass.plate.output.join(&set.container)),
                planes: if missing.is_none() {
                    set.planes(root)
                } else {
                    Vec::new()
                },
                failed: missing.or_else(|| troubles.get(&row.id).cloned()),
            });
        }
        members.sort_by_key(|m| (m.well, m.site, m.timepoint));
        Ok(members)
    }

    /// One report a task. A worker's death is charged to the job that was running; the others were interrupted.
    fn reports(
        &self,
        pass: &Pass,
        end: PassEnd,
        current: Option<&str>,
        log: &str,
    ) -> Vec<TaskReport> {
        let log = (!log.is_empty()).then(|| log.to_owned());
        let blame = |outcome: &dyn Fn() -> Outcome, reason: &str| {
            let blamed = |t: &TaskRow| {
                current.map_or_else(
                    || pass.tasks.first().is_some_and(|f| f.id == t.id),
                    |job| job == t.job,
                )
            };
            let each = |t: &TaskRow| TaskReport {
                log: log.clone(),
                ..TaskReport::new(
                    t.id,
                    if blamed(t) {
                        outcome()
                    } else {
                        Outcome::Interrupted {
                            reason: reason.to_owned(),
                        }
                    },
                )
            };
            pass.tasks.iter().map(each).collect()
        };
        let permanent = |code: &str, message: String, remedy: &str| Outcome::Failed {
            failure: Failure::new(FailureClass::Permanent, code, message).with_remedy(remedy),
        };
        match end {
            PassEnd::Done { report, peak_rss } => pass
                .tasks
                .iter()
                .map(|t| TaskReport {
                    log: log.clone(),
                    peak_rss: Some(peak_rss),
                    ..task_report(t, &report)
                })
                .collect(),
            PassEnd::Refused(reason) => blame(
                &|| {
                    permanent(
                        "refused",
                        format!("the worker refused the pass: {reason}"),
                        "restart the daemon, so that it and its workers are of one version",
                    )
                },
                "the worker refused the pass",
            ),
            PassEnd::Died(detail) => blame(
                &|| Outcome::Crashed {
                    signal: None,
                    detail: detail.clone(),
                },
                "the worker died in another job of the pass",
            ),
            PassEnd::TimedOut(limit) => blame(
                &|| {
                    permanent(
                        "time-limit",
                        format!("stopped after {} s, the time limit", limit.as_secs()),
                        "raise time_limit_secs of the job or the workers, then requeue",
                    )
                },
                "another job of the pass ran into its time limit",
            ),
            PassEnd::OverMemory(used) => blame(
                &|| {
                    permanent(
                        "memory-limit",
                        format!("stopped at {} MiB of memory, above the limit", used >> 20),
                        "raise memory_limit of the workers, then requeue",
                    )
                },
                "another job of the pass ran into the memory limit",
            ),
            PassEnd::Cancelled if self.killed.is_cancelled() => pass
                .tasks
                .iter()
                .map(|t| {
                    TaskReport::new(
                        t.id,
                        Outcome::Interrupted {
                            reason: "the daemon stopped".to_owned(),
                        },
                    )
                })
                .collect(),
            PassEnd::Cancelled => pass
                .tasks
                .iter()
                .map(|t| {
                    TaskReport::new(
                        t.id,
                        if t.cancel_requested || pass.tasks.len() == 1 {
                            Outcome::Cancelled
                        } else {
                            Outcome::Interrupted {
                                reason: "its pass was cancelled".to_owned(),
                            }
                        },
                    )
                })
                .collect(),
        }
    }
}

fn task_report(task: &TaskRow, report: &PassReport) -> TaskReport {
    let outcome = match report.outcomes.get(&task.job) {
        Some(JobOutcome::Succeeded) => Outcome::Succeeded {
            result: json!({ "published_bytes": report.published_bytes, "objects": report.objects }),
        },
        Some(JobOutcome::Failed { failure }) => Outcome::Failed {
            failure: convert(failure),
        },
        Some(JobOutcome::Skipped { .. }) => Outcome::Skipped,
        None => Outcome::Interrupted {
            reason: "the worker did not report on it".to_owned(),
        },
    };
    TaskReport {
        timings: serde_json::to_value(&report.elapsed_ms).ok(),
        ..TaskReport::new(task.id, outcome)
    }
}

fn convert(failure: &workflow::Failure) -> Failure {
    let class = match failure.class {
        workflow::FailureClass::Transient => FailureClass::Transient,
        workflow::FailureClass::Environment => FailureClass::Environment,
        workflow::FailureClass::Permanent => FailureClass::Permanent,
    };
    Failure {
        class,
        code: failure.code.clone(),
        message: failure.message.clone(),
        remedy: failure.remedy.clone(),
        path: failure.path.clone(),
    }
}

/// Prolongs the lease of a pass; ends the pass when the queue took it away or its tasks were cancelled.
async fn heartbeat(store: Store, pass: PassId, lease: Duration, stop: CancellationToken) {
    let mut tick = tokio::time::interval(lease / 3);
    tick.tick().await;
    loop {
        tick.tick().await;
        let store = store.clone();
        match blocking(move || store.heartbeat(pass, lease)).await {
            Ok(beat) if beat.cancel.is_empty() => {}
            Ok(_) | Err(queue::Error::PassEnded { .. }) => return stop.cancel(),
            Err(error) => tracing::warn!(pass = pass.0, %error, "no heartbeat"),
        }
    }
}

/// Runs a database call where it may block.
async fn blocking<T: Send + 'static>(
    call: impl FnOnce() -> queue::Result<T> + Send + 'static,
) -> queue::Result<T> {
    match tokio::task::spawn_blocking(call).await {
        Ok(result) => result,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
