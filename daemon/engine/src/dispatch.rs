//! Worker slots: each claims a pass, has its worker run it, and commits the outcome.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use faults::Point;
use gpu_worker::Tally;
use jiff::Timestamp;
use queue::{
    Admission, Admit, Candidate, ClaimFilter, ClaimRequest, Failure, FailureClass, Outcome, Pass,
    PassId, Store, SubjectKind, TaskReport,
};
use serde::Serialize;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use worker::{LogView, PassEnd, SpawnOptions, WorkerProcess};

use crate::admission::{self, Admissions, Capacity, Need, Permit};
use crate::intake::Intake;
use crate::leftovers::of_dead_worker;
use crate::lock::lock;
use crate::outcome;
use crate::ready_pass::{DefaultLimits, NotReady, output_offline, prepare};

/// Pause before an outcome that the disk did not take is recorded again.
const COMMIT_AGAIN: Duration = Duration::from_secs(2);

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

impl WorkerState {
    fn idle(id: usize) -> Self {
        Self {
            id,
            pid: None,
            pass: None,
            plate: None,
            subject: None,
            job: None,
            since: Timestamp::now(),
        }
    }
}

/// Settings of the slots.
#[derive(Clone, Debug)]
pub(crate) struct DispatchOptions {
    pub spawn: SpawnOptions,
    pub count: usize,
    pub threads: usize,
    /// Threads that a pass on a whole plate may use, while its image sets wait.
    pub plate_threads: usize,
    pub defaults: DefaultLimits,
    pub lease: Duration,
    /// Where jobs may keep temporary files.
    pub scratch: PathBuf,
    pub capacity: Capacity,
}

/// All slots, and how to reach them.
pub(crate) struct Dispatch {
    intake: Arc<Intake>,
    options: RwLock<Arc<DispatchOptions>>,
    admissions: Arc<Admissions>,
    wake: Arc<Notify>,
    /// No new pass is claimed once this is cancelled.
    draining: CancellationToken,
    /// Running passes are stopped once this is cancelled.
    killed: CancellationToken,
    slots: Mutex<Vec<JoinHandle<()>>>,
    states: Mutex<Vec<WorkerState>>,
    running: Mutex<HashMap<PassId, Running>>,
    /// What a GPU did since the start.
    gpu: Mutex<Tally>,
}

/// A pass until its outcome is recorded.
struct Running {
    stop: CancellationToken,
    log: LogView,
}

/// A claim, and where the queue's question for room puts the answer.
struct Request {
    claim: ClaimRequest,
    permit: Arc<Mutex<Option<Permit>>>,
}

/// A claimed pass, with the room that it was given.
struct Claimed {
    pass: Pass,
    permit: Permit,
}

impl Dispatch {
    /// Starts all slots.
    pub fn start(
        intake: Arc<Intake>,
        options: DispatchOptions,
        wake: Arc<Notify>,
        draining: CancellationToken,
        killed: CancellationToken,
    ) -> Arc<Self> {
        let dispatch = Arc::new(Self {
            intake,
            admissions: Arc::new(Admissions::new(options.capacity.clone())),
            options: RwLock::new(Arc::new(options)),
            wake,
            draining,
            killed,
            slots: Mutex::default(),
            states: Mutex::default(),
            running: Mutex::default(),
            gpu: Mutex::default(),
        });
        dispatch.fill_slots();
        dispatch
    }

    /// Goes on with other settings: slots are added at once, those too many end after their pass.
    pub fn change(self: &Arc<Self>, options: DispatchOptions) {
        self.admissions.resize(options.capacity.clone());
        *self.options.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(options);
        self.fill_slots();
        self.wake.notify_waiters();
    }

    fn fill_slots(self: &Arc<Self>) {
        let mut slots = lock(&self.slots);
        slots.retain(|slot| !slot.is_finished());
        let mut states = lock(&self.states);
        for id in 1..=self.options().count {
            if states.iter().all(|state| state.id != id) {
                states.push(WorkerState::idle(id));
                slots.push(tokio::spawn(Arc::clone(self).slot(id)));
            }
        }
        states.sort_by_key(|state| state.id);
    }

