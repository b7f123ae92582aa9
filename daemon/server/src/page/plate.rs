//! The page of a plate.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use queue::{
    Cursor, PlateId, PlateState, SubjectFilter, SubjectKind, TaskFilter, TaskRow, TaskState,
};
use serde::Deserialize;

use super::failure::FailureItem;
use super::grid::Grid;
use super::layout::{Layout, Notice};
use super::progress::Progress;
use super::render;
use super::show::{When, number};
use super::tone::{Pill, Tone};
use crate::app::{App, Inner};
use crate::extract::{Id, Params, empty_is_none};
use crate::problem::Problem;

/// Failures that are listed; the rest is a list of its own.
const FAILURES: usize = 20;

/// Failures whose reasons are counted.
const COUNTED: u32 = 1000;

/// Tasks of a selected well that are shown.
const TASKS: u32 = 1000;

/// Subjects of a plate without wells that are shown.
const SUBJECTS: u32 = 200;

#[derive(Template)]
#[template(path = "plate.html")]
struct PlatePage {
    layout: Layout,
    id: i64,
    name: String,
    root: String,
    workflow: String,
    folder: String,
    output: String,
    pill: Pill,
    decided_by: String,
    detail: String,
    progress: Progress,
    facts: Vec<(&'static str, String)>,
    times: Vec<(&'static str, When)>,
    grid: Grid,
    subjects: Vec<SubjectItem>,
    well: Option<Matrix>,
    plate_tasks: Option<Matrix>,
    failures: Vec<FailureItem>,
    /// How often which error came, the most frequent first.
    reasons: Vec<(String, usize)>,
    failed: u64,
    can_finalize: bool,
    is_paused: bool,
}

struct SubjectItem {
    id: i64,
    name: String,
    pill: Pill,
    progress: Progress,
}

/// Subjects by jobs.
struct Matrix {
    title: String,
    jobs: Vec<String>,
    rows: Vec<MatrixRow>,
    is_cut: bool,
}

struct MatrixRow {
    subject: String,
    cells: Cells,
}

/// The task of each job, where the subject has one.
type Cells = Vec<Option<(i64, Pill)>>;

impl Matrix {
    fn new(title: String, tasks: Vec<TaskRow>, is_cut: bool) -> Self {
        let mut jobs: Vec<(i64, String)> = tasks
            .iter()
            .map(|task| (task.position, task.job.clone()))
            .collect();
        jobs.sort();
        jobs.dedup();
        let mut rows: BTreeMap<(String, i64), Cells> = BTreeMap::new();
        for task in tasks {
            let key = (task.subject_name, task.subject.0);
            let row = rows.entry(key).or_insert_with(|| vec![None; jobs.len()]);
            let column = jobs
                .iter()
                .position(|(position, job)| *position == task.position && *job == task.job);
            if let Some(column) = column {
                row[column] = Some((task.id.0, Pill::task(task.state, task.blocked)));
            }
        }
        Self {
            title,
            jobs: jobs.into_iter().map(|(_, job)| job).collect(),
            rows: rows
                .into_iter()
                .map(|((subject, _), cells)| MatrixRow { subject, cells })
                .collect(),
            is_cut,
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Query {
    #[serde(default, deserialize_with = "empty_is_none")]
    well: Option<String>,
    #[serde(flatten)]
    notice: Notice,
}

pub(super) async fn page(
    State(app): State<App>,
    Id(plate): Id<PlateId>,
    Params(query): Params<Query>,
) -> Result<Response, Problem> {
    let page = app
        .blocking(move |inner| plate_page(inner, plate, &query))
        .await?;
    render(&page)
}

fn plate_page(inner: &Inner, id: PlateId, query: &Query) -> queue::Result<PlatePage> {
    let now = Timestamp::now();
    let store = &inner.store;
    let summary = store.plate(id)?;
    let (plate, sets, tasks) = (summary.plate, summary.image_sets, summary.tasks);
    let status = store.status()?;
    let root = status.roots.iter().find(|root| root.id == plate.root);
    let selected = query.well.clone().map(|well| {
        let name = well.parse::<plate::WellName>();
        name.map_or(well, |name| name.to_string())
    });
    let grid = Grid::new(
        &plate,
        store.wells(id)?,
        selected.as_deref().unwrap_or_default(),
    );
    let dead = TaskFilter::plate(id)
        .in_state(TaskState::Failed)
        .in_state(TaskState::Quarantined);
    let failures = store.tasks(&dead, Cursor::first(COUNTED))?.items;
    let here = match &selected {
        Some(well) => format!("/plates/{id}?well={}", super::show::encode(well)),
        None => format!("/plates/{id}"),
    };
    let layout = Layout::new(inner, plate.name.clone(), "plates")
        .notice(&query.notice)
        .live(here, Some(id))
        .pauses(&status.holds, Some(id));
    let expected = plate.expected.map(|n| number(n.into()));
    let facts = [
        ("image sets expected", expected),
        ("arrived", Some(number(sets.total()))),
        ("still arriving", some(sets.arriving)),
        ("with images missing", some(sets.incomplete)),
        ("tasks waiting", some(tasks.waiting + tasks.ready)),
        ("running", some(tasks.running)),
        ("to be retried", some(tasks.retrying)),
        ("done", Some(number(tasks.succeeded))),
        ("failed", some(tasks.failed + tasks.quarantined)),
        ("blocked by them", some(tasks.blocked)),
        ("cancelled", some(tasks.cancelled)),
    ];
    let times = [
        ("first seen", Some(plate.created_at)),
        ("last image", plate.last_arrival),
        ("complete", plate.completed_at),
        ("finished", plate.finished_at),
    ];
    let subjects = if grid.is_empty() {
        let page = store.subjects(id, &SubjectFilter::default(), Cursor::first(SUBJECTS))?;
        page.items
            .into_iter()
            .map(|item| SubjectItem {
                id: item.subject.id.0,
                pill: Pill::new(
                    Tone::of_subject(item.subject.state),
                    item.subject.state.as_str(),
                ),
                name: item.subject.name,
                progress: Progress::new(item.tasks),
            })
            .collect()
    } else {
        Vec::new()
    };
    Ok(PlatePage {
        is_paused: layout.is_paused_by_user("This plate"),
        layout,
        id: id.0,
        root: root.map(|root| root.name.clone()).unwrap_or_default(),
        workflow: root.map(|root| root.workflow.clone()).unwrap_or_default(),
        folder: root.map_or_else(
            || plate.directory.to_string_lossy().into_owned(),
            |root| {
                let folder = root.path.join(&plate.directory);
                folder.to_string_lossy().into_owned()
            },
        ),
        output: plate.output.to_string_lossy().into_owned(),
        pill: Pill::plate(plate.state),
        progress: Progress::new(tasks),
        facts: facts
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect(),
        times: times
            .into_iter()
            .filter_map(|(name, at)| Some((name, When::new(at?, now))))
            .collect(),
        well: match selected {
            Some(well) => Some(matrix_of_well(inner, id, well)?),
            None => None,
        },
        plate_tasks: matrix_of_plate(inner, id)?,
        grid,
        subjects,
        reasons: reasons(&failures),
        failures: failures
            .into_iter()
            .take(FAILURES)
            .map(|task| FailureItem::new(task, now))
            .collect(),
        failed: tasks.failed + tasks.quarantined,
        can_finalize: matches!(plate.state, PlateState::Arriving | PlateState::Stale),
        name: plate.name,
        decided_by: plate.decided_by.unwrap_or_default(),
        detail: plate.detail.unwrap_or_default(),
    })
}

fn reasons(failures: &[TaskRow]) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for error in failures.iter().filter_map(|task| task.error.as_ref()) {
        *counts.entry(&error.code).or_default() += 1;
    }
    let mut reasons: Vec<_> = counts
        .into_iter()
        .map(|(code, n)| (code.to_owned(), n))
        .collect();
    reasons.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    reasons
}

/// Nothing is said of what is not there.
fn some(n: u64) -> Option<String> {
    (n > 0).then(|| number(n))
}

fn matrix_of_well(inner: &Inner, plate: PlateId, well: String) -> queue::Result<Matrix> {
    let filter = TaskFilter {
        well: Some(well.clone()),
        ..TaskFilter::plate(plate)
    };
    let page = inner.store.tasks(&filter, Cursor::first(TASKS))?;
    Ok(Matrix::new(well, page.items, page.next.is_some()))
}

/// The tasks of the plate as a whole.
fn matrix_of_plate(inner: &Inner, plate: PlateId) -> queue::Result<Option<Matrix>> {
    let filter = SubjectFilter {
        kind: Some(SubjectKind::Plate),
        ..SubjectFilter::default()
    };
    let mut tasks = Vec::new();
    let subjects = inner.store.subjects(plate, &filter, Cursor::first(10))?;
    for subject in subjects.items {
        let filter = TaskFilter {
            subject: Some(subject.subject.id),
            ..TaskFilter::default()
        };
        tasks.extend(inner.store.tasks(&filter, Cursor::first(TASKS))?.items);
    }
    Ok((!tasks.is_empty()).then(|| Matrix::new("Plate".to_owned(), tasks, false)))
}
