//! Starts everything, and stops it in the right order.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use config::DaemonConfig;
use faults::Point;
use queue::{NewRoot, PassId, PlateId, PlateState, RootId, RootState, Store, Target, TaskFilter};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use watch::{FileStatus, RootSpec, Watcher};
use worker::SpawnOptions;

use crate::admission::{self, Capacity};
use crate::arriving::priority_setting;
use crate::completion::Sight;
use crate::dispatch::{Dispatch, DispatchOptions, WorkerState};
use crate::error::{Error, Result};
use crate::facility::{Facility, Prepared, RootSettings};
use crate::intake::Intake;
use crate::leftovers;
use crate::ready_pass::DefaultLimits;
use crate::records;
use crate::volume::Volume;
use crate::watching::WatchHost;

/// How often old events and logs are removed.
const PRUNING: Duration = Duration::from_secs(24 * 3600);

/// So many bytes more, beside an eighth, make it worth while to try again what failed for want of space.
const MUCH: u64 = 1 << 20;
/// How often the disk and the leases are looked at while nothing goes on.
const IDLE_SECS: u32 = 5;
/// How often, and with which pause, a listing that was asked for is looked at in one turn.
const LISTING_LOOKS: usize = 10;
const LISTING_PAUSE: Duration = Duration::from_millis(20);

/// How workers are started.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// The program to run as a worker, normally this very binary.
    pub program: PathBuf,
    /// Its arguments, normally `["worker"]`.
    pub arguments: Vec<String>,
}

/// The running engine.
pub struct Engine {
    intake: Arc<Intake>,
    dispatch: Arc<Dispatch>,
    options: EngineOptions,
    watcher: Mutex<Option<Watcher>>,
    wake: Arc<Notify>,
    draining: CancellationToken,
    killed: CancellationToken,
    settings: Mutex<Settings>,
    /// Free bytes of each volume at the last look.
    free: Mutex<HashMap<PathBuf, u64>>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
    pruned_at: Mutex<Option<Instant>>,
}

/// What the engine itself looks up in the configuration.
#[derive(Clone)]
struct Settings {
    grace: Duration,
    state_dir: PathBuf,
    min_free: u64,
    history: Duration,
}

impl Settings {
    fn of(config: &DaemonConfig) -> Self {
        Self {
            grace: Duration::from_secs(config.workers.grace_secs),
            state_dir: config.state.dir.clone(),
            min_free: config.state.min_free.bytes(),
            history: Duration::from_secs(u64::from(config.state.keep_days) * 24 * 3600),
        }
    }
}

impl Engine {
    /// Registers the roots, gives back what a dead daemon left running, and starts watching and working.
    ///
    /// # Errors
    /// A workflow, a naming scheme or a rule is wrong, or the queue fails. A root that is not there is no error: it is offline.
    pub fn start(
        store: &Store,
        config: &DaemonConfig,
        options: &EngineOptions,
    ) -> Result<Arc<Self>> {
        let recovered = store.boot()?;
        if !recovered.tasks.is_empty() {
            tracing::info!(
                tasks = recovered.tasks.len(),
                "tasks that an earlier run left running are ready again"
            );
        }
        faults::point(Point::StartRecovered);
        let facility = facility(store, config)?;
        let specs = specs(config, &facility);
        close_roots(store, &facility)?;
        let intake = Arc::new(Intake::new(store.clone(), facility));
        let (draining, killed) = (CancellationToken::new(), CancellationToken::new());
        let wake = Arc::new(Notify::new());
        let dispatch = Dispatch::start(
            Arc::clone(&intake),
            dispatch_options(config, options),
            Arc::clone(&wake),
            draining.clone(),
            killed.clone(),
        );
        let for_events = Arc::clone(&wake);
        store.on_event(move |_| for_events.notify_one());
        let engine = Arc::new(Self {
            intake,
            dispatch,
            options: options.clone(),
            watcher: Mutex::new(None),
            wake,
            draining,
            killed,
            settings: Mutex::new(Settings::of(config)),
            free: Mutex::default(),
            tasks: Mutex::default(),
            pruned_at: Mutex::default(),
        });
        engine.watch(specs)?;
        faults::point(Point::StartWatching);
        let sweeping = leftovers::sweep(
            Arc::clone(&engine.intake),
            config.state.dir.clone(),
            engine.draining.clone(),
        );
        *lock(&engine.tasks) = vec![
            tokio::spawn(sweeping),
            tokio::spawn(Arc::clone(&engine).tend()),
        ];
        Ok(engine)
    }

