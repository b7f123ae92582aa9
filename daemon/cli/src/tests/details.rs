//! What single things look like, and how they are found.

use serde_json::json;

use super::daemon::{Daemon, problem};
use super::lists::{TABLES, plate, task};
use super::*;

#[test]
fn a_task_is_shown_with_its_attempts() {
    let mut detail = task(5);
    detail["upstream"] =
        json!([{"task": 4, "job": "load", "subject_name": "A01-0001", "state": "ready"}]);
    let attempt = json!({"number": 2, "worker": "w1", "outcome": "failed", "started_at": "2026-01-02T03:04:05Z",
                         "ended_at": "2026-01-02T03:05:06Z", "peak_rss": 1048576, "error": null});
    let daemon = Daemon::with(vec![
        (
            "GET /api/v1/tasks/5/attempts",
            json!({"items": [attempt], "next": null}),
        ),
        ("GET /api/v1/tasks/5", detail),
    ]);
    let outcome = run_in(TABLES, &daemon.url(), "tasks show 5");
    for part in [
        "the file ends early (permanent, tiff_truncated)",
        "hint        copy it again",
        "/in/x.tif",
        "4 (load on A01-0001), which is ready",
        "2 of 3, interruption: 1",
        "1 min 1 s",
        "1.0 MiB",
    ] {
        assert!(outcome.out.contains(part), "{part} in {}", outcome.out);
    }
    assert!(
        run(&daemon.url(), "tasks show 5")
            .out
            .contains("\nhint\tcopy it again\n")
    );
}

#[test]
fn a_log_is_printed_as_it_is_but_does_nothing_to_a_terminal() {
    let daemon = Daemon::new(|request| daemon::Reply {
        kind: "text/plain; charset=utf-8",
        body: format!("{}\n\u{1b}[2Jend\n", request.target),
        ..json!({}).into()
    });
    let outcome = run(&daemon.url(), "tasks log 5 --attempt 2");
    assert_eq!(outcome.out, "/api/v1/tasks/5/log?attempt=2\n\u{1b}[2Jend\n");
    let outcome = run_in(TABLES, &daemon.url(), "tasks log 5");
    assert_eq!(outcome.out, "/api/v1/tasks/5/log\n\u{fffd}[2Jend\n");
}

#[test]
fn plates_are_found_by_id_and_by_name() {
    let daemon = Daemon::new(|request| match request.line().as_str() {
        "GET /api/v1/plates/7" => plate(7, "by-id", "done").into(),
        "GET /api/v1/plates/9" => plate(9, "2026", "done").into(),
        line if line.starts_with("GET /api/v1/plates?q=2026&") => {
            json!({"items": [plate(8, "2026-b", "done"), plate(9, "2026", "done")], "next": null})
                .into()
        }
        line if line.starts_with("GET /api/v1/plates?q=twice&") => {
            json!({"items": [plate(1, "twice", "done"), plate(2, "twice", "done")], "next": null})
                .into()
        }
        line if line.starts_with("GET /api/v1/plates?") => {
            json!({"items": [plate(3, "nobody-else", "done")], "next": null}).into()
        }
        line if line.ends_with("/wells") => json!({"items": [], "next": null}).into(),
        _ => problem(404, "there is no plate", None),
    });
    let shown = |name: &str| run(&daemon.url(), &format!("plates show {name}"));
    assert!(shown("7").out.starts_with("plate\t7 by-id\n"));
    assert!(
        shown("2026").out.starts_with("plate\t9 2026\n"),
        "a name of digits only"
    );
    let outcome = shown("nobody");
    assert_eq!(outcome.exit, Exit::NotFound);
    assert!(
        outcome.err.contains("hint: see `wellspring plates list`"),
        "{}",
        outcome.err
    );
    let outcome = shown("twice");
    assert_eq!(outcome.exit, Exit::Usage);
    assert!(
        outcome.err.contains("1 (twice), 2 (twice)"),
        "{}",
        outcome.err
    );
}

#[test]
fn the_status_names_pauses_failures_and_full_disks() {
    let status = json!({
        "version": "1.2", "started_at": "2026-01-01T00:00:00Z",
        "paused": {"reason": "cleaning", "holder": "user", "at": "2026-01-01T00:00:00Z"},
        "tasks": {"running": 2, "failed": 1}, "plates": {"arriving": 1, "done": 0},
        "workers": [{"id": 1, "pid": 77, "state": "running", "plate": "p", "subject": "A01-0001", "job": "nuclei"},
                    {"id": 2, "pid": null, "state": "idle"}],
        "gpu": {"adapter": "A card", "used": {"grey": {"calls": 3, "device_seconds": 0.25}, "pixels": {"calls": 2, "device_seconds": 1.0}},
                "fallbacks": {"lost": 2}},
        "roots": [{"id": 1, "name": "scope", "path": "/in", "state": "offline", "mode": "polling", "settling": 3}],
        "disk": [{"path": "/out", "free_bytes": 1, "total_bytes": 1000}],
        "recipients": [{"name": "chat", "sent": 4, "waiting": 2, "given_up": 1, "last_error": "a.org refuses the message: 404"},
                       {"name": "mail", "sent": 9, "waiting": 0, "given_up": 0, "last_error": null}],
        "failures": [task(5)],
    });
    let daemon = Daemon::with(vec![("GET /api/v1/status", status)]);
    let outcome = run_in(
        Mode {
            colour: true,
            ..TABLES
        },
        &daemon.url(),
        "status",
    );
    for part in [
        "wellspring 1.2, up ",
        "\u{1b}[33mpaused: everything by user: cleaning",
        "tasks    2 running, 1 failed",
        "workers  1 running, 1 idle",
        "\u{1b}[31m1 B of 1000 B free\u{1b}[0m /out",
        "1 (pid 77)",
        "gpu      A card: 5 operations in 1.2 s, 2 on processors instead (lost)",
        "chat: 4 sent, 2 waiting, 1 given up; the last try failed: a.org refuses the message: 404",
        "hint: copy it again",
    ] {
        assert!(outcome.out.contains(part), "{part} in {}", outcome.out);
    }
    assert!(!outcome.out.contains("mail"), "{}", outcome.out);
    assert!(
        outcome.err.contains("tasks requeue --failed"),
        "{}",
        outcome.err
    );
    let outcome = run(&daemon.url(), "status");
    for line in [
        "paused\teverything\tuser: cleaning",
        "tasks\tfailed\t1",
        "plates\tarriving\t1",
        "root\t/in\toffline polling, 3 settling",
        "notify\tmail\t9 sent, 0 waiting",
        "failure\t5\tp A01-0001 nuclei: the file ends early",
    ] {
        assert!(
            outcome.out.lines().any(|found| found == line),
            "{line} in {}",
            outcome.out
        );
    }
    assert!(!outcome.out.contains('\u{1b}'));
}

#[test]
fn a_file_is_explained_by_its_absolute_path() {
    let daemon = Daemon::with(vec![(
        "GET /api/v1/files/explain",
        json!({"root": 1, "status": "settling", "x": null}),
    )]);
    let outcome = run(&daemon.url(), "tasks explain /in/../in/a.tif");
    assert_eq!(outcome.out, "root: 1\nstatus: settling\n");
    assert_eq!(
        daemon.lines(),
        ["GET /api/v1/files/explain?path=%2Fin%2Fa.tif"]
    );
}
