//! The page of a plate.

mod contrast;
mod matrix;
pub(super) mod measured;
pub(super) mod recompute;
mod sites;
mod view;

use std::collections::BTreeMap;
use std::path::Path;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use queue::{
    Cursor, PlateId, PlateRow, PlateState, SiteSummary, SubjectFilter, Target, TaskFilter, TaskRow,
    TaskState,
};

use super::failure::{self, FailureItem};
use super::grid::{Grid, Shown};
use super::layout::Layout;
use super::progress::Progress;
use super::render;
use super::show::{When, encode, number, quoted};
use super::tone::{Pill, Tone};
use crate::app::{App, Inner};
use crate::estimate::Estimates;
use crate::extract::{Id, Params};
use crate::problem::Problem;
use crate::published::plate_table_of;
use crate::selection::{Selection, format_of};
use contrast::Contrast;
use matrix::Matrix;
use measured::{Columns, Values};
use sites::{SiteItem, pictures, sites};
use view::{Mode, Query};

/// Failures that are listed; the rest is a list of its own.
const FAILURES: usize = 20;

/// Failures whose reasons are counted.
const COUNTED: u32 = 1000;

/// Subjects of a plate without wells that are shown.
const SUBJECTS: u32 = 200;

/// Selected wells whose tasks are shown one by one.
const WELLS: usize = 8;

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
    /// Address, word, and whether it is this one.
    modes: Vec<(String, &'static str, bool)>,
    is_heat_map: bool,
    is_pictures: bool,
    heat: Option<HeatMapItem>,
    site: usize,
    most_sites: usize,
    own_contrast: bool,
    /// The contrast that all pictures have.
    contrast: Option<String>,
    subjects: Vec<SubjectItem>,
    selection: Option<SelectionItem>,
    /// What wells add to the address of the page as it is.
    address: String,
    joint: char,
    well_text: String,
    plate_tasks: Option<Matrix>,
    failures: Vec<FailureItem>,
    /// How often which error came, the most frequent first.
    reasons: Vec<(String, usize)>,
    failed: u64,
    can_finalize: bool,
    /// By a person, who may resume it.
    is_paused: bool,
    /// By whomever.
    is_held: bool,
    jobs: Vec<String>,
    tables: Vec<TableItem>,
    /// Why there are no tables.
    no_tables: String,
}

struct SubjectItem {
    id: i64,
    name: String,
    pill: Pill,
    progress: Progress,
}

/// The chosen wells.
struct SelectionItem {
    title: String,
    is_one: bool,
    /// As the address has it.
    text: String,
    /// As a shell takes it.
    word: String,
    sites: Vec<SiteItem>,
    is_cut: bool,
    failed: u64,
    matrix: Option<Matrix>,
}

struct TableItem {
    name: String,
    address: String,
}

/// The heat map beside the grid: what is chosen, and what it means.
struct HeatMapItem {
    columns: Vec<Columns>,
    table: String,
    column: String,
    low: String,
    high: String,
    legend: Vec<String>,
    ends: (String, String),
    values_are: String,
    notes: Vec<String>,
    /// The same as a picture.
    address: String,
    problem: Option<Problem>,
}

/// What was read of the plate's tables before the page is made.
struct Measured {
    tables: Result<Vec<String>, Problem>,
    heat: Option<Heat>,
    /// Of the whole plate, where pictures are shown.
    sites: Vec<SiteSummary>,
    contrast: Option<Contrast>,
}

struct Heat {
    columns: Vec<Columns>,
    shown: Option<(String, String)>,
    values: Result<Values, Problem>,
}

pub(super) async fn page(
    State(app): State<App>,
    Id(plate): Id<PlateId>,
    Params(query): Params<Query>,
) -> Result<Response, Problem> {
    let (row, path) = app
        .blocking(move |inner| plate_table_of(inner, plate))
        .await?;
    let mut measured = measured(&app, row, &path, &query).await;
    let chooses = query
        .well
        .as_ref()
        .is_some_and(|text| !text.trim().is_empty());
    if query.mode() == Mode::Pictures || chooses {
        measured.sites = app.blocking(move |inner| inner.store.sites(plate)).await?;
        if !query.own_contrast() {
            measured.contrast = Contrast::of_plate(&app, &measured.sites).await;
        }
    }
    let page = app
        .blocking(move |inner| plate_page(inner, plate, &query, measured))
        .await?;
    render(&page)
}