    /// Goes on with another configuration: folders, workflows, workers and limits. Running passes go on. Nothing changes if
    /// something in it is wrong. Blocks until the folders are watched.
    ///
    /// # Errors
    /// As [`Engine::start`].
    pub fn reload(&self, config: &DaemonConfig) -> Result<()> {
        let store = self.intake.store();
        // All of them, before the first is written to the queue.
        for root in config.roots.iter().filter(|r| r.enabled) {
            check_root(config, root)?;
        }
        let facility = facility(store, config)?;
        let specs = specs(config, &facility);
        // Watching ends first, so that no folder is seen by two watchers.
        if let Some(watcher) = lock(&self.watcher).take() {
            watcher.stop();
        }
        close_roots(store, &facility)?;
        self.intake.change(facility);
        *lock(&self.settings) = Settings::of(config);
        self.dispatch
            .change(dispatch_options(config, &self.options));
        self.watch(specs)?;
        self.wake.notify_one();
        Ok(())
    }

    fn watch(&self, specs: Vec<RootSpec>) -> Result<()> {
        let wake = Arc::clone(&self.wake);
        let host = Arc::new(WatchHost {
            intake: Arc::clone(&self.intake),
            wake: Arc::new(move || wake.notify_one()),
        });
        *lock(&self.watcher) = Some(Watcher::start(specs, host)?);
        Ok(())
    }

    /// Completes plates and gives back tasks whose lease ran out; sleeps while there is nothing of the kind to do.
    async fn tend(self: Arc<Self>) {
        let mut last_event = queue::EventId(-1);
        while !self.draining.is_cancelled() {
            let engine = Arc::clone(&self);
            let done = tokio::task::spawn_blocking(move || engine.tend_once()).await;
            let busy = match done {
                Ok(Ok(busy)) => busy,
                Ok(Err(error)) => {
                    tracing::error!(%error, "plates cannot be looked after");
                    true
                }
                Err(error) => {
                    tracing::error!(%error, "looking after plates ended by a bug");
                    true
                }
            };
            // Quiet periods count in seconds. With nothing going on only an event, or the disk, can start something.
            let mut idle = 1;
            loop {
                tokio::select! {
                    () = self.draining.cancelled() => return,
                    () = tokio::time::sleep(Duration::from_secs(1)) => {}
                }
                if busy || idle == IDLE_SECS || self.intake.store().last_event() != last_event {
                    break;
                }
                idle += 1;
            }
            last_event = self.intake.store().last_event();
        }
    }

    /// Whether there is something that needs to be looked at every second: a plate that arrives, a disk without room, or files
    /// that could not be recorded.
    fn tend_once(&self) -> Result<bool> {
        let store = self.intake.store();
        let has_room = self.mind_the_disk()?;
        let recovered = store.reap_expired()?;
        if !recovered.passes.is_empty() {
            tracing::warn!(
                passes = recovered.passes.len(),
                "passes without heartbeat were given back"
            );
        }
        self.prune_daily()?;
        if has_room {
            self.make_up_for_missed()?;
        }
        // A listing of one folder is mostly over at once; what takes longer is seen by the next turn.
        for _ in 0..LISTING_LOOKS {
            if !self.intake.complete_ready_plates(self)? {
                break;
            }
            std::thread::sleep(LISTING_PAUSE);
        }
        let arriving = records::plates(store, &[PlateState::Arriving, PlateState::Stale])?;
        Ok(!has_room || !arriving.is_empty())
    }

