//! `wellspring plates`.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Client, ClientOptions, Console, Exit, Result, for_each, pause, plates_wait};
use crate::args::{CursorArgs, PlatesCommand, words};
use crate::listing::Listing;
use crate::resolve;
use crate::sheet::{Cell, Sheet};
use crate::wire::{Page, Plate, StatusFiles, Well};
use crate::words::{ago, harmless};

/// Runs one of the commands.
pub(super) fn run(
    options: &ClientOptions,
    command: &PlatesCommand,
    console: &Console,
) -> Result<Exit> {
    match command {
        PlatesCommand::List {
            state,
            root,
            text,
            cursor,
        } => {
            let client = Client::new(options)?;
            let mut filter = Vec::new();
            if !state.is_empty() {
                filter.push(("state", words(state)));
            }
            if let Some(root) = root {
                filter.push(("root", resolve::root(&client, root)?.id.to_string()));
            }
            filter.extend(text.iter().map(|text| ("q", text.clone())));
            list(&client, &filter, *cursor, console)
        }
        PlatesCommand::Show { plate, wells } => {
            show(&Client::new(options)?, plate, *wells, console)
        }
        PlatesCommand::Wait {
            plates,
            state,
            timeout,
            allow_missing,
        } => {
            let wait = plates_wait::Wait {
                plates,
                states: state,
                timeout: *timeout,
                allow_missing: *allow_missing,
            };
            plates_wait::run(options, &wait, console)
        }
        PlatesCommand::Finalize { plates } => {
            post(options, plates, "finalize", None, console, |name| Said {
                changed: format!("{name} has all it will get"),
                unchanged: String::new(),
            })
        }
        PlatesCommand::Prioritise { plates, priority } => {
            let body = json!({ "priority": priority });
            post(options, plates, "priority", Some(&body), console, |name| {
                Said {
                    changed: format!("{name} has priority {priority}"),
                    unchanged: format!("{name} had priority {priority} already"),
                }
            })
        }
        PlatesCommand::StatusFiles { plates } => status_files(options, plates, console),
        PlatesCommand::Pause { plates, reason } => {
            let body = json!({ "reason": reason });
            post(options, plates, "pause", Some(&body), console, |name| {
                Said {
                    changed: format!("{name} is paused; what is running goes on"),
                    unchanged: format!("{name} was paused already"),
                }
            })
        }
        PlatesCommand::Resume { plates } => {
            post(options, plates, "resume", None, console, |name| Said {
                changed: format!("{name} goes on"),
                unchanged: format!("{name} was not paused by a person"),
            })
        }
    }
}

fn list(
    client: &Client,
    filter: &[(&str, String)],
    cursor: CursorArgs,
    console: &Console,
) -> Result<Exit> {
    let listing = Listing::fetch(client, "/api/v1/plates", filter, cursor)?;
    if console.mode.json {
        console.json(&listing.value())?;
        return Ok(Exit::Success);
    }
    let plates: Vec<Plate> = listing.read()?;
    if plates.is_empty() {
        console.note(if filter.is_empty() {
            "no plates yet; `wellspring roots list` shows where images are expected"
        } else {
            "no such plates"
        });
    }
    console.sheet(&sheet(&plates))?;
    listing.note_rest(console);
    Ok(Exit::Success)
}

/// Plates as rows.
fn sheet(plates: &[Plate]) -> Sheet {
    let mut sheet = Sheet::new(&["ID", "PLATE", "STATE", "IMAGE SETS", "TASKS", "FAILED"]);
    for plate in plates {
        let counts = &plate.counts;
        sheet.row(vec![
            plate.id.into(),
            (&plate.name).into(),
            Cell::state(&plate.state),
            plate.image_sets.text().into(),
            format!("{}/{}", counts.ended(), counts.total()).into(),
            Cell::bad(counts.broken()),
        ]);
    }
    sheet
}

