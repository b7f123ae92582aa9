//! Full disks: small tmpfs volumes for results and for the state, filled and freed under a running daemon.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use black_box::daemon::{Daemon, Start};
use black_box::namespace::{in_namespace, mount_tmpfs};
use black_box::tiny::{NAMING, ONE_JOB, image, name};
use serde_json::Value;

const IMAGES: usize = 12;

fn status(daemon: &Daemon) -> Value {
    let text = daemon.try_get("/api/v1/status").unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

fn lines() -> String {
    format!("{NAMING}\nplate_complete = [\"sentinel:FINISHED\"]")
}

fn drop_images(daemon: &Daemon, from: usize, to: usize, side: u32) {
    let folder = daemon.folder("drop").join("plate");
    fs::create_dir_all(&folder).unwrap();
    for i in from..to {
        fs::write(folder.join(name(i)), image(side, i as u64).unwrap()).unwrap();
    }
}

/// Fills a volume up to so many bytes. Returns the file that does it.
fn fill(folder: &Path, leave: u64) -> PathBuf {
    let ballast = folder.join("ballast");
    let stat = Command::new("stat")
        .args(["-f", "-c", "%a %S"])
        .arg(folder)
        .output()
        .unwrap();
    let text = String::from_utf8(stat.stdout).unwrap();
    let mut numbers = text.split_whitespace().map(|n| n.parse::<u64>().unwrap());
    let free = numbers.next().unwrap() * numbers.next().unwrap();
    let bytes = usize::try_from(free.saturating_sub(leave)).unwrap();
    match fs::write(&ballast, vec![1_u8; bytes]) {
        // The daemon took some of it meanwhile, and full is full.
        Err(error) if leave == 0 && error.kind() == std::io::ErrorKind::StorageFull => {}
        written => written.unwrap(),
    }
    ballast
}

/// Every result is there, done once, and nothing else is.
fn assert_done_once(daemon: &Daemon, images: usize) {
    daemon.wait_for_plates(1, "done");
    let tasks = daemon.get("/api/v1/tasks?limit=1000");
    for task in tasks["items"].as_array().unwrap() {
        assert_eq!(
            (&task["state"], &task["attempts"]),
            (&"succeeded".into(), &1.into()),
            "no attempt was charged for the disk: {task}"
        );
    }
    assert_eq!(tasks["items"].as_array().unwrap().len(), images);
    assert_eq!(daemon.events("task.succeeded").len(), images);
    let folder = daemon.folder("results").join("plate/P");
    let mut names: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names.len(), images, "{names:?}");
    for file in &names {
        let output = daemon.client(["inspect".as_ref(), folder.join(file).as_os_str()]);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

fn partial_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "partial") {
                found.push(path);
            }
        }
    }
    found
}

#[test]
fn below_min_free_work_is_paused_and_resumes_by_itself() {
    in_namespace("inside_little_room");
}

#[test]
#[ignore = "runs inside a namespace in which it may mount"]
fn inside_little_room() {
    let lines = lines();
    let mut daemon = Daemon::prepared(&Start {
        root_lines: &lines,
        min_free: "4 MiB",
        ..Start::new(ONE_JOB)
    });
    let results = daemon.folder("results");
    mount_tmpfs(&results, 16 << 10);
    let ballast = fill(&results, 2 << 20);
    daemon.launch();
    daemon.wait("the disk pauses the work", || {
        status(&daemon)["pauses"][0]["holder"] == "disk"
    });
    drop_images(&daemon, 0, IMAGES, 64);
    fs::write(daemon.folder("drop").join("plate/FINISHED"), "x").unwrap();
    daemon.wait("all images are in the queue", || {
        status(&daemon)["tasks"]["ready"] == IMAGES
    });
    // While it is paused nothing is claimed, and the daemon says what is wrong.
    let ready = daemon.try_get("/readyz");
    assert!(ready.is_none(), "it is not ready: {ready:?}");
    let reason = status(&daemon)["pauses"][0]["reason"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        reason.contains("results") && reason.contains("min_free"),
        "{reason}"
    );
    assert!(daemon.try_get("/").unwrap().contains("min_free"));
    assert_eq!(daemon.events("task.running").len(), 0);
    assert_eq!(daemon.events("queue.paused").len(), 1, "it is said once");
    fs::remove_file(ballast).unwrap();
    assert_done_once(&daemon, IMAGES);
    // Also with everything done and nothing arriving, the disk is watched.
    let ballast = fill(&results, 2 << 20);
    daemon.wait("the disk pauses an idle daemon", || {
        status(&daemon)["pauses"][0]["holder"] == "disk"
    });
    fs::remove_file(ballast).unwrap();
    daemon.wait("an idle daemon resumes", || {
        status(&daemon)["pauses"][0] == Value::Null
    });
}

