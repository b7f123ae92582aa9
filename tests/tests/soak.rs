//! Days of acquisition in minutes: many plates one after another, faults mixed in. What the daemon holds must not grow with
//! what it has done, nor may the time from a file's arrival to its being worked on.
//!
//! `WELLSPRING_SOAK_PLATES` and `WELLSPRING_SOAK_JOBS` (of an image set) make it longer; `make soak` sets them so that the queue
//! ends with a million tasks.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fmt::Write as _;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use black_box::daemon::{Daemon, Start};
use black_box::tiny;
use serde_json::{Value, json};

/// Image sets of a plate.
const SETS: usize = 96;
/// Pause between two files: a microscope takes longer.
const PACE: Duration = Duration::from_millis(8);
/// Plates that one line of the report sums up, at least.
const WINDOW: usize = 4;

fn number(variable: &str) -> Option<usize> {
    std::env::var(variable).ok()?.parse().ok()
}

fn workflow(jobs: usize) -> String {
    let mut text = "name = \"soak\"\nversion = \"1\"\n[channels]\nDAPI = \"nuclei\"\n[container]\nscale_factors = [1]\n".to_owned();
    let mut input = "nuclei".to_owned();
    for job in 1..=jobs {
        let keep = job == jobs;
        write!(text, "[[job]]\nid = \"smooth-{job}\"\nkind = \"filter.gaussian\"\ninput = \"{input}\"\noutput = \"smooth_{job}\"\nsigma = 0.5\nkeep = {keep}\n").unwrap();
        input = format!("smooth_{job}");
    }
    text
}

/// What the daemon's process holds: resident MB, descriptors, threads.
fn held(daemon: &Daemon) -> (f64, usize, usize) {
    let folder = format!("/proc/{}", daemon.pid().unwrap());
    let status = fs::read_to_string(format!("{folder}/status")).unwrap();
    let field = |name: &str| -> f64 {
        let line = status.lines().find_map(|l| l.strip_prefix(name)).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    };
    let descriptors = fs::read_dir(format!("{folder}/fd")).unwrap().count();
    (
        field("VmRSS:") / 1024.0,
        descriptors,
        field("Threads:") as usize,
    )
}

/// What is mixed in with a plate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    Reload,
    WorkerKilled,
    HalfFile,
    ShareAway,
}

impl Fault {
    fn of(plate: usize) -> Self {
        match plate % 12 {
            3 => Self::Reload,
            6 => Self::WorkerKilled,
            8 => Self::HalfFile,
            11 => Self::ShareAway,
            _ => Self::None,
        }
    }
}

/// Files as a microscope writes them: one after another, each renamed into place. When each was there.
fn acquire(daemon: &Daemon, name: &str, fault: Fault) -> Vec<(String, SystemTime)> {
    let folder = daemon.folder("drop").join(name);
    let aside = daemon.folder("aside");
    fs::create_dir_all(&folder).unwrap();
    fs::create_dir_all(&aside).unwrap();
    let mut arrived = Vec::with_capacity(SETS);
    for index in 0..SETS {
        let file = tiny::name(index);
        let bytes = tiny::image(32, index as u64).unwrap();
        let begin = Instant::now();
        if fault == Fault::HalfFile && index == 7 {
            fs::write(folder.join(&file), &bytes[..bytes.len() / 2]).unwrap();
        }
        fs::write(aside.join(&file), &bytes).unwrap();
        fs::rename(aside.join(&file), folder.join(&file)).unwrap();
        arrived.push((file, SystemTime::now()));
        if index == SETS / 2 {
            disturb(daemon, fault);
        }
        std::thread::sleep(PACE.saturating_sub(begin.elapsed()));
    }
    fs::write(folder.join("FINISHED"), "x").unwrap();
    arrived
}

fn disturb(daemon: &Daemon, fault: Fault) {
    match fault {
        Fault::None | Fault::HalfFile => {}
        Fault::Reload => daemon.signal("HUP"),
        Fault::WorkerKilled => {
            let status = daemon.get("/api/v1/status");
            let workers = status["workers"].as_array().unwrap();
            if let Some(pid) = workers.iter().find_map(|w| w["pid"].as_u64()) {
                let killed = std::process::Command::new("kill")
                    .args(["-KILL", &pid.to_string()])
                    .status();
                assert!(killed.unwrap().success());
            }
        }
        Fault::ShareAway => {
            let (root, away) = (daemon.folder("drop"), daemon.folder("away"));
            fs::rename(&root, &away).unwrap();
            daemon.wait("the root is offline", || {
                daemon.get("/api/v1/roots")["items"][0]["state"] == "offline"
            });
            fs::rename(&away, &root).unwrap();
        }
    }
}

/// The plate that a folder of the acquisition became.
fn plate_of(daemon: &Daemon, name: &str) -> Option<Value> {
    let plates = daemon.get(&format!("/api/v1/plates?q={name}&limit=10"));
    let items = plates["items"].as_array()?;
    items
        .iter()
        .find(|p| {
            p["output"]
                .as_str()
                .is_some_and(|o| o.contains(&format!("/{name}")))
        })
        .cloned()
}

