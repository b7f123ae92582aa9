//! What is left to do, how long it takes, what ended lately, and which workflows have tasks.

use std::time::Duration;

use queue::{
    Cursor, Ended, FailureClass, NewSubject, Plan, PlateId, SetProgress, SubjectKind, SubjectState,
    TaskFilter, TaskReport,
};
use serde_json::json;

use crate::support::{Queue, chain, failed, ids, image_set, plan, skipped, succeeded};

const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// Runs the next pass for so long.
fn run(queue: &Queue, seconds: u64, timings: Option<serde_json::Value>) {
    let pass = queue.claim().expect("something is ready");
    queue.clock.advance(secs(seconds));
    let report = |task: &queue::TaskRow| TaskReport {
        timings: timings.clone(),
        ..succeeded(task.id)
    };
    queue.finish(pass.id, pass.tasks.iter().map(report).collect());
}

fn filled(queue: &Queue, key: &str, sets: u32) -> PlateId {
    let plate = queue.plate(key);
    for index in 0..sets {
        queue.put(queue.image_set(plate, &format!("A01-{index:04}")), chain());
    }
    plate
}

#[test]
fn loads_tell_what_is_left_and_how_long_such_work_takes() {
    let queue = Queue::new();
    filled(&queue, "p", 3);
    let load = queue.store.loads().unwrap().remove(0);
    assert_eq!(load.image_sets.complete, 3);
    assert_eq!(load.jobs.len(), 3);
    assert!(load.jobs.iter().all(|job| job.pace.is_none()));
    assert_eq!(load.jobs[0].tasks.ready, 3);
    assert_eq!(load.jobs[1].tasks.waiting, 3);

    // 1 s for `a`, 3 s for `b`, 2 s for `c`, 3 s that they share.
    let timings = json!({ "read": 2000.0, "a": 1000.0, "b": 3000.0, "c": 2000.0 });
    run(&queue, 9, Some(timings));
    let load = queue.store.loads().unwrap().remove(0);
    let seconds: Vec<f64> = load
        .jobs
        .iter()
        .map(|job| job.pace.unwrap().seconds)
        .collect();
    assert_eq!(seconds, [2.0, 4.0, 3.0]);
    let pace = load.jobs[0].pace.unwrap();
    assert!(pace.is_own && pace.executions == 1, "{pace:?}");
    assert_eq!(load.jobs[0].tasks.pending(), 2);
    assert_eq!(load.jobs[0].kind, SubjectKind::ImageSet);
}

#[test]
fn a_plate_that_has_no_pace_yet_is_told_that_of_others() {
    let queue = Queue::new();
    filled(&queue, "p", 2);
    run(&queue, 6, None);
    run(&queue, 12, None);
    let other = filled(&queue, "q", 1);
    let loads = queue.store.loads().unwrap();
    let load = loads.iter().find(|load| load.plate.id == other).unwrap();
    let pace = load.jobs[0].pace.unwrap();
    assert!(!pace.is_own);
    assert_eq!((pace.executions, pace.seconds), (2, 3.0));
}

#[test]
fn only_what_succeeded_says_how_long_it_takes() {
    let queue = Queue::new();
    filled(&queue, "p", 1);
    let pass = queue.claim().unwrap();
    queue.clock.advance(secs(60));
    queue.finish(
        pass.id,
        vec![
            failed(pass.tasks[0].id, FailureClass::Permanent),
            skipped(pass.tasks[1].id),
            skipped(pass.tasks[2].id),
        ],
    );
    let load = queue.store.loads().unwrap().remove(0);
    assert!(load.jobs.iter().all(|job| job.pace.is_none()));
    let ended = queue.store.throughput().unwrap().hour;
    let wanted = Ended {
        image_sets: 1,
        succeeded: 0,
        failed: 1,
    };
    assert_eq!(ended, wanted, "what is blocked for good is through");
}

#[test]
fn each_image_set_is_counted_once() {
    let queue = Queue::new();
    let plate = filled(&queue, "p", 4);
    let arriving = image_set(plate, "B01-0001", SubjectState::Arriving);
    let arriving = queue.store.upsert_subject(&arriving).unwrap().id();
    queue.put(arriving, chain());
    let subject = queue.plate_subject(plate);
    queue.put(subject, vec![crate::support::task("scores", 9, &[])]);
    run(&queue, 1, None);
    let pass = queue.claim().unwrap();
    queue.finish(
        pass.id,
        vec![failed(pass.tasks[0].id, FailureClass::Permanent)],
    );
    queue.claim().unwrap();
    let wanted = SetProgress {
        running: 1,
        queued: 1,
        done: 1,
        failed: 1,
        stopped: 0,
    };
    assert_eq!(queue.store.set_progress(plate).unwrap(), wanted);
}

