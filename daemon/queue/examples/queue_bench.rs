//! Measures the queue at size: how fast work is put in and taken out once it holds a million tasks.
//!
//! `cargo run --release -p queue --example queue_bench -- [tasks] [folder]` prints one JSON object. Every change is
//! synced to the disk (`synchronous = FULL`), so the folder should be on the disk in question: the system's temporary one may be memory.

use std::error::Error;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use queue::{
    ClaimRequest, Cursor, Gate, NewPlate, NewRoot, NewSubject, NewTask, Options, Outcome, Pass,
    Plan, PlateFilter, PlateId, Require, Store, SubjectKind, SubjectState, TaskFilter, TaskReport,
    TaskState, Transaction, Upstream,
};
use serde_json::{Value, json};

/// Jobs of an image set, as in the cell analysis workflow.
const JOBS: [&str; 5] = ["preprocess", "boundaries", "nuclei", "cells", "features"];
/// Image sets of a plate: 384 wells, 9 sites.
const PLATE: usize = 3456;
/// Passes that each round of claims runs.
const PASSES: usize = 2000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let tasks: usize = arguments
        .next()
        .map_or(Ok(1_000_000), |text| text.parse())?;
    let folder = match arguments.next() {
        Some(folder) => tempfile::tempdir_in(folder)?,
        None => tempfile::tempdir()?,
    };
    let path = folder.path().join("queue.db");
    let subjects = tasks / JOBS.len();

    let store = Store::open(&path, Options::default())?;
    store.boot()?;
    let enqueue = fill(&store, subjects)?;
    let size = std::fs::metadata(&path)?.len();
    let single = enqueue_singly(&store, 1)?;
    let grouped = enqueue_singly(&store, 16)?;
    let mut rounds = Vec::new();
    for (threads, turn) in [
        (1, Turn::Separate),
        (1, Turn::Together),
        (4, Turn::Together),
        (16, Turn::Separate),
        (16, Turn::Together),
    ] {
        rounds.push(round(&store, threads, turn)?.with("group_commit", json!(true)));
    }
    let reads = reads(&store)?;
    drop(store);

    let ungrouped = Store::open(
        &path,
        Options {
            group: 1,
            ..Options::default()
        },
    )?;
    ungrouped.boot()?;
    rounds.push(round(&ungrouped, 16, Turn::Separate)?.with("group_commit", json!(false)));
    drop(ungrouped);

    let started = Instant::now();
    let store = Store::open(&path, Options::default())?;
    let open = started.elapsed();
    let started = Instant::now();
    let findings = store.check()?;
    let report = json!({
        "bench": "queue",
        "synchronous": "FULL",
        "tasks": tasks,
        "database_bytes": size,
        "enqueue_batched": enqueue,
        "enqueue_one_image_set_per_commit": [single, grouped],
        "claim_and_finish": rounds,
        "reads_ms": reads,
        "open_ms": milliseconds(open),
        "check_ms": milliseconds(started.elapsed()),
        "check_findings": findings,
    });
    println!("{report:#}");
    Ok(())
}

/// Registers image sets, a hundred a transaction, with their five tasks each and one task a plate.
fn fill(store: &Store, subjects: usize) -> Result<Value, Box<dyn Error>> {
    let root = store.upsert_root(&NewRoot {
        path: "/data/acquisition".into(),
        name: "microscope".into(),
        output: "/data/results".into(),
        workflow: "cells".into(),
        mode: "native".into(),
    })?;
    let started = Instant::now();
    let numbers: Vec<usize> = (0..subjects).collect();
    for numbers in numbers.chunks(PLATE) {
        let key = format!("plate-{:04}", numbers[0] / PLATE);
        let plate = store.upsert_plate(&NewPlate {
            root: root.id(),
            name: key.clone(),
            directory: key.clone().into(),
            output: format!("/data/results/{key}").into(),
            key,
            expected: Some(3456),
            rows: Some(16),
            columns: Some(24),
        })?;
        store.transaction(|transaction| scores(transaction, plate.id()))?;
        for batch in numbers.chunks(100) {
            store.transaction(|transaction| {
                batch
                    .iter()
                    .try_for_each(|n| register(transaction, plate.id(), *n))
            })?;
        }
    }
    Ok(rate(subjects * JOBS.len(), started.elapsed(), &[]))
}

