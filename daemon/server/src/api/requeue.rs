//! Running tasks again, and stopping them.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use queue::{Cursor, PlateId, TaskFilter, TaskId, TaskState};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::{App, Inner};
use crate::extract::{Body, Id, name, object, short};
use crate::problem::Problem;
use crate::selection::Selection;
use crate::view::{CancelledView, Requeued, TaskStateWord};

/// How to requeue one task.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RequeueTask {
    /// Start at this job of the same subject instead.
    #[serde(deserialize_with = "name")]
    from_job: Option<String>,
    /// Only say what would be requeued.
    dry_run: bool,
}

/// Which tasks of a plate to requeue.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RequeuePlate {
    /// Those in these states; unless said, failed and quarantined ones, or with `from_job` all.
    #[schema(value_type = Option<Vec<TaskStateWord>>)]
    state: Option<Vec<TaskState>>,
    /// Start at this job of the subjects that have such a task instead.
    #[serde(deserialize_with = "name")]
    from_job: Option<String>,
    /// Only say what would be requeued.
    dry_run: bool,
}

/// Which tasks to requeue.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RequeueMany {
    /// Those that satisfy everything that is set.
    #[serde(deserialize_with = "object")]
    filter: RequeueFilter,
    /// Start at this job of the subjects that have such a task instead.
    #[serde(deserialize_with = "name")]
    from_job: Option<String>,
    /// Only say what would be requeued.
    dry_run: bool,
}

/// Which tasks: those that satisfy everything that is set.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct RequeueFilter {
    /// Only these.
    tasks: Option<Vec<i64>>,
    /// Only of this plate.
    plate: Option<i64>,
    /// Only in these states; unless states or tasks are given, failed and quarantined ones, or with `from_job` all.
    #[schema(value_type = Option<Vec<TaskStateWord>>)]
    state: Option<Vec<TaskState>>,
    /// Only of this workflow.
    #[serde(deserialize_with = "short")]
    workflow: Option<String>,
    /// Only of this job.
    #[serde(deserialize_with = "short")]
    job: Option<String>,
    /// Only of this kind of job.
    #[serde(deserialize_with = "short")]
    kind: Option<String>,
    /// Only of these wells: `A01`, a rectangle `A01:B03`, of a plate also a row `C` or a column `7`, separated by commas.
    #[serde(deserialize_with = "short")]
    well: Option<String>,
    /// Only where the subject, the job or the error contains this text.
    #[serde(deserialize_with = "short")]
    q: Option<String>,
}

impl RequeueFilter {
    /// `None` for the empty list of tasks, which the queue would take for all of them.
    fn into_filter(self, inner: &Inner) -> queue::Result<Option<TaskFilter>> {
        if self.tasks.as_ref().is_some_and(Vec::is_empty) {
            return Ok(None);
        }
        let tasks = self.tasks.unwrap_or_default();
        let plate = self.plate.map(PlateId);
        Ok(Some(TaskFilter {
            tasks: tasks.into_iter().map(TaskId).collect(),
            plate,
            states: self.state.unwrap_or_default(),
            workflow: self.workflow,
            job: self.job,
            kind: self.kind,
            wells: Selection::names_on(inner, plate, self.well.as_deref())?,
            q: self.q,
            ..TaskFilter::default()
        }))
    }
}

type Answer = (StatusCode, Json<Requeued>);

fn answer(requeued: Requeued) -> Answer {
    // Nothing was begun when nothing was to be done.
    let status = if requeued.dry_run || requeued.tasks.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::ACCEPTED
    };
    (status, Json(requeued))
}

/// Runs again what the filter finds, or says what that would be.
pub(crate) fn requeue(
    inner: &Inner,
    filter: &TaskFilter,
    from_job: Option<&str>,
    dry_run: bool,
) -> queue::Result<Requeued> {
    inner.store.transaction(|transaction| {
        let tasks = transaction.requeue(filter, from_job, dry_run)?;
        let following = transaction.following(&tasks)?;
        Ok(Requeued {
            count: tasks.len(),
            tasks: tasks.into_iter().map(|task| task.0).collect(),
            following,
            dry_run,
        })
    })
}

/// A job that nothing has is a slip of the pen, not "nothing to do".
pub(crate) fn check_job(
    inner: &Inner,
    among: TaskFilter,
    from_job: Option<&str>,
) -> Result<(), Problem> {
    let Some(job) = from_job else { return Ok(()) };
    let filter = TaskFilter {
        job: Some(job.to_owned()),
        ..among
    };
    if inner
        .store
        .tasks(&filter, Cursor::first(1))?
        .items
        .is_empty()
    {
        let status = StatusCode::NOT_FOUND;
        let detail = format!("there is no job `{job}` among these tasks");
        return Err(Problem::new(status, "unknown_job", detail).with_remedy(
            "use the `job` of a task of the same subject, as /api/v1/tasks or the page of the plate gives it",
        ));
    }
    Ok(())
}

