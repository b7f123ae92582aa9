//! Two daemons: on one state folder, on one output folder, on one root; and a state folder on a network file system.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::process::{Command, Output, Stdio};

use black_box::binary::{run, wellspring};
use black_box::daemon::{Daemon, Start};
use black_box::tiny::{NAMING, ONE_JOB, image, name};

fn start() -> Daemon {
    let lines = format!("{NAMING}\nplate_complete = [\"manual\"]");
    Daemon::start_with(&Start {
        root_lines: &lines,
        ..Start::new(ONE_JOB)
    })
}

fn error(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_second_on_a_state_folder_is_refused_and_told_who_the_first_is() {
    let mut daemon = start();
    let second = run(["serve", "--config", daemon.config().to_str().unwrap()]);
    let text = error(&second);
    assert_eq!(second.status.code(), Some(1), "{text}");
    let pid = daemon.pid().unwrap().to_string();
    let folder = daemon.folder("state").display().to_string();
    assert!(
        text.contains("error:") && text.contains(&pid) && text.contains(&folder),
        "{text}"
    );
    assert!(text.contains("hint:"), "{text}");
    // The first goes on undisturbed, and once it has ended another may start.
    fs::create_dir(daemon.folder("drop").join("plate")).unwrap();
    fs::write(
        daemon.folder("drop").join("plate").join(name(0)),
        image(32, 1).unwrap(),
    )
    .unwrap();
    daemon.wait("it works", || {
        daemon.get("/api/v1/status")["tasks"]["succeeded"] == 1
    });
    assert!(daemon.terminate());
    daemon.launch();
}

#[test]
fn two_daemons_may_read_one_root_but_not_write_into_one_output() {
    let first = start();
    let other = tempfile::tempdir().unwrap();
    let state = other.path().join("state");
    let config = other.path().join("wellspring.toml");
    let text = fs::read_to_string(first.config()).unwrap();
    let own_state = text.replace(
        first.folder("state").to_str().unwrap(),
        state.to_str().unwrap(),
    );
    assert_ne!(text, own_state);
    fs::write(&config, &own_state).unwrap();
    let second = run(["serve", "--config", config.to_str().unwrap()]);
    let told = error(&second);
    assert_eq!(second.status.code(), Some(1), "{told}");
    let (pid, output) = (first.pid().unwrap().to_string(), first.folder("results"));
    for part in [
        &pid,
        output.to_str().unwrap(),
        first.folder("state").to_str().unwrap(),
        "hint:",
    ] {
        assert!(told.contains(part), "{part} is not in {told}");
    }
    // With an output of its own it works, on the same root: acquisitions are only read.
    let results = other.path().join("results");
    fs::write(
        &config,
        own_state.replace(output.to_str().unwrap(), results.to_str().unwrap()),
    )
    .unwrap();
    let mut child = Command::new(wellspring())
        .args(["serve", "--config", config.to_str().unwrap()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    fs::create_dir(first.folder("drop").join("plate")).unwrap();
    fs::write(
        first.folder("drop").join("plate").join(name(0)),
        image(32, 1).unwrap(),
    )
    .unwrap();
    let published = |folder: &std::path::Path| {
        fs::read_dir(folder.join("plate/P")).is_ok_and(|files| {
            files
                .flatten()
                .any(|f| f.path().extension().is_some_and(|e| e == "h5"))
        })
    };
    first.wait("both have a result", || {
        published(&output) && published(&results)
    });
    child.kill().unwrap();
    child.wait().unwrap();
    // A killed daemon leaves nothing that would keep the next one out. Its address would look like that of the next one.
    let _ = fs::remove_file(state.join("address"));
    let mut child = Command::new(wellspring())
        .args(["serve", "--config", config.to_str().unwrap()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    first.wait("the next one has started", || {
        state.join("address").exists()
    });
    child.kill().unwrap();
    child.wait().unwrap();
}