    fn prune_daily(&self) -> Result<()> {
        let mut pruned_at = lock(&self.pruned_at);
        if pruned_at.is_none_or(|at| at.elapsed() >= PRUNING) {
            let history = lock(&self.settings).history;
            let pruned = self.intake.store().prune(history)?;
            tracing::debug!(?pruned, "old events and logs removed");
            *pruned_at = Some(Instant::now());
        }
        Ok(())
    }

    /// Scans roots again of which something could not be recorded, now that the queue takes writes.
    fn make_up_for_missed(&self) -> Result<()> {
        let missed = self.intake.missed().take();
        if missed.is_empty() {
            return Ok(());
        }
        if let Err(error) = self.intake.store().set_setting("writable", "") {
            missed
                .iter()
                .for_each(|root| self.intake.missed().add(*root));
            return Err(error.into());
        }
        for root in missed {
            tracing::info!(
                root = root.0,
                "files that could not be recorded are looked for again"
            );
            if let Some(watcher) = lock(&self.watcher).as_ref() {
                watcher.redeliver(root.0);
            }
        }
        Ok(())
    }

    /// Claims nothing that is written to a volume which is nearly full; nothing at all, and takes no files, while that is the
    /// queue's. Goes on by itself. Whether there is room everywhere.
    fn mind_the_disk(&self) -> Result<bool> {
        let (state_dir, min_free) = {
            let settings = lock(&self.settings);
            (settings.state_dir.clone(), settings.min_free)
        };
        let mut full = self.hold_while_full(None, &state_dir, min_free)?;
        self.intake.missed().close(full);
        for root in self.intake.facility().roots() {
            full |= self.hold_while_full(Some(root.id), &root.output, min_free)?;
        }
        Ok(!full)
    }

    /// Holds a root, or everything, while a volume is nearly full. Whether it is.
    fn hold_while_full(&self, root: Option<RootId>, folder: &Path, min_free: u64) -> Result<bool> {
        const HOLDER: &str = "disk";
        let store = self.intake.store();
        let target = root.map_or(Target::All, Target::Root);
        let Some(free) = Volume::of(folder).map(|volume| volume.free) else {
            return Ok(false);
        };
        let before = lock(&self.free).insert(folder.to_owned(), free);
        if free < min_free {
            // Without the number that is free: it changes all the time, and each change would be an event.
            let reason = format!(
                "`{}` has less free space than min_free ({} MiB)",
                folder.display(),
                min_free >> 20
            );
            if store.pause(target, HOLDER, &reason)? {
                tracing::warn!(%reason, "paused: disk; work resumes by itself once there is room");
            }
            return Ok(true);
        }
        // A result may be larger than min_free: what failed for want of space is tried again once there is clearly more.
        let is_more = before.is_some_and(|before| free > before + before / 8 + MUCH);
        if is_more && store.hurry(root)? > 0 {
            self.wake.notify_one();
        }
        if store.resume(target, HOLDER)? {
            let tasks = store.hurry(root)?;
            tracing::info!(folder = %folder.display(), tasks, "there is room on the disk again; work goes on");
            self.wake.notify_one();
        }
        Ok(false)
    }

    /// Stops: claims nothing more, lets running passes finish within the grace time, then cancels them. Nothing is lost either
    /// way: what was cancelled is ready again.
    pub async fn stop(&self) {
        self.draining.cancel();
        faults::point(Point::StopDraining);
        let watcher = lock(&self.watcher).take();
        if let Some(watcher) = watcher {
            // Joining its threads blocks.
            let _ = tokio::task::spawn_blocking(move || watcher.stop()).await;
        }
        faults::point(Point::StopUnwatched);
        let tasks = std::mem::take(&mut *lock(&self.tasks));
        let grace = lock(&self.settings).grace;
        let all = async {
            for task in tasks {
                let _ = task.await;
            }
            self.dispatch.ended().await;
        };
        tokio::pin!(all);
        if tokio::time::timeout(grace, &mut all).await.is_err() {
            tracing::warn!(
                "running work did not end within the grace time; it is started again after the next start"
            );
            self.killed.cancel();
            all.await;
        }
        faults::point(Point::StopDrained);
    }

