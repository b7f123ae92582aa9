//! The page of a workflow: its graph, its jobs, and the plates that used it.

mod graph;

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use queue::{JobUse, TaskCounts, WorkflowUse};

use self::graph::{Graph, scope_word};
use super::layout::Layout;
use super::progress::Progress;
use super::render;
use super::show::flatten;
use crate::app::{App, Inner};
use crate::control::{JobInfo, WorkflowInfo};
use crate::extract::Id;
use crate::problem::Problem;
use crate::workflows;

/// Plates that are listed.
const PLATES: usize = 200;

#[derive(Template)]
#[template(path = "workflow.html")]
struct WorkflowPage {
    layout: Layout,
    name: String,
    variants: Vec<Variant>,
    /// Jobs with tasks that no configured version has.
    others: Vec<OtherJob>,
    uses: Vec<UseItem>,
    /// Whether there are more plates than are listed.
    is_cut: bool,
}

/// A workflow as it is configured.
struct Variant {
    version: String,
    roots: Vec<String>,
    channels: Vec<(String, String)>,
    graph: Graph,
    jobs: Vec<JobItem>,
    /// Whether some of its jobs exist for each channel.
    is_mapped: bool,
}

struct JobItem {
    id: String,
    kind: String,
    about: String,
    scope: &'static str,
    reads: Vec<(String, String)>,
    writes: Vec<(String, String)>,
    needs: Vec<(String, String)>,
    needed_by: Vec<String>,
    parameters: Vec<(String, String)>,
    notes: Vec<String>,
    progress: Progress,
}

struct OtherJob {
    id: String,
    kind: String,
    scope: &'static str,
    progress: Progress,
}

struct UseItem {
    plate: i64,
    plate_name: String,
    version: String,
    progress: Progress,
}

impl From<WorkflowUse> for UseItem {
    fn from(one: WorkflowUse) -> Self {
        Self {
            plate: one.plate.0,
            plate_name: one.plate_name,
            version: one.version,
            progress: Progress::new(one.tasks),
        }
    }
}

pub(super) async fn page(
    State(app): State<App>,
    Id(name): Id<String>,
) -> Result<Response, Problem> {
    let page = app
        .blocking(move |inner| workflow_page(inner, name))
        .await?;
    render(&page)
}

fn workflow_page(inner: &Inner, name: String) -> Result<WorkflowPage, Problem> {
    let named = workflows::one(inner, &name)?;
    let used = inner.store.workflow_jobs(&name)?;
    let status = inner.store.status()?;
    let roots = workflows::root_names(&status.roots);
    let tasks: BTreeMap<&str, TaskCounts> = used
        .iter()
        .map(|one| (one.job.as_str(), one.tasks))
        .collect();
    let known: BTreeSet<String> = named
        .configured
        .iter()
        .flat_map(|variant| variant.jobs.iter().map(|job| job.id.clone()))
        .collect();
    let here = format!("/workflows/{}", super::show::encode(&name));
    let variants = named
        .configured
        .iter()
        .map(|info| variant(info, &roots, &tasks))
        .collect();
    let others = used.iter().filter(|one| !known.contains(&one.job));
    Ok(WorkflowPage {
        layout: Layout::new(inner, format!("Workflow {name}"), "workflows")
            .live(here, None)
            .pauses(&status.holds, None),
        variants,
        others: others.map(other).collect(),
        is_cut: named.uses.len() > PLATES,
        uses: named
            .uses
            .into_iter()
            .take(PLATES)
            .map(Into::into)
            .collect(),
        name,
    })
}

fn other(one: &JobUse) -> OtherJob {
    OtherJob {
        id: one.job.clone(),
        kind: one.kind.clone(),
        scope: scope_word(&one.scope),
        progress: Progress::new(one.tasks),
    }
}

fn variant(
    info: &WorkflowInfo,
    roots: &BTreeMap<i64, String>,
    tasks: &BTreeMap<&str, TaskCounts>,
) -> Variant {
    let mut needed_by: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for job in &info.jobs {
        for need in &job.needs {
            let list = needed_by.entry(need.job.as_str()).or_default();
            list.push(job.id.clone());
        }
    }
    let item = |job: &JobInfo| {
        let behind = needed_by.get(job.id.as_str()).cloned();
        let counts = tasks.get(job.id.as_str()).copied();
        job_item(job, behind.unwrap_or_default(), counts.unwrap_or_default())
    };
    Variant {
        version: info.version.clone(),
        roots: info
            .roots
            .iter()
            .map(|id| roots.get(id).cloned().unwrap_or_else(|| id.to_string()))
            .collect(),
        is_mapped: !info.channels.is_empty(),
        channels: info
            .channels
            .iter()
            .map(|(channel, role)| {
                let role = role.clone().unwrap_or_else(|| "left out".to_owned());
                (channel.clone(), role)
            })
            .collect(),
        graph: Graph::new(&info.jobs),
        jobs: info.jobs.iter().map(item).collect(),
    }
}

fn job_item(job: &JobInfo, needed_by: Vec<String>, tasks: TaskCounts) -> JobItem {
    let named = |ports: &BTreeMap<String, Vec<String>>| {
        let ports = ports.iter();
        ports
            .map(|(port, names)| (port.clone(), names.join(", ")))
            .collect()
    };
    let mut notes = Vec::new();
    if !job.keep {
        notes.push("its outputs are not stored".to_owned());
    }
    if let Some(seconds) = job.time_limit_secs {
        notes.push(format!("at most {seconds} s"));
    }
    if let Some(limit) = &job.limit {
        notes.push(format!("shares the limit {limit}"));
    }
    JobItem {
        id: job.id.clone(),
        kind: job.kind.clone(),
        about: job.about.clone(),
        scope: scope_word(&job.scope),
        reads: named(&job.inputs),
        writes: named(&job.outputs),
        needs: job
            .needs
            .iter()
            .map(|need| (need.job.clone(), need.names.join(", ")))
            .collect(),
        needed_by,
        parameters: flatten(&job.parameters)
            .into_iter()
            .filter(|(name, _)| !name.is_empty())
            .collect(),
        notes,
        progress: Progress::new(tasks),
    }
}
