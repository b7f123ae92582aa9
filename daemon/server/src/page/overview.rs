//! The first page: what is going on.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use queue::{Cursor, PlateFilter, PlateSummary, RootState};
use serde::Deserialize;

use super::failure::FailureItem;
use super::layout::{Layout, Notice};
use super::progress::Progress;
use super::render;
use super::show::{When, bytes, number};
use super::tone::{Pill, Tone};
use crate::app::{App, Inner};
use crate::extract::{Params, empty_is_none};
use crate::problem::Problem;

/// Plates on one page.
const PLATES: u32 = 30;

/// Failures that are listed.
const FAILURES: u32 = 8;

#[derive(Template)]
#[template(path = "overview.html")]
struct Overview {
    layout: Layout,
    tiles: Vec<Tile>,
    plates: Vec<PlateItem>,
    older: Option<i64>,
    is_first: bool,
    q: String,
    failures: Vec<FailureItem>,
    roots: Vec<RootItem>,
    workers: Vec<WorkerItem>,
    disks: Vec<DiskItem>,
    unused: Vec<(String, &'static str, &'static str)>,
}

struct Tile {
    value: String,
    label: &'static str,
    class: &'static str,
    href: &'static str,
}

struct PlateItem {
    id: i64,
    name: String,
    root: String,
    pill: Pill,
    progress: Progress,
    sets: String,
    missing: u64,
    when: When,
}

struct RootItem {
    id: i64,
    name: String,
    path: String,
    output: String,
    workflow: String,
    mode: String,
    pill: Pill,
    detail: String,
    settling: u64,
}

struct WorkerItem {
    id: u64,
    pid: String,
    pill: Pill,
    what: String,
    job: String,
    since: When,
}

struct DiskItem {
    path: String,
    free: String,
    total: String,
    used: u64,
    is_low: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Query {
    #[serde(default, deserialize_with = "empty_is_none")]
    after: Option<i64>,
    #[serde(default, deserialize_with = "empty_is_none")]
    q: Option<String>,
    #[serde(flatten)]
    notice: Notice,
}

pub(super) async fn page(
    State(app): State<App>,
    Params(query): Params<Query>,
) -> Result<Response, Problem> {
    let page = app.blocking(move |inner| overview(inner, &query)).await?;
    render(&page)
}

fn overview(inner: &Inner, query: &Query) -> queue::Result<Overview> {
    let now = Timestamp::now();
    let status = inner.store.status()?;
    let cursor = Cursor {
        after: query.after.unwrap_or(0),
        limit: PLATES,
    };
    let filter = PlateFilter {
        q: query.q.clone(),
        ..PlateFilter::default()
    };
    let page = inner.store.plates(&filter, cursor)?;
    let failures = inner.store.failures(FAILURES)?;
    let name_of = |id| {
        let root = status.roots.iter().find(|root| root.id == id);
        root.map(|root| root.name.clone()).unwrap_or_default()
    };
    let tasks = status.tasks;
    let tile = |n: u64, label, tone: Tone, href| Tile {
        value: number(n),
        label,
        class: if n == 0 { "t-none" } else { tone.class() },
        href,
    };
    let files = status.files;
    let unused = [
        (
            files.unmatched,
            "with names that fit no scheme",
            "state=unmatched",
        ),
        (files.unreadable, "cannot be read", "state=unreadable"),
        (
            files.vanished,
            "are gone; their results stay",
            "vanished=true",
        ),
    ];
    Ok(Overview {
        layout: Layout::new(inner, "Overview", "overview")
            .notice(&query.notice)
            .live("/", None)
            .pauses(&status.holds, None),
        tiles: vec![
            tile(
                tasks.running,
                "running",
                Tone::Running,
                "/tasks?state=running",
            ),
            tile(
                tasks.waiting + tasks.ready + tasks.retrying,
                "waiting",
                Tone::Waiting,
                "/tasks?state=waiting,ready,retrying",
            ),
            tile(
                tasks.succeeded,
                "done",
                Tone::Done,
                "/tasks?state=succeeded",
            ),
            tile(
                tasks.failed + tasks.quarantined,
                "failed",
                Tone::Failed,
                "/tasks?state=failed,quarantined",
            ),
        ],
        plates: page
            .items
            .into_iter()
            .map(|plate| {
                let root = name_of(plate.plate.root);
                plate_item(plate, root, now)
            })
            .collect(),
        older: page.next,
        is_first: query.after.is_none(),
        q: query.q.clone().unwrap_or_default(),
        failures: failures
            .into_iter()
            .map(|task| FailureItem::new(task, now))
            .collect(),
        roots: status
            .roots
            .into_iter()
            .filter(|root| root.state != RootState::Removed)
            .map(|root| RootItem {
                settling: inner.control.settling(root.id),
                id: root.id.0,
                path: root.path.to_string_lossy().into_owned(),
                output: root.output.to_string_lossy().into_owned(),
                pill: Pill::new(Tone::of_root(root.state), root.state.as_str()),
                name: root.name,
                workflow: root.workflow,
                mode: inner
                    .control
                    .watching(root.id)
                    .map_or_else(String::new, |watching| watching.mode),
                detail: root.detail.unwrap_or_default(),
            })
            .collect(),
        workers: inner
            .control
            .workers()
            .into_iter()
            .map(|worker| WorkerItem {
                id: worker.id,
                pid: worker.pid.map(|pid| pid.to_string()).unwrap_or_default(),
                pill: match worker.pass {
                    Some(_) => Pill::new(Tone::Running, "running"),
                    None => Pill::new(Tone::Waiting, "idle"),
                },
                what: [worker.plate, worker.subject]
                    .into_iter()
                    .flatten()
                    .collect::<Vec<_>>()
                    .join(" / "),
                job: worker.job.unwrap_or_default(),
                since: When::new(worker.since, now),
            })
            .collect(),
        disks: disks(inner),
        unused: unused
            .into_iter()
            .filter(|(n, ..)| *n > 0)
            .map(|(n, what, filter)| (number(n), what, filter))
            .collect(),
    })
}

fn plate_item(summary: PlateSummary, root: String, now: Timestamp) -> PlateItem {
    let PlateSummary {
        plate,
        image_sets,
        tasks,
    } = summary;
    let seen = number(image_sets.total());
    PlateItem {
        id: plate.id.0,
        name: plate.name,
        root,
        pill: Pill::plate(plate.state),
        progress: Progress::new(tasks),
        sets: match plate.expected {
            Some(expected) => format!("{seen} of {}", number(expected.into())),
            None => seen,
        },
        missing: image_sets.incomplete,
        when: When::new(
            plate
                .finished_at
                .or(plate.last_arrival)
                .unwrap_or(plate.created_at),
            now,
        ),
    }
}

fn disks(inner: &Inner) -> Vec<DiskItem> {
    let mut disks = inner.control.disks();
    disks.sort_by(|one, other| one.path.cmp(&other.path));
    disks.dedup_by(|one, other| one.path == other.path);
    disks
        .into_iter()
        .map(|disk| {
            let used = disk.total_bytes.saturating_sub(disk.free_bytes);
            let percent = (used / 1024 * 100)
                .checked_div(disk.total_bytes / 1024)
                .unwrap_or(0);
            DiskItem {
                path: disk.path,
                free: bytes(disk.free_bytes),
                total: bytes(disk.total_bytes),
                used: percent,
                is_low: percent >= 95,
            }
        })
        .collect()
}