async fn measured(app: &App, plate: PlateRow, path: &Path, query: &Query) -> Measured {
    let tables = measured::tables(app, path).await;
    let heat = match (query.mode(), &tables) {
        (Mode::HeatMap, Ok(tables)) => Some(heat(app, plate, path, query, tables).await),
        (Mode::HeatMap, Err(problem)) => Some(Heat {
            columns: Vec::new(),
            shown: query.shown(),
            values: Err(not_yet(problem)),
        }),
        _ => None,
    };
    Measured {
        tables,
        heat,
        sites: Vec::new(),
        contrast: None,
    }
}

async fn heat(app: &App, plate: PlateRow, path: &Path, query: &Query, tables: &[String]) -> Heat {
    let (columns, problem) = match measured::columns(app, path, tables).await {
        Ok(columns) => (columns, None),
        Err(problem) => (Vec::new(), Some(problem)),
    };
    let shown = query.shown().or_else(|| measured::usual(&columns));
    let values = match (problem, shown.clone()) {
        (Some(problem), _) => Err(problem),
        (None, None) => Err(Problem::not_found("column of numbers in the tables of", &plate.name)
            .with_remedy("a workflow makes such tables with `tables.gather` and `tables.merge`, or `summarise.objects`")),
        (None, Some(shown)) => measured::values(app, plate, path, shown, query.range()).await,
    };
    Heat {
        columns,
        shown,
        values,
    }
}

/// Before the first tables nothing is wrong.
fn not_yet(problem: &Problem) -> Problem {
    if problem.status != axum::http::StatusCode::NOT_FOUND {
        return problem.clone();
    }
    Problem {
        detail: "There are no tables of this plate yet.".to_owned(),
        ..problem.clone()
    }
    .with_remedy("wait until the plate is complete and its own jobs have run, or finalize it")
}

impl HeatMapItem {
    fn new(heat: Heat, query: &Query, plate: i64) -> Self {
        let (table, column) = heat.shown.unwrap_or_default();
        let range = query.range();
        let mut address = format!(
            "/api/v1/plates/{plate}/heatmap?table={}&column={}",
            encode(&table),
            encode(&column)
        );
        if let Some((low, high)) = range {
            address.push_str(&format!("&low={low}&high={high}"));
        }
        let (values, problem) = match heat.values {
            Ok(values) => (Some(values), None),
            Err(problem) => (None, Some(problem)),
        };
        Self {
            columns: heat.columns,
            low: range.map(|(low, _)| low.to_string()).unwrap_or_default(),
            high: range.map(|(_, high)| high.to_string()).unwrap_or_default(),
            legend: values.as_ref().map(Values::legend).unwrap_or_default(),
            ends: values.as_ref().map(Values::ends).unwrap_or_default(),
            values_are: values
                .as_ref()
                .map(|v| v.values_are.clone())
                .unwrap_or_default(),
            notes: values.as_ref().map(|v| v.notes.clone()).unwrap_or_default(),
            table,
            column,
            address,
            problem,
        }
    }
}

