//! The page of a task.

mod attempts;
mod inputs;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use queue::{Neighbour, TaskId, TaskRow, TaskState};
use serde_json::Value;

use self::attempts::AttemptItem;
use self::inputs::Inputs;
use super::layout::{Layout, Notice};
use super::render;
use super::show::{flatten, with_units};
use super::tone::Pill;
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
    /// The job's parameters.
    parameters: Vec<(String, String)>,
    /// What else the key was made from.
    ingredients: Vec<(String, String)>,
    inputs: Inputs,
    container: String,
    result: Vec<(String, String)>,
    upstream: Vec<NeighbourItem>,
    downstream: Vec<NeighbourItem>,
    can_requeue: bool,
    can_cancel: bool,
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
            pill: Pill::task(neighbour.state, neighbour.blocked),
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
    let task = detail.task;
    let attempts = attempts::attempts(inner, &task, store.attempts(id)?, now)?;
    let status = store.status()?;
    let subject = store.subject(task.subject)?.subject;
    let title = format!("{} of {}", task.job, task.subject_name);
    let (parameters, ingredients) = ingredients(&task.ingredients);
    Ok(TaskPage {
        layout: Layout::new(inner, title, "tasks")
            .notice(notice)
            .live(format!("/tasks/{id}"), Some(task.plate))
            .pauses(&status.holds, Some(task.plate)),
        pill: Pill::task(task.state, task.blocked),
        because,
        attempts,
        parameters,
        ingredients,
        inputs: Inputs::of(inner, &task, &status.roots)?,
        container: subject
            .container
            .map(|path| path.to_string_lossy().into_owned())
            .unwrap_or_default(),
        result: task.result.as_ref().map(with_units).unwrap_or_default(),
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

type Pairs = Vec<(String, String)>;

/// What a key was made from: the parameters, and the rest.
fn ingredients(value: &Value) -> (Pairs, Pairs) {
    let mut rest = value.clone();
    // Those that are canonical texts of objects are told member by member.
    for member in rest
        .as_object_mut()
        .into_iter()
        .flat_map(|all| all.values_mut())
    {
        if let Some(Ok(object @ Value::Object(_))) = member.as_str().map(serde_json::from_str) {
            *member = object;
        }
    }
    let parameters = rest
        .as_object_mut()
        .and_then(|members| members.remove("parameters"))
        .unwrap_or_default();
    // Otherwise nothing would be told as `{}`.
    let pairs = |value: &Value| match value {
        Value::Object(members) if members.is_empty() => Vec::new(),
        value => flatten(value),
    };
    (pairs(&parameters), pairs(&rest))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::ingredients;

    #[test]
    fn parameters_are_told_one_by_one() {
        let told = |value| {
            let pairs = |pairs: super::Pairs| {
                let one = |(name, value): (String, String)| format!("{name}={value}");
                pairs.into_iter().map(one).collect::<Vec<_>>().join(" ")
            };
            let (parameters, rest) = ingredients(&value);
            (pairs(parameters), pairs(rest))
        };
        let objects = json!({ "kind": "k", "parameters": { "sigma": 1.5 } });
        let texts = json!({ "kind": "k", "parameters": "{\"sigma\":1.5}" });
        let wanted = ("sigma=1.5".to_owned(), "kind=k".to_owned());
        assert_eq!(told(objects), wanted);
        assert_eq!(told(texts), wanted);
        assert_eq!(told(json!({ "parameters": "{}" })), Default::default());
    }
}
