//! Commands that change something.

use serde_json::{Value, json};

use super::daemon::{Daemon, problem};
use super::lists::plate;
use super::*;

#[test]
fn failed_tasks_are_requeued_in_one_request() {
    let daemon = Daemon::with(vec![(
        "POST /api/v1/tasks/requeue",
        json!({"tasks": [3, 4], "count": 2, "dry_run": false}),
    )]);
    let outcome = run(&daemon.url(), "tasks requeue --failed --yes");
    assert_eq!(outcome.exit, Exit::Success);
    assert_eq!(outcome.out, "3\n4\n");
    assert!(
        outcome.err.contains("2 tasks requeued") && outcome.err.contains("wellspring watch"),
        "{}",
        outcome.err
    );
    let requests = daemon.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].headers["x-wellspring"], "1");
    assert!(requests[0].headers["content-type"].starts_with("application/json"));
    assert_eq!(
        requests[0].json(),
        json!({
            "filter": {"plate": null, "state": ["failed", "quarantined"], "job": null, "well": null},
            "from_job": null, "dry_run": false,
        })
    );
}

#[test]
fn the_filter_and_the_job_to_start_from_are_sent() {
    let daemon = Daemon::with(vec![
        (
            "GET /api/v1/plates?q=",
            json!({"items": [plate(6, "p", "done")], "next": null}),
        ),
        (
            "POST /api/v1/tasks/requeue",
            json!({"tasks": [3], "count": 1, "following": 2, "dry_run": true}),
        ),
    ]);
    let line = "tasks requeue --plate p --state succeeded,cancelled --job nuclei --well B02 --from cells --dry-run --json";
    let outcome = run(&daemon.url(), line);
    assert_eq!(
        serde_json::from_str::<Value>(&outcome.out).unwrap(),
        json!({"tasks": [3], "count": 1, "following": 2, "dry_run": true})
    );
    assert_eq!(
        daemon.requests().pop().unwrap().json(),
        json!({
            "filter": {"plate": 6, "state": ["succeeded", "cancelled"], "job": "nuclei", "well": "B02"},
            "from_job": "cells", "dry_run": true,
        })
    );
}

#[test]
fn a_job_to_start_from_means_all_subjects_unless_states_are_given() {
    let daemon = Daemon::with(vec![(
        "POST /api/v1/tasks/requeue",
        json!({"tasks": [3], "count": 1, "following": 4, "dry_run": true}),
    )]);
    for (line, states) in [
        ("--well A01:B03 --from cells", json!([])),
        (
            "--well A01:B03 --from cells --failed",
            json!(["failed", "quarantined"]),
        ),
        // Neither: the daemon takes what failed.
        ("--well A01:B03", json!([])),
    ] {
        let outcome = run(&daemon.url(), &format!("tasks requeue {line} --dry-run"));
        assert!(
            outcome
                .err
                .contains("what depends on them follows by itself (4 tasks)"),
            "{}",
            outcome.err
        );
        let filter = daemon.requests().pop().unwrap().json()["filter"].clone();
        assert_eq!(
            (&filter["state"], &filter["well"]),
            (&states, &json!("A01:B03"))
        );
    }
}

#[test]
fn nothing_to_requeue_is_said_and_no_failure() {
    let daemon = Daemon::with(vec![(
        "POST /api/v1/tasks/requeue",
        json!({"tasks": [], "count": 0, "dry_run": false}),
    )]);
    let outcome = run(&daemon.url(), "tasks requeue --plate 0x --yes");
    assert_eq!(outcome.exit, Exit::NotFound, "the plate must exist");
    let outcome = run(&daemon.url(), "tasks requeue --failed --yes");
    assert_eq!((outcome.exit, outcome.out.as_str()), (Exit::Success, ""));
    assert!(
        outcome.err.contains("nothing to run again"),
        "{}",
        outcome.err
    );
}

