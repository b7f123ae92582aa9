//! From the configuration to what the engine works with: folders, workflows, limits.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use config::DaemonConfig;
use gpu_worker::Host;
use queue::{NewRoot, RootId, Store};
use watch::RootSpec;
use worker::SpawnOptions;

use crate::admission::{self, Capacity};
use crate::dispatch::DispatchOptions;
use crate::engine::EngineOptions;
use crate::error::{Error, Result};
use crate::facility::{Facility, Prepared, RootSettings};
use crate::gpu;
use crate::output::Output;
use crate::ready_pass::DefaultLimits;

/// The folders of a configuration with everything about them resolved.
///
/// `before`: the folders so far. An output folder that is among theirs stays taken.
pub(crate) fn facility(
    store: &Store,
    config: &DaemonConfig,
    before: &Facility,
) -> Result<Facility> {
    let known = before.roots().iter();
    let mut outputs: HashMap<PathBuf, Arc<Output>> = known
        .filter_map(|root| Some((root.output.clone(), root.guard.clone()?)))
        .collect();
    let mut roots = Vec::new();
    for root in config.roots.iter().filter(|r| r.enabled) {
        let guard = match outputs.get(&root.output) {
            Some(guard) => Arc::clone(guard),
            None => Arc::new(Output::take(store, &root.output, &config.state.dir)?),
        };
        outputs.insert(root.output.clone(), Arc::clone(&guard));
        roots.push(root_settings(store, config, root, guard)?);
    }
    Ok(Facility::new(roots))
}

pub(crate) fn specs(config: &DaemonConfig, facility: &Facility) -> Vec<RootSpec> {
    let enabled = config.roots.iter().filter(|r| r.enabled);
    enabled
        .zip(facility.roots())
        .map(|(root, settings)| root_spec(root, settings.id))
        .collect()
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
        format: root.layout.as_ref().and_then(format),
        prepared: Arc::new(prepared),
        ignore_before: if root.existing == config::Existing::Ignore {
            first_watched
        } else {
            None
        },
        priority: i64::from(root.priority),
        status_files: root.status_files,
        max_attempts: config.workers.max_attempts,
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

/// The size of the plates: as it is said, or the smallest that has all wells that are imaged.
fn format(layout: &config::Layout) -> Option<plate::PlateFormat> {
    if let (Some(rows), Some(columns)) = (layout.rows, layout.columns) {
        return Some(plate::PlateFormat {
            rows: rows.try_into().ok()?,
            columns: columns.try_into().ok()?,
        });
    }
    plate::PlateFormat::guess(layout.wells.iter().filter_map(|well| well.parse().ok()))
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

/// The arguments of a worker, with what it must know of the configuration from its start on.
fn worker_arguments(
    config: &DaemonConfig,
    options: &EngineOptions,
    gpu: Option<&Arc<Host>>,
) -> Vec<String> {
    let mut arguments = options.arguments.clone();
    arguments.extend(gpu::arguments(&config.workers.gpu, gpu));
    if let Some(library) = &config.workers.onnxruntime {
        arguments.push(format!("--onnxruntime={}", library.display()));
    }
    arguments
}

pub(crate) fn dispatch_options(
    config: &DaemonConfig,
    options: &EngineOptions,
    gpu: Option<&Arc<Host>>,
) -> DispatchOptions {
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
            arguments: worker_arguments(config, options, gpu),
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
        scratch: config
            .workers
            .scratch
            .clone()
            .unwrap_or_else(|| config.state.dir.clone()),
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

/// Programs and files that the jobs of a root need and that are missing on this machine, as sentences.
///
/// # Errors
/// The workflow is not found, or cannot run.
pub fn missing_here(config: &DaemonConfig, root: &config::Root) -> Result<Vec<String>> {
    let warnings = load_workflow(config, root)?.workflow.warnings();
    Ok(warnings.iter().map(ToString::to_string).collect())
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
    root_spec(root, RootId(0)).check()?;
    plate::NamingScheme::from_config(&root.naming)?;
    for rule in &root.plate_complete {
        rule.parse::<plate::CompleteRule>()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_says_how_large_the_plates_are() {
        let size = |layout| format(&layout).map(|format| (format.rows, format.columns));
        let grid = config::Layout {
            rows: Some(32),
            columns: Some(48),
            ..config::Layout::default()
        };
        assert_eq!(size(grid), Some((32, 48)));
        let wells = config::Layout {
            wells: vec!["A01".into(), "h3".into()],
            ..config::Layout::default()
        };
        assert_eq!(size(wells), Some((8, 12)));
        assert_eq!(size(config::Layout::default()), None);
    }
}
