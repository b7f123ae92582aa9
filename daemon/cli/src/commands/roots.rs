//! `wellspring roots`.

use serde_json::json;

use super::{Client, ClientOptions, Console, Exit, Result, for_each};
use crate::args::RootsCommand;
use crate::resolve;
use crate::sheet::{Cell, Sheet};
use crate::wire::{Page, Root};

/// Runs one of the commands.
pub(super) fn run(
    options: &ClientOptions,
    command: &RootsCommand,
    console: &Console,
) -> Result<Exit> {
    let client = Client::new(options)?;
    match command {
        RootsCommand::List => list(&client, console),
        RootsCommand::Rescan { roots, all } => rescan(&client, roots, *all, console),
    }
}

fn list(client: &Client, console: &Console) -> Result<Exit> {
    let answer = client.get("/api/v1/roots", &[])?;
    if console.mode.json {
        console.json(&answer.value()?)?;
        return Ok(Exit::Success);
    }
    let roots = answer.read::<Page<Root>>()?.items;
    if roots.is_empty() {
        console.note(
            "no folder is watched; add a [[root]] to the configuration and restart the daemon",
        );
    }
    console.sheet(&sheet(&roots))?;
    Ok(Exit::Success)
}

/// Roots as rows.
pub(super) fn sheet(roots: &[Root]) -> Sheet {
    let mut sheet = Sheet::new(&[
        "ROOT", "NAME", "STATE", "WATCHED", "WORKFLOW", "SETTLING", "PATH", "REMARK",
    ]);
    for root in roots {
        sheet.row(vec![
            root.id.into(),
            (&root.name).into(),
            Cell::state(&root.state),
            root.watched.as_deref().unwrap_or("-").into(),
            (&root.workflow).into(),
            root.settling.into(),
            (&root.path).into(),
            root.detail.as_deref().unwrap_or_default().into(),
        ]);
    }
    sheet
}

fn rescan(client: &Client, names: &[String], all: bool, console: &Console) -> Result<Exit> {
    let names = if all {
        let page: Page<Root> = client.get("/api/v1/roots", &[])?.read()?;
        page.items.iter().map(|root| root.id.to_string()).collect()
    } else {
        names.to_vec()
    };
    let mut asked = Vec::new();
    let exit = for_each(&names, console, |name| {
        let root = resolve::root(client, name)?;
        client.post(&format!("/api/v1/roots/{}/rescan", root.id), None)?;
        console.note(format!("scanning {}", root.path));
        asked.push(root.id);
        Ok(())
    })?;
    if console.mode.json {
        console.json(&json!({ "roots": asked }))?;
    }
    Ok(exit)
}