fn register(transaction: &mut Transaction<'_>, plate: PlateId, number: usize) -> queue::Result<()> {
    let (row, column, site) = (number / 216 % 16, number / 9 % 24, number % 9);
    let well = format!(
        "{}{:02}",
        char::from(b'A' + u8::try_from(row).unwrap_or(0)),
        column + 1
    );
    let subject = transaction.upsert_subject(&NewSubject {
        plate,
        kind: SubjectKind::ImageSet,
        name: format!("{well}-{site:04}-{number}"),
        well: Some(well),
        site: i64::try_from(site).ok(),
        timepoint: None,
        state: SubjectState::Complete,
        missing: json!([]),
        inputs: json!([{ "channel": "DAPI", "file": number }, { "channel": "GFP", "file": number }]),
        input_hash: Some(format!("{number:064x}")),
    })?;
    let tasks = JOBS.iter().zip(1..).map(|(job, position)| NewTask {
        job: (*job).to_owned(),
        kind: format!("kind.{job}"),
        scope: "image_set".into(),
        gate: Gate::SubjectComplete,
        position,
        priority: 0,
        max_attempts: 3,
        key: Some(format!("{:064x}", number * 10 + usize::try_from(position).unwrap_or(0))),
        ingredients: json!({ "parameters": { "sigma": 1.0, "threshold": 0.5 }, "inputs": number, "kind": job }),
        upstream: JOBS[..usize::try_from(position - 1).unwrap_or(0)]
            .last()
            .map(|job| Upstream::Job((*job).to_owned()))
            .into_iter()
            .collect(),
        done: None,
    });
    transaction.put_tasks(&plan(subject.id(), tasks.collect()))?;
    Ok(())
}

/// The task of a plate, behind all its image sets.
fn scores(transaction: &mut Transaction<'_>, plate: PlateId) -> queue::Result<()> {
    let subject = transaction.upsert_subject(&NewSubject {
        plate,
        kind: SubjectKind::Plate,
        name: "plate".into(),
        well: None,
        site: None,
        timepoint: None,
        state: SubjectState::Complete,
        missing: json!([]),
        inputs: json!([]),
        input_hash: None,
    })?;
    let upstream = vec![Upstream::Plate {
        job: "features".into(),
        require: Require::Settled,
    }];
    let task = NewTask {
        job: "scores".into(),
        kind: "analyse.cell_level".into(),
        scope: "plate".into(),
        gate: Gate::PlateComplete,
        position: 100,
        priority: 0,
        max_attempts: 3,
        key: None,
        ingredients: json!({}),
        upstream,
        done: None,
    };
    transaction.put_tasks(&plan(subject.id(), vec![task]))?;
    Ok(())
}

fn plan(subject: queue::SubjectId, tasks: Vec<NewTask>) -> Plan {
    Plan {
        subject,
        workflow: "cells".into(),
        workflow_version: "1".into(),
        tasks,
        retire_missing: false,
    }
}

/// Image sets that arrive one by one, each acknowledged by itself, from so many threads.
fn enqueue_singly(store: &Store, threads: usize) -> Result<Value, Box<dyn Error>> {
    let plate = store
        .plates(&PlateFilter::default(), Cursor::first(1))?
        .items[0]
        .plate
        .id;
    let next = AtomicUsize::new(0);
    let base = 1_000_000_000 + threads * 1_000_000;
    let measured = in_threads(threads, |(): &mut ()| {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= PASSES {
            return Ok(false);
        }
        store.transaction(|transaction| register(transaction, plate, base + number))?;
        Ok(true)
    })?;
    Ok(rate(PASSES * JOBS.len(), measured.0, &measured.1).with("threads", json!(threads)))
}

/// How a worker goes from one image set to the next.
#[derive(Clone, Copy, PartialEq)]
enum Turn {
    /// One commit to finish, one to claim.
    Separate,
    /// Both in one commit.
    Together,
}

/// Claims image sets and reports success, from so many workers.
fn round(store: &Store, threads: usize, turn: Turn) -> Result<Value, Box<dyn Error>> {
    let next = AtomicUsize::new(0);
    let request = ClaimRequest {
        worker: "bench".into(),
        pid: None,
        lease: Duration::from_secs(60),
        ..ClaimRequest::default()
    };
    let container = Path::new("/data/results/plate/A01.h5");
    let measured = in_threads(threads, |held: &mut Option<Pass>| {
        let Some(pass) = held
            .take()
            .map_or_else(|| store.claim_pass(&request), |pass| Ok(Some(pass)))?
        else {
            return Ok(false);
        };
        let outcome = Outcome::Succeeded {
            result: json!({ "objects": 151 }),
        };
        let reports: Vec<_> = pass
            .tasks
            .iter()
            .map(|task| TaskReport::new(task.id, outcome.clone()))
            .collect();
        let more = next.fetch_add(1, Ordering::Relaxed) < PASSES;
        if more && turn == Turn::Together {
            *held = store.transaction(|transaction| {
                transaction.finish_pass(pass.id, &reports, Some(container))?;
                transaction.claim_pass(&request)
            })?;
        } else {
            store.finish_pass(pass.id, &reports, Some(container))?;
        }
        Ok(more)
    })?;
    let report = rate(PASSES * JOBS.len(), measured.0, &measured.1).with("threads", json!(threads));
    Ok(report.with(
        "commits_a_pass",
        json!(if turn == Turn::Together { 1 } else { 2 }),
    ))
}