    /// The queue.
    #[must_use]
    pub fn store(&self) -> &Store {
        self.intake.store()
    }

    /// What every worker slot is doing.
    #[must_use]
    pub fn workers(&self) -> Vec<WorkerState> {
        self.dispatch.states()
    }

    /// The volumes that are written to: the queue's and those of the results. Asks the system, which may take a while where a
    /// share hangs.
    #[must_use]
    pub fn volumes(&self) -> Vec<Volume> {
        let mut folders = vec![lock(&self.settings).state_dir.clone()];
        let facility = self.intake.facility();
        folders.extend(facility.roots().iter().map(|r| r.output.clone()));
        folders.dedup();
        folders.iter().filter_map(|f| Volume::of(f)).collect()
    }

    /// Free space that is kept on each volume, in bytes.
    #[must_use]
    pub fn min_free(&self) -> u64 {
        lock(&self.settings).min_free
    }

    /// Number of files that are still being written below a root.
    #[must_use]
    pub fn settling(&self, root: RootId) -> usize {
        let watcher = lock(&self.watcher);
        watcher.as_ref().map_or(0, |w| w.settling(root.0).len())
    }

    /// How a root is being watched, why, and on which file system; nothing while it is offline.
    #[must_use]
    pub fn watching(&self, root: RootId) -> Option<(watch::ActiveMode, String, String)> {
        let watcher = lock(&self.watcher);
        match watcher.as_ref()?.state(root.0)? {
            watch::RootState::Online {
                mode,
                reason,
                file_system,
            } => Some((mode, reason, file_system)),
            watch::RootState::Offline { .. } => None,
        }
    }

    /// Scans a root now, and plans anew what its workflow or mappings changed for. False for an unknown root.
    ///
    /// # Errors
    /// The queue fails.
    pub fn rescan(&self, root: RootId) -> Result<bool> {
        self.intake.plan_root(root)?;
        let watcher = lock(&self.watcher);
        Ok(watcher.as_ref().is_some_and(|w| w.rescan(root.0)))
    }

    /// Where a file stands, and under which root.
    #[must_use]
    pub fn explain_path(&self, path: &Path) -> Option<(RootId, FileStatus)> {
        let facility = self.intake.facility();
        let root = facility
            .roots()
            .iter()
            .find(|r| path.starts_with(&r.path))?;
        let relative = path.strip_prefix(&root.path).ok()?;
        let watcher = lock(&self.watcher);
        Some((root.id, watcher.as_ref()?.explain(root.id.0, relative)))
    }

    /// Completes a plate by hand.
    ///
    /// # Errors
    /// The queue fails, or does not know the plate.
    pub fn finalize(&self, plate: PlateId) -> Result<()> {
        self.intake.finalize(plate)?;
        self.wake.notify_one();
        Ok(())
    }

    /// Gives all tasks of a plate, those to come included, a priority. Returns whether that changed anything.
    ///
    /// # Errors
    /// The queue fails.
    pub fn prioritise(&self, plate: PlateId, priority: i64) -> Result<bool> {
        let mut plates = self.intake.plates();
        let changed = self.store().transaction(|tx| {
            tx.set_setting(&priority_setting(plate), &priority.to_string())?;
            tx.prioritise(&TaskFilter::plate(plate), priority)
        })?;
        if let Some(plate) = plates.get_mut(&plate) {
            plate.priority = priority;
        }
        drop(plates);
        self.wake.notify_one();
        Ok(changed > 0)
    }

    /// Ends passes whose tasks were cancelled.
    pub fn stop_passes(&self, passes: &[PassId]) {
        for pass in passes {
            self.dispatch.stop(*pass);
        }
    }
}

/// While the watcher is being stopped nothing can be seen, and no plate is completed.
impl Sight for Engine {
    fn is_online(&self, root: RootId) -> bool {
        let watcher = lock(&self.watcher);
        let state = watcher.as_ref().and_then(|w| w.state(root.0));
        matches!(state, Some(watch::RootState::Online { .. }))
    }

