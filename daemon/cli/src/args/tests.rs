#![allow(clippy::unwrap_used)]

use clap::{CommandFactory, Parser};

use super::*;
use crate::tests::{Command, Program};

fn parse(line: &str) -> Result<Program, clap::error::ErrorKind> {
    Program::try_parse_from(line.split(' ')).map_err(|error| error.kind())
}

fn client(line: &str) -> ClientCommand {
    match parse(line).unwrap().command {
        Command::Client(command) => command,
        Command::Serve { .. } => panic!("`{line}` is a client's command"),
    }
}

#[test]
fn the_command_is_sound() {
    Program::command().debug_assert();
}

#[test]
fn options_may_stand_anywhere() {
    for line in [
        "wellspring --json --server http://h:1 tasks list",
        "wellspring tasks list --json --server http://h:1",
        "wellspring tasks --server http://h:1 list --json",
    ] {
        let program = parse(line).unwrap();
        assert!(program.client.json, "{line}");
        assert_eq!(
            program.client.server.as_deref(),
            Some("http://h:1"),
            "{line}"
        );
    }
}

#[test]
fn the_configuration_can_be_named_before_and_behind_any_command() {
    let file = Some(PathBuf::from("w.toml"));
    assert_eq!(
        parse("wellspring status --config w.toml")
            .unwrap()
            .client
            .config,
        file
    );
    assert_eq!(
        parse("wellspring --config w.toml plates list")
            .unwrap()
            .client
            .config,
        file
    );
    for line in [
        "wellspring serve -c w.toml",
        "wellspring --config w.toml serve",
    ] {
        let Command::Serve { config } = parse(line).unwrap().command else {
            panic!("`{line}` is not a client's command");
        };
        assert_eq!(Some(config), file, "{line}");
    }
}

#[test]
fn states_are_the_words_of_the_api() {
    let ClientCommand::Tasks(TasksCommand::List { state, .. }) =
        client("wellspring tasks list --state failed,quarantined --state retrying")
    else {
        panic!("not a list of tasks");
    };
    assert_eq!(words(&state), "failed,quarantined,retrying");
    assert_eq!(word(&PlateState::DoneWithFailures), "done_with_failures");
    assert!(parse("wellspring tasks list --state broken").is_err());
}

#[test]
fn requeue_needs_ids_or_a_filter_but_not_both() {
    use clap::error::ErrorKind::{ArgumentConflict, MissingRequiredArgument};
    assert_eq!(
        parse("wellspring tasks requeue").unwrap_err(),
        MissingRequiredArgument
    );
    assert_eq!(
        parse("wellspring tasks requeue --yes").unwrap_err(),
        MissingRequiredArgument
    );
    assert_eq!(
        parse("wellspring tasks requeue 3 --failed").unwrap_err(),
        ArgumentConflict
    );
    assert_eq!(
        parse("wellspring tasks requeue --failed --state ready").unwrap_err(),
        ArgumentConflict
    );
    let ClientCommand::Tasks(TasksCommand::Requeue(args)) =
        client("wellspring tasks requeue 3 4 --from nuclei --dry-run")
    else {
        panic!("not a requeue");
    };
    assert_eq!(
        (args.ids, args.from.as_deref(), args.dry_run),
        (vec![3, 4], Some("nuclei"), true)
    );
    assert!(
        parse("wellspring tasks requeue --plate p --job segment --well A01 --failed --yes").is_ok()
    );
}

#[test]
fn rescan_needs_a_root_or_all() {
    assert!(parse("wellspring roots rescan").is_err());
    assert!(parse("wellspring roots rescan 1 --all").is_err());
    assert!(parse("wellspring roots rescan --all").is_ok());
    assert!(parse("wellspring roots rescan /data/in 2").is_ok());
}

#[test]
fn durations_are_seconds_unless_said() {
    assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
    assert_eq!(duration("1.5"), Ok(Duration::from_millis(1500)));
    assert_eq!(duration("5m"), Ok(Duration::from_secs(300)));
    assert_eq!(duration("2h"), Ok(Duration::from_secs(7200)));
    for wrong in ["", "m", "-1", "x", "nan", "1e400", "1d"] {
        assert!(duration(wrong).is_err(), "{wrong}");
    }
}
