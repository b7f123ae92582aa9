//! `wellspring tasks`.

use std::path::Path;

use serde_json::json;

use super::{Client, ClientOptions, Console, Exit, Result, files, for_each, requeue, task_show};
use crate::args::{CursorArgs, TasksCommand, words};
use crate::listing::Listing;
use crate::resolve;
use crate::sheet::{Cell, Sheet};
use crate::wire::{Cancelled, Explanation, Task};
use crate::words::number;

/// Runs one of the commands.
pub(super) fn run(
    options: &ClientOptions,
    command: &TasksCommand,
    console: &Console,
) -> Result<Exit> {
    let client = Client::new(options)?;
    match command {
        TasksCommand::List {
            plate,
            state,
            failed,
            job,
            well,
            text,
            cursor,
        } => {
            let mut filter = Vec::new();
            if let Some(plate) = plate {
                filter.push(("plate", resolve::plate_id(&client, plate)?.to_string()));
            }
            if *failed {
                filter.push(("state", "failed,quarantined".to_owned()));
            } else if !state.is_empty() {
                filter.push(("state", words(state)));
            }
            for (name, value) in [("job", job), ("well", well), ("q", text)] {
                filter.extend(value.iter().map(|value| (name, value.clone())));
            }
            list(&client, &filter, *cursor, console)
        }
        TasksCommand::Show { id } => task_show::show(&client, *id, console),
        TasksCommand::Log { id, attempt } => task_show::log(&client, *id, *attempt, console),
        TasksCommand::Requeue(args) => requeue::run(&client, args, console),
        TasksCommand::Cancel { ids } => cancel(&client, ids, console),
        TasksCommand::Explain { what } => match what.to_str().and_then(|id| id.parse().ok()) {
            Some(id) => explain(&client, id, console),
            None => files::explain(&client, Path::new(what), console),
        },
    }
}

fn list(
    client: &Client,
    filter: &[(&str, String)],
    cursor: CursorArgs,
    console: &Console,
) -> Result<Exit> {
    let listing = Listing::fetch(client, "/api/v1/tasks", filter, cursor)?;
    if console.mode.json {
        console.json(&listing.value())?;
        return Ok(Exit::Success);
    }
    let tasks: Vec<Task> = listing.read()?;
    if tasks.is_empty() {
        console.note(if filter.is_empty() {
            "no tasks yet"
        } else {
            "no such tasks"
        });
    }
    console.sheet(&sheet(&tasks))?;
    listing.note_rest(console);
    if let Some(task) = tasks
        .iter()
        .find(|task| task.error.is_some())
        .filter(|_| console.mode.tables)
    {
        console.note(format!("next: `wellspring tasks show {}` tells more, `wellspring tasks requeue` runs tasks again", task.id));
    }
    Ok(Exit::Success)
}

/// Tasks as rows.
pub(super) fn sheet(tasks: &[Task]) -> Sheet {
    let mut sheet = Sheet::new(&[
        "ID", "PLATE", "SUBJECT", "JOB", "STATE", "ATTEMPTS", "ERROR",
    ])
    .with_hints();
    for task in tasks {
        let error = task.error.as_ref();
        let cells = vec![
            task.id.into(),
            (&task.plate_name).into(),
            (&task.subject_name).into(),
            (&task.job).into(),
            Cell::state(task.standing()),
            task.attempts.into(),
            error
                .map(|error| error.message.as_str())
                .unwrap_or_default()
                .into(),
        ];
        sheet.row_with_hint(cells, error.map(|error| error.remedy.clone()));
    }
    sheet
}

fn cancel(client: &Client, ids: &[i64], console: &Console) -> Result<Exit> {
    let mut all = Cancelled::default();
    let exit = for_each(ids, console, |id| {
        let one: Cancelled = client
            .post(&format!("/api/v1/tasks/{id}/cancel"), None)?
            .read()?;
        if !console.mode.json && one.tasks.is_empty() && one.stopping.is_empty() {
            console.note(format!("task {id} had ended already"));
        }
        all.tasks.extend(one.tasks);
        all.stopping.extend(one.stopping);
        Ok(())
    })?;
    if console.mode.json {
        console.json(&json!({ "tasks": all.tasks, "stopping": all.stopping }))?;
        return Ok(exit);
    }
    for (ids, what) in [(&all.tasks, "cancelled"), (&all.stopping, "asked to stop")] {
        if !ids.is_empty() {
            console.note(format!("{} {what}", number(ids.len() as u64, "task")));
        }
        for id in ids {
            console.line(format!("{id}"))?;
        }
    }
    Ok(exit)
}

fn explain(client: &Client, id: i64, console: &Console) -> Result<Exit> {
    let answer = client.get(&format!("/api/v1/tasks/{id}/explain"), &[])?;
    if console.mode.json {
        console.json(&answer.value()?)?;
        return Ok(Exit::Success);
    }
    let explanation: Explanation = answer.read()?;
    console.line(format!("task {id} is {}", explanation.state))?;
    for reason in &explanation.because {
        console.line(format!("- {reason}"))?;
    }
    Ok(Exit::Success)
}
