//! Folds a workflow and those that it extends into one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::WorkflowFile;
use super::job::{JOB_KEYS, Places};
use crate::document::{Checked, Document};
use crate::error::ConfigError;
use crate::problem::{Location, Place, Problem};
use crate::schema;
use crate::suggest::did_you_mean;

/// One file, or several that are folded already.
struct Layer {
    top: toml::Table,
    jobs: Vec<JobLayer>,
    places: BTreeMap<String, Location>,
    sources: Vec<PathBuf>,
}

struct JobLayer {
    id: String,
    table: toml::Table,
    places: BTreeMap<String, Location>,
}

/// Reads what the document extends, folds it in, and validates the whole.
pub(super) fn assemble(document: &Document, base_dir: &Path) -> Result<WorkflowFile, ConfigError> {
    let mut chain: Vec<PathBuf> = document
        .file
        .iter()
        .filter_map(|file| file.canonicalize().ok())
        .collect();
    let layer = read_layer(document, base_dir, &mut chain)?;
    let mut table = layer.top;
    table.insert(
        "job".to_owned(),
        toml::Value::Array(
            layer
                .jobs
                .iter()
                .map(|job| toml::Value::Table(job.table.clone()))
                .collect(),
        ),
    );
    let mut workflow = WorkflowFile::deserialize(toml::Value::Table(table))
        .map_err(|e| ConfigError::Invalid(vec![Problem::error("", e.message().to_owned())]))?;
    for (job, layer) in workflow.jobs.iter_mut().zip(layer.jobs) {
        for key in layer.table.keys() {
            let file = layer
                .places
                .get(key)
                .and_then(|place| place.file.as_deref());
            if let Some(dir) = file.and_then(Path::parent).filter(|dir| *dir != base_dir) {
                workflow
                    .inherited_dirs
                    .insert(format!("{}.{key}", job.id), dir.to_owned());
            }
        }
        // `flatten` turns a date into a table; the parameters are taken as they were written.
        job.parameters = layer.table;
        job.parameters.retain(|key, _| !JOB_KEYS.contains(&key));
        job.places = Places(layer.places);
    }
    workflow.base_dir = base_dir.to_owned();
    workflow.sources = layer.sources;
    workflow.places = Places(layer.places);
    let errors: Vec<Problem> = workflow
        .validate()
        .into_iter()
        .filter(Problem::is_error)
        .collect();
    if errors.is_empty() {
        Ok(workflow)
    } else {
        Err(ConfigError::Invalid(errors))
    }
}

fn read_layer(
    document: &Document,
    dir: &Path,
    chain: &mut Vec<PathBuf>,
) -> Result<Layer, ConfigError> {
    let checked: Checked<WorkflowFile> = document
        .check(schema::workflow())
        .map_err(ConfigError::Invalid)?;
    let extends = checked.typed.extends.clone();
    let own = split(document, checked)?;
    let Some(extends) = extends else {
        return match own.jobs.iter().find(|job| removes(job)) {
            Some(job) => Err(invalid(
                &job.places,
                "remove",
                format!("`{}` cannot be removed: this file extends no other", job.id),
                "take the whole block out",
            )),
            None => Ok(own),
        };
    };
    if !own.top.contains_key("name") {
        return Err(invalid(
            &own.places,
            "extends",
            "a workflow that extends another needs a `name` of its own".to_owned(),
            "add a line such as `name = \"nuclei-strict\"`",
        ));
    }
    let path = dir.join(&extends);
    let identity = path.canonicalize().map_err(|e| {
        invalid(
            &own.places,
            "extends",
            format!("cannot read `{}`: {e}", path.display()),
            "the path begins at the folder of this file",
        )
    })?;
    if chain.contains(&identity) {
        let circle: Vec<String> = chain
            .iter()
            .chain([&identity])
            .map(|p| format!("`{}`", p.display()))
            .collect();
        return Err(invalid(
            &own.places,
            "extends",
            format!("the workflow extends itself: {}", circle.join(" -> ")),
            "take out one `extends` of the circle",
        ));
    }
    chain.push(identity);
    let base = Document::read(&path)
        .and_then(|base| read_layer(&base, path.parent().unwrap_or(Path::new("")), chain));
    chain.pop();
    fold(base?, own).map_err(ConfigError::Invalid)
}

fn invalid(
    places: &BTreeMap<String, Location>,
    key: &str,
    message: String,
    remedy: &str,
) -> ConfigError {
    let problem = Problem::error(key, message).remedy(remedy);
    ConfigError::Invalid(vec![match places.get(key) {
        Some(location) => problem.at(Place::File(location.clone())),
        None => problem,
    }])
}