    fn is_pending(&self, root: RootId, folder: &Path) -> bool {
        let watcher = lock(&self.watcher);
        watcher
            .as_ref()
            .is_none_or(|w| w.is_pending(root.0, folder))
    }

    fn verify(&self, root: RootId, folder: &Path) -> Option<watch::Verification> {
        let watcher = lock(&self.watcher);
        watcher.as_ref()?.verify(root.0, folder)
    }
}

/// The folders of a configuration with everything about them resolved.
fn facility(store: &Store, config: &DaemonConfig) -> Result<Facility> {
    let enabled = config.roots.iter().filter(|r| r.enabled);
    let roots = enabled.map(|r| root_settings(store, config, r));
    Ok(Facility::new(roots.collect::<Result<_>>()?))
}

fn specs(config: &DaemonConfig, facility: &Facility) -> Vec<RootSpec> {
    let enabled = config.roots.iter().filter(|r| r.enabled);
    enabled
        .zip(facility.roots())
        .map(|(root, settings)| root_spec(root, settings.id))
        .collect()
}

/// Nothing of a root is claimed before it was looked at and planned; of one that is no longer configured, nothing at all.
fn close_roots(store: &Store, facility: &Facility) -> Result<()> {
    for root in store.roots()? {
        let (state, why) = match facility.root(root.id) {
            Some(_) => (RootState::Offline, "not looked at yet"),
            None => (
                RootState::Removed,
                "not in the configuration; its tasks wait until it is put back",
            ),
        };
        store.set_root_state(root.id, state, Some(why))?;
    }
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Loads the workflow that a root names.
///
/// # Errors
/// It is not found, or it cannot run.
pub(crate) fn load_workflow(config: &DaemonConfig, root: &config::Root) -> Result<Prepared> {
    let wrong = |mistakes: Vec<String>| Error::Workflow {
        name: root.workflow.to_string(),
        mistakes,
    };
    let path = match &root.workflow {
        config::WorkflowRef::Path(path) => path.clone(),
        config::WorkflowRef::Name(name) => {
            let candidates: Vec<PathBuf> = config
                .workflow_dirs
                .iter()
                .map(|d| d.join(format!("{name}.toml")))
                .collect();
            let looked = || {
                candidates
                    .iter()
                    .map(|p| p.display().to_string())
                    .collect::<Vec<_>>()
                    .join(", ")
            };
            candidates
                .iter()
                .find(|p| p.is_file())
                .cloned()
                .ok_or_else(|| wrong(vec![format!("no such file: {}", looked())]))?
        }
    };
    let file = config::WorkflowFile::load(&path).map_err(|e| wrong(vec![e.to_string()]))?;
    Prepared::new(file)
}

fn root_settings(
    store: &Store,
    config: &DaemonConfig,
    root: &config::Root,
) -> Result<RootSettings> {
    check_root(config, root)?;
    let prepared = load_workflow(config, root)?;
    let name = root.path.file_name().map_or_else(
        || root.path.display().to_string(),
        |n| n.to_string_lossy().into_owned(),
    );
    let mode = serde_json::to_value(root.mode)
        .ok()
        .and_then(|v| v.as_str().map(str::to_owned))
        .unwrap_or_default();
    let added = store.upsert_root(&NewRoot {
        path: root.path.clone(),
        name,
        output: root.output.clone(),
        workflow: prepared.workflow.name.clone(),
        mode,
    })?;
    let id = added.id();
    let setting = format!("root.{id}.first_watched_ns");
    if store.setting(&setting)?.is_none() {
        store.set_setting(
            &setting,
            &jiff::Timestamp::now().as_nanosecond().to_string(),
        )?;
    }
    let first_watched = store.setting(&setting)?.and_then(|t| t.parse().ok());
    Ok(RootSettings {
        id,
        path: root.path.clone(),
        output: root.output.clone(),
        naming: plate::NamingScheme::from_config(&root.naming)?,
        rules: root
            .plate_complete
            .iter()
            .map(|r| r.parse())
            .collect::<plate::Result<_>>()?,
        layout: root.layout.as_ref().map(layout),
        prepared: Arc::new(prepared),
        ignore_before: if root.existing == config::Existing::Ignore {
            first_watched
        } else {
            None
        },
        priority: i64::from(root.priority),
        max_attempts: config.workers.max_attempts,
        watched: true,
    })
}

fn layout(layout: &config::Layout) -> plate::Layout {
    let named = u32::try_from(layout.wells.len()).unwrap_or(u32::MAX);
    let wells = if named > 0 {
        named
    } else {
        layout
            .rows
            .unwrap_or(1)
            .saturating_mul(layout.columns.unwrap_or(1))
    };
    plate::Layout {
        wells,
        sites: layout.sites.unwrap_or(1),
        channels: layout.channels.unwrap_or(1),
        z: layout.z_slices.unwrap_or(1),
        t: layout.timepoints.unwrap_or(1),
    }
}

fn root_spec(root: &config::Root, id: RootId) -> RootSpec {
    RootSpec {
        mode: match root.mode {
            config::WatchMode::Auto => watch::Mode::Auto,
            config::WatchMode::Native => watch::Mode::Native,
            config::WatchMode::Poll => watch::Mode::Poll,
        },
        settle: Duration::from_secs(root.settle_secs),
        poll_interval: Duration::from_secs(root.poll_secs),
        rescan_interval: Duration::from_secs(root.rescan_secs),
        ignore: root.ignore.clone(),
        // A copy that stalls for this long is listed with its reason; it is taken up again as soon as it changes.
        give_up: Duration::from_secs((root.settle_secs * 10).max(5)),
        ..RootSpec::new(id.0, &root.path)
    }
}

fn dispatch_options(config: &DaemonConfig, options: &EngineOptions) -> DispatchOptions {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let count = match config.workers.count {
        config::Count::Auto => cores,
        config::Count::Fixed(n) => n as usize,
    };
    let threads = match config.workers.threads {
        config::Count::Auto => (cores / count.max(1)).max(1),
        config::Count::Fixed(n) => n as usize,
    };
    let memory = config
        .workers
        .memory
        .map_or_else(admission::memory_of_machine, |m| m.bytes());
    let count = count.max(1);
    DispatchOptions {
        spawn: SpawnOptions {
            program: options.program.clone(),
            arguments: options.arguments.clone(),
        },
        count,
        threads,
        plate_threads: threads.max(cores),
        defaults: DefaultLimits {
            time: Duration::from_secs(config.workers.time_limit_secs),
            // Better ended with a reason than by the kernel, which may choose another process.
            memory: Some(config.workers.memory_limit.map_or(memory, |m| m.bytes())),
        },
        lease: Duration::from_secs(config.workers.lease_secs),
        capacity: Capacity {
            memory,
            threads: cores.max(count * threads),
            limits: config.workers.limits.clone(),
        },
    }
}

/// How a root would be watched on such a file system, and why.
#[must_use]
pub fn planned_mode(root: &config::Root, kind: &watch::FsKind) -> (watch::ActiveMode, String) {
    watch::planned_mode(&root_spec(root, RootId(0)), kind)
}

/// Checks what a root names without starting anything: its workflow, naming scheme and rules.
///
/// # Errors
/// The first thing that is wrong.
pub fn check_root(config: &DaemonConfig, root: &config::Root) -> Result<()> {
    let prepared = load_workflow(config, root)?;
    let unknown: Vec<String> = prepared
        .workflow
        .jobs
        .iter()
        .filter_map(|job| Some((&job.id, job.limits.name.as_ref()?)))
        .filter(|(_, limit)| !config.workers.limits.contains_key(*limit))
        .map(|(job, limit)| {
            format!("job `{job}` has the limit `{limit}`, which [workers.limits] does not name; add `{limit} = 1` there")
        })
        .collect();
    if !unknown.is_empty() {
        return Err(Error::Workflow {
            name: prepared.workflow.name.clone(),
            mistakes: unknown,
        });
    }
    plate::NamingScheme::from_config(&root.naming)?;
    for rule in &root.plate_complete {
        rule.parse::<plate::CompleteRule>()?;
    }
    Ok(())
}
