//! Tasks and their attempts.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use queue::{AttemptRow, PlateId, RootId, SubjectId, TaskFilter, TaskId, TaskState};
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;

use super::cursor;
use crate::app::{App, Inner};
use crate::extract::{Id, Params, empty_is_none, words};
use crate::problem::Problem;
use crate::selection::Selection;
use crate::view::{AttemptView, Page, TaskDetailView, TaskView};

/// Which tasks.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct TaskQuery {
    /// Only of this plate.
    #[serde(default, deserialize_with = "empty_is_none")]
    #[param(value_type = Option<i64>)]
    pub plate: Option<PlateId>,
    /// Only of the plates of this root.
    #[serde(default, deserialize_with = "empty_is_none")]
    #[param(value_type = Option<i64>)]
    pub root: Option<RootId>,
    /// Only of this subject.
    #[serde(default, deserialize_with = "empty_is_none")]
    #[param(value_type = Option<i64>)]
    pub subject: Option<SubjectId>,
    /// Only in these states, separated by commas.
    #[serde(default, deserialize_with = "words")]
    #[param(value_type = Option<String>, pattern = "^((waiting|ready|running|succeeded|retrying|failed|quarantined|cancelled)(,(?!$)|$))*$")]
    pub state: Vec<TaskState>,
    /// Only of this workflow.
    #[serde(default, deserialize_with = "empty_is_none")]
    pub workflow: Option<String>,
    /// Only of this job.
    #[serde(default, deserialize_with = "empty_is_none")]
    pub job: Option<String>,
    /// Only of this kind of job.
    #[serde(default, deserialize_with = "empty_is_none")]
    pub kind: Option<String>,
    /// Only of these wells: `A01`, a rectangle `A01:B03`, of a plate also a row `C` or a column `7`, separated by commas.
    #[serde(default, deserialize_with = "empty_is_none")]
    pub well: Option<String>,
    /// Only where the subject, the job or the error contains this text.
    #[serde(default, deserialize_with = "empty_is_none")]
    pub q: Option<String>,
    /// The `next` of the part before.
    #[serde(default, deserialize_with = "empty_is_none")]
    pub after: Option<i64>,
    /// Most rows, at most 1000; 100 unless said.
    #[serde(default, deserialize_with = "empty_is_none")]
    pub limit: Option<u32>,
}

impl TaskQuery {
    pub(crate) fn filter(&self, inner: &Inner) -> queue::Result<TaskFilter> {
        Ok(TaskFilter {
            plate: self.plate,
            root: self.root,
            subject: self.subject,
            states: self.state.clone(),
            workflow: self.workflow.clone(),
            job: self.job.clone(),
            kind: self.kind.clone(),
            wells: Selection::names_on(inner, self.plate, self.well.as_deref())?,
            q: self.q.clone(),
            ..TaskFilter::default()
        })
    }

    pub(crate) fn cursor(&self) -> queue::Cursor {
        cursor(self.after, self.limit)
    }
}

