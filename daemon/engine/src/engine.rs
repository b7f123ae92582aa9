//! Starts everything, and stops it in the right order.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use config::DaemonConfig;
use queue::{NewRoot, PassId, PlateId, PlateState, RootId, Store, Target};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use watch::{FileStatus, RootSpec, Watcher};
use worker::SpawnOptions;

use crate::completion::Sight;
use crate::dispatch::{Dispatch, DispatchOptions, WorkerState};
use crate::error::{Error, Result};
use crate::facility::{Facility, Prepared, RootSettings};
use crate::intake::Intake;
use crate::output::Output;
use crate::records;
use crate::watching::WatchHost;

/// Events and logs of finished work are kept this long; older ones are removed at start.
const HISTORY: Duration = Duration::from_secs(90 * 24 * 3600);

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
    watcher: Mutex<Option<Watcher>>,
    wake: Arc<Notify>,
    draining: CancellationToken,
    killed: CancellationToken,
    grace: Duration,
    /// Folders on volumes that are written to.
    volumes: Vec<PathBuf>,
    min_free: u64,
    /// Free bytes of each volume at the last look.
    free: Mutex<Vec<Option<u64>>>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
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
        let mut outputs: HashMap<&Path, Arc<Output>> = HashMap::new();
        let mut roots = Vec::new();
        for root in config.roots.iter().filter(|r| r.enabled) {
            let guard = match outputs.get(root.output.as_path()) {
                Some(guard) => Arc::clone(guard),
                None => {
                    let guard = Arc::new(Output::take(store, &root.output, &config.state.dir)?);
                    outputs.insert(&root.output, Arc::clone(&guard));
                    guard
                }
            };
            roots.push(root_settings(store, config, root, guard)?);
        }
        let specs: Vec<RootSpec> = config
            .roots
            .iter()
            .filter(|r| r.enabled)
            .zip(&roots)
            .map(|(r, s)| root_spec(r, s.id))
            .collect();
        let facility = Arc::new(Facility::new(roots));
        for root in facility.roots() {
            let leftovers = remove_leftovers(&root.output);
            if leftovers > 0 {
                tracing::info!(output = %root.output.display(), files = leftovers, "temporary files of dead workers removed");
            }
        }
        let intake = Arc::new(Intake::new(
            store.clone(),
            facility,
            config.workers.max_attempts,
        ));
        intake.plan_all()?;
        let pruned = store.prune(HISTORY)?;
        tracing::debug!(?pruned, "old events and logs removed");

        let (draining, killed) = (CancellationToken::new(), CancellationToken::new());
        let wake = Arc::new(Notify::new());
        let dispatch = Dispatch::new(
            Arc::clone(&intake),
            dispatch_options(config, options),
            Arc::clone(&wake),
            draining.clone(),
            killed.clone(),
        );
        let for_events = Arc::clone(&wake);
        store.on_event(move |_| for_events.notify_one());
        let for_watch = Arc::clone(&wake);
        let host = Arc::new(WatchHost {
            intake: Arc::clone(&intake),
            wake: Arc::new(move || for_watch.notify_one()),
        });
        let watcher = Watcher::start(specs, host)?;
        let engine = Arc::new(Self {
            intake,
            dispatch: Arc::clone(&dispatch),
            watcher: Mutex::new(Some(watcher)),
            wake,
            draining,
            killed,
            grace: Duration::from_secs(config.workers.grace_secs),
            volumes: std::iter::once(&config.state.dir)
                .chain(config.roots.iter().map(|r| &r.output))
                .cloned()
                .collect(),
            min_free: config.state.min_free.bytes(),
            free: Mutex::default(),
            tasks: Mutex::default(),
        });
        let tasks = vec![
            tokio::spawn(dispatch.run()),
            tokio::spawn(Arc::clone(&engine).tend()),
        ];
        *engine.tasks.lock().unwrap_or_else(PoisonError::into_inner) = tasks;
        Ok(engine)
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
        self.mind_the_outputs()?;
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

    /// Claims nothing of a root whose results have no place to go; goes on by itself.
    fn mind_the_outputs(&self) -> Result<()> {
        const HOLDER: &str = "output";
        let store = self.intake.store();
        for root in self.intake.facility().roots() {
            let Some(guard) = &root.guard else { continue };
            match guard.look(store)? {
                Some(reason) => {
                    if store.pause(Target::Root(root.id), HOLDER, &reason)? {
                        tracing::warn!(output = %guard.folder().display(), %reason, "paused: output; work resumes by itself");
                    }
                }
                None => {
                    if store.resume(Target::Root(root.id), HOLDER)? {
                        store.hurry(Some(root.id))?;
                        tracing::info!(output = %guard.folder().display(), "the results' folder is back; work goes on");
                        self.wake.notify_one();
                    }
                }
            }
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
            let watcher = self.watcher.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(watcher) = watcher.as_ref() {
                watcher.redeliver(root.0);
            }
        }
        Ok(())
    }

    /// Claims nothing while a volume that is written to is nearly full, and takes no files while that is the state's; goes on by
    /// itself. Whether there is room.
    fn mind_the_disk(&self) -> Result<bool> {
        const HOLDER: &str = "disk";
        let store = self.intake.store();
        let free: Vec<Option<u64>> = self.volumes.iter().map(|v| free_bytes(v)).collect();
        let is_full = |free: &Option<u64>| free.is_some_and(|free| free < self.min_free);
        // The first of the volumes is the state's.
        self.intake
            .missed()
            .close(free.first().is_some_and(is_full));
        let full = free
            .iter()
            .position(is_full)
            .and_then(|i| self.volumes.get(i));
        let before = {
            let mut known = self.free.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *known, free.clone())
        };
        // A result may be larger than min_free: what failed for want of space is tried again once there is clearly more.
        let is_more = |(before, now): (&Option<u64>, &Option<u64>)| {
            before
                .zip(*now)
                .is_some_and(|(before, now)| now > before + before / 8 + MUCH)
        };
        let Some(folder) = full else {
            if before.iter().zip(&free).any(is_more) && store.hurry(None)? > 0 {
                self.wake.notify_one();
            }
            if store.resume(Target::All, HOLDER)? {
                let tasks = store.hurry(None)?;
                tracing::info!(tasks, "there is room on the disk again; work goes on");
                self.wake.notify_one();
            }
            return Ok(true);
        };
        // Without the number that is free: it changes all the time, and each change would be an event.
        let reason = format!(
            "`{}` has less free space than min_free ({} MiB)",
            folder.display(),
            self.min_free >> 20
        );
        if store.pause(Target::All, HOLDER, &reason)? {
            tracing::warn!(%reason, "paused: disk; work resumes by itself once there is room");
        }
        Ok(false)
    }

    /// Stops: claims nothing more, lets running passes finish within the grace time, then cancels them. Nothing is lost either
    /// way: what was cancelled is ready again.
    pub async fn stop(&self) {
        self.draining.cancel();
        let watcher = self
            .watcher
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(watcher) = watcher {
            // Joining its threads blocks.
            let _ = tokio::task::spawn_blocking(move || watcher.stop()).await;
        }
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        let all = async {
            for task in tasks {
                let _ = task.await;
            }
        };
        tokio::pin!(all);
        if tokio::time::timeout(self.grace, &mut all).await.is_err() {
            tracing::warn!(
                "running work did not end within the grace time; it is started again after the next start"
            );
            self.killed.cancel();
            all.await;
        }
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

    /// Number of files that are still being written below a root.
    #[must_use]
    pub fn settling(&self, root: RootId) -> usize {
        let watcher = self.watcher.lock().unwrap_or_else(PoisonError::into_inner);
        watcher.as_ref().map_or(0, |w| w.settling(root.0).len())
    }

    /// How a root is being watched, why, and on which file system; nothing while it is offline.
    #[must_use]
    pub fn watching(&self, root: RootId) -> Option<(watch::ActiveMode, String, String)> {
        let watcher = self.watcher.lock().unwrap_or_else(PoisonError::into_inner);
        match watcher.as_ref()?.state(root.0)? {
            watch::RootState::Online {
                mode,
                reason,
                file_system,
            } => Some((mode, reason, file_system)),
            watch::RootState::Offline { .. } => None,
        }
    }

    /// Scans a root now. False for an unknown root.
    pub fn rescan(&self, root: RootId) -> bool {
        let watcher = self.watcher.lock().unwrap_or_else(PoisonError::into_inner);
        watcher.as_ref().is_some_and(|w| w.rescan(root.0))
    }

    /// Where a file stands, and under which root.
    #[must_use]
    pub fn explain_path(&self, path: &Path) -> Option<(RootId, FileStatus)> {
        let root = self
            .intake
            .facility()
            .roots()
            .iter()
            .find(|r| path.starts_with(&r.path))?;
        let relative = path.strip_prefix(&root.path).ok()?;
        let watcher = self.watcher.lock().unwrap_or_else(PoisonError::into_inner);
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
        let watcher = self.watcher.lock().unwrap_or_else(PoisonError::into_inner);
        let state = watcher.as_ref().and_then(|w| w.state(root.0));
        matches!(state, Some(watch::RootState::Online { .. }))
    }

    fn is_pending(&self, root: RootId, folder: &Path) -> bool {
        let watcher = self.watcher.lock().unwrap_or_else(PoisonError::into_inner);
        watcher
            .as_ref()
            .is_none_or(|w| w.is_pending(root.0, folder))
    }

    fn verify(&self, root: RootId, folder: &Path) -> Option<watch::Verification> {
        let watcher = self.watcher.lock().unwrap_or_else(PoisonError::into_inner);
        watcher.as_ref()?.verify(root.0, folder)
    }
}