fn plate_page(
    inner: &Inner,
    id: PlateId,
    query: &Query,
    measured: Measured,
) -> queue::Result<PlatePage> {
    let now = Timestamp::now();
    let store = &inner.store;
    let summary = store.plate(id)?;
    let (plate, sets, tasks) = (summary.plate, summary.image_sets, summary.tasks);
    let status = store.status()?;
    let root = status.roots.iter().find(|root| root.id == plate.root);
    let mode = query.mode();
    let wells = store.wells(id)?;
    let selected = Selection::parse(
        query.well.as_deref().unwrap_or_default(),
        format_of(&plate, &wells),
    );
    let (all_sites, contrast) = (measured.sites, measured.contrast);
    let pictures = pictures(&all_sites, query.site.unwrap_or(1), contrast.as_ref());
    let values = measured
        .heat
        .as_ref()
        .and_then(|heat| heat.values.as_ref().ok());
    let shown = match (mode, values) {
        (Mode::HeatMap, Some(values)) => Shown::Values(values),
        (Mode::Pictures, _) => Shown::Pictures(&pictures.by_well),
        _ => Shown::State,
    };
    let selection = match selected.is_empty() {
        true => None,
        false => {
            let names = selected.names();
            let (sites, is_cut) = sites(&all_sites, &selected, id.0, contrast.as_ref());
            let of_selection = wells.iter().filter(|well| selected.has(&well.well));
            Some(SelectionItem {
                title: selected.title(),
                is_one: names.len() == 1,
                text: selected.text.clone(),
                word: quoted(&selected.text),
                sites,
                is_cut,
                failed: of_selection
                    .map(|well| well.tasks.failed + well.tasks.quarantined)
                    .sum(),
                matrix: match names.len() <= WELLS {
                    true => Some(Matrix::of_wells(inner, id, &names, selected.title())?),
                    false => None,
                },
            })
        }
    };
    let grid = Grid::new(&plate, wells, &selected, &shown);
    let dead = TaskFilter::plate(id)
        .in_state(TaskState::Failed)
        .in_state(TaskState::Quarantined);
    let failures = store.tasks(&dead, Cursor::first(COUNTED))?.items;
    let layout = Layout::new(inner, plate.name.clone(), "plates")
        .notice(&query.notice)
        .live(query.address_of(id.0, mode, &selected.text), Some(id))
        .pauses(&status.holds, Some(id));
    let estimate = Estimates::read(inner)?.of(id).map(|e| e.text());
    let expected = plate.expected.map(|n| number(n.into()));
    let facts = [
        ("image sets expected", expected),
        ("arrived", Some(number(sets.total()))),
        ("still arriving", some(sets.arriving)),
        ("with images missing", some(sets.incomplete)),
        ("done in", estimate),
        ("tasks waiting", some(tasks.waiting + tasks.ready)),
        ("running", some(tasks.running)),
        ("to be retried", some(tasks.retrying)),
        ("done", Some(number(tasks.succeeded))),
        ("failed", some(tasks.failed + tasks.quarantined)),
        ("blocked", some(tasks.blocked)),
        ("cancelled", some(tasks.cancelled)),
    ];
    let times = [
        ("first seen", Some(plate.created_at)),
        ("last image", plate.last_arrival),
        ("complete", plate.completed_at),
        ("finished", plate.finished_at),
    ];
    let subjects = if grid.is_empty() {
        subjects(inner, id)?
    } else {
        Vec::new()
    };
    let address = query.address(id.0, mode);
    let (tables, no_tables) = match measured.tables {
        Ok(tables) => (tables, String::new()),
        Err(problem) if problem.status == axum::http::StatusCode::NOT_FOUND => (
            Vec::new(),
            "They come when the jobs of the whole plate have run.".to_owned(),
        ),
        Err(problem) => (Vec::new(), problem.detail),
    };
    Ok(PlatePage {
        is_held: status
            .holds
            .iter()
            .any(|hold| hold.target == Target::Plate(id)),
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
        progress: Progress::of_plate(tasks, plate.state),
        facts: facts
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect(),
        times: times
            .into_iter()
            .filter_map(|(name, at)| Some((name, When::new(at?, now))))
            .collect(),
        modes: Mode::ALL
            .into_iter()
            .map(|(other, _, word)| {
                (
                    query.address_of(id.0, other, &selected.text),
                    word,
                    other == mode,
                )
            })
            .collect(),
        is_heat_map: mode == Mode::HeatMap,
        is_pictures: mode == Mode::Pictures,
        heat: measured
            .heat
            .map(|heat| HeatMapItem::new(heat, query, id.0)),
        site: query.site.unwrap_or(1),
        most_sites: pictures.most,
        own_contrast: query.own_contrast(),
        contrast: contrast.map(|contrast| contrast.text),
        selection,
        joint: if address.contains('?') { '&' } else { '?' },
        address,
        well_text: selected.text,
        plate_tasks: Matrix::of_plate(inner, id)?,
        grid,
        subjects,
        reasons: reasons(&failures),
        failures: failure::failures(failures.into_iter().take(FAILURES), now),
        failed: tasks.failed + tasks.quarantined,
        can_finalize: matches!(plate.state, PlateState::Arriving | PlateState::Stale),
        jobs: store.plate_jobs(id)?,
        tables: tables
            .into_iter()
            .map(|name| TableItem {
                address: format!("/api/v1/plates/{id}/tables/{}", encode(&name)),
                name,
            })
            .collect(),
        no_tables,
        name: plate.name,
        decided_by: plate.decided_by.unwrap_or_default(),
        detail: plate.detail.unwrap_or_default(),
    })
}

/// What a plate without wells has.
fn subjects(inner: &Inner, id: PlateId) -> queue::Result<Vec<SubjectItem>> {
    let page = inner
        .store
        .subjects(id, &SubjectFilter::default(), Cursor::first(SUBJECTS))?;
    let item = |item: queue::SubjectSummary| SubjectItem {
        id: item.subject.id.0,
        pill: Pill::new(
            Tone::of_subject(item.subject.state),
            item.subject.state.as_str(),
        ),
        name: item.subject.name,
        progress: Progress::new(item.tasks),
    };
    Ok(page.items.into_iter().map(item).collect())
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
