//! A pass: some jobs on one image set or one plate, run in graph order with the arrays kept in memory.
//!
//! Inputs are read once and the container is published once. If a job fails, the jobs that need its outputs are
//! skipped and what the others made is published all the same.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use analysis::accelerator::Accelerator;
use faults::Point;
use image_io::Pixels;
use image_io::container::{
    Attribute, Color, Container, ContainerWriter, ImageOptions, VisibleType,
};
use serde::{Deserialize, Serialize};

pub use crate::context::PlaneRef;
use crate::context::{ImageContext, Item, JobIo, Setting};
use crate::error::{Failure, FailureClass};
use crate::graph::{Job, Scope, Workflow};
use crate::kind::Compiled;
use crate::plate_context::{PlateIo, PlateMember};

mod project;
pub use project::project;

/// What a pass works on.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "subject", rename_all = "snake_case")]
pub enum Subject {
    /// One image set.
    ImageSet {
        /// `A01-0001`.
        name: String,
        /// Its planes in the acquisition.
        planes: Vec<PlaneRef>,
        /// Their files as they were registered.
        inputs: Vec<InputState>,
        /// Hash of their content.
        input_hash: String,
        /// Where its container is published.
        #[serde(with = "plate::portable")]
        container: PathBuf,
    },
    /// One plate.
    Plate {
        /// Its image sets, in well and site order.
        members: Vec<PlateMember>,
    },
}

/// A file as it was when it was registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputState {
    /// The watched folder.
    #[serde(with = "plate::portable")]
    pub root: PathBuf,
    /// Path below it.
    #[serde(with = "plate::portable")]
    pub path: PathBuf,
    /// Its size in bytes.
    pub size: u64,
    /// When it was last written, nanoseconds since 1970.
    pub mtime_ns: i64,
    /// When that, its name, its mode or its links were last changed, nanoseconds since 1970: a file that is moved away and back
    /// keeps all the rest.
    pub ctime_ns: i64,
}

impl InputState {
    /// Whether the file is still as it was registered; anything may write into an acquisition folder while a pass runs.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        use std::os::unix::fs::MetadataExt;
        // What is gone, or no file any more, was not written to: whoever read it says what is wrong.
        let opened = image_io::acquisition::open_below(&self.root, &self.path);
        let Ok(found) = opened.and_then(|file| file.metadata()) else {
            return Ok(());
        };
        let nanoseconds = |seconds: i64, fraction: i64| {
            seconds
                .saturating_mul(1_000_000_000)
                .saturating_add(fraction)
        };
        let found = (
            found.len(),
            nanoseconds(found.mtime(), found.mtime_nsec()),
            nanoseconds(found.ctime(), found.ctime_nsec()),
        );
        if found == (self.size, self.mtime_ns, self.ctime_ns) {
            return Ok(());
        }
        let path = self.root.join(&self.path).display().to_string();
        Err(Failure {
            class: FailureClass::Environment,
            code: "input-changed".to_owned(),
            message: format!("`{path}` was changed after it had been registered"),
            remedy: "nothing: once the file is left alone it is registered anew, and the image set is computed from what it holds then".to_owned(),
            path: Some(path),
        })
    }
}

/// A job to run, with the key that its result is stored under.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JobRequest {
    /// The job's id in the workflow.
    pub job: String,
    /// Its task key.
    pub key: String,
}

/// Everything that a worker needs to know for one pass.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PassRequest {
    /// The queue's number of the pass.
    pub pass: i64,
    /// The plate's name.
    pub plate: String,
    /// The plate's output folder.
    #[serde(with = "plate::portable")]
    pub plate_dir: PathBuf,
    /// What to work on.
    pub subject: Subject,
    /// Where jobs may keep temporary files; empty: in the plate's output folder.
    #[serde(default, with = "plate::portable")]
    pub scratch: PathBuf,
    /// Jobs to run, in graph order.
    pub jobs: Vec<JobRequest>,
}

