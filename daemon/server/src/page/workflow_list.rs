//! The list of workflows.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::layout::Layout;
use super::progress::Progress;
use super::render;
use super::show::number;
use crate::app::{App, Inner};
use crate::problem::Problem;
use crate::workflows::{self, Named};

#[derive(Template)]
#[template(path = "workflows.html")]
struct WorkflowsPage {
    layout: Layout,
    workflows: Vec<WorkflowItem>,
}

struct WorkflowItem {
    name: String,
    /// Empty if it is not configured any more.
    versions: String,
    roots: String,
    plates: String,
    failed: u64,
    progress: Progress,
}

pub(super) async fn page(State(app): State<App>) -> Result<Response, Problem> {
    let page = app.blocking(workflows_page).await?;
    render(&page)
}

fn workflows_page(inner: &Inner) -> queue::Result<WorkflowsPage> {
    let status = inner.store.status()?;
    let roots = workflows::root_names(&status.roots);
    let found = workflows::all(inner)?;
    Ok(WorkflowsPage {
        layout: Layout::new(inner, "Workflows", "workflows")
            .live("/workflows", None)
            .pauses(&status.holds, None),
        workflows: found
            .into_iter()
            .map(|(name, named)| item(name, &named, &roots))
            .collect(),
    })
}

fn item(name: String, named: &Named, roots: &BTreeMap<i64, String>) -> WorkflowItem {
    let tasks = named.tasks();
    let names = named.roots();
    let names = names.iter().map(|id| roots.get(id).cloned());
    WorkflowItem {
        name,
        versions: named.versions().join(", "),
        roots: names.flatten().collect::<Vec<_>>().join(", "),
        plates: number(named.plates() as u64),
        failed: tasks.failed + tasks.quarantined,
        progress: Progress::new(tasks),
    }
}
