//! The list of tasks, filtered by what the address says.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use jiff::Timestamp;
use queue::{Cursor, TaskRow, TaskState};

use super::layout::{Layout, Notice};
use super::render;
use super::show::{When, encode, number};
use super::tone::Pill;
use crate::api::TaskQuery;
use crate::app::{App, Inner};
use crate::extract::parse_query;
use crate::problem::Problem;

/// Tasks on one page.
const TASKS: u32 = 100;

/// (value, what the form says)
const STATES: [(&str, &str); 8] = [
    ("", "any state"),
    ("failed,quarantined", "failed"),
    ("running", "running"),
    ("ready,retrying", "ready"),
    ("waiting", "waiting"),
    ("succeeded", "succeeded"),
    ("cancelled", "cancelled"),
    ("waiting,ready,retrying", "all that will run"),
];

#[derive(Template)]
#[template(path = "tasks.html")]
struct TasksPage {
    layout: Layout,
    states: Vec<(String, String, bool)>,
    plate: String,
    job: String,
    kind: String,
    well: String,
    q: String,
    tasks: Vec<TaskItem>,
    count: String,
    next: Option<String>,
    has_failures: bool,
}

struct TaskItem {
    id: i64,
    plate: i64,
    plate_name: String,
    subject: String,
    job: String,
    pill: Pill,
    message: String,
    attempts: u32,
    when: When,
}

pub(super) async fn page(
    State(app): State<App>,
    RawQuery(text): RawQuery,
) -> Result<Response, Problem> {
    let text = text.unwrap_or_default();
    let notice: Notice = parse_query(&text)?;
    let query: TaskQuery = parse_query(&without_notice(&text))?;
    let page = app
        .blocking(move |inner| tasks_page(inner, &query, &notice))
        .await?;
    render(&page)
}

/// The query without what only this page knows: the rest is the API's, which refuses unknown names.
fn without_notice(text: &str) -> String {
    let is_filter = |pair: &&str| !pair.starts_with("notice=") && !pair.starts_with("n=");
    text.split('&')
        .filter(is_filter)
        .collect::<Vec<_>>()
        .join("&")
}

fn tasks_page(inner: &Inner, query: &TaskQuery, notice: &Notice) -> queue::Result<TasksPage> {
    let now = Timestamp::now();
    let cursor = Cursor {
        limit: query.limit.map_or(TASKS, |limit| limit.min(1000)),
        ..query.cursor()
    };
    let page = inner.store.tasks(&query.filter(), cursor)?;
    let words: Vec<_> = query.state.iter().map(|state| state.as_str()).collect();
    let state = words.join(",");
    let plate = query.plate.map(|id| id.to_string()).unwrap_or_default();
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let (job, kind, well, q) = (
        text(&query.job),
        text(&query.kind),
        text(&query.well),
        text(&query.q),
    );
    let filters = [
        ("plate", &plate),
        ("state", &state),
        ("job", &job),
        ("kind", &kind),
        ("well", &well),
        ("q", &q),
    ];
    let here: Vec<_> = filters
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={}", encode(value)))
        .collect();
    let here = here.join("&");
    let joint = if here.is_empty() { "" } else { "&" };
    let next = page
        .next
        .map(|after| format!("/tasks?{here}{joint}after={after}"));
    let is_dead = |task: &TaskRow| matches!(task.state, TaskState::Failed | TaskState::Quarantined);
    let mut states: Vec<_> = STATES
        .iter()
        .map(|(value, label)| ((*value).to_owned(), (*label).to_owned(), *value == state))
        .collect();
    if !states.iter().any(|(.., selected)| *selected) {
        states.push((state.clone(), state.replace(',', ", "), true));
    }
    Ok(TasksPage {
        layout: Layout::new(inner, "Tasks", "tasks")
            .notice(notice)
            .live(format!("/tasks?{here}"), query.plate)
            .pauses(&inner.store.status()?.holds, query.plate),
        states,
        plate,
        job,
        kind,
        well,
        q,
        has_failures: page.items.iter().any(is_dead),
        count: number(page.items.len() as u64),
        next,
        tasks: page
            .items
            .into_iter()
            .map(|task| TaskItem {
                id: task.id.0,
                plate: task.plate.0,
                pill: Pill::task(task.state, task.blocked),
                message: task.error.map(|error| error.message).unwrap_or_default(),
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
            })
            .collect(),
    })
}