/// Tasks, oldest first.
#[utoipa::path(get, path = "/api/v1/tasks", tag = "tasks", params(TaskQuery),
    responses(
        (status = 200, description = "Tasks", body = Page<TaskView>),
        (status = 400, description = "A parameter makes no sense", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn list(
    State(app): State<App>,
    Params(query): Params<TaskQuery>,
) -> Result<Json<Page<TaskView>>, Problem> {
    app.blocking(move |inner| {
        let page = inner.store.tasks(&query.filter(inner)?, query.cursor())?;
        Ok::<_, queue::Error>(Json(Page::of(page, Into::into)))
    })
    .await
}

/// One task, with what it needs and what needs it.
#[utoipa::path(get, path = "/api/v1/tasks/{id}", tag = "tasks",
    params(("id" = i64, Path, description = "The task")),
    responses(
        (status = 200, description = "The task", body = TaskDetailView),
        (status = 404, description = "No such task", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn show(
    State(app): State<App>,
    Id(task): Id<TaskId>,
) -> Result<Json<TaskDetailView>, Problem> {
    app.blocking(move |inner| inner.store.task(task))
        .await
        .map(|detail| Json(detail.into()))
}

/// The executions of a task, newest first.
#[utoipa::path(get, path = "/api/v1/tasks/{id}/attempts", tag = "tasks",
    params(("id" = i64, Path, description = "The task")),
    responses(
        (status = 200, description = "The attempts, all of them", body = Page<AttemptView>),
        (status = 404, description = "No such task", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn attempts(
    State(app): State<App>,
    Id(task): Id<TaskId>,
) -> Result<Json<Page<AttemptView>>, Problem> {
    app.blocking(move |inner| {
        inner.store.task(task)?;
        let items = inner.store.attempts(task)?;
        let items = items.into_iter().map(Into::into).collect();
        Ok::<_, queue::Error>(Json(Page { items, next: None }))
    })
    .await
}

/// Which attempt.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct LogQuery {
    /// Number of the attempt; the last one unless said.
    #[serde(default, deserialize_with = "empty_is_none")]
    attempt: Option<u32>,
}

/// Tells in a header of the log whether there may be more of it: `running`, or how the attempt ended.
const OUTCOME: &str = "x-wellspring-outcome";

/// The log of an attempt, also of one that is running.
pub(crate) fn log_of(inner: &Inner, attempt: &AttemptRow) -> queue::Result<String> {
    if attempt.ended_at.is_some() {
        return Ok(attempt.log.clone().unwrap_or_default());
    }
    if let Some(log) = inner.control.running_log(attempt.pass) {
        return Ok(log);
    }
    // It has ended just now: what there was is recorded.
    let mut attempts = inner.store.attempts(attempt.task)?.into_iter();
    let again = attempts.find(|row| row.id == attempt.id);
    Ok(again.and_then(|row| row.log).unwrap_or_default())
}

/// What the worker and its programs wrote to stderr during an attempt, at most the first 16 and the last 48 KiB. Of an attempt
/// that is running: what there is by now; the header `X-Wellspring-Outcome` then is `running`.
#[utoipa::path(get, path = "/api/v1/tasks/{id}/log", tag = "tasks",
    params(("id" = i64, Path, description = "The task"), LogQuery),
    responses(
        (status = 200, description = "The log; empty if nothing was written", body = String, content_type = "text/plain"),
        (status = 404, description = "No such task or attempt", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn log(
    State(app): State<App>,
    Id(task): Id<TaskId>,
    Params(LogQuery { attempt }): Params<LogQuery>,
) -> Result<impl IntoResponse, Problem> {
    let (log, outcome) = app
        .blocking(move |inner| {
            inner.store.task(task)?;
            let found = inner
                .store
                .attempts(task)?
                .into_iter()
                .find(|row| attempt.is_none_or(|number| row.number == number));
            match (found, attempt) {
                (Some(row), _) => Ok((log_of(inner, &row)?, row.outcome.as_str())),
                (None, Some(number)) => Err(Problem::not_found("attempt", number)
                    .with_remedy(format!("see /api/v1/tasks/{task}/attempts"))),
                (None, None) => Err(Problem::not_found("attempt of task", task)
                    .with_remedy("the task has not been run yet")),
            }
        })
        .await?;
    let headers = [
        (header::CONTENT_TYPE.as_str(), "text/plain; charset=utf-8"),
        (OUTCOME, outcome),
    ];
    Ok((headers, log))
}

/// Why a task is where it is, with what only the running daemon knows.
pub(crate) fn explained(inner: &Inner, id: TaskId) -> queue::Result<queue::Explanation> {
    let mut explanation = inner.store.explain(id)?;
    let task = inner.store.task(id)?.task;
    if task.state == TaskState::Ready {
        explanation.because.extend(inner.control.waiting_for(&task));
    }
    Ok(explanation)
}

/// Why a task is where it is: sentences in `because`, the same for programs in `reasons`.
#[utoipa::path(get, path = "/api/v1/tasks/{id}/explain", tag = "tasks",
    params(("id" = i64, Path, description = "The task")),
    responses(
        (status = 200, description = "The reasons: `task`, `state`, `because` (sentences), `reasons` (objects with a `reason`)", body = Object),
        (status = 404, description = "No such task", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn explain(
    State(app): State<App>,
    Id(task): Id<TaskId>,
) -> Result<Json<Value>, Problem> {
    app.blocking(move |inner| {
        let explanation = explained(inner, task)?;
        let value = serde_json::to_value(explanation).map_err(queue::Error::from)?;
        Ok::<_, queue::Error>(Json(value))
    })
    .await
}
