//! Where an image set stands: its plate, its neighbours, its tasks.

use std::path::PathBuf;

use queue::{Cursor, PlateId, SiteSummary, SubjectId, SubjectKind, TaskFilter, TaskRow, TaskState};

use super::super::show::encode;
use super::super::tone::{Pill, Tone};
use crate::app::Inner;
use crate::problem::Problem;

/// Tasks that are shown.
const TASKS: u32 = 100;

/// Where an image set stands.
pub(in crate::page) struct Place {
    pub id: i64,
    pub name: String,
    pub plate: i64,
    pub plate_name: String,
    pub well: String,
    /// The plate's page with the well open.
    pub well_link: String,
    pub site: Option<i64>,
    pub timepoint: Option<i64>,
    pub pill: Pill,
    /// Planes that have not come.
    pub missing: String,
    pub container: Option<PathBuf>,
    /// Which one it is of how many.
    pub position: String,
    pub previous: Option<Neighbour>,
    pub next: Option<Neighbour>,
    pub tasks: Vec<TaskItem>,
    /// How many of them are done, and how many failed.
    pub done: String,
    /// Whether no task is left that could change what is published.
    pub has_ended: bool,
}

/// The image set before or after.
pub(in crate::page) struct Neighbour {
    pub id: i64,
    pub name: String,
}

/// A task of the image set.
pub(in crate::page) struct TaskItem {
    pub id: i64,
    pub job: String,
    pub pill: Pill,
    /// Why it is not done; empty if it is.
    pub because: String,
    pub remedy: String,
}

impl Place {
    pub(in crate::page) fn title(&self) -> String {
        format!("{} of {}", self.name, self.plate_name)
    }
}

/// Where an image set of a plate stands.
pub(super) fn place(inner: &Inner, plate: PlateId, id: SubjectId) -> Result<Place, Problem> {
    let store = &inner.store;
    let plate = store.plate(plate)?.plate;
    let subject = store.subject(id)?.subject;
    if subject.kind != SubjectKind::ImageSet || subject.plate != plate.id {
        return Err(Problem::not_found("image set", id)
            .with_remedy("the plate's page lists its image sets"));
    }
    let sites = store.sites(plate.id)?;
    let (position, previous, next) = neighbours(&sites, id);
    let filter = TaskFilter {
        subject: Some(id),
        ..TaskFilter::default()
    };
    let tasks = store.tasks(&filter, Cursor::first(TASKS))?.items;
    let has_ended = tasks
        .iter()
        .all(|task| task.state.is_terminal() || task.blocked);
    let done = done(&tasks);
    let mut items = Vec::new();
    for task in tasks {
        let (because, remedy) = match (task.state, task.error) {
            (TaskState::Succeeded, _) => (String::new(), String::new()),
            (_, Some(error)) => (error.message, error.remedy),
            (_, None) => {
                let because = crate::api::explained(inner, task.id)?.because;
                (because.join("; "), String::new())
            }
        };
        items.push(TaskItem {
            id: task.id.0,
            job: task.job,
            pill: Pill::task(task.state, task.blocked),
            because,
            remedy,
        });
    }
    let well = subject.well.unwrap_or_default();
    let missing: Vec<String> = subject
        .missing
        .as_array()
        .into_iter()
        .flatten()
        .map(|plane| {
            plane
                .as_str()
                .map_or_else(|| plane.to_string(), str::to_owned)
        })
        .collect();
    Ok(Place {
        id: id.0,
        name: subject.name,
        plate: plate.id.0,
        plate_name: plate.name,
        well_link: format!("/plates/{}?well={}#well", plate.id, encode(&well)),
        well,
        site: subject.site,
        timepoint: subject.timepoint,
        pill: Pill::new(Tone::of_subject(subject.state), subject.state.as_str()),
        missing: missing.join(", "),
        container: subject.container,
        position,
        previous,
        next,
        tasks: items,
        done,
        has_ended,
    })
}

fn done(tasks: &[TaskRow]) -> String {
    let count = |is: fn(&TaskState) -> bool| tasks.iter().filter(|task| is(&task.state)).count();
    let succeeded = count(|state| *state == TaskState::Succeeded);
    let failed = count(|state| matches!(state, TaskState::Failed | TaskState::Quarantined));
    let failed = match failed {
        0 => String::new(),
        n => format!(", {n} failed"),
    };
    format!("{succeeded} of {} tasks done{failed}", tasks.len())
}

fn neighbours(
    sites: &[SiteSummary],
    id: SubjectId,
) -> (String, Option<Neighbour>, Option<Neighbour>) {
    let Some(at) = sites.iter().position(|site| site.id == id) else {
        return (String::new(), None, None);
    };
    let neighbour = |at: Option<usize>| {
        let site = sites.get(at?)?;
        Some(Neighbour {
            id: site.id.0,
            name: site.name.clone(),
        })
    };
    let position = format!("{} of {}", at + 1, sites.len());
    (
        position,
        neighbour(at.checked_sub(1)),
        neighbour(at.checked_add(1)),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use jiff::Timestamp;

    #[test]
    fn the_first_and_the_last_have_one_neighbour() {
        let sites: Vec<_> = [4, 9, 2]
            .into_iter()
            .map(|id| SiteSummary {
                id: SubjectId(id),
                name: format!("s{id}"),
                well: None,
                site: None,
                has_container: false,
                has_failed: false,
                updated_at: Timestamp::UNIX_EPOCH,
            })
            .collect();
        let of = |id| {
            let (position, previous, next) = neighbours(&sites, SubjectId(id));
            (position, previous.map(|n| n.id), next.map(|n| n.id))
        };
        assert_eq!(of(4), ("1 of 3".into(), None, Some(9)));
        assert_eq!(of(9), ("2 of 3".into(), Some(4), Some(2)));
        assert_eq!(of(2), ("3 of 3".into(), Some(9), None));
        assert_eq!(of(1), (String::new(), None, None));
    }
}
