//! Waiting and watching.

use serde_json::{Value, json};

use super::daemon::{Daemon, problem};
use super::lists::plate;
use super::*;

/// A daemon whose only plate goes through these states, one a question; before the first one it is not there.
fn going(states: &'static [&'static str]) -> Daemon {
    let mut at = 0;
    Daemon::new(move |request| {
        let state = states[at.min(states.len() - 1)];
        let here = |state: &str| {
            if state.is_empty() {
                vec![]
            } else {
                vec![plate(1, "p", state)]
            }
        };
        match request.target.split('?').next().unwrap() {
            // A round of questions starts with the status when watching, and is one question when waiting.
            "/api/v1/status" => {
                at += 1;
                let state = states[at.min(states.len()) - 1];
                let plates: Value = if state.is_empty() {
                    json!({})
                } else {
                    json!({ state: 1 })
                };
                json!({"version": "1", "plates": plates}).into()
            }
            "/api/v1/plates" => {
                let watching = at > 0 && !request.target.contains("q=");
                let state = if watching {
                    states[at.min(states.len()) - 1]
                } else {
                    state
                };
                if !watching && state.is_empty() {
                    at += 1;
                }
                json!({"items": here(state), "next": null}).into()
            }
            "/api/v1/plates/1" => {
                at += 1;
                plate(1, "p", state).into()
            }
            _ => problem(404, "there is no plate", None),
        }
    })
}

#[test]
fn waiting_ends_with_the_plate() {
    let daemon = going(&["arriving", "arriving", "complete", "done"]);
    let outcome = run(&daemon.url(), "plates wait p --timeout 60");
    assert_eq!(outcome.exit, Exit::Success, "{}", outcome.err);
    assert_eq!(outcome.err, "p: arriving\np: complete\np: done\n");
    assert_eq!(outcome.out, "");
}

#[test]
fn waiting_fails_with_the_plate() {
    let daemon = going(&["complete", "done_with_failures"]);
    let outcome = run(&daemon.url(), "plates wait p --json");
    assert_eq!(outcome.exit, Exit::Failure);
    assert!(
        outcome.err.contains("error: p ended with failures")
            && outcome.err.contains("--failed --plate 1"),
        "{}",
        outcome.err
    );
    let value: Value = serde_json::from_str(&outcome.out).unwrap();
    assert_eq!(value["items"][0]["state"], "done_with_failures");
}

#[test]
fn waiting_for_a_state_passes_over_others() {
    let daemon = going(&["done_with_failures", "complete", "done"]);
    let outcome = run(&daemon.url(), "plates wait p --state done --timeout 60");
    assert_eq!(
        (outcome.exit, outcome.err.ends_with("p: done\n")),
        (Exit::Success, true),
        "{}",
        outcome.err
    );
    let daemon = going(&["complete", "done_with_failures"]);
    assert_eq!(
        run(&daemon.url(), "plates wait 1 --state done_with_failures").exit,
        Exit::Success
    );
}

#[test]
fn waiting_gives_up_in_time() {
    let daemon = going(&["arriving"]);
    let outcome = run(&daemon.url(), "plates wait p --timeout 0.05");
    assert_eq!(outcome.exit, Exit::Failure);
    assert!(
        outcome.err.contains("(p: arriving)") && outcome.err.contains("hint: "),
        "{}",
        outcome.err
    );
}

#[test]
fn an_unknown_plate_is_waited_for_only_if_wanted() {
    let daemon = going(&["", "", "done"]);
    assert_eq!(run(&daemon.url(), "plates wait p").exit, Exit::NotFound);
    let daemon = going(&["", "", "complete", "done"]);
    let outcome = run(&daemon.url(), "plates wait p --allow-missing");
    assert_eq!(
        (outcome.exit, outcome.err.ends_with("p: done\n")),
        (Exit::Success, true),
        "{}",
        outcome.err
    );
}

#[test]
fn watching_ends_when_there_are_plates_and_all_have_ended() {
    let daemon = going(&["", "arriving", "complete", "done"]);
    let outcome = run(&daemon.url(), "watch --until-done --timeout 60");
    assert_eq!(outcome.exit, Exit::Success, "{}", outcome.err);
    let states: Vec<_> = outcome
        .out
        .lines()
        .map(|line| line.split("  ").nth(1).unwrap())
        .collect();
    assert_eq!(
        states,
        ["arriving", "complete", "done"],
        "one line a change: {}",
        outcome.out
    );
    assert_eq!(outcome.err, "no plates yet\n");
}

#[test]
fn watching_fails_with_a_plate() {
    let daemon = going(&["complete", "done_with_failures"]);
    let outcome = run(&daemon.url(), "watch --until-done");
    assert_eq!(outcome.exit, Exit::Failure);
    assert!(
        outcome
            .err
            .contains("error: 1 plate ended with failures\nhint: "),
        "{}",
        outcome.err
    );
    let daemon = going(&["", "complete", "done_with_failures"]);
    assert_eq!(
        run(&daemon.url(), "watch --plate p --until-done --timeout 60").exit,
        Exit::Failure
    );
}

#[test]
fn watching_as_json_is_one_object_a_line() {
    let daemon = going(&["arriving", "done"]);
    let outcome = run(&daemon.url(), "watch --until-done --json");
    let lines: Vec<Value> = outcome
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        lines
            .iter()
            .map(|line| line["plate"]["state"].as_str().unwrap())
            .collect::<Vec<_>>(),
        ["arriving", "done"]
    );
    assert_eq!(outcome.err, "");
}

#[test]
fn watching_on_a_terminal_changes_one_line() {
    let mode = Mode {
        tables: true,
        live: true,
        width: Some(50),
        ..Mode::default()
    };
    let daemon = going(&["arriving", "done"]);
    let outcome = run_in(mode, &daemon.url(), "watch --until-done");
    assert!(!outcome.err.contains('\n'), "{:?}", outcome.err);
    let shown: Vec<_> = outcome.err.split("\r\u{1b}[2K").collect();
    assert!(
        shown[1].starts_with("p  arriving  5/24 image sets  ["),
        "{shown:?}"
    );
    assert!(
        shown.iter().all(|line| line.chars().count() <= 49),
        "{shown:?}"
    );
    assert_eq!(shown.last(), Some(&""), "the line is removed in the end");
    assert_eq!(
        outcome.out,
        "p  done  5/24 image sets  8/11 tasks  2 running  4 failed\n"
    );
}

#[test]
fn a_timeout_is_a_failure_only_where_the_end_was_waited_for() {
    let daemon = going(&["arriving"]);
    let outcome = run(&daemon.url(), "watch --until-done --timeout 0.05");
    assert_eq!(outcome.exit, Exit::Failure);
    assert!(
        outcome.err.contains("everything has not ended"),
        "{}",
        outcome.err
    );
    assert_eq!(
        run(&daemon.url(), "watch --timeout 0.05").exit,
        Exit::Success
    );
}