/// Runs `step` in each thread until it says that it is over; total time, and the time of each step.
fn in_threads<S: Default>(
    threads: usize,
    step: impl Fn(&mut S) -> queue::Result<bool> + Sync,
) -> Result<(Duration, Vec<Duration>), Box<dyn Error>> {
    let times = Mutex::new(Vec::new());
    let started = Instant::now();
    std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| -> queue::Result<()> {
                    let (mut own, mut state) = (Vec::new(), S::default());
                    loop {
                        let began = Instant::now();
                        if !step(&mut state)? {
                            break;
                        }
                        own.push(began.elapsed());
                    }
                    times.lock().expect("no thread panics here").extend(own);
                    Ok(())
                })
            })
            .collect();
        handles
            .into_iter()
            .try_for_each(|handle| handle.join().expect("no thread panics here"))
    })?;
    let mut times = times.into_inner()?;
    times.sort_unstable();
    Ok((started.elapsed(), times))
}

/// What a page, a metrics scrape and a scheduler ask.
fn reads(store: &Store) -> Result<Value, Box<dyn Error>> {
    let plate = store
        .plates(&PlateFilter::default(), Cursor { after: 2, limit: 1 })?
        .items[0]
        .plate
        .id;
    let task = store
        .tasks(
            &TaskFilter::default().in_state(TaskState::Ready),
            Cursor::first(1),
        )?
        .items[0]
        .id;
    let scores = store
        .tasks(
            &TaskFilter {
                job: Some("scores".into()),
                ..TaskFilter::plate(plate)
            },
            Cursor::first(1),
        )?
        .items[0]
        .id;
    let filter = TaskFilter::plate(plate).in_state(TaskState::Waiting);
    Ok(json!({
        "status": timed(|| store.status())?,
        "plates_50": timed(|| store.plates(&PlateFilter::default(), Cursor::first(50)))?,
        "wells_of_a_plate": timed(|| store.wells(plate))?,
        "tasks_of_a_plate_100": timed(|| store.tasks(&filter, Cursor::first(100)))?,
        "loads_of_all_plates": timed(|| store.loads())?,
        "image_sets_of_a_plate_by_progress": timed(|| store.set_progress(plate))?,
        "throughput": timed(|| store.throughput())?,
        "workflow_uses": timed(|| store.workflow_uses(None))?,
        "jobs_of_a_workflow": timed(|| store.workflow_jobs("cells"))?,
        "tasks_of_a_plate_counted": timed(|| store.count_tasks(&filter, 100_000))?,
        "failures": timed(|| store.failures(50))?,
        "explain_ready": timed(|| store.explain(task))?,
        "explain_plate_task": timed(|| store.explain(scores))?,
        "events_100": timed(|| store.events(None, Cursor { after: 100_000, limit: 100 }))?,
        "next_wakeup": timed(|| store.next_wakeup())?,
    }))
}

/// Median of some calls, milliseconds.
fn timed<T>(call: impl Fn() -> queue::Result<T>) -> Result<f64, Box<dyn Error>> {
    let mut times = Vec::new();
    for _ in 0..9 {
        let started = Instant::now();
        call()?;
        times.push(started.elapsed());
    }
    times.sort_unstable();
    Ok(milliseconds(times[times.len() / 2]))
}

fn rate(tasks: usize, elapsed: Duration, steps: &[Duration]) -> Value {
    let mut report = json!({
        "seconds": (elapsed.as_secs_f64() * 1000.0).round() / 1000.0,
        "tasks_per_second": (tasks as f64 / elapsed.as_secs_f64()).round(),
    });
    if !steps.is_empty() {
        report["steps_per_second"] = json!((steps.len() as f64 / elapsed.as_secs_f64()).round());
        report["p50_ms"] = json!(milliseconds(steps[steps.len() / 2]));
        report["p99_ms"] = json!(milliseconds(steps[steps.len() * 99 / 100]));
    }
    report
}

fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

trait With {
    fn with(self, name: &str, value: Value) -> Self;
}

impl With for Value {
    fn with(mut self, name: &str, value: Value) -> Self {
        self[name] = value;
        self
    }
}
