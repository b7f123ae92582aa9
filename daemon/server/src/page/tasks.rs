//! The list of tasks, filtered by what the address says.

mod filters;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use jiff::Timestamp;
use queue::{Cursor, TaskFilter, TaskId, TaskRow, TaskState};
use serde::Deserialize;

use self::filters::{Chip, Filters};

use super::layout::{Layout, Notice};
use super::render;
use super::show::{When, number};
use super::tone::Pill;
use crate::api::TaskQuery;
use crate::app::{App, Inner};
use crate::extract::{empty_is_none, parse_query};
use crate::problem::Problem;

/// Tasks on one page.
const TASKS: u32 = 100;

/// Tasks are counted up to this number.
const COUNTED: u32 = 100_000;

#[derive(Template)]
#[template(path = "tasks.html")]
struct TasksPage {
    layout: Layout,
    filters: Filters,
    chips: Vec<Chip>,
    tasks: Vec<TaskItem>,
    /// How many there are, and how many of them are shown.
    count: String,
    first: Option<String>,
    previous: Option<String>,
    next: Option<String>,
    /// Failed ones that the form requeues; empty if there are none.
    failed: String,
    /// The command that does what the form does; empty where it has no such filter.
    command: String,
}

struct TaskItem {
    id: i64,
    plate: i64,
    plate_name: String,
    subject: String,
    job: String,
    pill: Pill,
    message: String,
    remedy: String,
    attempts: u32,
    when: When,
}

impl TaskItem {
    fn new(task: TaskRow, now: Timestamp) -> Self {
        let (message, remedy) = task
            .error
            .map(|error| (error.message, error.remedy))
            .unwrap_or_default();
        Self {
            id: task.id.0,
            plate: task.plate.0,
            pill: Pill::task(task.state, task.blocked),
            message,
            remedy,
            attempts: task.attempts,
            when: When::new(
                task.finished_at
                    .or(task.started_at)
                    .unwrap_or(task.created_at),
                now,
            ),
            plate_name: task.plate_name,
            subject: task.subject_name,
            job: task.job,
        }
    }
}

/// What only this page knows: the rest of its query is the API's, which refuses unknown names.
#[derive(Debug, Default, Deserialize)]
struct OfPage {
    #[serde(flatten)]
    notice: Notice,
    /// Going back: the first task of the page after.
    #[serde(default, deserialize_with = "empty_is_none")]
    before: Option<TaskId>,
}

pub(super) async fn page(
    State(app): State<App>,
    RawQuery(text): RawQuery,
) -> Result<Response, Problem> {
    let text = text.unwrap_or_default();
    let of_page: OfPage = parse_query(&text)?;
    let query: TaskQuery = parse_query(&of_api(&text))?;
    let page = app
        .blocking(move |inner| tasks_page(inner, &query, &of_page))
        .await?;
    render(&page)
}

/// The query without what only this page knows.
fn of_api(text: &str) -> String {
    let is_filter = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default();
        !["notice", "n", "before"].contains(&name)
    };
    text.split('&')
        .filter(is_filter)
        .collect::<Vec<_>>()
        .join("&")
}

fn tasks_page(inner: &Inner, query: &TaskQuery, of_page: &OfPage) -> queue::Result<TasksPage> {
    let now = Timestamp::now();
    let store = &inner.store;
    let filter = query.filter(inner)?;
    let cursor = Cursor {
        limit: query.limit.map_or(TASKS, |limit| limit.min(1000)),
        ..query.cursor()
    };
    let filters = Filters::new(query, &store.roots()?);
    let (items, earlier, next) = part(inner, &filter, cursor, of_page.before)?;
    let link = |name: &str, id: i64| filters.address(Some((name, &id.to_string())));
    let first = items.first().map(|task| task.id.0);
    let last = items.last().map(|task| task.id.0);
    let failed = failures(inner, &filter)?;
    Ok(TasksPage {
        layout: Layout::new(inner, "Tasks", "tasks")
            .notice(&of_page.notice)
            .live(filters.address(None), query.plate)
            .pauses(&store.status()?.holds, query.plate),
        chips: filters.chips(),
        count: count(inner, &filter, items.len())?,
        first: earlier.then(|| filters.address(None)),
        previous: first.filter(|_| earlier).map(|first| link("before", first)),
        next: last.filter(|_| next).map(|last| link("after", last)),
        failed: if failed == 0 {
            String::new()
        } else {
            at_most(failed)
        },
        command: filters.command().unwrap_or_default(),
        tasks: items
            .into_iter()
            .map(|task| TaskItem::new(task, now))
            .collect(),
        filters,
    })
}

/// A part of the list, and whether there is one before and one after it.
fn part(
    inner: &Inner,
    filter: &TaskFilter,
    cursor: Cursor,
    before: Option<TaskId>,
) -> queue::Result<(Vec<TaskRow>, bool, bool)> {
    let store = &inner.store;
    if let Some(before) = before {
        let page = store.tasks_before(filter, before, cursor.limit)?;
        // There is what one came from.
        return Ok((page.items, page.next.is_some(), true));
    }
    let page = store.tasks(filter, cursor)?;
    let earlier = cursor.after > 0
        && !store
            .tasks_before(filter, TaskId(cursor.after + 1), 1)?
            .items
            .is_empty();
    let next = page.next.is_some();
    Ok((page.items, earlier, next))
}

/// How many there are. Texts and wells of all plates together are searched row by row, which a count would do to the end.
fn count(inner: &Inner, filter: &TaskFilter, shown: usize) -> queue::Result<String> {
    let narrow = filter.plate.is_some()
        || filter.wells.is_none()
            && [&filter.job, &filter.kind, &filter.q]
                .iter()
                .all(|text| text.is_none());
    if !narrow {
        return Ok(format!("{} shown", number(shown as u64)));
    }
    let n = inner.store.count_tasks(filter, COUNTED)?;
    Ok(format!("{} of {} shown", number(shown as u64), at_most(n)))
}

fn at_most(n: u64) -> String {
    if n >= u64::from(COUNTED) {
        format!("more than {}", number(n))
    } else {
        number(n)
    }
}

/// How many tasks the form would requeue: the failed ones, whatever states the list shows.
fn failures(inner: &Inner, filter: &TaskFilter) -> queue::Result<u64> {
    let dead = [TaskState::Failed, TaskState::Quarantined];
    let shows_some =
        filter.states.is_empty() || dead.iter().any(|state| filter.states.contains(state));
    if !shows_some {
        return Ok(0);
    }
    let dead = TaskFilter {
        states: dead.to_vec(),
        ..filter.clone()
    };
    inner.store.count_tasks(&dead, COUNTED)
}
