//! `wellspring tasks requeue`.

use serde_json::{Value, json};

use super::{Client, Console, Exit, Result, for_each};
use crate::args::{RequeueArgs, word};
use crate::resolve;
use crate::wire::Requeued;
use crate::words::number;

/// Runs tasks again.
pub(super) fn run(client: &Client, args: &RequeueArgs, console: &Console) -> Result<Exit> {
    if args.ids.is_empty() {
        many(client, args, console)
    } else {
        named(client, args, console)
    }
}

/// Those with these ids, one by one, so that each that cannot be run again is named.
fn named(client: &Client, args: &RequeueArgs, console: &Console) -> Result<Exit> {
    let body = json!({ "from_job": args.from, "dry_run": args.dry_run });
    let mut tasks = Vec::new();
    let mut following = None;
    let exit = for_each(&args.ids, console, |id| {
        let one: Requeued = client
            .post(&format!("/api/v1/tasks/{id}/requeue"), Some(&body))?
            .read()?;
        if one.tasks.is_empty() && !console.mode.json {
            console.note(format!("task {id} is queued already"));
        }
        following = Some(one.following);
        tasks.extend(
            one.tasks
                .into_iter()
                .filter(|task| !tasks.contains(task))
                .collect::<Vec<_>>(),
        );
        Ok(())
    })?;
    // What depends on two of them would be counted twice.
    let following = following.filter(|_| args.ids.len() == 1);
    if console.mode.json || !tasks.is_empty() {
        report(&tasks, following, args.dry_run, console)?;
    }
    Ok(exit)
}

/// Those that satisfy everything that is set.
fn many(client: &Client, args: &RequeueArgs, console: &Console) -> Result<Exit> {
    let filter = filter(client, args)?;
    let send = |dry_run: bool| -> Result<Requeued> {
        let body = json!({ "filter": filter, "from_job": args.from, "dry_run": dry_run });
        client.post("/api/v1/tasks/requeue", Some(&body))?.read()
    };
    if console.mode.asks && !args.yes && !args.dry_run {
        let would = send(true)?;
        let count = would.tasks.len() as u64;
        let behind = match would.following {
            0 => String::new(),
            1 => ", and after that 1 that depends on them".to_owned(),
            n => format!(", and after that {n} that depend on them"),
        };
        if count > 0 && !console.confirms(&format!("Run {} again{behind}?", number(count, "task")))
        {
            console.note("nothing was changed");
            return Ok(Exit::Success);
        }
    }
    let done = send(args.dry_run)?;
    report(&done.tasks, Some(done.following), done.dry_run, console)?;
    Ok(Exit::Success)
}

/// The filter as the API takes it.
fn filter(client: &Client, args: &RequeueArgs) -> Result<Value> {
    let plate = args
        .plate
        .as_deref()
        .map(|name| resolve::plate_id(client, name))
        .transpose()?;
    let states: Vec<_> = if args.failed {
        vec!["failed".to_owned(), "quarantined".to_owned()]
    } else {
        args.state.iter().map(word).collect()
    };
    Ok(json!({ "plate": plate, "state": states, "job": args.job, "well": args.well }))
}

/// Says what was done and what to do next.
fn report(tasks: &[i64], following: Option<u64>, dry_run: bool, console: &Console) -> Result<()> {
    if console.mode.json {
        return console.json(&json!({ "tasks": tasks, "count": tasks.len(), "following": following, "dry_run": dry_run }));
    }
    let count = number(tasks.len() as u64, "task");
    if tasks.is_empty() {
        console.note("no such tasks: nothing to run again");
        return Ok(());
    }
    if console.mode.tables {
        let ids: Vec<_> = tasks.iter().map(i64::to_string).collect();
        let verb = if dry_run {
            "would be requeued"
        } else {
            "requeued"
        };
        console.line(format!("{count} {verb}: {}", ids.join(" ")))?;
    } else {
        for task in tasks {
            console.line(format!("{task}"))?;
        }
        console.note(format!(
            "{count} {}",
            if dry_run {
                "would be requeued"
            } else {
                "requeued"
            }
        ));
    }
    let behind = match following {
        Some(0) => String::new(),
        Some(n) => format!(
            "what depends on them follows by itself ({}); ",
            number(n, "task")
        ),
        None => "what depends on them follows by itself; ".to_owned(),
    };
    if dry_run {
        console.note(format!(
            "{behind}nothing was changed; next: the same without --dry-run"
        ));
    } else {
        console.note(format!(
            "{behind}next: `wellspring watch --until-done` follows the progress"
        ));
    }
    Ok(())
}