    fn options(&self) -> Arc<DispatchOptions> {
        let options = self.options.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&options)
    }

    /// What every slot is doing.
    pub fn states(&self) -> Vec<WorkerState> {
        lock(&self.states).clone()
    }

    /// What a ready task with this named limit waits for, besides its turn.
    pub fn waiting_for(&self, limit: Option<&str>) -> Option<String> {
        self.admissions.waiting_for(limit)
    }

    /// What a GPU did since the start.
    pub fn gpu(&self) -> Tally {
        lock(&self.gpu).clone()
    }

    /// Where jobs may keep temporary files.
    pub fn scratch(&self) -> PathBuf {
        self.options().scratch.clone()
    }

    /// Ends a running pass, because its tasks were cancelled.
    pub fn stop(&self, pass: PassId) {
        if let Some(running) = lock(&self.running).get(&pass) {
            running.stop.cancel();
        }
    }

    /// What a running pass has written so far; `None` once its outcome is recorded, and the log with it.
    pub fn running_log(&self, pass: PassId) -> Option<String> {
        let view = lock(&self.running).get(&pass)?.log.clone();
        Some(view.text())
    }

    /// Returns when all slots have ended, which they do when draining.
    pub async fn ended(&self) {
        let slots = std::mem::take(&mut *lock(&self.slots));
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
        let mut states = lock(&self.states);
        if let Some(state) = states.iter_mut().find(|state| state.id == id) {
            change(state);
            state.since = Timestamp::now();
        }
    }

    async fn slot(self: Arc<Self>, id: usize) {
        let mut worker: Option<WorkerProcess> = None;
        let mut next: Option<Claimed> = None;
        loop {
            let woken = self.wake.notified();
            if next.is_none() && (self.draining.is_cancelled() || self.options().count < id) {
                break;
            }
            let claimed = match next.take() {
                Some(claimed) => Some(claimed),
                None => self.claim(self.request(id, worker.as_ref())).await,
            };
            let Some(claimed) = claimed else {
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
            next = self.run_pass(id, &mut worker, claimed).await;
        }
        if let Some(mut worker) = worker {
            worker.kill().await;
        }
        let mut states = lock(&self.states);
        states.retain(|state| state.id != id);
    }

    /// What a slot asks the queue for, and where the room for it is put.
    fn request(&self, id: usize, worker: Option<&WorkerProcess>) -> Request {
        let permit = Arc::new(Mutex::new(None));
        let (options, for_queue) = (self.options(), Arc::clone(&permit));
        let facility = self.intake.facility();
        let admissions = Arc::clone(&self.admissions);
        let admit = move |candidate: &Candidate<'_>| {
            // A root that is gone, or a record that cannot be read: the pass is claimed, and fails with that reason.
            let set = serde_json::from_value(candidate.subject.inputs.clone()).unwrap_or_default();
            let threads = match candidate.subject.kind {
                SubjectKind::Plate => (options.threads, options.plate_threads),
                _ => (options.threads, options.threads),
            };
            let need = facility
                .root(candidate.root)
                .map_or_else(Need::default, |root| {
                    admission::need(&root.prepared.workflow, candidate.jobs, &set, threads)
                });
            match admissions.admit(need) {
                Ok(room) => {
                    *lock(&for_queue) = Some(room);
                    Admission::Take
                }
                Err(instead) => instead,
            }
        };
        Request {
            claim: ClaimRequest {
                worker: format!("worker-{id}"),
                pid: worker.and_then(WorkerProcess::pid),
                lease: self.options().lease,
                filter: ClaimFilter {
                    admit: Some(Admit(Arc::new(admit))),
                    ..ClaimFilter::default()
                },
            },
            permit,
        }
    }

    async fn claim(&self, request: Request) -> Option<Claimed> {
        let store = self.store().clone();
        let Request { claim, permit } = request;
        match blocking(move || store.claim_pass(&claim)).await {
            Ok(pass) => claimed(pass, &permit),
            Err(error) => {
                tracing::error!(%error, "cannot claim from the queue");
                None
            }
        }
    }

    /// Why a pass that has published must run again: the folder of the results was not there any more.
    async fn output_lost(&self, pass: &Pass) -> Option<Failure> {
        let guard = self.intake.root(pass.plate.root)?.guard.clone()?;
        // A dead share may keep whoever looks at it.
        let looked = tokio::task::spawn_blocking(move || guard.trouble()).await;
        let reason = looked.ok()??;
        Some(output_offline(reason))
    }

    async fn until_next_wakeup(&self) -> Duration {
        let store = self.store().clone();
        let next = blocking(move || store.next_wakeup()).await.ok().flatten();
        let now = self.store().clock().steady();
        let pause = next.map_or(60_000, |at| at.as_millisecond() - now);
        Duration::from_millis(u64::try_from(pause).unwrap_or(0))
            .clamp(Duration::from_millis(5), Duration::from_secs(60))
    }

    /// Runs a pass and commits its outcome. Returns the next pass, which is claimed in the same transaction.
    async fn run_pass(
        &self,
        id: usize,
        worker: &mut Option<WorkerProcess>,
        claimed: Claimed,
    ) -> Option<Claimed> {
        faults::point(Point::DispatchClaimed);
        let Claimed { pass, permit } = claimed;
        let options = self.options();
        let (intake, shared) = (Arc::clone(&self.intake), Arc::new(pass));
        let pass = Arc::clone(&shared);
        // Looks at files, which may hang on a share: not on a thread that others need.
        let defaults = options.defaults;
        let ready = tokio::task::spawn_blocking(move || prepare(&intake, &shared, defaults)).await;
        let mut prepared = match ready {
            Ok(Ok(prepared)) => prepared,
            Ok(Err(NotReady::Failed(failure))) => {
                let outcome = Outcome::Failed { failure };
                return self
                    .commit(id, None, permit, &pass, all(&pass, &outcome), None)
                    .await;
            }
            Ok(Err(NotReady::PlannedAnew)) => {
                let reason = "the plate was planned anew".to_owned();
                let outcome = Outcome::Interrupted { reason };
                return self
                    .commit(id, None, permit, &pass, all(&pass, &outcome), None)
                    .await;
            }
            Err(error) => {
                tracing::error!(%error, "a pass could not be prepared, by a bug");
                let failure = Failure::new(FailureClass::Permanent, "bug", error.to_string());
                let outcome = Outcome::Failed { failure };
                return self
                    .commit(id, None, permit, &pass, all(&pass, &outcome), None)
                    .await;
            }
        };
        prepared.request.scratch.clone_from(&options.scratch);
        if worker.as_mut().is_some_and(WorkerProcess::has_died) {
            tracing::warn!(
                slot = id,
                "a worker has died without work; another one is started"
            );
            *worker = None;
        }
        let spawn = self.options().spawn.clone();
        // A reload may have changed what a worker is told at its start.
        if let Some(mut old) = worker.take_if(|w| *w.started_as() != spawn) {
            old.kill().await;
        }
        if worker.is_none() {
            match WorkerProcess::spawn(&spawn).await {
                Ok(started) => {
                    faults::point(Point::DispatchSpawned);
                    *worker = Some(started);
                }
                Err(error) => {
                    tracing::error!(%error, "no worker can be started");
                    let failure = Failure::new(FailureClass::Environment, "no-worker", error.to_string()).with_remedy("check the memory and process limits of the service; work resumes by itself");
                    let outcome = Outcome::Failed { failure };
                    return self
                        .commit(id, None, permit, &pass, all(&pass, &outcome), None)
                        .await;
                }
            }
        }
        let process = worker.as_mut()?;
        let pid = process.pid();
        self.describe(id, |s| {
            s.pid = pid;
            s.pass = Some(pass.id.0);
            s.plate = Some(pass.plate.name.clone());
            s.subject = Some(pass.subject.name.clone());
        });
        let stop = self.killed.child_token();
        // What it wrote before belongs to another pass.
        let _ = process.take_log();
        let running = Running {
            stop: stop.clone(),
            log: process.log_view(),
        };
        lock(&self.running).insert(pass.id, running);
        let beating = tokio::spawn(heartbeat(
            self.store().clone(),
            pass.id,
            self.options().lease,
            stop.clone(),
        ));
        let end = process
            .run(
                (&prepared.prepared.id, &prepared.prepared.file),
                prepared.request,
                permit.threads,
                &prepared.limits,
                stop.cancelled(),
                |job| {
                    self.describe(id, |s| s.job = Some(job.to_owned()));
                },
            )
            .await;
        let current = self
            .states()
            .into_iter()
            .find(|state| state.id == id)
            .and_then(|state| state.job);
        // Left where it is: until it is recorded people look at it there.
        let log = process.look_at_log();
        if !matches!(end, PassEnd::Done { .. } | PassEnd::Refused(_)) {
            *worker = None;
            if let Some(container) = prepared.container.clone() {
                let scratch = options.scratch.clone();
                let cleaning =
                    tokio::task::spawn_blocking(move || of_dead_worker(&container, &scratch));
                let _ = cleaning.await;
            }
        }
        faults::point(Point::DispatchReported);
        let published = matches!(&end, PassEnd::Done { report, .. } if report.published_bytes > 0);
        if let PassEnd::Done { peak_rss, gpu, .. } = &end {
            self.admissions.learn(&permit, *peak_rss);
            lock(&self.gpu).add(gpu);
        }
        let stopping = self.killed.is_cancelled();
        let lost = if published {
            self.output_lost(&pass).await
        } else {
            None
        };
        let mut reports = match &lost {
            // What was published there is hidden as soon as the share is back.
            Some(failure) => all(
                &pass,
                &Outcome::Failed {
                    failure: failure.clone(),
                },
            ),
            None => outcome::reports(&pass, end, current.as_deref(), &log, stopping),
        };
        self.intake.judge_missing(&pass, &mut reports);
        let container = prepared.container.filter(|_| published && lost.is_none());
        let next = self
            .commit(id, worker.as_ref(), permit, &pass, reports, container)
            .await;
        // Until the outcome is recorded the pass is still ours, however long the disk takes.
        beating.abort();
        lock(&self.running).remove(&pass.id);
        self.describe(id, |s| {
            *s = WorkerState {
                pid: worker.as_ref().and_then(WorkerProcess::pid),
                ..WorkerState::idle(id)
            }
        });
        next
    }

    /// Records the outcome of a pass and claims the next one: one sync of the disk for both.
    async fn commit(
        &self,
        id: usize,
        worker: Option<&WorkerProcess>,
        permit: Permit,
        pass: &Arc<Pass>,
        reports: Vec<TaskReport>,
        container: Option<PathBuf>,
    ) -> Option<Claimed> {
        tell_failures(pass, &reports);
        // Its room is free for whatever is claimed next.
        drop(permit);
        let goes_on = !self.draining.is_cancelled() && self.options().count >= id;
        let Request { claim, permit } = self.request(id, worker);
        let store = self.store().clone();
        let (ended, reports) = (pass.id, Arc::new(reports));
        let recorded = loop {
            let (store, claim) = (store.clone(), claim.clone());
            let (reports, container) = (Arc::clone(&reports), container.clone());
            let recorded = blocking(move || {
                let claim = goes_on.then_some(&claim);
                finish_and_claim(&store, ended, &reports, container.as_deref(), claim)
            })
            .await;
            // The disk of the queue is full or broken: what was computed is not thrown away for that.
            if let Err(error @ queue::Error::NotCommitted { .. }) = &recorded
                && !self.draining.is_cancelled()
            {
                tracing::error!(pass = ended.0, %error, "the outcome of a pass cannot be recorded yet; trying again");
                tokio::select! {
                    () = tokio::time::sleep(COMMIT_AGAIN) => continue,
                    () = self.draining.cancelled() => {}
                }
            }
            break recorded;
        };
        faults::point(Point::DispatchCommitted);
        self.wake.notify_one();
        match recorded {
            Ok(next) => claimed(next, &permit),
            Err(error) => {
                // The lease runs out and the tasks are run again; a container that is published already is replaced by an equal one.
                tracing::error!(pass = ended.0, %error, "the outcome of a pass could not be recorded");
                None
            }
        }
    }
}