/// Milliseconds from each file's being there to the start of its work.
fn delays(daemon: &Daemon, plate: i64, arrived: &[(String, SystemTime)]) -> Vec<f64> {
    let tasks = daemon.get(&format!(
        "/api/v1/tasks?plate={plate}&job=smooth-1&limit=500"
    ));
    let start = |subject: &str| -> SystemTime {
        let task = tasks["items"]
            .as_array()
            .unwrap()
            .iter()
            .find(|t| t["subject_name"] == subject)
            .unwrap();
        let at: jiff::Timestamp = task["started_at"].as_str().unwrap().parse().unwrap();
        at.into()
    };
    arrived
        .iter()
        .map(|(file, at)| {
            let well = file.split('_').nth(1).unwrap();
            // The queue's stamps are whole milliseconds.
            start(&format!("{well}-0001"))
                .duration_since(*at)
                .map_or(0.0, |d| d.as_secs_f64() * 1e3)
        })
        .collect()
}

fn quantile(sorted: &[f64], share: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    sorted
        .get((last as f64 * share).round() as usize)
        .copied()
        .unwrap_or(0.0)
}

/// A part of the run.
#[derive(Default)]
struct Span {
    delays: Vec<f64>,
    resident: f64,
    descriptors: usize,
    threads: usize,
}

#[test]
fn nothing_grows_with_what_was_done() {
    let plates = number("WELLSPRING_SOAK_PLATES").unwrap_or(16);
    let jobs = number("WELLSPRING_SOAK_JOBS").unwrap_or(10);
    let workflow = workflow(jobs);
    let lines = format!(
        "{}\nplate_complete = [\"sentinel:FINISHED\"]\nrescan_secs = 10",
        tiny::NAMING
    );
    let daemon = Daemon::start_with(&Start {
        root_lines: &lines,
        ..Start::new(&workflow)
    });
    let begin = Instant::now();
    let window = (plates / 10).max(WINDOW);
    let mut spans: Vec<Span> = Vec::new();
    let mut out = std::io::stderr();
    for number in 0..plates {
        let (name, fault) = (format!("plate-{number:05}"), Fault::of(number));
        let arrived = acquire(&daemon, &name, fault);
        daemon.wait("the plate is done", || {
            plate_of(&daemon, &name).is_some_and(|p| p["state"] == "done")
        });
        let plate = plate_of(&daemon, &name).unwrap();
        assert_eq!(plate["image_sets"]["complete"], SETS, "{plate}");
        assert_eq!(plate["counts"]["succeeded"], SETS * jobs, "{plate}");
        if number % window == 0 {
            spans.push(Span::default());
        }
        let span = spans.last_mut().unwrap();
        if fault == Fault::None {
            span.delays
                .extend(delays(&daemon, plate["id"].as_i64().unwrap(), &arrived));
        }
        (span.resident, span.descriptors, span.threads) = held(&daemon);
        // To the archive, and the results to their owner.
        fs::remove_dir_all(daemon.folder("drop").join(&name)).unwrap();
        remove_results(&daemon.folder("results").join(&name));
        if number % window == window - 1 || number == plates - 1 {
            span.delays.sort_by(f64::total_cmp);
            writeln!(
                out,
                "soak: {:>6} plates {:>8} tasks {:>6.0} s   arrival to start p50 {:>6.1} ms p99 {:>6.1} ms   {:>6.1} MB {:>3} descriptors {:>3} threads",
                number + 1,
                (number + 1) * SETS * jobs,
                begin.elapsed().as_secs_f64(),
                quantile(&span.delays, 0.5),
                quantile(&span.delays, 0.99),
                span.resident,
                span.descriptors,
                span.threads
            )
            .unwrap();
        }
    }
    let status = daemon.get("/api/v1/status");
    assert_eq!(
        (
            status["tasks"]["succeeded"].as_u64(),
            status["tasks"]["failed"].as_u64(),
            status["tasks"]["running"].as_u64()
        ),
        (Some((plates * SETS * jobs) as u64), Some(0), Some(0)),
        "{status}"
    );
    // The first span fills the caches (SQLite's page cache is bounded at 64 MiB a connection).
    let (early, late) = (&spans[spans.len() / 2], spans.last().unwrap());
    assert!(
        late.resident < early.resident * 1.3 + 16.0,
        "memory grows: {} MB, then {} MB",
        early.resident,
        late.resident
    );
    assert!(
        late.descriptors <= early.descriptors + 8,
        "descriptors grow: {}, then {}",
        early.descriptors,
        late.descriptors
    );
    assert!(
        late.threads <= early.threads + 8,
        "threads grow: {}, then {}",
        early.threads,
        late.threads
    );
    let p99 = |span: &Span| quantile(&span.delays, 0.99);
    if plates >= 200 {
        assert!(
            p99(late) < p99(early) * 2.0 + 50.0,
            "arrivals wait longer: {} ms, then {} ms",
            p99(early),
            p99(late)
        );
    }
    let (code, answer) = daemon.post("/api/v1/queue/pause", &json!({ "reason": "the end" }));
    assert_eq!(code, 200, "{answer}");
}

fn remove_results(folder: &Path) {
    assert!(
        fs::remove_dir_all(folder).is_ok(),
        "there are results at {}",
        folder.display()
    );
}
