//! One folder, once: the same passes as the daemon's, without watching and without a server.

mod again;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use config::WorkflowFile;
use gpu_worker::Tally;
use queue::{
    FileFilter, FileRow, FileState, NewRoot, Options, PlateState, RootId, Store, TaskCounts,
    TaskFilter, TaskRow, TaskState,
};
use serde::Serialize;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use watch::FileIdentity;
use worker::SpawnOptions;

use crate::admission::{self, Capacity};
use crate::arrival::Seen;
use crate::because;
use crate::blame::Blame;
use crate::dispatch::{Dispatch, DispatchOptions};
use crate::error::{Error, Result};
use crate::facility::{Facility, Prepared, RootSettings};
use crate::gpu;
use crate::intake::Intake;
use crate::ready_pass::DefaultLimits;
use crate::records;
use crate::traces::StatusFiles;

/// What to run, and how.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// The workflow.
    pub workflow: WorkflowFile,
    /// The folder with the images.
    pub folder: PathBuf,
    /// Where results go; the queue of the run is kept in `.wellspring` below, so that a second run does only what is new.
    pub output: PathBuf,
    /// How file names are read.
    pub naming: plate::NamingScheme,
    /// Number of worker processes.
    pub workers: usize,
    /// Threads of each.
    pub threads: usize,
    /// Run everything again, whatever is there.
    pub force: bool,
    /// Run these jobs again, and what depends on them.
    pub force_jobs: Vec<String>,
    /// Do not try tasks again that failed in an earlier run because of an image; one that was replaced is new anyway.
    pub keep_invalid: bool,
    /// Do not try tasks again that failed in an earlier run for another reason.
    pub keep_failed: bool,
    /// Write BatchLib's status and log files.
    pub status_files: bool,
    /// Say what would run and why, and run nothing.
    pub dry_run: bool,
    /// The program to run as a worker, and its arguments.
    pub program: PathBuf,
    /// See `program`.
    pub arguments: Vec<String>,
    /// Longest time of one attempt.
    pub time_limit: Duration,
    /// Which GPU may be used.
    pub gpu: config::Gpu,
}

/// Where a run stands.
#[derive(Clone, Debug)]
pub struct RunProgress {
    /// Tasks by state.
    pub tasks: TaskCounts,
    /// What the workers are at.
    pub running: Vec<String>,
}

/// A task that failed.
#[derive(Clone, Debug, Serialize)]
pub struct FailedTask {
    /// The task.
    #[serde(flatten)]
    pub task: TaskRow,
    /// Whose fault it is.
    pub blame: Blame,
}

/// How a run ended.
#[derive(Clone, Debug, Default)]
pub struct RunSummary {
    /// Tasks by state.
    pub tasks: TaskCounts,
    /// Tasks that failed, with their reasons.
    pub failed: Vec<FailedTask>,
    /// Files that are no readable image of a well, with their reasons.
    pub invalid: Vec<FileRow>,
    /// With `dry_run`: the tasks that would run, each with the reason.
    pub planned: Vec<(TaskRow, String)>,
    /// Image sets that miss planes, with what they miss.
    pub incomplete: Vec<(String, String)>,
    /// Output folder of each plate.
    pub plates: Vec<(String, PathBuf)>,
    /// The status files of each plate, or why there are none.
    pub status_files: Vec<(String, Result<StatusFiles, String>)>,
    /// What a GPU did.
    pub gpu: Tally,
}

/// Runs a workflow over a folder. Results that are there with an equal key are not computed again. `interrupted` ends the run
/// early; what was running is run again next time.
///
/// # Errors
/// The workflow cannot run, the output folder cannot be written, or another run is using it. Failed tasks are no error here:
/// they are in the summary.
pub async fn run_once(
    options: RunOptions,
    interrupted: CancellationToken,
    mut progress: impl FnMut(&RunProgress),
) -> Result<RunSummary> {
    let state = options.output.join(".wellspring");
    std::fs::create_dir_all(&state).map_err(|source| Error::Io {
        path: state.clone(),
        action: "create",
        source,
    })?;
    // Working folders of programs that an earlier run started and that was killed.
    let _ = image_io::publish::remove_leftovers(&state);
    let database = state.join("queue.db");
    let (store, _scratch) = if options.dry_run {
        scratch_copy(&database, &state)?
    } else {
        (Store::open(&database, Options::default())?, None)
    };
    store.boot()?;
    let (intake, settings) = register(&store, &options)?;
    let compiled = &settings.prepared.workflow;
    again::set_back(&store, &options, compiled, &settings.path)?;
    let mut summary = RunSummary::default();
    if options.dry_run {
        summary.planned = planned(&store)?;
    } else {
        summary.gpu = work(
            &state,
            &store,
            &intake,
            &options,
            &interrupted,
            &mut progress,
        )
        .await?;
        if options.status_files {
            summary.status_files = status_files(&intake, settings.id)?;
        }
    }
    summarise(&store, &settings.path, &mut summary)?;
    Ok(summary)
}

