//! Exit codes and advice.

use std::io;
use std::time::Duration;

use serde_json::json;

use super::daemon::{Daemon, Reply, problem};
use super::*;
use crate::poll::Poll;

/// Nobody listens there. Not at a port that is free just now: another test could be given it.
const NOBODY: &str = "http://127.0.0.1:1";

fn answering(status: u16, remedy: Option<&'static str>) -> Outcome {
    let daemon = Daemon::new(move |_| problem(status, "it is so", remedy));
    run(&daemon.url(), "tasks show 7")
}

#[test]
fn nobody_there_is_3_and_says_how_to_start_the_daemon() {
    let outcome = run(NOBODY, "status");
    assert_eq!(outcome.exit, Exit::Unreachable);
    let lines: Vec<_> = outcome.err.lines().collect();
    assert_eq!(
        lines[0],
        format!("error: cannot reach the daemon at {NOBODY}: nothing listens there")
    );
    assert!(
        lines[1].starts_with("hint: ") && lines[1].contains("wellspring serve"),
        "{}",
        outcome.err
    );
    assert_eq!(outcome.out, "");
}

#[test]
fn problems_have_exit_codes_and_remedies() {
    for (status, exit) in [
        (404, Exit::NotFound),
        (409, Exit::Conflict),
        (500, Exit::Failure),
        (422, Exit::Failure),
        (503, Exit::Failure),
    ] {
        let outcome = answering(status, Some("do that"));
        assert_eq!(outcome.exit, exit, "{status}");
        assert_eq!(outcome.err, "error: it is so\nhint: do that\n", "{status}");
    }
    assert_eq!(answering(404, None).err, "error: it is so\n");
}

#[test]
fn a_missing_token_is_asked_for_and_a_given_one_is_sent() {
    let daemon = Daemon::new(|request| {
        let sent = request.headers.get("authorization").map(String::as_str);
        if sent == Some("Bearer 0123456789abcdef") {
            json!({"version": "9"}).into()
        } else {
            problem(401, "this server needs a token", Some("send a header"))
        }
    });
    let outcome = run(&daemon.url(), "status");
    assert_eq!(outcome.exit, Exit::Failure);
    assert!(
        outcome.err.contains("hint: give the file") && outcome.err.contains("--token-file"),
        "{}",
        outcome.err
    );
    let folder = Folder::new();
    let file = folder.path("token");
    std::fs::write(&file, "0123456789abcdef\n").unwrap();
    let line = format!("status --token-file {}", file.display());
    assert_eq!(run(&daemon.url(), &line).exit, Exit::Success);
    std::fs::write(&file, "\n").unwrap();
    let outcome = run(&daemon.url(), &line);
    assert_eq!(outcome.exit, Exit::Failure);
    assert!(
        outcome.err.contains("does not start with a token"),
        "{}",
        outcome.err
    );
}

#[test]
fn another_program_at_the_address_is_recognised() {
    let daemon = Daemon::new(|_| Reply {
        status: 404,
        kind: "text/html",
        body: "<h1>Not Found</h1>".to_owned(),
        withheld: 0,
    });
    let outcome = run(&daemon.url(), "status");
    assert_eq!(outcome.exit, Exit::Failure);
    assert!(
        outcome.err.contains("does not look like wellspring"),
        "{}",
        outcome.err
    );
}

#[test]
fn half_an_answer_is_none() {
    let daemon = Daemon::new(|_| Reply {
        withheld: 100,
        ..json!({"version": "1"}).into()
    });
    let outcome = run(&daemon.url(), "status");
    assert_eq!(outcome.exit, Exit::Unreachable, "{outcome:?}");
    assert_eq!(outcome.out, "");
}

#[test]
fn an_answer_that_is_no_json_is_an_error() {
    let daemon = Daemon::new(|_| Reply {
        body: "OK".to_owned(),
        ..json!({}).into()
    });
    let outcome = run(&daemon.url(), "status");
    assert_eq!(outcome.exit, Exit::Failure);
    assert!(
        outcome
            .err
            .starts_with("error: the daemon's answer cannot be read"),
        "{}",
        outcome.err
    );
}

#[test]
fn a_wrong_address_is_wrong_usage() {
    for address in ["https://127.0.0.1:1", "ftp://x", "http://[::1"] {
        assert_eq!(run(address, "status").exit, Exit::Usage, "{address}");
    }
}

/// A pipe whose reader has gone.
struct Gone(io::ErrorKind);

impl Write for Gone {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_closed_pipe_is_no_error_but_a_full_disk_is() {
    let daemon = Daemon::with(vec![("GET /api/v1/status", json!({"version": "1"}))]);
    let options = ClientOptions {
        server: Some(daemon.url()),
        ..ClientOptions::default()
    };
    for (kind, exit, silent) in [
        (io::ErrorKind::BrokenPipe, Exit::Success, true),
        (io::ErrorKind::StorageFull, Exit::Failure, false),
    ] {
        let err = Kept::default();
        let console = Console::new(Mode::default(), Box::new(Gone(kind)), Box::new(err.clone()));
        assert_eq!(
            commands::run(&options, &ClientCommand::Status, &console),
            exit
        );
        assert_eq!(err.text().is_empty(), silent, "{}", err.text());
    }
}

#[test]
fn a_restart_of_the_daemon_is_survived_even_at_another_address() {
    let folder = Folder::new();
    let config = folder.path("w.toml");
    std::fs::write(&config, "[state]\ndir = \".\"\n").unwrap();
    let options = ClientOptions {
        config: Some(config),
        ..ClientOptions::default()
    };
    let start = || {
        let daemon = Daemon::with(vec![("GET /x", json!(1))]);
        std::fs::write(folder.path("address"), daemon.url()).unwrap();
        daemon
    };
    let err = Kept::default();
    let console = Console::new(
        Mode::default(),
        Box::new(Kept::default()),
        Box::new(err.clone()),
    );
    let first = start();
    let mut poll = Poll::new(&options, &console, None).unwrap();
    assert!(poll.ask(|client| client.get("/x", &[])).unwrap().is_some());
    drop(first);
    assert!(poll.ask(|client| client.get("/x", &[])).unwrap().is_none());
    let _second = start();
    // The first question after the restart may still go to the old address.
    let back = (0..2).any(|_| poll.ask(|client| client.get("/x", &[])).unwrap().is_some());
    assert!(back);
    assert!(
        err.text().contains("trying again") && err.text().contains("the daemon is back"),
        "{}",
        err.text()
    );
}

#[test]
fn a_daemon_that_does_not_come_back_is_given_up() {
    let daemon = Daemon::with(vec![("GET /x", json!(1))]);
    let options = ClientOptions {
        server: Some(daemon.url()),
        ..ClientOptions::default()
    };
    let console = Console::new(
        Mode::default(),
        Box::new(Kept::default()),
        Box::new(Kept::default()),
    );
    let mut poll = Poll::new(&options, &console, None)
        .unwrap()
        .with_patience(Duration::ZERO);
    assert!(poll.ask(|client| client.get("/x", &[])).unwrap().is_some());
    drop(daemon);
    let error = poll.ask(|client| client.get("/x", &[])).unwrap_err();
    assert_eq!(error.exit, Exit::Unreachable);
}

#[test]
fn a_daemon_that_never_answered_is_not_waited_for() {
    let outcome = run(NOBODY, "watch --until-done");
    assert_eq!(outcome.exit, Exit::Unreachable);
}
