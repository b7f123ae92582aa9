//! The page of a task.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use queue::{AttemptOutcome, AttemptRow, Neighbour, TaskId, TaskRow, TaskState};

use super::layout::{Layout, Notice};
use super::render;
use super::show::{When, bytes, duration, flatten};
use super::tone::{Pill, Tone};
use crate::app::{App, Inner};
use crate::extract::{Id, Params};
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "task.html")]
struct TaskPage {
    layout: Layout,
    task: TaskRow,
    pill: Pill,
    because: Vec<String>,
    attempts: Vec<AttemptItem>,
    ingredients: Vec<(String, String)>,
    result: Vec<(String, String)>,
    upstream: Vec<NeighbourItem>,
    downstream: Vec<NeighbourItem>,
    can_requeue: bool,
    can_cancel: bool,
}

struct AttemptItem {
    number: u32,
    pill: Pill,
    worker: String,
    started: When,
    took: String,
    error: Option<queue::Failure>,
    log: String,
    timings: Vec<(String, String)>,
    memory: String,
    is_open: bool,
}

struct NeighbourItem {
    task: i64,
    subject: String,
    job: String,
    pill: Pill,
}

impl From<Neighbour> for NeighbourItem {
    fn from(neighbour: Neighbour) -> Self {
        Self {
            task: neighbour.task.0,
            subject: neighbour.subject_name,
            job: neighbour.job,
            pill: Pill::task(neighbour.state, false),
        }
    }
}

pub(super) async fn page(
    State(app): State<App>,
    Id(task): Id<TaskId>,
    Params(notice): Params<Notice>,
) -> Result<Response, Problem> {
    let page = app
        .blocking(move |inner| task_page(inner, task, &notice))
        .await?;
    render(&page)
}

fn task_page(inner: &Inner, id: TaskId, notice: &Notice) -> queue::Result<TaskPage> {
    let now = Timestamp::now();
    let store = &inner.store;
    let detail = store.task(id)?;
    let because = crate::api::explained(inner, id)?.because;
    let attempts = store.attempts(id)?;
    let task = detail.task;
    let title = format!("{} of {}", task.job, task.subject_name);
    Ok(TaskPage {
        layout: Layout::new(inner, title, "tasks")
            .notice(notice)
            .live(format!("/tasks/{id}"), Some(task.plate))
            .pauses(&store.status()?.holds, Some(task.plate)),
        pill: Pill::task(task.state, task.blocked),
        because,
        attempts: attempts
            .into_iter()
            .enumerate()
            .map(|(i, attempt)| attempt_item(attempt, i == 0, now))
            .collect(),
        ingredients: flatten(&task.ingredients),
        result: task.result.as_ref().map(flatten).unwrap_or_default(),
        upstream: detail.upstream.into_iter().map(Into::into).collect(),
        downstream: detail.downstream.into_iter().map(Into::into).collect(),
        can_requeue: !matches!(
            task.state,
            TaskState::Running | TaskState::Ready | TaskState::Waiting
        ),
        can_cancel: !task.state.is_terminal() && !task.cancel_requested,
        task,
    })
}

fn attempt_item(attempt: AttemptRow, is_last: bool, now: Timestamp) -> AttemptItem {
    let tone = match attempt.outcome {
        AttemptOutcome::Running => Tone::Running,
        AttemptOutcome::Succeeded => Tone::Done,
        AttemptOutcome::Failed | AttemptOutcome::Crashed => Tone::Failed,
        AttemptOutcome::Interrupted => Tone::Missing,
        AttemptOutcome::Cancelled => Tone::Stopped,
    };
    AttemptItem {
        number: attempt.number,
        pill: Pill::new(tone, attempt.outcome.as_str()),
        worker: match attempt.pid {
            Some(pid) => format!("{} (pid {pid})", attempt.worker),
            None => attempt.worker,
        },
        started: When::new(attempt.started_at, now),
        took: duration(attempt.started_at, attempt.ended_at.unwrap_or(now)),
        error: attempt.error,
        log: attempt.log.unwrap_or_default(),
        timings: attempt.timings.as_ref().map(flatten).unwrap_or_default(),
        memory: attempt
            .peak_rss
            .map(|rss| bytes(rss.unsigned_abs()))
            .unwrap_or_default(),
        is_open: is_last,
    }
}