/// How one job ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum JobOutcome {
    /// Its outputs are published.
    Succeeded,
    /// It failed.
    Failed {
        /// Why, and what to do.
        failure: Failure,
    },
    /// It did not run, because an upstream job failed in this pass.
    Skipped {
        /// That job.
        because: String,
    },
}

/// How a pass ended.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct PassReport {
    /// Outcome of each requested job.
    pub outcomes: BTreeMap<String, JobOutcome>,
    /// Wall-clock milliseconds by step: job ids, `read`, `publish`.
    pub elapsed_ms: BTreeMap<String, f64>,
    /// Size of the published file in bytes.
    pub published_bytes: u64,
    /// Number of objects by label image.
    pub objects: BTreeMap<String, u64>,
}

/// Attribute of a container with the hash of the files that its raw channels came from.
const INPUTS: &str = "wellspring_inputs";

/// Told each job as it starts.
pub type Started<'a> = &'a mut (dyn FnMut(&str) + Send);

/// Runs a pass. `started` is told each job as it starts.
///
/// The result is complete when the function returns: either the container is published and durable, or nothing under its
/// name has changed and every job is reported as failed.
#[must_use]
pub fn run(workflow: &Arc<Workflow>, request: &PassRequest, started: Started<'_>) -> PassReport {
    run_on(workflow, request, started, None)
}

/// As [`run`]; jobs may have `accelerator` run operations instead of this processor.
#[must_use]
pub fn run_on(
    workflow: &Arc<Workflow>,
    request: &PassRequest,
    started: Started<'_>,
    accelerator: Option<&Arc<dyn Accelerator>>,
) -> PassReport {
    let mut report = PassReport::default();
    let result = match &request.subject {
        Subject::ImageSet {
            planes,
            container,
            input_hash,
            name,
            ..
        } => run_image_set(
            workflow,
            request,
            (name, planes, input_hash),
            container,
            started,
            &mut report,
            accelerator,
        ),
        Subject::Plate { members } => run_plate(workflow, request, members, started, &mut report),
    };
    // A job that failed on a file which is being written again did not fail for good.
    let failed = |outcome: &JobOutcome| matches!(outcome, JobOutcome::Failed { .. });
    if report.outcomes.values().any(failed)
        && let Err(changed) = check_inputs(request)
    {
        for outcome in report.outcomes.values_mut().filter(|o| failed(o)) {
            *outcome = JobOutcome::Failed {
                failure: changed.clone(),
            };
        }
    }
    // Nothing was published: no job of this pass has a result.
    if let Err(failure) = result {
        for job in &request.jobs {
            let outcome = report
                .outcomes
                .entry(job.job.clone())
                .or_insert(JobOutcome::Succeeded);
            if *outcome == JobOutcome::Succeeded {
                *outcome = JobOutcome::Failed {
                    failure: failure.clone(),
                };
            }
        }
    }
    report
}

