//! Plans: the tasks of an image set and of a plate, with their keys.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::SystemTime;

use queue::{Gate, NewTask, Plan, Require, SubjectId, Upstream};
use workflow::{Ingredients, Job, Scope, Workflow};

use crate::facility::Prepared;
use crate::hash::{hash_file, hash_texts};
use crate::lock::lock;

/// Hashes of model and corrector files, remembered by size and time.
#[derive(Default)]
pub struct FileHashes(Mutex<HashMap<PathBuf, (u64, SystemTime, String)>>);

impl FileHashes {
    /// Hash of a file's content; `missing` where it cannot be read: the job then runs and says why.
    pub fn hash(&self, path: &Path) -> String {
        let Ok(meta) = std::fs::metadata(path) else {
            return "missing".to_owned();
        };
        let modified = meta.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        let mut known = lock(&self.0);
        if let Some((size, at, hash)) = known.get(path)
            && (*size, *at) == (meta.len(), modified)
        {
            return hash.clone();
        }
        let hash = plate::foreign::open(path)
            .and_then(|file| hash_file(&file))
            .unwrap_or_else(|_| "missing".to_owned());
        known.insert(path.to_owned(), (meta.len(), modified, hash.clone()));
        hash
    }
}

/// What a plan is made for.
pub struct PlanFor<'a> {
    /// The subject's number in the queue.
    pub subject: SubjectId,
    /// The plate's name.
    pub plate: &'a str,
    /// Whether it is an image set or a plate.
    pub scope: Scope,
    /// Hash of the image set's planes; unused for a plate.
    pub input_hash: &'a str,
    /// Hash of the plate's complete image sets; `None` while the plate is still arriving.
    pub membership: Option<&'a str>,
    /// Attempts before a transient failure is final, where the job does not say.
    pub max_attempts: u32,
    /// Tasks with a larger one are run first.
    pub priority: i64,
}

/// The tasks of one subject.
#[must_use]
pub fn plan(workflow: &Workflow, wanted: &PlanFor<'_>, files: &FileHashes) -> Plan {
    let ingredients = ingredients(workflow, wanted, files);
    let tasks = workflow
        .jobs
        .iter()
        .enumerate()
        .filter(|(_, job)| job.kind.scope == wanted.scope)
        .filter_map(|(position, job)| {
            let made_of = ingredients.get(&job.id)?;
            Some(NewTask {
                job: job.id.clone(),
                kind: job.kind.name.to_owned(),
                scope: job.kind.scope.as_str().to_owned(),
                gate: if job.kind.scope == Scope::Plate {
                    Gate::PlateComplete
                } else {
                    Gate::SubjectComplete
                },
                position: i64::try_from(position).unwrap_or(i64::MAX),
                priority: wanted.priority,
                max_attempts: job.limits.max_attempts.unwrap_or(wanted.max_attempts),
                key: Some(made_of.key().0),
                ingredients: serde_json::to_value(made_of).unwrap_or_default(),
                upstream: job
                    .upstream
                    .iter()
                    .map(|&u| edge(&workflow.jobs[u], job))
                    .collect(),
                done: None,
            })
        })
        .collect();
    Plan {
        subject: wanted.subject,
        workflow: workflow.name.clone(),
        workflow_version: workflow.version.clone(),
        tasks,
        retire_missing: true,
    }
}

/// One bad image never stops a plate: a plate job waits until its image sets are settled, not until they succeed.
fn edge(from: &Job, to: &Job) -> Upstream {
    match (from.kind.scope, to.kind.scope) {
        (Scope::ImageSet, Scope::Plate) => Upstream::Plate {
            job: from.id.clone(),
            require: Require::Settled,
        },
        (Scope::Plate, Scope::ImageSet) => Upstream::Plate {
            job: from.id.clone(),
            require: Require::Succeeded,
        },
        _ => Upstream::Job(from.id.clone()),
    }
}

/// Everything that the keys of a plate's tasks depend on, besides the images.
pub fn fingerprint(prepared: &Prepared, plate: &str, files: &FileHashes) -> String {
    let mut parts = vec![prepared.id.clone()];
    for job in &prepared.workflow.jobs {
        parts.push(format!("{}/{}", job.kind.name, job.kind.version));
        parts.extend(outside(job, plate, files).into_values());
    }
    hash_texts(parts.iter().map(String::as_str))
}

/// What a job reads besides images and results of other jobs: hashes of files, and what concerns this plate in lists.
fn outside(job: &Job, plate: &str, files: &FileHashes) -> BTreeMap<String, String> {
    let mut outside = job.operation.outside(plate);
    for path in job.operation.files() {
        outside.insert(path.display().to_string(), files.hash(&path));
    }
    outside
}

/// The ingredients of every job of a workflow for one image set.
///
/// The content of a plate stands for all its image sets, so the key of a plate job must not depend on the set that is planned.
fn ingredients(
    workflow: &Workflow,
    wanted: &PlanFor<'_>,
    files: &FileHashes,
) -> BTreeMap<String, Ingredients> {
    let of_any_set = collect(workflow, "", wanted, None, files);
    collect(
        workflow,
        wanted.input_hash,
        wanted,
        Some(&of_any_set),
        files,
    )
}

fn collect(
    workflow: &Workflow,
    input_hash: &str,
    wanted: &PlanFor<'_>,
    plate_jobs: Option<&BTreeMap<String, Ingredients>>,
    files: &FileHashes,
) -> BTreeMap<String, Ingredients> {
    let mut out: BTreeMap<String, Ingredients> = BTreeMap::new();
    for job in &workflow.jobs {
        if job.kind.scope == Scope::Plate
            && let Some(made_of) = plate_jobs.and_then(|p| p.get(&job.id))
        {
            out.insert(job.id.clone(), made_of.clone());
            continue;
        }
        let inputs = match job.kind.scope {
            Scope::ImageSet => input_hash,
            Scope::Plate => wanted.membership.unwrap_or("the plate is still arriving"),
        };
        let upstream = job
            .upstream
            .iter()
            .map(|&u| &workflow.jobs[u])
            .filter_map(|u| Some((u.id.clone(), out.get(&u.id)?.key().0)))
            .collect();
        let made_of = Ingredients {
            inputs: inputs.to_owned(),
            upstream,
            kind: job.kind.name.to_owned(),
            kind_version: job.kind.version,
            parameters: job.parameters.to_string(),
            wiring: wiring(workflow, job),
            files: outside(job, wanted.plate, files),
        };
        out.insert(job.id.clone(), made_of);
    }
    out
}

/// Everything else in the workflow that shapes a job's stored result.
fn wiring(workflow: &Workflow, job: &Job) -> String {
    let channels: BTreeMap<&str, &str> = job
        .inputs
        .values()
        .flatten()
        .filter_map(|name| Some((name.as_str(), workflow.channel_of(name)?)))
        .collect();
    let mut wiring = serde_json::json!({
        "inputs": job.inputs,
        "outputs": job.outputs,
        "channels": channels,
        "keep": job.keep,
        "scale_factors": workflow.scale_factors,
        "projection": workflow.projection,
    });
    // Only where it is another than the one that there was first: results that are there keep their keys.
    if workflow.format != config::ContainerFormat::H5 {
        wiring["format"] = serde_json::json!(workflow.format);
    }
    wiring.to_string()
}
