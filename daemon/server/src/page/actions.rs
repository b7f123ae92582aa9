//! Where the forms of the pages go. Each does one thing, and shows the page again.

use axum::extract::State;
use axum::response::Redirect;
use queue::{PlateId, PlateState, RootId, SubjectId, Target, TaskFilter, TaskId, TaskState};
use serde::Deserialize;

use super::login::local;
use super::plate::recompute::requeue_failed;
use super::show::encode;
use crate::api;
use crate::app::App;
use crate::extract::{Form, Id, empty_is_none};
use crate::problem::Problem;
use crate::selection::Selection;

/// Longest reason that is kept, in characters.
const LONGEST_REASON: usize = 1000;

/// The page that a form stands on.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Back {
    back: String,
    reason: String,
    /// Selected wells of the plate; none: all of it.
    wells: String,
    /// Ids of tasks that are requeued together with the one that the form is sent to.
    also: String,
}

impl Back {
    /// The page again, with a word about what was done.
    fn with(&self, notice: &str, n: usize) -> Redirect {
        let path = local(&self.back);
        let joint = if path.contains('?') { '&' } else { '?' };
        Redirect::to(&format!("{path}{joint}notice={notice}&n={n}"))
    }

    fn others(&self) -> Vec<TaskId> {
        let ids = self.also.split(',').filter_map(|id| id.parse().ok());
        ids.map(TaskId).take(MOST_OTHERS).collect()
    }

    fn reason(&self) -> String {
        match self.reason.trim() {
            "" => "paused on the web page".to_owned(),
            reason => reason.chars().take(LONGEST_REASON).collect(),
        }
    }
}

/// More tasks than one failure is told of.
const MOST_OTHERS: usize = 100;

type Answer = Result<Redirect, Problem>;

pub(super) async fn requeue_plate(
    State(app): State<App>,
    Id(plate): Id<PlateId>,
    Form(back): Form<Back>,
) -> Answer {
    let wells = back.wells.clone();
    let n = app
        .blocking(move |inner| requeue_failed(inner, plate, Some(&wells)))
        .await?;
    Ok(back.with("requeued", n))
}

pub(super) async fn finalize(
    State(app): State<App>,
    Id(plate): Id<PlateId>,
    Form(back): Form<Back>,
) -> Answer {
    app.blocking(move |inner| {
        let state = inner.store.plate(plate)?.plate.state;
        if matches!(state, PlateState::Arriving | PlateState::Stale) {
            inner.control.finalize(plate)?;
        }
        Ok::<_, Problem>(())
    })
    .await?;
    Ok(back.with("finalized", 1))
}

async fn hold(app: App, target: Target, back: Back) -> Answer {
    let reason = back.reason();
    app.blocking(move |inner| inner.store.pause(target, api::USER, &reason))
        .await?;
    Ok(back.with("paused", 1))
}

async fn release(app: App, target: Target, back: Back) -> Answer {
    app.blocking(move |inner| inner.store.resume(target, api::USER))
        .await?;
    Ok(back.with("resumed", 1))
}

pub(super) async fn pause_plate(
    State(app): State<App>,
    Id(plate): Id<PlateId>,
    Form(back): Form<Back>,
) -> Answer {
    hold(app, Target::Plate(plate), back).await
}

pub(super) async fn resume_plate(
    State(app): State<App>,
    Id(plate): Id<PlateId>,
    Form(back): Form<Back>,
) -> Answer {
    release(app, Target::Plate(plate), back).await
}

pub(super) async fn pause(State(app): State<App>, Form(back): Form<Back>) -> Answer {
    hold(app, Target::All, back).await
}

pub(super) async fn resume(State(app): State<App>, Form(back): Form<Back>) -> Answer {
    release(app, Target::All, back).await
}

pub(super) async fn rescan(
    State(app): State<App>,
    Id(root): Id<RootId>,
    Form(back): Form<Back>,
) -> Answer {
    app.blocking(move |inner| inner.control.rescan(root))
        .await?;
    Ok(back.with("rescan", 1))
}

pub(super) async fn requeue_task(
    State(app): State<App>,
    Id(task): Id<TaskId>,
    Form(back): Form<Back>,
) -> Answer {
    let others = back.others();
    let done = app
        .blocking(move |inner| {
            if others.is_empty() {
                return api::requeue_task(inner, task, None, false);
            }
            let filter = TaskFilter {
                tasks: others.into_iter().chain([task]).collect(),
                ..TaskFilter::default()
            };
            Ok(api::requeue(inner, &filter, None, false)?)
        })
        .await?;
    Ok(back.with("requeued", done.count))
}

pub(super) async fn cancel_task(
    State(app): State<App>,
    Id(task): Id<TaskId>,
    Form(back): Form<Back>,
) -> Answer {
    let cancelled = app
        .blocking(move |inner| api::cancel_task(inner, task))
        .await?;
    let n = cancelled.tasks.len() + cancelled.stopping.len();
    Ok(back.with("cancelled", n))
}

/// The filter of the list of tasks.
#[derive(Debug, Deserialize)]
pub(super) struct ListFilter {
    #[serde(default, deserialize_with = "empty_is_none")]
    plate: Option<PlateId>,
    #[serde(default, deserialize_with = "empty_is_none")]
    root: Option<RootId>,
    #[serde(default, deserialize_with = "empty_is_none")]
    subject: Option<SubjectId>,
    #[serde(default, deserialize_with = "empty_is_none")]
    workflow: Option<String>,
    #[serde(default, deserialize_with = "empty_is_none")]
    job: Option<String>,
    #[serde(default, deserialize_with = "empty_is_none")]
    kind: Option<String>,
    #[serde(default, deserialize_with = "empty_is_none")]
    well: Option<String>,
    #[serde(default, deserialize_with = "empty_is_none")]
    q: Option<String>,
}

/// Requeues the failed and quarantined tasks that the list shows.
pub(super) async fn requeue_tasks(State(app): State<App>, Form(form): Form<ListFilter>) -> Answer {
    let mut target = "/tasks?".to_owned();
    let plate = form.plate.map(|plate| plate.to_string());
    let root = form.root.map(|root| root.to_string());
    let subject = form.subject.map(|subject| subject.to_string());
    for (name, value) in [
        ("plate", &plate),
        ("root", &root),
        ("subject", &subject),
        ("workflow", &form.workflow),
        ("job", &form.job),
        ("kind", &form.kind),
        ("well", &form.well),
        ("q", &form.q),
    ] {
        if let Some(value) = value {
            target.push_str(&format!("{name}={}&", encode(value)));
        }
    }
    let back = Back {
        back: target.trim_end_matches(['?', '&']).to_owned(),
        ..Back::default()
    };
    let tasks = app
        .blocking(move |inner| {
            let filter = TaskFilter {
                plate: form.plate,
                root: form.root,
                subject: form.subject,
                states: vec![TaskState::Failed, TaskState::Quarantined],
                workflow: form.workflow,
                job: form.job,
                kind: form.kind,
                wells: Selection::names_on(inner, form.plate, form.well.as_deref())?,
                q: form.q,
                ..TaskFilter::default()
            };
            inner.store.requeue(&filter, None, false)
        })
        .await?;
    Ok(back.with("requeued", tasks.len()))
}