fn run_image_set(
    workflow: &Arc<Workflow>,
    request: &PassRequest,
    (name, planes, input_hash): (&str, &[PlaneRef], &str),
    target: &std::path::Path,
    started: Started<'_>,
    report: &mut PassReport,
    accelerator: Option<&Arc<dyn Accelerator>>,
) -> Result<(), Failure> {
    let stored = open_previous(target)?;
    let has_previous = stored.is_some();
    // Raw channels are stored anew unless the container holds those of the very same files.
    let same_inputs = stored
        .as_ref()
        .and_then(|s| s.attribute("/", INPUTS).ok().flatten())
        .is_some_and(|a| a.as_text() == Some(input_hash));
    let mut context = ImageContext::new(
        Arc::clone(workflow),
        planes.to_vec(),
        request.plate_dir.clone(),
        stored,
        Setting {
            plate: request.plate.clone(),
            set: name.to_owned(),
            image: target
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            scratch: request.scratch.clone(),
        },
    );
    context.accelerator = accelerator.cloned();
    let requested: Vec<usize> = request
        .jobs
        .iter()
        .filter_map(|j| workflow.position(&j.job))
        .collect();
    // Outputs of the jobs that run anew must not be taken from the old container.
    let stale: BTreeSet<&str> = requested
        .iter()
        .flat_map(|&i| outputs(&workflow.jobs[i]))
        .collect();
    let mut failed: BTreeMap<usize, String> = BTreeMap::new();
    for index in plan(workflow, &requested, context.stored.as_ref()) {
        let job = &workflow.jobs[index];
        let recorded = requested.contains(&index);
        if let Some(cause) = job.upstream.iter().find_map(|u| failed.get(u)) {
            if recorded {
                report.outcomes.insert(
                    job.id.clone(),
                    JobOutcome::Skipped {
                        because: cause.clone(),
                    },
                );
            }
            let cause = cause.clone();
            failed.insert(index, cause);
            continue;
        }
        if recorded {
            started(&job.id);
        }
        faults::point(Point::WorkerJob);
        let begin = Instant::now();
        let result = match &job.operation {
            Compiled::Image(operation) => operation.run(&mut JobIo {
                context: &mut context,
                job,
                index,
            }),
            Compiled::Plate(_) => continue,
        };
        report
            .elapsed_ms
            .insert(job.id.clone(), begin.elapsed().as_secs_f64() * 1e3);
        match result {
            Ok(()) if recorded => drop(
                report
                    .outcomes
                    .insert(job.id.clone(), JobOutcome::Succeeded),
            ),
            Ok(()) => {}
            Err(failure) => {
                for name in outputs(job) {
                    context.items.remove(name);
                    context.tables.remove(name);
                }
                failed.insert(index, job.id.clone());
                let reported = if recorded {
                    &job.id
                } else {
                    &request.jobs[0].job
                };
                report
                    .outcomes
                    .insert(reported.clone(), JobOutcome::Failed { failure });
            }
        }
    }
    if let Some(accelerator) = accelerator {
        accelerator.forget();
    }
    let begin = Instant::now();
    let raw = (!same_inputs).then_some(input_hash);
    report.published_bytes = publish(
        &mut context,
        request,
        target,
        has_previous,
        raw,
        &stale,
        report,
    )?;
    report
        .elapsed_ms
        .insert("publish".to_owned(), begin.elapsed().as_secs_f64() * 1e3);
    Ok(())
}