#[test]
fn a_running_task_is_a_conflict_and_the_others_are_requeued() {
    let daemon = Daemon::new(|request| match request.line().as_str() {
        "POST /api/v1/tasks/2/requeue" => {
            problem(409, "task 2 is running", Some("cancel it first"))
        }
        "POST /api/v1/tasks/1/requeue" => {
            json!({"tasks": [1], "count": 1, "dry_run": false}).into()
        }
        "POST /api/v1/tasks/3/requeue" => json!({"tasks": [], "count": 0, "dry_run": false}).into(),
        _ => problem(404, "there is no task", None),
    });
    let outcome = run(&daemon.url(), "tasks requeue 2 1 3 9");
    assert_eq!(
        outcome.exit,
        Exit::Conflict,
        "the first thing that went wrong"
    );
    assert_eq!(outcome.out, "1\n");
    assert!(
        outcome
            .err
            .contains("error: task 2 is running\nhint: cancel it first\n"),
        "{}",
        outcome.err
    );
    assert!(
        outcome.err.contains("task 3 is queued already"),
        "{}",
        outcome.err
    );
    assert_eq!(
        daemon.requests()[0].json(),
        json!({"from_job": null, "dry_run": false})
    );
    assert_eq!(run(&daemon.url(), "tasks requeue 9").exit, Exit::NotFound);
}

#[test]
fn cancelling_says_what_stops() {
    let daemon = Daemon::with(vec![
        (
            "POST /api/v1/tasks/1/cancel",
            json!({"tasks": [1], "stopping": []}),
        ),
        (
            "POST /api/v1/tasks/2/cancel",
            json!({"tasks": [], "stopping": [2]}),
        ),
        (
            "POST /api/v1/tasks/3/cancel",
            json!({"tasks": [], "stopping": []}),
        ),
    ]);
    let outcome = run(&daemon.url(), "tasks cancel 1 2 3");
    assert_eq!(outcome.out, "1\n2\n");
    assert_eq!(
        outcome.err,
        "task 3 had ended already\n1 task cancelled\n1 task asked to stop\n"
    );
}

#[test]
fn pauses_carry_their_reason() {
    let daemon = Daemon::with(vec![
        (
            "POST /api/v1/queue/pause",
            json!({"paused": true, "changed": true}),
        ),
        (
            "POST /api/v1/queue/resume",
            json!({"paused": false, "changed": false}),
        ),
        ("GET /api/v1/plates/4", plate(4, "p", "arriving")),
        (
            "POST /api/v1/plates/4/pause",
            json!({"paused": true, "changed": false}),
        ),
        ("POST /api/v1/plates/4/finalize", plate(4, "p", "complete")),
    ]);
    let outcome = run(&daemon.url(), "pause --reason cleaning");
    assert!(outcome.err.starts_with("paused;"), "{}", outcome.err);
    assert_eq!(daemon.requests()[0].json(), json!({"reason": "cleaning"}));
    assert_eq!(
        run(&daemon.url(), "resume").err,
        "it was not paused by a person\n"
    );
    assert_eq!(
        run(&daemon.url(), "plates pause 4").err,
        "p was paused already\n"
    );
    assert_eq!(
        run(&daemon.url(), "plates finalize 4").err,
        "p has all it will get\n"
    );
    let outcome = run(&daemon.url(), "resume --json");
    assert_eq!(
        serde_json::from_str::<Value>(&outcome.out).unwrap(),
        json!({"paused": false, "changed": false})
    );
}

#[test]
fn roots_are_scanned_by_name_path_or_all() {
    let roots = json!({"items": [{"id": 1, "name": "a", "path": "/in/a"}, {"id": 2, "name": "b", "path": "/in/b"}], "next": null});
    let daemon = Daemon::new(move |request| {
        if request.method == "GET" {
            return roots.clone().into();
        }
        daemon::Reply {
            status: 202,
            body: String::new(),
            ..json!({}).into()
        }
    });
    let posts = |line: &str| {
        let before = daemon.lines().len();
        assert_eq!(run(&daemon.url(), line).exit, Exit::Success, "{line}");
        let lines = daemon.lines().split_off(before);
        lines
            .into_iter()
            .filter(|line| line.starts_with("POST"))
            .collect::<Vec<_>>()
    };
    let (one, two) = ("POST /api/v1/roots/1/rescan", "POST /api/v1/roots/2/rescan");
    assert_eq!(posts("roots rescan b"), [two]);
    assert_eq!(posts("roots rescan /in/a/ 2"), [one, two]);
    assert_eq!(posts("roots rescan --all"), [one, two]);
    assert_eq!(run(&daemon.url(), "roots rescan c").exit, Exit::NotFound);
}
