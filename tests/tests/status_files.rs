//! BatchLib's status and log files from the daemon: when they are written, and that they never get in the way.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::path::{Path, PathBuf};

use black_box::daemon::{Daemon, Start};
use black_box::tiny::{NAMING, WITH_PLATE_TABLE, image, name};
use serde_json::{Value, json};

fn start(lines: &str) -> Daemon {
    let root_lines = format!("{NAMING}\nplate_complete = [\"sentinel:FINISHED\"]\n{lines}");
    Daemon::start_with(&Start {
        root_lines: &root_lines,
        ..Start::new(WITH_PLATE_TABLE)
    })
}

fn put(daemon: &Daemon, index: usize) {
    let folder = daemon.folder("drop").join("P");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(name(index)), image(32, index as u64).unwrap()).unwrap();
}

fn finish(daemon: &Daemon) {
    fs::write(daemon.folder("drop").join("P/FINISHED"), "").unwrap();
    daemon.rescan();
}

fn folder(daemon: &Daemon) -> PathBuf {
    daemon.folder("results").join("P/batchlib")
}

fn text(daemon: &Daemon, file: &str) -> String {
    fs::read_to_string(folder(daemon).join(file)).unwrap_or_default()
}

fn state(daemon: &Daemon, file: &str) -> Value {
    let status: Value = serde_json::from_str(&text(daemon, file)).unwrap_or_default();
    status["state"].clone()
}

fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut all: Vec<String> = entries
        .map(|e| e.file_name().into_string().unwrap())
        .collect();
    all.sort();
    all
}

const ALL: [&str; 6] = [
    "counted.log",
    "counted.status",
    "mask.status",
    "measure.status",
    "nuclei.status",
    "tables.status",
];

#[test]
fn they_come_when_the_plate_is_done_and_follow_what_changes_then() {
    let mut daemon = start("status_files = true");
    put(&daemon, 0);
    put(&daemon, 1);
    daemon.wait("the images are computed", || {
        daemon.get("/api/v1/status")["tasks"]["succeeded"] == 6
    });
    assert!(!folder(&daemon).exists(), "the plate is not done");
    finish(&daemon);
    daemon.wait("the files are there", || files(&folder(&daemon)) == ALL);
    let expected = "{\n  \"mask\": \"processed\",\n  \"nuclei\": \"processed\",\n  \"measure\": \"processed\",\n  \"tables\": \"processed\"\n}";
    assert_eq!(text(&daemon, "counted.status"), expected);
    let log = text(&daemon, "counted.log");
    assert!(
        log.contains("P: complete (") && log.contains("measure: call run method with 2 inputs."),
        "{log}"
    );

    // Another image comes, and it is bad.
    let bad = daemon.folder("drop").join("P").join(name(2));
    let bytes = image(32, 9).unwrap();
    fs::write(&bad, &bytes[..bytes.len() / 2]).unwrap();
    daemon.rescan();
    daemon.wait("the plate tells of the bad image", || {
        state(&daemon, "mask.status") == "invalid_inputs"
    });
    let mask: Value = serde_json::from_str(&text(&daemon, "mask.status")).unwrap();
    assert_eq!(mask["invalid_inputs"], json!([bad.display().to_string()]));
    assert_eq!(
        state(&daemon, "tables.status"),
        "processed",
        "the plate goes on with the rest"
    );
    daemon.wait("the first log is an older one", || {
        let new = text(&daemon, "counted.log");
        text(&daemon, "counted.log.1") == log && !new.is_empty() && new != log
    });

    // A restart finds nothing to tell.
    let before = files(&folder(&daemon));
    let written = fs::metadata(folder(&daemon).join("counted.log"))
        .unwrap()
        .modified()
        .unwrap();
    assert!(daemon.terminate());
    daemon.launch();
    daemon.wait("the root is looked at", || {
        daemon.answer("/readyz").0 == 200
    });
    let asked = daemon.client(["plates", "status-files", "P"]);
    assert!(asked.status.success(), "{asked:?}");
    assert_eq!(files(&folder(&daemon)), before);
    let now = fs::metadata(folder(&daemon).join("counted.log"))
        .unwrap()
        .modified()
        .unwrap();
    assert_eq!(now, written, "nothing new, no new log");
}

#[test]
fn a_plate_gets_them_when_somebody_asks_and_only_then() {
    let daemon = start("");
    put(&daemon, 0);
    daemon.wait("the image is computed", || {
        daemon.get("/api/v1/status")["tasks"]["succeeded"] == 3
    });
    let early = daemon.client(["plates", "status-files", "P"]);
    let said = String::from_utf8_lossy(&early.stderr).into_owned();
    assert_eq!(early.status.code(), Some(5), "{said}");
    assert!(
        said.contains("arriving") && said.contains("hint: "),
        "{said}"
    );
    finish(&daemon);
    daemon.wait_for_plates(1, "done");
    assert!(!folder(&daemon).exists(), "nobody asked");
    let asked = daemon.client(["plates", "status-files", "P"]);
    let paths = String::from_utf8_lossy(&asked.stdout).into_owned();
    assert!(asked.status.success(), "{asked:?}");
    assert_eq!(paths.lines().count(), ALL.len(), "{paths}");
    assert!(
        paths.lines().all(|path| Path::new(path).is_file()),
        "{paths}"
    );
    assert_eq!(files(&folder(&daemon)), ALL);
}

#[test]
fn a_folder_that_cannot_be_written_to_is_waited_for_and_the_plate_is_done_all_the_same() {
    let daemon = start("status_files = true");
    let plate = daemon.folder("results").join("P");
    fs::create_dir_all(&plate).unwrap();
    // A file lies where the folder should be.
    fs::write(plate.join("batchlib"), "mine").unwrap();
    put(&daemon, 0);
    finish(&daemon);
    daemon.wait_for_plates(1, "done");
    daemon.wait("it is told", || {
        daemon.log().contains("status files cannot be written")
    });
    assert_eq!(fs::read_to_string(plate.join("batchlib")).unwrap(), "mine");
    fs::remove_file(plate.join("batchlib")).unwrap();
    daemon.wait("they come by themselves", || files(&folder(&daemon)) == ALL);
    let told = daemon
        .log()
        .matches("status files cannot be written")
        .count();
    assert_eq!(told, 1, "told once, not at every look");
}

#[test]
fn a_link_is_not_followed_out_of_the_results() {
    let daemon = start("status_files = true");
    let elsewhere = tempfile::tempdir().unwrap();
    let plate = daemon.folder("results").join("P");
    fs::create_dir_all(&plate).unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), plate.join("batchlib")).unwrap();
    put(&daemon, 0);
    finish(&daemon);
    daemon.wait("it is told", || daemon.log().contains("is a symbolic link"));
    daemon.wait_for_plates(1, "done");
    assert!(files(elsewhere.path()).is_empty());
}
