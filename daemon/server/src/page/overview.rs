//! The first page: what is going on.

mod facility;
mod plate_item;
mod speed;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use queue::{Cursor, PlateFilter, Target};
use serde::Deserialize;

use self::facility::{DiskItem, GpuItem, RecipientItem, RootItem, WorkerItem};
use self::plate_item::PlateItem;
use self::speed::Speed;
use super::failure::{self, FailureItem};
use super::layout::{Layout, Notice};
use super::render;
use super::show::number;
use super::tone::Tone;
use crate::app::{App, Inner};
use crate::estimate::Estimates;
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
    speed: Speed,
    roots: Vec<RootItem>,
    workers: Vec<WorkerItem>,
    gpu: Option<GpuItem>,
    disks: Vec<DiskItem>,
    recipients: Vec<RecipientItem>,
    unused: Vec<(String, &'static str)>,
}

struct Tile {
    value: String,
    label: &'static str,
    class: &'static str,
    href: &'static str,
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
    let estimates = Estimates::read(inner)?;
    let plates = page
        .items
        .into_iter()
        .map(|plate| {
            let root = name_of(plate.plate.root);
            let target = Target::Plate(plate.plate.id);
            let is_paused = status.holds.iter().any(|hold| hold.target == target);
            PlateItem::new(inner, plate, root, &estimates, is_paused, now)
        })
        .collect::<queue::Result<_>>()?;
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
            "file with a name that fits no scheme",
            "files with names that fit no scheme",
            "state=unmatched",
        ),
        (
            files.unreadable,
            "file cannot be read",
            "files cannot be read",
            "state=unreadable",
        ),
        (
            files.vanished,
            "file is gone; its results stay",
            "files are gone; their results stay",
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
        plates,
        older: page.next,
        is_first: query.after.is_none(),
        q: query.q.clone().unwrap_or_default(),
        failures: failure::failures(failures, now),
        speed: Speed::new(&inner.store.throughput()?),
        roots: facility::roots(inner, status.roots),
        workers: facility::workers(inner, now),
        gpu: facility::gpu(inner),
        disks: facility::disks(inner),
        recipients: facility::recipients(inner.store.recipients()?, now),
        unused: unused
            .into_iter()
            .filter(|(n, ..)| *n > 0)
            .map(|(n, one, many, filter)| {
                let what = if n == 1 { one } else { many };
                (format!("{} {what}", number(n)), filter)
            })
            .collect(),
    })
}
