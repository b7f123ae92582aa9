//! Computing a plate, or some of its wells, again from a job on: first what that would run, then the button.

use askama::Template;
use axum::extract::State;
use axum::response::{Redirect, Response};
use queue::{Cursor, PlateId, TaskFilter, TaskId};
use serde::Deserialize;

use crate::api;
use crate::app::{App, Inner};
use crate::extract::{Form, Id, Params, short};
use crate::page::layout::Layout;
use crate::page::render;
use crate::page::show::{encode, number, quoted};
use crate::problem::Problem;
use crate::selection::Selection;
use crate::view::Requeued;

/// Tasks that are listed.
const LISTED: usize = 100;

#[derive(Template)]
#[template(path = "recompute.html")]
struct RecomputePage {
    layout: Layout,
    plate: i64,
    plate_name: String,
    job: String,
    wells: String,
    title: String,
    count: String,
    is_one: bool,
    is_none: bool,
    following: usize,
    tasks: Vec<(i64, String)>,
    is_cut: bool,
    command: String,
}

/// What is to be computed again.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Request {
    #[serde(default, deserialize_with = "short")]
    job: Option<String>,
    /// Selected wells; none: the whole plate.
    #[serde(default, deserialize_with = "short")]
    wells: Option<String>,
}

/// Says what would be run.
pub(crate) async fn page(
    State(app): State<App>,
    Id(plate): Id<PlateId>,
    Params(request): Params<Request>,
) -> Result<Response, Problem> {
    let page = app
        .blocking(move |inner| recompute(inner, plate, &request))
        .await?;
    render(&page)
}

fn recompute(inner: &Inner, id: PlateId, request: &Request) -> Result<RecomputePage, Problem> {
    let plate = inner.store.plate(id)?.plate;
    let job = request.job.clone().unwrap_or_default();
    let wells = request.wells.clone().unwrap_or_default();
    let chosen = Selection::on(inner, id, &wells)?;
    let would = requeue(inner, id, Some(&job), &chosen, true)?;
    let filter = TaskFilter {
        tasks: would
            .tasks
            .iter()
            .take(LISTED)
            .copied()
            .map(TaskId)
            .collect(),
        ..TaskFilter::default()
    };
    let listed = match would.count {
        0 => Vec::new(),
        _ => {
            inner
                .store
                .tasks(&filter, Cursor::first(LISTED as u32))?
                .items
        }
    };
    let mut command = format!(
        "wellspring tasks requeue --plate {id} --from {}",
        quoted(&job)
    );
    if !wells.is_empty() {
        command.push_str(&format!(" --well {}", quoted(&wells)));
    }
    Ok(RecomputePage {
        layout: Layout::new(inner, format!("Recompute {}", plate.name), "plates"),
        plate: id.0,
        plate_name: plate.name,
        title: match wells.is_empty() {
            true => "the whole plate".to_owned(),
            false => format!("wells {}", chosen.title()),
        },
        wells,
        count: number(would.count as u64),
        is_one: would.count == 1,
        is_none: would.count == 0,
        following: would.following,
        is_cut: would.count > LISTED,
        tasks: listed
            .into_iter()
            .map(|task| (task.id.0, format!("{} of {}", task.job, task.subject_name)))
            .collect(),
        command,
        job,
    })
}

/// Requeues what failed, or a job's tasks, on the chosen wells or on the whole plate; all of them or, if one is
/// running, none.
fn requeue(
    inner: &Inner,
    plate: PlateId,
    job: Option<&str>,
    chosen: &Selection,
    dry_run: bool,
) -> Result<Requeued, Problem> {
    api::check_job(inner, TaskFilter::plate(plate), job)?;
    let filter = TaskFilter {
        wells: chosen.filter(),
        ..TaskFilter::plate(plate)
    };
    Ok(api::requeue(inner, &filter, job, dry_run)?)
}

/// Does it, and shows the plate again.
pub(crate) async fn run(
    State(app): State<App>,
    Id(plate): Id<PlateId>,
    Form(request): Form<Request>,
) -> Result<Redirect, Problem> {
    let wells = request.wells.unwrap_or_default();
    let back = match wells.is_empty() {
        true => format!("/plates/{plate}?"),
        false => format!("/plates/{plate}?well={}&", encode(&wells)),
    };
    let done = app
        .blocking(move |inner| {
            let job = request.job.unwrap_or_default();
            let chosen = Selection::on(inner, plate, &wells)?;
            requeue(inner, plate, Some(&job), &chosen, false)
        })
        .await?;
    Ok(Redirect::to(&format!(
        "{back}notice=requeued&n={}",
        done.count
    )))
}

/// Requeues what failed on the chosen wells.
pub(crate) fn requeue_failed(
    inner: &Inner,
    plate: PlateId,
    wells: Option<&str>,
) -> Result<usize, Problem> {
    let chosen = Selection::on(inner, plate, wells.unwrap_or_default())?;
    Ok(requeue(inner, plate, None, &chosen, false)?.count)
}
