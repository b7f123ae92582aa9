//! The system's clock is set forward and back under a running daemon: leases, settling, quiet periods and retries must not
//! care. Only the daemon and its workers see the other time; the machine's clock stays as it is.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use black_box::binary::repository;
use black_box::daemon::{Daemon, Start};
use black_box::tiny::{NAMING, ONE_JOB, image, name};
use serde_json::Value;

const YEAR: i64 = 365 * 24 * 3600;

/// The quiet period, longer than this test may be kept waiting between two files.
const QUIET: Duration = Duration::from_secs(12);

/// The settle time of a file that is written to again and again: the same of two pieces.
const SETTLE: Duration = Duration::from_secs(15);

/// A clock for a daemon, and the means to set it.
struct Clock {
    folder: tempfile::TempDir,
}

impl Clock {
    /// `None`, with a line that says so, where there is no C compiler.
    fn new() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .arg(folder.path().join("clock.so"))
            .arg(repository().join("tests/src/clock.c"))
            .arg("-ldl")
            .status();
        if !built.is_ok_and(|status| status.success()) {
            println!("skipped: no C compiler for the clock that can be set");
            return None;
        }
        let clock = Self { folder };
        fs::write(clock.file(), 0_i64.to_ne_bytes()).unwrap();
        Some(clock)
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("offset")
    }

    fn set(&self, seconds: i64) {
        let file = fs::OpenOptions::new()
            .write(true)
            .open(self.file())
            .unwrap();
        file.write_all_at(&seconds.to_ne_bytes(), 0).unwrap();
    }

    fn environment(&self) -> Vec<(String, std::ffi::OsString)> {
        vec![
            (
                "LD_PRELOAD".into(),
                self.folder.path().join("clock.so").into(),
            ),
            ("WELLSPRING_TEST_CLOCK".into(), self.file().into()),
        ]
    }
}

fn status(daemon: &Daemon) -> Value {
    let text = daemon.try_get("/api/v1/status").unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

fn write(folder: &Path, from: usize, to: usize, side: u32) {
    fs::create_dir_all(folder).unwrap();
    for i in from..to {
        fs::write(folder.join(name(i)), image(side, i as u64).unwrap()).unwrap();
    }
}

fn plate(daemon: &Daemon, folder: &str) -> Value {
    let page = daemon.get("/api/v1/plates");
    let items = page["items"].as_array().unwrap();
    items
        .iter()
        .find(|p| p["directory"].as_str().is_some_and(|d| d.ends_with(folder)))
        .cloned()
        .unwrap_or_default()
}

#[test]
fn setting_the_clock_neither_completes_nor_delays_nor_interrupts_anything() {
    let Some(clock) = Clock::new() else { return };
    let lines = format!("{NAMING}\nplate_complete = [\"quiet:{}\"]", QUIET.as_secs());
    let daemon = Daemon::start_with(&Start {
        root_lines: &lines,
        worker_lines: "lease_secs = 120",
        settle_secs: 1,
        environment: clock.environment(),
        ..Start::new(ONE_JOB)
    });
    // It is the daemon's clock that is set, or the test would prove nothing.
    clock.set(YEAR);
    let boot = || status(&daemon)["started_at"].as_str().unwrap().to_owned();
    let now: i64 = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs()
        .try_into()
        .unwrap();
    let year = 1970 + now / YEAR;
    assert!(
        boot().starts_with(&format!("{year}")) || boot().starts_with(&format!("{}", year - 1)),
        "{}",
        boot()
    );
    let drop = daemon.folder("drop");
    for (i, jump) in [10 * YEAR, -10 * YEAR, 0].into_iter().enumerate() {
        let folder = format!("plate-{i}");
        write(&drop.join(&folder), 0, 30, 300);
        daemon.wait("work is under way", || {
            plate(&daemon, &folder)["counts"]["succeeded"].as_u64() >= Some(2)
        });
        clock.set(jump);
        let last = Instant::now();
        write(&drop.join(&folder), 30, 31, 300);
        daemon.wait("the last image is registered", || {
            plate(&daemon, &folder)["image_sets"]["seen"] == 31
        });
        daemon.wait("the plate is done", || {
            plate(&daemon, &folder)["state"] == "done"
        });
        let took = last.elapsed();
        assert!(took >= QUIET, "the quiet period was cut short: {took:?}");
        let year_seen: i64 = plate(&daemon, &folder)["last_arrival"].as_str().unwrap()[..4]
            .parse()
            .unwrap();
        assert!(
            (year_seen - year - jump / YEAR).abs() <= 1,
            "the daemon's clock is the one that was set: {year_seen}"
        );
    }
    let tasks = daemon.get("/api/v1/tasks?limit=1000");
    for task in tasks["items"].as_array().unwrap() {
        assert_eq!(
            (&task["state"], &task["attempts"], &task["interruptions"]),
            (&"succeeded".into(), &1.into(), &0.into()),
            "no lease was lost: {task}"
        );
    }
    assert_eq!(tasks["items"].as_array().unwrap().len(), 93);
    assert_eq!(
        daemon.events("plate.state").len(),
        6,
        "each plate was completed once, and was done"
    );
}

/// A file that is still being written must not look old because the clock was set.
#[test]
fn a_file_that_grows_is_waited_for_while_the_clock_is_set_to_and_fro() {
    let Some(clock) = Clock::new() else { return };
    let lines = format!("{NAMING}\nmode = \"poll\"\npoll_secs = 1\nplate_complete = [\"manual\"]");
    let daemon = Daemon::start_with(&Start {
        root_lines: &lines,
        settle_secs: SETTLE.as_secs(),
        environment: clock.environment(),
        ..Start::new(ONE_JOB)
    });
    let folder = daemon.folder("drop").join("plate");
    fs::create_dir_all(&folder).unwrap();
    // The structure is whole from the first moment and the pixels come later: only time can tell.
    let bytes = image(64, 1).unwrap();
    let file = fs::File::create(folder.join(name(0))).unwrap();
    let mut blank = bytes.clone();
    blank[8..8 + 64 * 64].fill(0);
    file.write_all_at(&blank, 0).unwrap();
    let begin = Instant::now();
    let mut end = begin;
    for jump in [YEAR, -YEAR, 3600, -3600, 0] {
        clock.set(jump);
        let step = Instant::now();
        daemon.wait("a part of the copy takes its time", || {
            step.elapsed() > Duration::from_millis(1500)
        });
        end = Instant::now();
        file.write_all_at(&bytes, 0).unwrap();
        assert_eq!(
            status(&daemon)["files"]["registered"],
            0,
            "taken after {:?}",
            begin.elapsed()
        );
    }
    daemon.wait("it is done", || status(&daemon)["tasks"]["succeeded"] == 1);
    assert!(end.elapsed() >= SETTLE, "{:?}", end.elapsed());
    assert_eq!(daemon.events("file.recorded").len(), 1);
}
