//! Starts everything, and stops it in the right order.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use config::DaemonConfig;
use faults::Point;
use gpu_worker::Host;
use queue::{PassId, PlateId, RootId, RootState, Store, TaskFilter, TaskRow};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use watch::{FileStatus, RootSpec, Watcher};

use crate::arriving::priority_setting;
use crate::configured::{check_root, dispatch_options, facility, specs};
use crate::dispatch::{Dispatch, WorkerState};
use crate::error::Result;
use crate::facility::Facility;
use crate::gpu::{self, GpuState};
use crate::intake::Intake;
use crate::leftovers;
use crate::lock::lock;
use crate::traces::{Keeping, StatusFiles};
use crate::volume::Volume;
use crate::watching::WatchHost;

/// Pause before history is pruned for the first time: the roots have been looked at by then.
const FIRST_PRUNING: Duration = Duration::from_secs(5);

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
    pub(crate) intake: Arc<Intake>,
    pub(crate) dispatch: Arc<Dispatch>,
    pub(crate) options: EngineOptions,
    pub(crate) watcher: Mutex<Option<Watcher>>,
    /// What is watched.
    pub(crate) specs: Mutex<Vec<RootSpec>>,
    pub(crate) wake: Arc<Notify>,
    pub(crate) draining: CancellationToken,
    pub(crate) killed: CancellationToken,
    pub(crate) settings: Mutex<Settings>,
    /// Free bytes of each volume at the last look.
    pub(crate) free: Mutex<HashMap<PathBuf, u64>>,
    pub(crate) tasks: Mutex<Vec<JoinHandle<()>>>,
    pub(crate) prune_at: Mutex<Instant>,
    pub(crate) keeping: Mutex<Keeping>,
    /// The GPU's process, with the setting that it was started for.
    gpu: Mutex<(config::Gpu, Option<Arc<Host>>)>,
}

/// What the engine itself looks up in the configuration.
#[derive(Clone)]
pub(crate) struct Settings {
    grace: Duration,
    pub state_dir: PathBuf,
    pub min_free: u64,
    pub history: Duration,
    pub plates: Option<Duration>,
}

const fn days(days: u32) -> Duration {
    Duration::from_secs(days as u64 * 24 * 3600)
}

impl Settings {
    fn of(config: &DaemonConfig) -> Self {
        Self {
            grace: Duration::from_secs(config.workers.grace_secs),
            state_dir: config.state.dir.clone(),
            min_free: config.state.min_free.bytes(),
            history: days(config.state.keep_days),
            plates: config.state.keep_plates_days.map(days),
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
        let facility = facility(store, config, &Facility::default())?;
        let specs = specs(config, &facility);
        close_roots(store, &facility)?;
        let intake = Arc::new(Intake::new(store.clone(), facility));
        let (draining, killed) = (CancellationToken::new(), CancellationToken::new());
        let wake = Arc::new(Notify::new());
        let gpu = gpu::host(&config.workers.gpu, &options.program, &config.state.dir);
        let dispatch = Dispatch::start(
            Arc::clone(&intake),
            dispatch_options(config, options, gpu.as_ref()),
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
            specs: Mutex::default(),
            wake,
            draining,
            killed,
            settings: Mutex::new(Settings::of(config)),
            free: Mutex::default(),
            tasks: Mutex::default(),
            prune_at: Mutex::new(Instant::now() + FIRST_PRUNING),
            keeping: Mutex::default(),
            gpu: Mutex::new((config.workers.gpu.clone(), gpu)),
        });
        engine.watch(specs)?;
        faults::point(Point::StartWatching);
        let sweeping = leftovers::sweep(
            Arc::clone(&engine.intake),
            Arc::clone(&engine.dispatch),
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
        let facility = facility(store, config, &self.intake.facility())?;
        let specs = specs(config, &facility);
        // Watching ends first, so that no folder is seen by two watchers.
        if let Some(watcher) = lock(&self.watcher).take() {
            watcher.stop();
        }
        if let Err(error) = close_roots(store, &facility) {
            let before = lock(&self.specs).clone();
            self.watch(before)?;
            return Err(error);
        }
        self.intake.change(facility);
        lock(&self.keeping).start_over();
        *lock(&self.settings) = Settings::of(config);
        let mut gpu = lock(&self.gpu);
        if gpu.0 != config.workers.gpu || gpu.1.is_none() {
            let dir = &lock(&self.settings).state_dir;
            *gpu = (
                config.workers.gpu.clone(),
                gpu::host(&config.workers.gpu, &self.options.program, dir),
            );
        }
        self.dispatch
            .change(dispatch_options(config, &self.options, gpu.1.as_ref()));
        drop(gpu);
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
        lock(&self.specs).clone_from(&specs);
        *lock(&self.watcher) = Some(Watcher::start(specs, host)?);
        Ok(())
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

    /// What is known of the GPU, and what it did since the start.
    #[must_use]
    pub fn gpu(&self) -> GpuState {
        GpuState {
            host: lock(&self.gpu).1.as_ref().map(|host| host.state()),
            tally: self.dispatch.gpu(),
        }
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

    /// The watched folders with everything about them resolved, as they are now.
    #[must_use]
    pub fn facility(&self) -> Arc<Facility> {
        self.intake.facility()
    }

    /// Number of files that are still being written below a root.
    #[must_use]
    pub fn settling(&self, root: RootId) -> usize {
        let watcher = lock(&self.watcher);
        watcher.as_ref().map_or(0, |w| w.settling(root.0).len())
    }

    /// Number of those below one of its folders.
    #[must_use]
    pub fn settling_below(&self, root: RootId, folder: &Path) -> usize {
        let watcher = lock(&self.watcher);
        let files = watcher.as_ref().map(|w| w.settling(root.0));
        let files = files.unwrap_or_default();
        files.iter().filter(|f| f.path.starts_with(folder)).count()
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

    /// Writes BatchLib's status and log files of a plate that has ended, whether or not its root asks for them.
    ///
    /// # Errors
    /// The plate has not ended, or its folder cannot be written to.
    pub fn write_status_files(&self, plate: PlateId) -> Result<StatusFiles> {
        // One writer at a time: they roll logs.
        let _alone = lock(&self.keeping);
        self.intake.write_status_files_of_done(plate)
    }

    /// What a ready task waits for, besides its turn: a named limit, memory.
    #[must_use]
    pub fn waiting_for(&self, task: &TaskRow) -> Option<String> {
        let plate = self.store().plate(task.plate).ok()?.plate;
        let root = self.intake.root(plate.root)?;
        let workflow = &root.prepared.workflow;
        let job = workflow.position(&task.job).map(|i| &workflow.jobs[i])?;
        self.dispatch.waiting_for(job.limits.name.as_deref())
    }

    /// What a running pass has written so far: the log of its attempts to be. `None` once it has ended.
    #[must_use]
    pub fn running_log(&self, pass: PassId) -> Option<String> {
        self.dispatch.running_log(pass)
    }

    /// Ends passes whose tasks were cancelled.
    pub fn stop_passes(&self, passes: &[PassId]) {
        for pass in passes {
            self.dispatch.stop(*pass);
        }
    }
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