#[test]
fn loads_come_in_the_order_in_which_they_are_claimed() {
    let queue = Queue::new();
    let (first, second) = (filled(&queue, "p", 1), filled(&queue, "q", 1));
    let order = || {
        let loads = queue.store.loads().unwrap();
        loads.iter().map(|load| load.plate.id).collect::<Vec<_>>()
    };
    assert_eq!(order(), [first, second]);
    queue
        .store
        .prioritise(&TaskFilter::plate(second), 5)
        .unwrap();
    assert_eq!(order(), [second, first]);
    assert_eq!(queue.claim().unwrap().plate.id, second);
}

#[test]
fn throughput_is_counted_by_the_minute() {
    let queue = Queue::new();
    filled(&queue, "p", 4);
    run(&queue, 1, None);
    queue.clock.advance(secs(2 * 3600));
    run(&queue, 1, None);
    queue.clock.advance(secs(30 * 60));
    run(&queue, 1, None);
    let now = queue.store.throughput().unwrap();
    assert_eq!(
        (now.ten_minutes.image_sets, now.ten_minutes.succeeded),
        (1, 3)
    );
    assert_eq!((now.hour.image_sets, now.hour.succeeded), (2, 6));
    assert_eq!(now.hours.len(), 24);
    assert_eq!(now.hours[23], now.hour);
    assert_eq!(now.hours[21].succeeded, 3);
    queue.clock.advance(secs(25 * 3600));
    assert_eq!(queue.store.throughput().unwrap().hour, Ended::default());
    // What nobody asks for goes.
    queue.store.prune(secs(60)).unwrap();
    let hours = queue.store.throughput().unwrap().hours;
    assert!(hours.iter().all(|hour| *hour == Ended::default()));
    queue.assert_sound();
}

#[test]
fn uses_tell_which_plate_has_which_version() {
    let queue = Queue::new();
    let (old, new) = (filled(&queue, "p", 2), filled(&queue, "q", 1));
    run(&queue, 1, None);
    let subject = queue.image_set(new, "A01-0000");
    let again = Plan {
        workflow_version: "2".into(),
        ..plan(subject, chain())
    };
    queue.store.put_tasks(&again).unwrap();
    let uses = queue.store.workflow_uses(Some("cells")).unwrap();
    let told: Vec<_> = uses
        .iter()
        .map(|one| (one.plate, one.version.as_str(), one.tasks.total()))
        .collect();
    assert_eq!(told, [(new, "2", 3), (old, "1", 6)]);
    assert_eq!(uses[1].tasks.succeeded, 3);
    assert_eq!(queue.store.workflow_uses(None).unwrap().len(), 2);
    assert_eq!(queue.store.workflow_uses(Some("none")).unwrap(), []);
    let jobs = queue.store.workflow_jobs("cells").unwrap();
    let told: Vec<_> = jobs
        .iter()
        .map(|job| (job.job.as_str(), job.kind.as_str(), job.tasks.total()))
        .collect();
    assert_eq!(
        told,
        [("a", "kind.a", 3), ("b", "kind.b", 3), ("c", "kind.c", 3)]
    );
    queue.store.forget_plate(new).unwrap();
    assert_eq!(queue.store.workflow_uses(None).unwrap().len(), 1);
    queue.assert_sound();
}

#[test]
fn lists_go_back_and_are_counted() {
    let queue = Queue::new();
    let plate = filled(&queue, "p", 3);
    let filter = TaskFilter::plate(plate);
    let all = queue
        .store
        .tasks(&filter, Cursor::first(100))
        .unwrap()
        .items;
    let back = queue.store.tasks_before(&filter, all[6].id, 4).unwrap();
    let told: Vec<_> = back.items.iter().map(|task| task.id).collect();
    assert_eq!(
        told,
        all[2..6].iter().map(|task| task.id).collect::<Vec<_>>()
    );
    assert!(back.next.is_some());
    let start = queue.store.tasks_before(&filter, all[2].id, 4).unwrap();
    assert_eq!((start.items.len(), start.next), (2, None));
    assert_eq!(queue.store.count_tasks(&filter, 100).unwrap(), 9);
    assert_eq!(queue.store.count_tasks(&filter, 5).unwrap(), 5);
    let of_root = |root| TaskFilter {
        root: Some(root),
        ..TaskFilter::default()
    };
    assert_eq!(
        queue.store.count_tasks(&of_root(queue.root), 100).unwrap(),
        9
    );
    let other = of_root(queue::RootId(77));
    assert_eq!(queue.store.count_tasks(&other, 100).unwrap(), 0);
}

#[test]
fn tasks_of_the_whole_plate_are_told_apart() {
    let queue = Queue::new();
    let plate = filled(&queue, "p", 1);
    let subject = queue.plate_subject(plate);
    ids(&queue.put(subject, vec![crate::support::task("scores", 9, &[])]));
    let arriving = NewSubject {
        state: SubjectState::Arriving,
        ..image_set(plate, "B01-0001", SubjectState::Arriving)
    };
    queue.store.upsert_subject(&arriving).unwrap();
    let load = queue.store.loads().unwrap().remove(0);
    let scores = load.jobs.iter().find(|job| job.job == "scores").unwrap();
    assert_eq!(scores.kind, SubjectKind::Plate);
    assert_eq!((load.image_sets.arriving, load.image_sets.complete), (1, 1));
}