fn show(client: &Client, name: &str, only_wells: bool, console: &Console) -> Result<Exit> {
    let id = resolve::plate_id(client, name)?;
    let path = format!("/api/v1/plates/{id}");
    if console.mode.json {
        let path = if only_wells {
            format!("{path}/wells")
        } else {
            path
        };
        console.json(&client.get(&path, &[])?.value()?)?;
        return Ok(Exit::Success);
    }
    let wells: Page<Well> = client.get(&format!("{path}/wells"), &[])?.read()?;
    if !only_wells {
        let plate: Plate = client.get(&path, &[])?.read()?;
        facts(&plate, console)?;
        if console.mode.tables && !wells.items.is_empty() {
            console.line("")?;
        }
    }
    if only_wells || console.mode.tables {
        console.sheet(&well_sheet(&wells.items))?;
    }
    Ok(Exit::Success)
}

/// What is known about a plate, a line each.
fn facts(plate: &Plate, console: &Console) -> Result<()> {
    let now = Timestamp::now();
    let time = |at: Option<Timestamp>| {
        let at = at?;
        Some(if console.mode.tables {
            format!("{at:.0} ({})", ago(at, now))
        } else {
            at.to_string()
        })
    };
    let sets = &plate.image_sets;
    let facts = [
        ("plate", Some(format!("{} {}", plate.id, plate.name))),
        ("state", Some(plate.state.clone())),
        ("decided by", plate.decided_by.clone()),
        ("remark", plate.detail.clone()),
        ("tasks", Some(plate.counts.text())),
        (
            "image sets",
            Some(format!(
                "{} seen, {} complete, {} arriving, {} incomplete, {} expected",
                sets.seen,
                sets.complete,
                sets.arriving,
                sets.incomplete,
                sets.expected
                    .map_or_else(|| "unknown".to_owned(), |n| n.to_string())
            )),
        ),
        ("folder", Some(plate.directory.clone())),
        ("results", Some(plate.output.clone())),
        ("first seen", time(plate.created_at)),
        ("last image", time(plate.last_arrival)),
        ("complete since", time(plate.completed_at)),
        ("ended", time(plate.finished_at)),
    ];
    for (name, value) in facts
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    {
        if console.mode.tables {
            console.line(format!("{name:<15} {value}"))?;
        } else {
            console.data(&format!("{name}\t{}\n", harmless(&value)))?;
        }
    }
    Ok(())
}

/// Has the status files of each of the plates written; their paths are the output.
fn status_files(options: &ClientOptions, names: &[String], console: &Console) -> Result<Exit> {
    let client = Client::new(options)?;
    for_each(names, console, |name| {
        let id = resolve::plate_id(&client, name)?;
        let answer = client.post(&format!("/api/v1/plates/{id}/status-files"), None)?;
        if console.mode.json {
            return console.json(&answer.value()?);
        }
        let files: StatusFiles = answer.read()?;
        files
            .names
            .iter()
            .try_for_each(|name| console.line(format!("{}/{name}", files.folder)))
    })
}

fn well_sheet(wells: &[Well]) -> Sheet {
    let mut sheet = Sheet::new(&["WELL", "SITES", "ARRIVING", "INCOMPLETE", "TASKS"]);
    for well in wells {
        sheet.row(vec![
            (&well.well).into(),
            well.sites.into(),
            well.arriving.into(),
            Cell::bad(well.missing),
            well.by_state.text().into(),
        ]);
    }
    sheet
}

/// What is said when something was done, and when it was so already.
struct Said {
    changed: String,
    unchanged: String,
}

/// Sends something to each of the plates.
fn post(
    options: &ClientOptions,
    names: &[String],
    verb: &str,
    body: Option<&Value>,
    console: &Console,
    say: impl Fn(&str) -> Said,
) -> Result<Exit> {
    let client = Client::new(options)?;
    for_each(names, console, |name| {
        let plate = resolve::plate(&client, name)?;
        let answer = client
            .post(&format!("/api/v1/plates/{}/{verb}", plate.id), body)?
            .value()?;
        let said = say(&plate.name);
        pause::report(console, &answer, &said.changed, &said.unchanged)
    })
}
