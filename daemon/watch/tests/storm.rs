//! A hundred thousand files. A program of its own, so that it has the machine to itself.
#![allow(clippy::unwrap_used)]

#[allow(dead_code, reason = "shared with the other tests")]
#[path = "watching/lab.rs"]
mod lab;

use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use lab::{Lab, ROOT};
use watch::{Event, FileIdentity};

/// Files of the large storm; `WELLSPRING_STORM_FILES` sets another number.
fn large() -> usize {
    let files = std::env::var("WELLSPRING_STORM_FILES").ok();
    files.and_then(|n| n.parse().ok()).unwrap_or(100_000)
}

/// The kernel's queue made small, as far as this machine lets us. An inotify instance takes the limit over when it is
/// made, so it is put back right after the start.
fn with_small_kernel_queue(events: u64, start: impl FnOnce()) -> String {
    const LIMIT: &str = "/proc/sys/fs/inotify/max_queued_events";
    let before = fs::read_to_string(LIMIT).unwrap();
    let lowered = fs::write(LIMIT, events.to_string()).is_ok();
    start();
    if lowered {
        fs::write(LIMIT, before).unwrap();
        format!("fs.inotify.max_queued_events lowered to {events}")
    } else {
        format!(
            "fs.inotify.max_queued_events not ours to set ({}), own queue of {events} events",
            before.trim()
        )
    }
}

/// One writer a folder of the first level: creates, renames, replaces. Returns the files that are there in the end.
fn rage(root: &std::path::Path, writer: usize, files: usize) -> Vec<PathBuf> {
    let mut there = Vec::new();
    for number in 0..files {
        let folder = PathBuf::from(format!(
            "w{writer}/p{}/t{}",
            number / 1000,
            number / 100 % 10
        ));
        if number % 100 == 0 {
            fs::create_dir_all(root.join(&folder)).unwrap();
        }
        let path = folder.join(format!("{number}.tif"));
        fs::write(root.join(&path), format!("{number} END")).unwrap();
        match number % 5 {
            // Renamed into place.
            0 => {
                let to = folder.join(format!("{number}-renamed.tif"));
                fs::rename(root.join(&path), root.join(&to)).unwrap();
                there.push(to);
            }
            // Replaced by new content under the same name.
            1 => {
                let aside = root.join(folder.join(".aside"));
                fs::write(&aside, format!("{number} new content END")).unwrap();
                fs::rename(aside, root.join(&path)).unwrap();
                there.push(path);
            }
            // Rewritten in place.
            2 => {
                fs::write(root.join(&path), format!("{number} written again END")).unwrap();
                there.push(path);
            }
            _ => there.push(path),
        }
    }
    there
}

#[test]
fn a_hundred_thousand_files_with_an_overflowing_queue_are_all_found_and_none_twice() {
    let (files, writers) = (large(), 4);
    let mut lab = Lab::in_memory();
    lab.spec.event_queue = 1000;
    lab.spec.settle = Duration::from_millis(200);
    let bound = with_small_kernel_queue(256, || lab.start());
    let begin = Instant::now();
    let root = lab.spec.path.clone();
    let mut there: Vec<PathBuf> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..writers)
            .map(|writer| {
                scope.spawn({
                    let root = &root;
                    move || rage(root, writer, files / writers)
                })
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    let written = begin.elapsed();
    there.sort();
    let deadline = Instant::now() + Duration::from_secs(600);
    let state = |path: &PathBuf| FileIdentity::of(&fs::metadata(root.join(path)).unwrap());
    loop {
        lab.drain();
        let known = lab.host.known.lock().unwrap().clone();
        if there
            .iter()
            .all(|path| known.get(path) == Some(&state(path)))
        {
            break;
        }
        assert!(Instant::now() < deadline, "files are missing");
        std::thread::park_timeout(Duration::from_millis(100));
    }
    let found = begin.elapsed();
    // What did not stay was at most on its way.
    lab.everything_is_told("last");
    // Without being asked, removals are looked for seldom.
    lab.scanned_anew();
    let known = lab.host.known.lock().unwrap().len();
    assert_eq!(known, there.len() + 1, "what was renamed away is forgotten");
    lab.drain();
    let mut told = HashSet::new();
    for event in &lab.seen {
        if let Event::Whole { path, identity, .. } | Event::Changed { path, identity, .. } = event {
            assert!(
                told.insert((path.clone(), *identity)),
                "{path:?} was reported twice in one state"
            );
        }
    }
    let counters = lab.watcher().counters()[&ROOT];
    assert!(counters.overflows > 0, "the queue was to overflow: {bound}");
    println!(
        "measured: {} files by {writers} writers in {written:.1?}, all known after {found:.1?}; {} overflows, {} scans, {} events, \
         {} reports, peak memory {} MiB; {bound}",
        there.len(),
        counters.overflows,
        counters.scans,
        counters.events,
        told.len(),
        peak_memory_kib() / 1024,
    );
}

fn peak_memory_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").trim().parse().unwrap()
}