/// Files that are registered together: few enough that a disk that fills up loses little work.
const FILES_A_TRANSACTION: usize = 256;

/// Everything in the folder becomes plates, image sets and tasks.
fn register(store: &Store, options: &RunOptions) -> Result<(Arc<Intake>, Arc<RootSettings>)> {
    let absolute = |path: &Path, action| {
        std::fs::canonicalize(path).map_err(|source| Error::Io {
            path: path.to_owned(),
            action,
            source,
        })
    };
    let (folder, output) = (
        absolute(&options.folder, "open")?,
        absolute(&options.output, "open")?,
    );
    let prepared = Prepared::new(options.workflow.clone())?;
    let name = folder
        .file_name()
        .map_or_else(|| "run".to_owned(), |n| n.to_string_lossy().into_owned());
    let root = store
        .upsert_root(&NewRoot {
            path: folder.clone(),
            name,
            output: output.clone(),
            workflow: prepared.workflow.name.clone(),
            mode: "once".to_owned(),
        })?
        .id();
    let settings = RootSettings {
        id: root,
        path: folder.clone(),
        output: output.clone(),
        naming: options.naming.clone(),
        rules: Vec::new(),
        layout: None,
        format: None,
        prepared: Arc::new(prepared),
        ignore_before: None,
        priority: 0,
        // Written once, at the end.
        status_files: false,
        max_attempts: 3,
        guard: None,
        watched: false,
    };
    let facility = Facility::new(vec![settings]);
    let settings = Arc::clone(&facility.roots()[0]);
    let intake = Arc::new(Intake::new(store.clone(), facility));
    intake.plan_root(root)?;
    let (mut known, mut seen) = (BTreeMap::new(), Vec::new());
    store.known_files(root, |file| drop(known.insert(file.path.clone(), file)))?;
    for path in files(&folder, &output)? {
        let Ok(relative) = path.strip_prefix(&folder) else {
            continue;
        };
        if plate::junk_rule(relative).is_some() || !plate::is_image_name(relative) {
            continue;
        }
        let meta = std::fs::metadata(&path).map_err(|source| Error::Io {
            path: path.clone(),
            action: "open",
            source,
        })?;
        let identity = FileIdentity::of(&meta);
        let same = |k: &queue::KnownFile| {
            (k.size, k.mtime_ns, k.ctime_ns, k.inode)
                == (
                    identity.size,
                    identity.mtime_ns,
                    identity.ctime_ns,
                    identity.inode,
                )
                && k.state == FileState::Registered
        };
        if known.get(relative).is_some_and(same) {
            continue;
        }
        let doubt = image_io::acquisition::probe(&path).err();
        seen.push(Seen {
            relative: relative.to_owned(),
            identity,
            doubt: doubt.map(|error| error.to_string()),
        });
    }
    for some in seen.chunks(FILES_A_TRANSACTION) {
        intake.arrived(root, some.to_vec())?;
    }
    for plate in records::plates(store, &[PlateState::Arriving, PlateState::Stale])? {
        intake.finalize(plate.id)?;
    }
    Ok((intake, settings))
}

/// All files below a folder, sorted; the output folder and symbolic links are left out.
fn files(folder: &Path, output: &Path) -> Result<Vec<PathBuf>> {
    let mut out = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        let entries = std::fs::read_dir(&folder).map_err(|source| Error::Io {
            path: folder.clone(),
            action: "list",
            source,
        })?;
        for entry in entries {
            let entry = entry.map_err(|source| Error::Io {
                path: folder.clone(),
                action: "list",
                source,
            })?;
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && path != output => open.push(path),
                Ok(kind) if kind.is_file() => out.push(path),
                _ => {}
            }
        }
    }
    out.sort();
    Ok(out)
}