/// Runs one task again, if it exists.
pub(crate) fn requeue_task(
    inner: &Inner,
    task: TaskId,
    from_job: Option<&str>,
    dry_run: bool,
) -> Result<Requeued, Problem> {
    let row = inner.store.task(task)?.task;
    let among = TaskFilter {
        subject: Some(row.subject),
        workflow: Some(row.workflow),
        ..TaskFilter::default()
    };
    check_job(inner, among, from_job)?;
    let filter = TaskFilter::task(task);
    Ok(requeue(inner, &filter, from_job, dry_run)?)
}

/// Cancels one task, if it exists, and ends its worker.
pub(crate) fn cancel_task(inner: &Inner, task: TaskId) -> queue::Result<queue::Cancelled> {
    inner.store.task(task)?;
    let cancelled = inner.store.cancel(&TaskFilter::task(task))?;
    if !cancelled.passes.is_empty() {
        inner.control.stop_passes(&cancelled.passes);
    }
    Ok(cancelled)
}

/// Runs a task again, and after it everything that depends on it. Doing it twice changes nothing.
#[utoipa::path(post, path = "/api/v1/tasks/{id}/requeue", tag = "tasks",
    params(("id" = i64, Path, description = "The task")), request_body = Option<RequeueTask>,
    responses(
        (status = 202, description = "It is queued", body = Requeued),
        (status = 200, description = "It was queued already, or `dry_run`", body = Requeued),
        (status = 404, description = "No such task, or no such job of its subject", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is running", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field makes no sense", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn task(
    State(app): State<App>,
    Id(task): Id<TaskId>,
    Body(request): Body<RequeueTask>,
) -> Result<Answer, Problem> {
    app.blocking(move |inner| {
        let done = requeue_task(inner, task, request.from_job.as_deref(), request.dry_run)?;
        Ok::<_, Problem>(answer(done))
    })
    .await
}

/// Runs the failed tasks of a plate again, or those in other states.
#[utoipa::path(post, path = "/api/v1/plates/{id}/requeue", tag = "plates",
    params(("id" = i64, Path, description = "The plate")), request_body = Option<RequeuePlate>,
    responses(
        (status = 202, description = "They are queued", body = Requeued),
        (status = 200, description = "There are none, or `dry_run`", body = Requeued),
        (status = 404, description = "No such plate, or no such job on it", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Some are running; nothing was requeued", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field makes no sense", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn plate(
    State(app): State<App>,
    Id(plate): Id<PlateId>,
    Body(request): Body<RequeuePlate>,
) -> Result<Answer, Problem> {
    app.blocking(move |inner| {
        inner.store.plate(plate)?;
        let filter = TaskFilter {
            states: request.state.unwrap_or_default(),
            ..TaskFilter::plate(plate)
        };
        let from_job = request.from_job.as_deref();
        check_job(inner, TaskFilter::plate(plate), from_job)?;
        let done = requeue(inner, &filter, from_job, request.dry_run)?;
        Ok::<_, Problem>(answer(done))
    })
    .await
}

/// Runs tasks again: failed and quarantined ones, unless states or tasks are given.
#[utoipa::path(post, path = "/api/v1/tasks/requeue", tag = "tasks", request_body = Option<RequeueMany>,
    responses(
        (status = 202, description = "They are queued", body = Requeued),
        (status = 200, description = "There are none, or `dry_run`", body = Requeued),
        (status = 404, description = "No such job", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Some are running; nothing was requeued", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field makes no sense", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn many(
    State(app): State<App>,
    Body(request): Body<RequeueMany>,
) -> Result<Answer, Problem> {
    app.blocking(move |inner| {
        let from_job = request.from_job.as_deref();
        let among = TaskFilter {
            plate: request.filter.plate.map(PlateId),
            ..TaskFilter::default()
        };
        check_job(inner, among, from_job)?;
        let dry_run = request.dry_run;
        let done = match request.filter.into_filter(inner)? {
            Some(filter) => requeue(inner, &filter, from_job, dry_run)?,
            None => Requeued::nothing(dry_run),
        };
        Ok::<_, Problem>(answer(done))
    })
    .await
}

/// Cancels a task that has not ended; a running one is asked to stop.
#[utoipa::path(post, path = "/api/v1/tasks/{id}/cancel", tag = "tasks",
    params(("id" = i64, Path, description = "The task")),
    responses(
        (status = 202, description = "It is cancelled, or asked to stop", body = CancelledView),
        (status = 200, description = "It had ended; nothing changed", body = CancelledView),
        (status = 404, description = "No such task", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn cancel(
    State(app): State<App>,
    Id(task): Id<TaskId>,
) -> Result<(StatusCode, Json<CancelledView>), Problem> {
    app.blocking(move |inner| {
        let cancelled = cancel_task(inner, task)?;
        let nothing = cancelled.tasks.is_empty() && cancelled.stopping.is_empty();
        let status = if nothing {
            StatusCode::OK
        } else {
            StatusCode::ACCEPTED
        };
        Ok::<_, queue::Error>((status, Json((&cancelled).into())))
    })
    .await
}
