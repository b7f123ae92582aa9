//! What lists look like.

use serde_json::{Value, json};

use super::daemon::Daemon;
use super::*;

pub(super) fn plate(id: i64, name: &str, state: &str) -> Value {
    json!({
        "id": id, "root": 1, "key": name, "name": name, "directory": name, "output": "/out", "state": state,
        "decided_by": null, "created_at": "2026-01-02T03:04:05Z",
        "counts": {"waiting": 1, "blocked": 0, "ready": 0, "running": 2, "succeeded": 4, "retrying": 0, "failed": 3,
                   "quarantined": 1, "cancelled": 0},
        "image_sets": {"expected": 24, "seen": 6, "arriving": 1, "complete": 5, "incomplete": 0},
        "a_field_of_the_future": {"x": [1]},
    })
}

pub(super) fn task(id: i64) -> Value {
    json!({
        "id": id, "plate": 1, "plate_name": "p", "subject": 2, "subject_name": "A01-0001", "well": "A01", "job": "nuclei",
        "kind": "segment.threshold", "workflow": "w", "workflow_version": "1", "state": "failed", "blocked": false,
        "attempts": 2, "max_attempts": 3, "crashes": 0, "interruptions": 1,
        "error": {"class": "permanent", "code": "tiff_truncated", "message": "the file ends\nearly",
                  "remedy": "copy it again", "path": "/in/x.tif"},
    })
}

pub(super) const TABLES: Mode = Mode {
    json: false,
    tables: true,
    colour: false,
    live: false,
    asks: false,
    width: Some(100),
};

#[test]
fn json_is_what_the_api_answered() {
    let status = json!({"version": "9.9", "boot_id": "b", "tasks": {"failed": 1}, "unknown": [1, {"a": null}]});
    let page = json!({"items": [plate(3, "p", "done")], "next": null});
    let daemon = Daemon::with(vec![
        ("GET /api/v1/status", status.clone()),
        (
            "GET /api/v1/plates/3/wells",
            json!({"items": [], "next": null}),
        ),
        ("GET /api/v1/plates/3", plate(3, "p", "done")),
        ("GET /api/v1/plates", page.clone()),
        (
            "GET /api/v1/tasks/5/explain",
            json!({"task": 5, "because": []}),
        ),
    ]);
    for (line, expected) in [
        ("status --json", status),
        ("plates list --json", page),
        ("plates show p --json", plate(3, "p", "done")),
        ("tasks explain 5 --json", json!({"task": 5, "because": []})),
    ] {
        let outcome = run(&daemon.url(), line);
        assert_eq!(outcome.exit, Exit::Success, "{line}");
        assert_eq!(
            serde_json::from_str::<Value>(&outcome.out).unwrap(),
            expected,
            "{line}"
        );
        assert_eq!(outcome.err, "", "{line}");
    }
}

#[test]
fn plates_are_lines_in_a_pipe_and_a_table_on_a_terminal() {
    let daemon = Daemon::with(vec![(
        "GET /api/v1/plates",
        json!({"items": [plate(3, "p 1", "arriving")], "next": null}),
    )]);
    let outcome = run(&daemon.url(), "plates list");
    assert_eq!(outcome.out, "3\tp 1\tarriving\t5/24\t8/11\t4\n");
    let outcome = run_in(TABLES, &daemon.url(), "plates list");
    assert!(
        outcome.out.lines().next().unwrap().contains("IMAGE SETS"),
        "{}",
        outcome.out
    );
    assert_eq!(
        run_in(TABLES, &daemon.url(), "plates list --plain").out,
        "3\tp 1\tarriving\t5/24\t8/11\t4\n"
    );
}

#[test]
fn filters_go_into_the_query() {
    let empty = json!({"items": [], "next": null});
    let daemon = Daemon::with(vec![
        (
            "GET /api/v1/roots",
            json!({"items": [{"id": 4, "name": "scope", "path": "/data/in"}], "next": null}),
        ),
        (
            "GET /api/v1/plates?q=",
            json!({"items": [plate(8, "p 1", "done")], "next": null}),
        ),
        ("GET /api/v1/plates", empty.clone()),
        ("GET /api/v1/tasks", empty),
    ]);
    let asked = |line: &str| {
        let outcome = run(&daemon.url(), line);
        assert_eq!(outcome.exit, Exit::Success, "{line}: {}", outcome.err);
        assert!(!outcome.err.is_empty(), "an empty list is said to be one");
        daemon.lines().pop().unwrap()
    };
    assert_eq!(
        asked("plates list --state done,stale --root /data/in/ --match a&b"),
        "GET /api/v1/plates?state=done%2Cstale&root=4&q=a%26b&limit=100"
    );
    assert_eq!(
        asked("tasks list --failed --job nuclei --well A01 --limit 7 --after 3"),
        "GET /api/v1/tasks?state=failed%2Cquarantined&job=nuclei&well=A01&limit=7&after=3"
    );
}

#[test]
fn long_lists_are_fetched_in_parts() {
    let daemon = Daemon::new(|request| {
        let after: i64 = request
            .target
            .split("after=")
            .nth(1)
            .map_or(0, |id| id.parse().unwrap());
        let items: Vec<_> = (after + 1..=after + 1000).map(task).collect();
        json!({"items": items, "next": after + 1000})
    });
    let outcome = run(&daemon.url(), "tasks list --limit 1001");
    assert_eq!(
        daemon.lines(),
        [
            "GET /api/v1/tasks?limit=1000",
            "GET /api/v1/tasks?limit=1&after=1000"
        ]
    );
    // This daemon gives more than was asked for; nothing is lost of that.
    assert_eq!(outcome.out.lines().count(), 2000);
    assert!(outcome.err.contains("--after 2000"), "{}", outcome.err);
}

#[test]
fn failed_tasks_say_what_to_do() {
    let daemon = Daemon::with(vec![(
        "GET /api/v1/tasks",
        json!({"items": [task(5)], "next": null}),
    )]);
    let outcome = run(&daemon.url(), "tasks list");
    assert_eq!(
        outcome.out,
        "5\tp\tA01-0001\tnuclei\tfailed\t2\tthe file ends early\tcopy it again\n"
    );
    let outcome = run_in(TABLES, &daemon.url(), "tasks list");
    assert!(
        outcome.out.contains("hint: copy it again"),
        "{}",
        outcome.out
    );
    assert!(outcome.err.contains("tasks show 5"), "{}", outcome.err);
}