async fn work(
    scratch: &Path,
    store: &Store,
    intake: &Arc<Intake>,
    options: &RunOptions,
    interrupted: &CancellationToken,
    progress: &mut impl FnMut(&RunProgress),
) -> Result<Tally> {
    let (draining, killed) = (CancellationToken::new(), CancellationToken::new());
    let wake = Arc::new(Notify::new());
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    // Held until the last worker has ended.
    let gpu = gpu::host(&options.gpu, &options.program, scratch);
    let mut arguments = options.arguments.clone();
    arguments.extend(gpu::arguments(&options.gpu, gpu.as_ref()));
    let dispatch_options = DispatchOptions {
        spawn: SpawnOptions {
            program: options.program.clone(),
            arguments,
        },
        count: options.workers,
        threads: options.threads,
        plate_threads: cores.max(options.threads),
        defaults: DefaultLimits {
            time: options.time_limit,
            memory: None,
        },
        lease: Duration::from_secs(60),
        scratch: scratch.to_owned(),
        capacity: Capacity {
            memory: admission::memory_of_machine(),
            threads: cores.max(options.workers * options.threads),
            limits: BTreeMap::new(),
        },
    };
    let changed = Arc::new(Notify::new());
    let (for_events, for_progress) = (Arc::clone(&wake), Arc::clone(&changed));
    store.on_event(move |_| {
        for_events.notify_one();
        for_progress.notify_one();
    });
    let dispatch = Dispatch::start(
        Arc::clone(intake),
        dispatch_options,
        Arc::clone(&wake),
        draining.clone(),
        killed.clone(),
    );
    loop {
        let tasks = store.status()?.tasks;
        let state =
            |w: crate::WorkerState| Some(format!("{} {}", w.subject?, w.job.unwrap_or_default()));
        progress(&RunProgress {
            tasks,
            running: dispatch.states().into_iter().filter_map(state).collect(),
        });
        if tasks.pending() == 0 || interrupted.is_cancelled() {
            break;
        }
        tokio::select! {
            () = changed.notified() => {}
            () = interrupted.cancelled() => {}
            () = tokio::time::sleep(Duration::from_millis(500)) => {}
        }
    }
    draining.cancel();
    if interrupted.is_cancelled() {
        killed.cancel();
    }
    dispatch.ended().await;
    Ok(dispatch.gpu())
}

/// A dry run plans in a copy of the queue, so that the real one stays untouched.
fn scratch_copy(database: &Path, state: &Path) -> Result<(Store, Option<Scratch>)> {
    let copy = state.join(format!("dry-run-{}.db", std::process::id()));
    let scratch = Scratch(copy.clone());
    if database.exists() {
        Store::open(database, Options::default())?.backup(&copy)?;
    }
    Ok((Store::open(&copy, Options::default())?, Some(scratch)))
}

/// Removes the copy of a dry run.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm", ".lock"] {
            let mut path = self.0.clone().into_os_string();
            path.push(suffix);
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Tasks that would run, each with the reason.
fn planned(store: &Store) -> Result<Vec<(TaskRow, String)>> {
    let filter = TaskFilter {
        states: vec![TaskState::Ready, TaskState::Waiting, TaskState::Retrying],
        ..TaskFilter::default()
    };
    let tasks = records::pages(|cursor| store.tasks(&filter, cursor))?;
    let reason = |t: &TaskRow| match &t.because {
        _ if t.blocked => "would wait: something that it needs failed or is missing".to_owned(),
        _ if t.started_at.is_none() => "never run".to_owned(),
        Some(why) => because::words(why, &t.job).unwrap_or_else(|| why.to_string()),
        None => "has no result".to_owned(),
    };
    Ok(tasks.into_iter().map(|t| (t.clone(), reason(&t))).collect())
}

/// Also those of an interrupted run: they tell of the jobs that have ended.
fn status_files(
    intake: &Intake,
    root: RootId,
) -> Result<Vec<(String, Result<StatusFiles, String>)>> {
    let plates = records::plates_of(intake.store(), root)?.into_iter();
    let mut written: Vec<_> = plates
        .map(|plate| {
            let files = intake.write_status_files(plate.id);
            (plate.name, files.map_err(|error| error.to_string()))
        })
        .collect();
    written.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(written)
}

fn summarise(store: &Store, folder: &Path, summary: &mut RunSummary) -> Result<()> {
    summary.tasks = store.status()?.tasks;
    let failed = TaskFilter {
        states: vec![TaskState::Failed, TaskState::Quarantined],
        ..TaskFilter::default()
    };
    let failed = records::pages(|cursor| store.tasks(&failed, cursor))?;
    for state in [FileState::Unmatched, FileState::Unreadable] {
        let filter = FileFilter {
            state: Some(state),
            ..FileFilter::default()
        };
        summary
            .invalid
            .extend(records::pages(|cursor| store.files(&filter, cursor))?);
    }
    for plate in records::plates(store, &[])? {
        let of_plate = failed.iter().filter(|task| task.plate == plate.id);
        summary.failed.extend(of_plate.filter_map(|task| {
            Some(FailedTask {
                task: task.clone(),
                blame: Blame::of(task, folder, &plate.output)?,
            })
        }));
        for set in records::image_sets(store, plate.id)? {
            if set.state != queue::SubjectState::Complete {
                summary.incomplete.push((
                    format!("{} {}", plate.name, set.name),
                    set.missing.to_string(),
                ));
            }
        }
        summary.plates.push((plate.name, plate.output));
    }
    summary.failed.sort_by_key(|failed| failed.task.id);
    summary.plates.sort();
    Ok(())
}