fn removes(job: &JobLayer) -> bool {
    job.table.get("remove") == Some(&toml::Value::Boolean(true))
}

/// Takes the jobs of a file apart, and refuses two of the same id.
fn split(document: &Document, checked: Checked<WorkflowFile>) -> Result<Layer, ConfigError> {
    let mut top = checked.table;
    let (mut places, mut job_places) = (
        BTreeMap::new(),
        vec![BTreeMap::new(); checked.typed.jobs.len()],
    );
    for (key, location) in checked.spots {
        match key
            .strip_prefix("job[")
            .and_then(|rest| rest.split_once(']'))
        {
            Some((index, rest)) => {
                if let Some(places) = index
                    .parse()
                    .ok()
                    .and_then(|i: usize| job_places.get_mut(i))
                {
                    places.insert(rest.trim_start_matches('.').to_owned(), location);
                }
            }
            None => drop(places.insert(key, location)),
        }
    }
    let tables = match top.remove("job") {
        Some(toml::Value::Array(jobs)) => jobs,
        _ => Vec::new(),
    };
    let mut jobs: Vec<JobLayer> = Vec::new();
    let mut problems = Vec::new();
    for ((typed, table), places) in checked.typed.jobs.iter().zip(tables).zip(job_places) {
        if let Some(first) = jobs.iter().find(|job| job.id == typed.id) {
            let line = first.places.get("id").map_or(0, |location| location.line);
            let location = places.get("id").cloned();
            let problem = Problem::error(
                format!("job.{}.id", typed.id),
                format!(
                    "the job id `{}` is used twice; first in line {line}",
                    typed.id
                ),
            )
            .remedy("give each job an id of its own");
            problems.push(location.map_or(problem.clone(), |location| {
                problem.at(Place::File(location))
            }));
            continue;
        }
        let toml::Value::Table(table) = table else {
            continue;
        };
        jobs.push(JobLayer {
            id: typed.id.clone(),
            table,
            places,
        });
    }
    if problems.is_empty() {
        Ok(Layer {
            top,
            jobs,
            places,
            sources: document.file.iter().cloned().collect(),
        })
    } else {
        Err(ConfigError::Invalid(problems))
    }
}

/// Lays a file over its base.
fn fold(base: Layer, own: Layer) -> Result<Layer, Vec<Problem>> {
    let Layer {
        mut top,
        mut jobs,
        mut places,
        ..
    } = base;
    let mut problems = Vec::new();
    for (key, value) in own.top {
        match (top.get_mut(&key), value) {
            (Some(toml::Value::Table(below)), toml::Value::Table(above)) => below.extend(above),
            (_, value) => drop(top.insert(key, value)),
        }
    }
    places.extend(own.places);
    for job in own.jobs {
        let position = jobs.iter().position(|below| below.id == job.id);
        match position {
            Some(i) if removes(&job) => drop(jobs.remove(i)),
            Some(i) => override_job(&mut jobs[i], job),
            None if removes(&job) => {
                let near = did_you_mean(&job.id, jobs.iter().map(|below| below.id.as_str()));
                let remedy = near.map_or_else(
                    || "look up the ids in the file that is extended".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                );
                let problem = Problem::error(
                    format!("job.{}.remove", job.id),
                    format!("there is no inherited job `{}` to remove", job.id),
                )
                .remedy(remedy);
                problems.push(job.places.get("id").map_or(problem.clone(), |location| {
                    problem.at(Place::File(location.clone()))
                }));
            }
            None => jobs.push(job),
        }
    }
    let sources = own.sources.into_iter().chain(base.sources).collect();
    if problems.is_empty() {
        Ok(Layer {
            top,
            jobs,
            places,
            sources,
        })
    } else {
        Err(problems)
    }
}

fn override_job(below: &mut JobLayer, above: JobLayer) {
    // Parameters of another kind would be refused as unknown ones.
    if above
        .table
        .get("kind")
        .is_some_and(|kind| below.table.get("kind") != Some(kind))
    {
        below.table.retain(|key, _| JOB_KEYS.contains(&key));
    }
    for key in above.table.keys() {
        let inner = [format!("{key}."), format!("{key}[")];
        below.places.retain(|place, _| {
            place != key && !inner.iter().any(|prefix| place.starts_with(prefix))
        });
    }
    below.table.extend(above.table);
    below.places.extend(above.places);
}
