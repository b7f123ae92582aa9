//! `wellspring watch`.

mod progress;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Client, ClientOptions, Console, Error, Exit, Result};
use crate::args::WatchArgs;
use crate::poll::Poll;
use crate::resolve;
use crate::sheet::Tone;
use crate::wire::{Page, Plate, Status};
use crate::words::{number, short};
use progress::{Rate, headline, plate_line};

/// Elsewhere than on a terminal a plate gets a line at most so often, unless its state changes.
const QUIET: Duration = Duration::from_secs(2);

/// What is seen at one time.
struct View {
    status: Status,
    plates: Vec<Plate>,
    raw: Vec<Value>,
}

/// Follows the progress.
pub(super) fn run(options: &ClientOptions, args: &WatchArgs, console: &Console) -> Result<Exit> {
    let mut poll = Poll::new(options, console, args.timeout)?;
    let mut shown = Shown::default();
    let mut rate = Rate::default();
    loop {
        let seen = match poll.ask(|client| look(client, args)) {
            Ok(seen) => seen,
            Err(error) => {
                shown.clear(console);
                return Err(error);
            }
        };
        if let Some(view) = seen {
            let done = args.until_done && is_done(&view, args);
            rate.note(&view.plates, Instant::now());
            shown.show(&view, &rate, done, console)?;
            if done {
                shown.clear(console);
                return end(&view, console);
            }
        }
        if !poll.pause() {
            shown.clear(console);
            return if args.until_done {
                Err(too_late(args))
            } else {
                Ok(Exit::Success)
            };
        }
    }
}

/// Looks at the plates of interest; a plate that is not there yet is none.
fn look(client: &Client, args: &WatchArgs) -> Result<View> {
    let status = client.get("/api/v1/status", &[])?.read()?;
    let raw = match &args.plate {
        None => {
            let query = [("limit", "1000".to_owned())];
            client
                .get("/api/v1/plates", &query)?
                .read::<Page<Value>>()?
                .items
        }
        Some(name) => match resolve::plate_id(client, name) {
            Ok(id) => vec![client.get(&format!("/api/v1/plates/{id}"), &[])?.value()?],
            Err(error) if error.exit == Exit::NotFound => Vec::new(),
            Err(error) => return Err(error),
        },
    };
    let plates = raw
        .iter()
        .map(|value| serde_json::from_value(value.clone()))
        .collect::<Result<_, _>>()?;
    Ok(View {
        status,
        plates,
        raw,
    })
}

/// Whether there are plates and all have ended. The totals know also of plates that are too many to be listed.
fn is_done(view: &View, args: &WatchArgs) -> bool {
    let listed = !view.plates.is_empty() && view.plates.iter().all(Plate::has_ended);
    let ended = ["done", "done_with_failures"];
    let all = args.plate.is_some()
        || view
            .status
            .plates
            .iter()
            .all(|(state, number)| *number == 0 || ended.contains(&state.as_str()));
    listed && all
}

/// What was printed last.
#[derive(Default)]
struct Shown {
    plates: BTreeMap<i64, (Plate, Instant)>,
    paused: bool,
    greeted: bool,
    live: bool,
}

impl Shown {
    fn show(&mut self, view: &View, rate: &Rate, last: bool, console: &Console) -> Result<()> {
        if console.mode.live {
            let width = usize::from(console.mode.width.unwrap_or(80)).saturating_sub(1);
            let line = short(&headline(&view.plates, &view.status, rate), width);
            console.live(&line);
            self.live = true;
            return Ok(());
        }
        if !self.greeted && view.plates.is_empty() && !console.mode.json {
            console.note("no plates yet");
        }
        let paused = view.status.paused.is_some();
        if paused != self.paused && !console.mode.json {
            console.note(if paused {
                "paused; `wellspring resume` goes on"
            } else {
                "resumed"
            });
        }
        self.paused = paused;
        for (plate, raw) in view.plates.iter().zip(&view.raw) {
            // Plates that ended long ago are no progress.
            let news = match self.plates.get(&plate.id) {
                None => self.greeted || !plate.has_ended() || view.plates.len() == 1,
                Some((old, at)) => {
                    old.state != plate.state || (old != plate && (last || at.elapsed() >= QUIET))
                }
            };
            let entry = (plate.clone(), Instant::now());
            if !news {
                self.plates.entry(plate.id).or_insert(entry);
                continue;
            }
            self.plates.insert(plate.id, entry);
            if console.mode.json {
                console.data(&format!(
                    "{}\n",
                    json!({ "at": Timestamp::now(), "plate": raw })
                ))?;
            } else {
                console.line(plate_line(plate))?;
            }
        }
        self.greeted = true;
        Ok(())
    }

    fn clear(&mut self, console: &Console) {
        if std::mem::take(&mut self.live) {
            console.live("");
        }
    }
}

/// Says how it ended.
fn end(view: &View, console: &Console) -> Result<Exit> {
    let failed: Vec<_> = view
        .plates
        .iter()
        .filter(|plate| plate.has_failures())
        .collect();
    if console.mode.live {
        for plate in &view.plates {
            let tone = Tone::of(&plate.state);
            console.data(&format!(
                "{}\n",
                console.toned(&crate::words::harmless(&plate_line(plate)), tone)
            ))?;
        }
    }
    if failed.is_empty() {
        return Ok(Exit::Success);
    }
    let message = format!(
        "{} ended with failures",
        number(failed.len() as u64, "plate")
    );
    let error = Error::new(Exit::Failure, message)
        .hint("see `wellspring tasks list --failed`, and after the cause is gone `wellspring tasks requeue --failed`");
    Ok(console.fail(&error))
}

fn too_late(args: &WatchArgs) -> Error {
    let seconds = args.timeout.map_or(0, |timeout| timeout.as_secs());
    let what = args.plate.as_deref().unwrap_or("everything");
    Error::new(
        Exit::Failure,
        format!("{what} has not ended after {seconds} s"),
    )
    .hint("`wellspring status` shows what is going on; a longer --timeout waits longer")
}
