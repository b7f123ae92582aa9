//! `wellspring plates wait`.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Client, ClientOptions, Console, Error, Exit, Result};
use crate::args::{PlateState, words};
use crate::poll::Poll;
use crate::resolve;
use crate::wire::Plate;
use crate::words::span;

/// What is waited for.
pub(super) struct Wait<'a> {
    /// Ids or names.
    pub plates: &'a [String],
    /// Any of these; the end, if none.
    pub states: &'a [PlateState],
    pub timeout: Option<Duration>,
    pub allow_missing: bool,
}

impl Wait<'_> {
    fn is_over(&self, plate: &Plate) -> bool {
        if self.states.is_empty() {
            return plate.has_ended();
        }
        words(self.states)
            .split(',')
            .any(|state| state == plate.state)
    }
}

/// Asks until all of the plates are where they should be.
pub(super) fn run(options: &ClientOptions, wait: &Wait<'_>, console: &Console) -> Result<Exit> {
    let mut poll = Poll::new(options, console, wait.timeout)?;
    let mut ids: Vec<Option<i64>> = vec![None; wait.plates.len()];
    let mut shown = vec![String::new(); wait.plates.len()];
    loop {
        if let Some(plates) = poll.ask(|client| look(client, wait, &mut ids))? {
            report(&plates, &mut shown, console);
            let over: Vec<_> = plates
                .iter()
                .flatten()
                .filter(|(plate, _)| wait.is_over(plate))
                .collect();
            if over.len() == plates.len() {
                return end(&over, wait, console);
            }
        }
        if !poll.pause() {
            return Err(too_late(wait, &shown));
        }
    }
}

/// Where each of the plates is; none for one that is not there yet.
fn look(
    client: &Client,
    wait: &Wait<'_>,
    ids: &mut [Option<i64>],
) -> Result<Vec<Option<(Plate, Value)>>> {
    let mut plates = Vec::with_capacity(ids.len());
    for (name, id) in wait.plates.iter().zip(ids) {
        let known = match *id {
            Some(id) => id,
            None => match resolve::plate_id(client, name) {
                Ok(found) => *id.insert(found),
                Err(error) if error.exit == Exit::NotFound && wait.allow_missing => {
                    plates.push(None);
                    continue;
                }
                Err(error) => return Err(error),
            },
        };
        let answer = client.get(&format!("/api/v1/plates/{known}"), &[])?;
        plates.push(Some((answer.read()?, answer.value()?)));
    }
    Ok(plates)
}

/// Says which plates changed their state.
fn report(plates: &[Option<(Plate, Value)>], shown: &mut [String], console: &Console) {
    for (plate, shown) in plates.iter().zip(shown) {
        if let Some((plate, _)) = plate
            && *shown != plate.state
        {
            shown.clone_from(&plate.state);
            console.note(format!("{}: {}", plate.name, plate.state));
        }
    }
}

fn end(over: &[&(Plate, Value)], wait: &Wait<'_>, console: &Console) -> Result<Exit> {
    if console.mode.json {
        let items: Vec<_> = over.iter().map(|(_, value)| value).collect();
        console.json(&json!({ "items": items, "next": null }))?;
    }
    let failed: Vec<_> = over
        .iter()
        .filter(|(plate, _)| plate.has_failures())
        .collect();
    // Who waits for a state by its name gets what they want.
    if failed.is_empty() || !wait.states.is_empty() {
        return Ok(Exit::Success);
    }
    for (plate, _) in failed {
        let error = Error::new(
            Exit::Failure,
            format!(
                "{} ended with failures: {}",
                plate.name,
                plate.counts.text()
            ),
        );
        console.fail(&error.hint(format!(
            "see `wellspring tasks list --failed --plate {}`",
            plate.id
        )));
    }
    Ok(Exit::Failure)
}

fn too_late(wait: &Wait<'_>, shown: &[String]) -> Error {
    let seconds = wait.timeout.map_or(0, |timeout| timeout.as_secs());
    let stand = wait.plates.iter().zip(shown).map(|(name, state)| {
        let state = if state.is_empty() {
            "not seen yet"
        } else {
            state
        };
        format!("{name}: {state}")
    });
    let stand: Vec<_> = stand.collect();
    let wanted = if wait.states.is_empty() {
        "the end".to_owned()
    } else {
        words(wait.states)
    };
    let message = format!(
        "waited {} for {wanted} ({})",
        span(i64::try_from(seconds).unwrap_or(i64::MAX)),
        stand.join(", ")
    );
    Error::new(Exit::Failure, message)
        .hint("`wellspring status` shows what is going on; a longer --timeout waits longer")
}
