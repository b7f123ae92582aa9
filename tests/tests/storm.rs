//! Thousands of files at once, created, renamed and replaced in nested folders, with the kernel's event queue overflowing:
//! the queue must hold each of them once. `WELLSPRING_STORM_FILES` sets their number (`make soak` takes 100,000).
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use black_box::daemon::{Daemon, Start, TestLimit, peak_memory};
use black_box::tiny::{NAMING, ONE_JOB, image, name};
use serde_json::{Value, json};

const FILES_A_PLATE: usize = 1000;

fn number_of_files() -> usize {
    let files = std::env::var("WELLSPRING_STORM_FILES").ok();
    files.and_then(|n| n.parse().ok()).unwrap_or(6000)
}

/// Writes plates; returns what is there in the end with the seed of its content.
fn rage(root: &Path, writer: usize, files: usize) -> BTreeMap<PathBuf, u64> {
    let mut there = BTreeMap::new();
    for number in 0..files {
        let folder = PathBuf::from(format!(
            "run-{writer}/day-{}/plate-{}",
            number / (4 * FILES_A_PLATE),
            number / FILES_A_PLATE
        ));
        let site = number % FILES_A_PLATE;
        if site == 0 {
            fs::create_dir_all(root.join(&folder)).unwrap();
        }
        let path = folder.join(name(site));
        let seed = (writer * files + number) as u64;
        let write = |at: &Path, seed| fs::write(root.join(at), image(16, seed).unwrap()).unwrap();
        let mut content = seed;
        match number % 5 {
            0 => {
                let aside = folder.join(format!("{site}.part"));
                write(&aside, seed);
                fs::rename(root.join(aside), root.join(&path)).unwrap();
            }
            1 => {
                write(&path, seed);
                content = seed + 1_000_000_000;
                let aside = folder.join(".aside");
                write(&aside, content);
                fs::rename(root.join(aside), root.join(&path)).unwrap();
            }
            2 => {
                write(&path, seed);
                content = seed + 1_000_000_000;
                write(&path, content);
            }
            _ => write(&path, seed),
        }
        there.insert(path, content);
    }
    there
}

fn status(daemon: &Daemon) -> Value {
    let text = daemon.try_get("/api/v1/status").unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

/// All rows of a list.
fn all(daemon: &Daemon, path: &str) -> Vec<Value> {
    let (mut rows, mut after) = (Vec::new(), 0);
    loop {
        let mark = if path.contains('?') { '&' } else { '?' };
        let page = daemon.get(&format!("{path}{mark}limit=1000&after={after}"));
        rows.extend(page["items"].as_array().cloned().unwrap_or_default());
        match page["next"].as_i64() {
            Some(next) => after = next,
            None => return rows,
        }
    }
}

#[test]
fn every_file_of_a_storm_is_in_the_queue_once() {
    let (files, writers) = (number_of_files(), 3);
    let lines = format!("{NAMING}\nplate_complete = [\"manual\"]");
    // Taken over by the inotify instance when it is made, and put back after the start.
    let limit = TestLimit::lower("/proc/sys/fs/inotify/max_queued_events", "16");
    let daemon = Daemon::start_with(&Start {
        root_lines: &lines,
        ..Start::new(ONE_JOB)
    });
    daemon.wait("the root is watched", || {
        status(&daemon)["roots"][0]["watched"] == "native"
    });
    let lowered = limit.is_some();
    drop(limit);
    // Only arrival is at stake: the workers' own time would hide it.
    daemon.post("/api/v1/queue/pause", &json!({ "reason": "storm" }));
    let root = daemon.folder("drop");
    let begin = Instant::now();
    let there: BTreeMap<PathBuf, u64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..writers)
            .map(|writer| {
                let root = &root;
                scope.spawn(move || rage(root, writer, files / writers))
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    let written = begin.elapsed();
    let expected = there.len() as u64;
    daemon.wait_long(
        "all files are registered",
        Duration::from_secs(600 + files as u64 / 20),
        || {
            let status = status(&daemon);
            status["files"]["registered"] == expected && status["roots"][0]["settling"] == 0
        },
    );
    let registered = begin.elapsed();
    // Nothing that was replaced while it was read may be left with its old content.
    let full = |seed: u64| blake3_of(&image(16, seed).unwrap());
    let contents = || {
        let sets = all(&daemon, "/api/v1/plates")
            .into_iter()
            .flat_map(|plate| {
                all(
                    &daemon,
                    &format!("/api/v1/plates/{}/image-sets", plate["id"]),
                )
            });
        let mut found = BTreeMap::new();
        for set in sets {
            for file in set["inputs"]["files"].as_array().unwrap() {
                let path = PathBuf::from(file["path"].as_str().unwrap());
                let before = found.insert(path, file["content"].as_str().unwrap().to_owned());
                assert!(before.is_none(), "a file is in two image sets: {file}");
            }
        }
        found
    };
    let wanted: BTreeMap<PathBuf, String> = there
        .iter()
        .map(|(path, seed)| (path.clone(), full(*seed)))
        .collect();
    daemon.wait_long(
        "every image set has the content that is on the disk",
        Duration::from_secs(600),
        || contents() == wanted,
    );
    let settled = begin.elapsed();
    let tasks = status(&daemon)["tasks"].clone();
    assert_eq!(tasks["ready"], expected, "one task an image: {tasks}");
    let paths: BTreeSet<String> = all(&daemon, "/api/v1/files")
        .iter()
        .map(|f| f["path"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(paths.len() as u64, expected);
    assert_eq!(
        daemon.events("file.recorded").len() as u64,
        expected,
        "each file is new once"
    );
    let metrics = daemon.try_get("/metrics").unwrap();
    let overflows = daemon.log().matches("events were lost").count();
    assert!(overflows > 0 || !lowered, "the queue was to overflow");
    println!(
        "measured: {expected} files by {writers} writers in {written:.1?}, all in the queue after {registered:.1?} ({:.0}/s), with their last content after {settled:.1?}; \
         {overflows} overflows ({}); peak memory of the daemon {} MiB, {} metrics lines",
        expected as f64 / registered.as_secs_f64(),
        if lowered {
            "fs.inotify.max_queued_events lowered to 16"
        } else {
            "the kernel's limit is not ours to set"
        },
        peak_memory(daemon.pid().unwrap()) >> 20,
        metrics.lines().count(),
    );
}

fn blake3_of(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex()[..32].to_owned()
}