/// A container of an earlier pass. One that cannot be read is treated as absent: every image in it is made again, and the
/// damaged file is replaced only by a whole new one.
fn open_previous(target: &std::path::Path) -> Result<Option<Container>, Failure> {
    image_io::container::recover(target)?;
    // A link would bring what it leads to into the new container; the publishing replaces it by a file.
    if !target.exists() || target.is_symlink() {
        return Ok(None);
    }
    match Container::open(target) {
        Ok(container) => Ok(Some(container)),
        Err(error)
            if error.class() == image_io::ErrorClass::Permanent
                || matches!(error, image_io::Error::Hdf5 { .. }) =>
        {
            tracing::warn!(path = %target.display(), %error, "the container of an earlier pass cannot be read and is made anew");
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

fn outputs(job: &Job) -> impl Iterator<Item = &str> {
    job.outputs.values().flatten().map(String::as_str)
}

/// The requested jobs, and before them the jobs whose outputs they need but that nobody stored.
fn plan(workflow: &Workflow, requested: &[usize], stored: Option<&Container>) -> BTreeSet<usize> {
    let mut out: BTreeSet<usize> = requested.iter().copied().collect();
    let mut open: Vec<usize> = requested.to_vec();
    while let Some(index) = open.pop() {
        for name in workflow.jobs[index].inputs.values().flatten() {
            let Some(producer) = workflow.producer(name, index) else {
                continue;
            };
            let available = workflow.jobs[producer].kind.scope == Scope::Plate
                || stored.is_some_and(|s| s.has_image(name) || s.has_table(name));
            if !available && out.insert(producer) {
                open.push(producer);
            }
        }
    }
    out
}

fn publish(
    context: &mut ImageContext,
    request: &PassRequest,
    target: &std::path::Path,
    has_previous: bool,
    raw: Option<&str>,
    stale: &BTreeSet<&str>,
    report: &mut PassReport,
) -> Result<u64, Failure> {
    let workflow = Arc::clone(&context.workflow);
    context.stored = None;
    if let Some(folder) = target.parent() {
        let made = faults::write_point(Point::WorkerPublishing)
            .and_then(|()| std::fs::create_dir_all(folder));
        made.map_err(|source| image_io::Error::Io {
            path: folder.to_owned(),
            action: "create",
            source,
        })?;
    }
    let mut writer = ContainerWriter::create(target, has_previous.then_some(target))?;
    // What a job made before and did not make now must not look as if it belonged to this result.
    for name in stale.iter().filter(|n| !context.items.contains_key(**n)) {
        writer.remove_image(name);
    }
    for name in stale.iter().filter(|n| !context.tables.contains_key(**n)) {
        writer.remove_table(name);
    }
    if let Some(input_hash) = raw {
        let raw = if workflow.keep_raw {
            store_raw(context, &mut writer)?
        } else {
            Raw::default()
        };
        let nothing_made = !report
            .outcomes
            .values()
            .any(|outcome| *outcome == JobOutcome::Succeeded);
        if nothing_made && raw.stored == 0 && !has_previous {
            // An empty container would only look like a result.
            return Ok(0);
        }
        // What could not be read now but may be later is stored by the next pass, which must not think that it is there.
        if !raw.may_come {
            writer.set_attribute(INPUTS, &Attribute::Text(input_hash.to_owned()))?;
        }
    }
    for job in &workflow.jobs {
        if !request.jobs.iter().any(|j| j.job == job.id) {
            continue;
        }
        for name in outputs(job) {
            if let Some(Item::Labels(labels)) = context.items.get(name) {
                report.objects.insert(
                    name.to_owned(),
                    u64::from(labels.iter().copied().max().unwrap_or(0)),
                );
            }
            if !job.keep || context.left.contains(name) {
                continue;
            }
            if let Some(item) = context.items.get(name) {
                let mut options = ImageOptions {
                    scale_factors: workflow.scale_factors.clone(),
                    attributes: provenance(request, job),
                    ..ImageOptions::default()
                };
                if workflow.channel_of(name).is_some() {
                    options = channel_look(name, options);
                    options.channel_information = workflow.channel_of(name).map(str::to_owned);
                } else if let Some(look) = context.looks.get(name) {
                    options.use_nearest = look.nearest;
                    if let Some(role) = &look.like
                        && workflow.channel_of(role).is_some()
                    {
                        options = channel_look(role, options);
                        options.visible = false;
                        options.channel_information = workflow.channel_of(role).map(str::to_owned);
                    }
                }
                match item {
                    Item::Image(pixels) => writer.add_image(name, pixels, &options)?,
                    Item::Mask(mask) => {
                        writer.add_image(name, &Pixels::U8(mask.mapv(u8::from)), &options)?;
                    }
                    Item::Labels(labels) => writer.add_image(
                        name,
                        &Pixels::U32(ndarray::Array2::clone(labels)),
                        &options,
                    )?,
                }
            }
            if let Some(table) = context.tables.get(name) {
                writer.add_table(name, table, VisibleType::U8)?;
            }
        }
        if report.outcomes.get(&job.id) == Some(&JobOutcome::Succeeded) {
            let notes = context.notes.get(&job.id);
            set_provenance(&mut writer, &workflow, request, job, notes)?;
        }
    }
    for (name, value) in &context.attributes {
        writer.set_attribute(name, &Attribute::Text(value.clone()))?;
    }
    set_version(&mut writer)?;
    check_inputs(request)?;
    Ok(writer.commit()?.bytes)
}

/// What was read must be what the keys speak of: a file that is written in place keeps its name.
fn check_inputs(request: &PassRequest) -> Result<(), Failure> {
    match &request.subject {
        Subject::ImageSet { inputs, .. } => inputs.iter().try_for_each(InputState::check),
        // Checked where each is read: a plate has too many, of which most jobs read none.
        Subject::Plate { .. } => Ok(()),
    }
}

/// What became of the raw channels.
#[derive(Default)]
struct Raw {
    stored: usize,
    /// Whether one was left out that a later pass may be able to read.
    may_come: bool,
}

/// Raw channels under their role, or under `<role>_raw` (hidden) where a job replaces the role.
fn store_raw(context: &mut ImageContext, writer: &mut ContainerWriter) -> Result<Raw, Failure> {
    let mut raw = Raw::default();
    let workflow = Arc::clone(&context.workflow);
    let roles: BTreeSet<String> = context
        .planes
        .iter()
        .filter_map(|p| workflow.role_of(&p.channel).map(str::to_owned))
        .collect();
    for role in roles {
        let pixels = match context.raw(&role) {
            Ok(pixels) => pixels,
            // The jobs that needed this channel have failed and say why; the other channels are stored.
            Err(failure) => {
                raw.may_come |= failure.class != FailureClass::Permanent;
                tracing::warn!(channel = %role, error = %failure, "a raw channel is left out of the container");
                continue;
            }
        };
        let replaced = workflow.producer(&role, usize::MAX).is_some();
        let name = if replaced {
            format!("{role}_raw")
        } else {
            role.clone()
        };
        let mut options = ImageOptions {
            scale_factors: workflow.scale_factors.clone(),
            ..ImageOptions::default()
        };
        options.channel_information = Some(workflow.channel_of(&role).unwrap_or(&role).to_owned());
        options = channel_look(&role, options);
        options.visible &= !replaced;
        writer.add_image(&name, &pixels, &options)?;
        raw.stored += 1;
    }
    Ok(raw)
}

/// The plate tables that an output's name means: a name with a slash is one table, another is one of each level.
fn plate_table_names(output: &str) -> Vec<String> {
    if output.contains('/') {
        return vec![output.to_owned()];
    }
    ["images", "wells", "plate"]
        .map(|level| format!("{level}/{output}"))
        .to_vec()
}

/// BatchLib's viewer defaults by role.
fn channel_look(role: &str, mut options: ImageOptions) -> ImageOptions {
    let (color, visible) = match role {
        r if r.starts_with("nuclei") => (Some(Color::Blue), true),
        r if r.starts_with("serum") => (Some(Color::Green), true),
        r if r.starts_with("marker") => (Some(Color::Red), true),
        r if r.starts_with("cells") => (Some(Color::Gray), false),
        _ => (None, false),
    };
    options.color = color;
    options.visible = visible;
    options
}

/// The key of a job in this pass.
fn key_of<'r>(request: &'r PassRequest, job: &Job) -> &'r str {
    request
        .jobs
        .iter()
        .find(|j| j.job == job.id)
        .map_or("", |j| j.key.as_str())
}

/// Provenance of an image, on its group.
fn provenance(request: &PassRequest, job: &Job) -> Vec<(String, Attribute)> {
    [
        ("job", job.id.clone()),
        ("kind", format!("{}/{}", job.kind.name, job.kind.version)),
        ("key", key_of(request, job).to_owned()),
        ("parameters", job.parameters.to_string()),
    ]
    .into_iter()
    .map(|(name, value)| (format!("wellspring_{name}"), Attribute::Text(value)))
    .collect()
}

/// Provenance of a job, on the file: the only place for jobs that make tables.
fn set_provenance(
    writer: &mut ContainerWriter,
    workflow: &Workflow,
    request: &PassRequest,
    job: &Job,
    notes: Option<&BTreeMap<&'static str, String>>,
) -> Result<(), Failure> {
    let mut made_by = serde_json::json!({
        "workflow": workflow.name,
        "workflow_version": workflow.version,
        "kind": job.kind.name,
        "kind_version": job.kind.version,
        "key": key_of(request, job),
        "parameters": job.parameters,
        "inputs": job.inputs,
        "outputs": job.outputs,
        "wellspring": env!("CARGO_PKG_VERSION"),
    });
    for (key, value) in notes.into_iter().flatten() {
        made_by[*key] = value.as_str().into();
    }
    Ok(writer.set_attribute(
        &format!("wellspring_job_{}", job.id),
        &Attribute::Text(made_by.to_string()),
    )?)
}

fn run_plate(
    workflow: &Arc<Workflow>,
    request: &PassRequest,
    members: &[PlateMember],
    started: Started<'_>,
    report: &mut PassReport,
) -> Result<(), Failure> {
    std::fs::create_dir_all(&request.plate_dir).map_err(|source| image_io::Error::Io {
        path: request.plate_dir.clone(),
        action: "create",
        source,
    })?;
    let mut tables = BTreeMap::new();
    // The jobs that made them. Others have files of their own, and their keys would grow old in this one.
    let mut makers = BTreeSet::new();
    let mut failed: BTreeMap<usize, String> = BTreeMap::new();
    for index in request
        .jobs
        .iter()
        .filter_map(|j| workflow.position(&j.job))
    {
        let job = &workflow.jobs[index];
        let Compiled::Plate(operation) = &job.operation else {
            continue;
        };
        if let Some(cause) = job.upstream.iter().find_map(|u| failed.get(u)).cloned() {
            report.outcomes.insert(
                job.id.clone(),
                JobOutcome::Skipped {
                    because: cause.clone(),
                },
            );
            failed.insert(index, cause);
            continue;
        }
        started(&job.id);
        faults::point(Point::WorkerJob);
        let begin = Instant::now();
        let before: BTreeSet<String> = tables.keys().cloned().collect();
        let result = operation.run(&mut PlateIo {
            workflow,
            job,
            members,
            plate: &request.plate,
            plate_dir: &request.plate_dir,
            tables: &mut tables,
            opened: RefCell::new(None),
        });
        report
            .elapsed_ms
            .insert(job.id.clone(), begin.elapsed().as_secs_f64() * 1e3);
        match result {
            Ok(()) => {
                if tables.len() > before.len() {
                    makers.insert(index);
                }
                report
                    .outcomes
                    .insert(job.id.clone(), JobOutcome::Succeeded);
            }
            Err(failure) => {
                tables.retain(|name, _| before.contains(name));
                failed.insert(index, job.id.clone());
                report
                    .outcomes
                    .insert(job.id.clone(), JobOutcome::Failed { failure });
            }
        }
    }
    let target = crate::plate_table_file(&request.plate_dir);
    let previous = open_previous(&target)?;
    // What a job made before and did not make now must not look as if it belonged to this result.
    let stale: Vec<String> = request
        .jobs
        .iter()
        .filter_map(|j| workflow.position(&j.job))
        .flat_map(|index| outputs(&workflow.jobs[index]).flat_map(plate_table_names))
        .filter(|name| !tables.contains_key(name))
        .filter(|name| previous.as_ref().is_some_and(|p| p.has_table(name)))
        .collect();
    if tables.is_empty() && stale.is_empty() {
        return Ok(());
    }
    let begin = Instant::now();
    faults::write_point(Point::PlatePublishing).map_err(|source| image_io::Error::Io {
        path: target.clone(),
        action: "create",
        source,
    })?;
    let mut writer =
        ContainerWriter::create(&target, previous.is_some().then_some(target.as_path()))?;
    drop(previous);
    for (name, table) in &tables {
        writer.add_table(name, table, VisibleType::U8)?;
    }
    for name in &stale {
        writer.remove_table(name);
    }
    for index in makers {
        set_provenance(&mut writer, workflow, request, &workflow.jobs[index], None)?;
    }
    set_version(&mut writer)?;
    report.published_bytes = writer.commit()?.bytes;
    report
        .elapsed_ms
        .insert("publish".to_owned(), begin.elapsed().as_secs_f64() * 1e3);
    Ok(())
}

/// PlateViewer shows this attribute as the version of the results.
fn set_version(writer: &mut ContainerWriter) -> Result<(), Failure> {
    let version = concat!("wellspring ", env!("CARGO_PKG_VERSION"));
    Ok(writer.set_attribute("batchlib_commit", &Attribute::Text(version.to_owned()))?)
}