/// Records the outcome of a pass and claims the next one in one transaction.
fn finish_and_claim(
    store: &Store,
    ended: PassId,
    reports: &[TaskReport],
    container: Option<&Path>,
    claim: Option<&ClaimRequest>,
) -> queue::Result<Option<Pass>> {
    let together = store.transaction(|tx| {
        tx.finish_pass(ended, reports, container)?;
        claim.map_or(Ok(None), |claim| tx.claim_pass(claim))
    });
    match together {
        Err(queue::Error::PassEnded { .. } | queue::Error::NotCommitted { .. }) | Ok(_) => together,
        // What was achieved counts, whatever is wrong with the next one.
        Err(error) => {
            tracing::error!(%error, "cannot claim from the queue");
            store.finish_pass(ended, reports, container)?;
            Ok(None)
        }
    }
}

/// One outcome for all tasks of a pass.
fn all(pass: &Pass, outcome: &Outcome) -> Vec<TaskReport> {
    let report = |task: &queue::TaskRow| TaskReport::new(task.id, outcome.clone());
    pass.tasks.iter().map(report).collect()
}

fn tell_failures(pass: &Pass, reports: &[TaskReport]) {
    for report in reports {
        if let Outcome::Failed { failure } = &report.outcome {
            let job = pass
                .tasks
                .iter()
                .find(|t| t.id == report.task)
                .map_or("", |t| t.job.as_str());
            tracing::warn!(task = report.task.0, plate = %pass.plate.name, subject = %pass.subject.name, job, class = ?failure.class, error = %failure.message, "task failed");
        }
    }
}

/// The room that a claim was given is its own only if the claim was made.
fn claimed(pass: Option<Pass>, permit: &Mutex<Option<Permit>>) -> Option<Claimed> {
    let permit = lock(permit).take();
    Some(Claimed {
        pass: pass?,
        permit: permit?,
    })
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
