//! The configured workflows, as the server shows them.

use std::collections::BTreeMap;

use engine::{Facility, Prepared};
use server::{EdgeInfo, JobInfo, WorkflowInfo};
use workflow::{Bindings, Job};

/// One for each name and content, by name. Roots that use the same one share it.
pub fn configured(facility: &Facility) -> Vec<WorkflowInfo> {
    let mut found: BTreeMap<(&str, &str), WorkflowInfo> = BTreeMap::new();
    for root in facility.roots() {
        let prepared = &root.prepared;
        let key = (prepared.workflow.name.as_str(), prepared.id.as_str());
        let info = found.entry(key).or_insert_with(|| describe(prepared));
        info.roots.push(root.id.0);
    }
    found.into_values().collect()
}

fn describe(prepared: &Prepared) -> WorkflowInfo {
    let workflow = &prepared.workflow;
    WorkflowInfo {
        name: workflow.name.clone(),
        version: workflow.version.clone(),
        roots: Vec::new(),
        channels: workflow.channels.clone(),
        jobs: workflow
            .jobs
            .iter()
            .map(|job| describe_job(job, &workflow.jobs))
            .collect(),
    }
}

fn describe_job(job: &Job, all: &[Job]) -> JobInfo {
    JobInfo {
        id: job.id.clone(),
        kind: job.kind.name.to_owned(),
        about: job.kind.about.to_owned(),
        scope: job.kind.scope.as_str().to_owned(),
        inputs: owned(&job.inputs),
        outputs: owned(&job.outputs),
        needs: job
            .upstream
            .iter()
            .filter_map(|&position| all.get(position))
            .map(|before| EdgeInfo {
                job: before.id.clone(),
                names: handed_over(before, job),
            })
            .collect(),
        parameters: job.parameters.clone(),
        keep: job.keep,
        time_limit_secs: job.limits.time_secs,
        limit: job.limits.name.clone(),
    }
}

fn owned(bindings: &Bindings) -> BTreeMap<String, Vec<String>> {
    let ports = bindings.iter();
    ports
        .map(|(port, names)| ((*port).to_owned(), names.clone()))
        .collect()
}

/// What one job reads of another's outputs: by their names, or (of tables of the plate) as `plate/<name>`.
fn handed_over(before: &Job, job: &Job) -> Vec<String> {
    let is_made = |name: &str| {
        let bare = name.split_once('/').map_or(name, |(_, bare)| bare);
        let mut outputs = before.outputs.values().flatten();
        outputs.any(|output| output == name || output == bare)
    };
    let mut names: Vec<String> = job
        .inputs
        .values()
        .flatten()
        .filter(|name| is_made(name))
        .cloned()
        .collect();
    names.sort();
    names.dedup();
    names
}
