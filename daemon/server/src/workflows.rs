//! Workflows: what is configured, put together with what the queue has tasks of.

use std::collections::{BTreeMap, BTreeSet};

use queue::{PlateId, RootRow, TaskCounts, WorkflowUse};

use crate::app::Inner;
use crate::control::WorkflowInfo;
use crate::problem::Problem;

/// The watched folders' names by their numbers.
pub(crate) fn root_names(roots: &[RootRow]) -> BTreeMap<i64, String> {
    roots
        .iter()
        .map(|root| (root.id.0, root.name.clone()))
        .collect()
}

/// A workflow by its name.
#[derive(Debug, Default)]
pub(crate) struct Named {
    /// As it is configured now; more than one where folders use different files of one name.
    pub configured: Vec<WorkflowInfo>,
    /// Where it was used, newest plate first.
    pub uses: Vec<WorkflowUse>,
}

impl Named {
    /// The versions that are configured now.
    pub(crate) fn versions(&self) -> Vec<String> {
        let versions: BTreeSet<&str> = self.configured.iter().map(|w| w.version.as_str()).collect();
        versions.into_iter().map(str::to_owned).collect()
    }

    /// The watched folders that use it now.
    pub(crate) fn roots(&self) -> Vec<i64> {
        let mut roots: Vec<i64> = self
            .configured
            .iter()
            .flat_map(|w| w.roots.clone())
            .collect();
        roots.sort_unstable();
        roots
    }

    /// How many plates have tasks of it.
    pub(crate) fn plates(&self) -> usize {
        let plates: BTreeSet<PlateId> = self.uses.iter().map(|one| one.plate).collect();
        plates.len()
    }

    /// Its tasks by state.
    pub(crate) fn tasks(&self) -> TaskCounts {
        self.uses
            .iter()
            .fold(TaskCounts::default(), |sum, one| sum + one.tasks)
    }
}

/// All workflows by name.
pub(crate) fn all(inner: &Inner) -> queue::Result<BTreeMap<String, Named>> {
    let mut found: BTreeMap<String, Named> = BTreeMap::new();
    for workflow in inner.control.workflows() {
        let named = found.entry(workflow.name.clone()).or_default();
        named.configured.push(workflow);
    }
    for one in inner.store.workflow_uses(None)? {
        let named = found.entry(one.workflow.clone()).or_default();
        named.uses.push(one);
    }
    Ok(found)
}

/// One of them.
pub(crate) fn one(inner: &Inner, name: &str) -> Result<Named, Problem> {
    let mut configured = inner.control.workflows();
    configured.retain(|workflow| workflow.name == name);
    let uses = inner.store.workflow_uses(Some(name))?;
    if configured.is_empty() && uses.is_empty() {
        return Err(Problem::not_found("workflow", name)
            .with_remedy("see /api/v1/workflows for those that are configured or were used"));
    }
    Ok(Named { configured, uses })
}
