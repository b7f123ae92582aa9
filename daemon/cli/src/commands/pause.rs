//! `wellspring pause` and `wellspring resume`.

use serde_json::{Value, json};

use super::{Client, ClientOptions, Console, Exit, Result};
use crate::poll::Poll;

/// Starts nothing more.
pub(super) fn pause(
    options: &ClientOptions,
    reason: Option<&str>,
    wait: bool,
    console: &Console,
) -> Result<Exit> {
    let client = Client::new(options)?;
    let answer = client
        .post("/api/v1/queue/pause", Some(&json!({ "reason": reason })))?
        .value()?;
    report(
        console,
        &answer,
        "paused; what is running goes on",
        "it was paused already",
    )?;
    if wait {
        let mut poll = Poll::new(options, console, None)?;
        loop {
            let status = poll.ask(|client| client.get("/api/v1/status", &[])?.value())?;
            if status.is_some_and(|status| status["tasks"]["running"] == 0) {
                break;
            }
            poll.pause();
        }
    }
    if !console.mode.json {
        console.note("next: `wellspring resume` goes on");
    }
    Ok(Exit::Success)
}

/// Goes on.
pub(super) fn resume(options: &ClientOptions, console: &Console) -> Result<Exit> {
    let client = Client::new(options)?;
    let answer = client.post("/api/v1/queue/resume", None)?.value()?;
    report(console, &answer, "resumed", "it was not paused by a person")?;
    Ok(Exit::Success)
}

/// Says whether anything changed.
pub(super) fn report(
    console: &Console,
    answer: &Value,
    changed: &str,
    unchanged: &str,
) -> Result<()> {
    if console.mode.json {
        return console.json(answer);
    }
    let nothing_new = answer.get("changed").and_then(Value::as_bool) == Some(false);
    console.note(if nothing_new { unchanged } else { changed });
    Ok(())
}