/// Free space of the volume that a folder lies on, or will lie on.
fn free_bytes(folder: &Path) -> Option<u64> {
    let existing = folder.ancestors().find(|p| p.exists())?;
    let stat = rustix::fs::statvfs(existing).ok()?;
    Some(stat.f_bavail * stat.f_frsize)
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
    guard: Arc<Output>,
) -> Result<RootSettings> {
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
        guard: Some(guard),
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
    DispatchOptions {
        spawn: SpawnOptions {
            program: options.program.clone(),
            arguments: options.arguments.clone(),
        },
        memory_limit: config.workers.memory_limit.map(|l| l.bytes()),
        count: count.max(1),
        threads,
        plate_threads: threads.max(cores),
        time_limit: Duration::from_secs(config.workers.time_limit_secs),
        lease: Duration::from_secs(config.workers.lease_secs),
    }
}

/// Removes temporary files of dead workers below an output folder.
fn remove_leftovers(output: &Path) -> usize {
    let mut removed = 0;
    let mut open = vec![output.to_owned()];
    while let Some(folder) = open.pop() {
        match image_io::publish::remove_leftovers(&folder) {
            Ok(n) => removed += n,
            Err(_) if !folder.exists() => {}
            Err(error) => tracing::warn!(%error, "temporary files cannot be looked for"),
        }
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        open.extend(
            entries
                .flatten()
                .filter(|e| e.file_type().is_ok_and(|t| t.is_dir()))
                .map(|e| e.path()),
        );
    }
    removed
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
    load_workflow(config, root)?;
    plate::NamingScheme::from_config(&root.naming)?;
    for rule in &root.plate_complete {
        rule.parse::<plate::CompleteRule>()?;
    }
    Ok(())
}