#[test]
fn a_disk_that_fills_up_in_the_middle_of_publishing_costs_no_attempt_and_leaves_nothing() {
    in_namespace("inside_a_disk_that_fills_up");
}

#[test]
#[ignore = "runs inside a namespace in which it may mount"]
fn inside_a_disk_that_fills_up() {
    let lines = lines();
    let mut daemon = Daemon::prepared(&Start {
        root_lines: &lines,
        // So little that only the failing write itself tells that the disk is full.
        min_free: "1 B",
        ..Start::new(ONE_JOB)
    });
    let results = daemon.folder("results");
    mount_tmpfs(&results, 2 << 10);
    let ballast = fill(&results, 96 << 10);
    daemon.launch();
    drop_images(&daemon, 0, IMAGES, 512);
    fs::write(daemon.folder("drop").join("plate/FINISHED"), "x").unwrap();
    daemon.wait("every publishing has failed", || {
        status(&daemon)["tasks"]["retrying"] == IMAGES
    });
    assert_eq!(
        partial_files(&results),
        Vec::<PathBuf>::new(),
        "nothing is left behind"
    );
    assert_eq!(fs::read_dir(results.join("plate/P")).unwrap().count(), 0);
    let tasks = daemon.get("/api/v1/tasks");
    for task in tasks["items"].as_array().unwrap() {
        assert_eq!(
            (&task["attempts"], &task["error"]["class"]),
            (&0.into(), &"environment".into()),
            "{task}"
        );
        assert!(
            task["error"]["remedy"].as_str().unwrap().contains("space"),
            "{task}"
        );
    }
    fs::remove_file(ballast).unwrap();
    let size = Command::new("mount")
        .args(["-o", "remount,size=64M"])
        .arg(&results)
        .status();
    assert!(size.unwrap().success());
    assert_done_once(&daemon, IMAGES);
    assert_eq!(partial_files(&results), Vec::<PathBuf>::new());
}

#[test]
fn a_full_state_volume_neither_kills_the_daemon_nor_loses_work() {
    in_namespace("inside_a_full_state_volume");
}

#[test]
#[ignore = "runs inside a namespace in which it may mount"]
fn inside_a_full_state_volume() {
    let lines = lines();
    let mut daemon = Daemon::prepared(&Start {
        root_lines: &lines,
        min_free: "1 B",
        ..Start::new(ONE_JOB)
    });
    let state = daemon.folder("state");
    mount_tmpfs(&state, 12 << 10);
    daemon.launch();
    let pid = daemon.pid();
    drop_images(&daemon, 0, 3, 64);
    daemon.wait("three images are done", || {
        status(&daemon)["tasks"]["succeeded"] == 3
    });
    // To the last byte: SQLite has nowhere to write.
    let ballast = fill(&state, 0);
    drop_images(&daemon, 3, IMAGES, 64);
    daemon.wait("the daemon says that it cannot write", || {
        daemon.log().contains("could not be recorded")
            || daemon.log().contains("cannot be looked after")
    });
    assert!(daemon.try_get("/livez").is_some(), "it lives");
    assert_eq!(daemon.pid(), pid);
    let seen = status(&daemon)["tasks"]["succeeded"].as_u64();
    assert!(
        seen.is_some_and(|n| n >= 3),
        "what is done stays told: {seen:?}"
    );
    fs::remove_file(ballast).unwrap();
    fs::write(daemon.folder("drop").join("plate/FINISHED"), "x").unwrap();
    daemon.wait_long(
        "everything is made up for",
        Duration::from_secs(600),
        || status(&daemon)["tasks"]["succeeded"] == IMAGES,
    );
    assert_done_once(&daemon, IMAGES);
    assert!(daemon.terminate(), "{}", daemon.log());
    // And what is on the disk is sound.
    daemon.launch();
    daemon.wait_for_plates(1, "done");
}
