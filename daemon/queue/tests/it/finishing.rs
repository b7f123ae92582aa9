//! What becomes of a task by the way its attempt ended.

use std::path::PathBuf;
use std::time::Duration;

use queue::{
    AttemptOutcome, Error, FailureClass, Outcome, TaskFilter, TaskId, TaskReport, TaskState,
};
use serde_json::json;

use crate::support::{Queue, chain, crashed, failed, ids, interrupted, skipped, succeeded, task};

fn one_task(queue: &Queue) -> TaskId {
    let subject = queue.image_set(queue.plate("p"), "A01-0001");
    ids(&queue.put(subject, vec![task("a", 1, &[])]))[0]
}

/// Claims the only task after its delay and reports on it.
fn attempt(queue: &Queue, report: impl Fn(TaskId) -> TaskReport) {
    queue.clock.advance(Duration::from_secs(2 * 3600));
    let pass = queue.claim().expect("the task is due");
    queue.finish(pass.id, vec![report(pass.tasks[0].id)]);
}

#[test]
fn success_is_recorded_with_its_result_and_container() {
    let queue = Queue::new();
    let task = one_task(&queue);
    let pass = queue.claim().unwrap();
    let mut report = succeeded(task);
    report.log = Some("x".repeat(100_000));
    report.timings = Some(json!({ "read": 0.1 }));
    report.peak_rss = Some(123_456);
    queue
        .store
        .finish_pass(pass.id, &[report], Some(&PathBuf::from("/r/A01.h5")))
        .unwrap();
    let row = queue.store.task(task).unwrap().task;
    assert_eq!(
        (row.state, row.attempts, row.result),
        (TaskState::Succeeded, 1, Some(json!({ "objects": 7 })))
    );
    let container = queue.store.subject(row.subject).unwrap().subject.container;
    assert_eq!(container, Some(PathBuf::from("/r/A01.h5")));
    let attempts = queue.store.attempts(task).unwrap();
    assert_eq!(attempts.len(), 1);
    let attempt = &attempts[0];
    assert_eq!(
        (attempt.outcome, attempt.number, attempt.peak_rss),
        (AttemptOutcome::Succeeded, 1, Some(123_456))
    );
    assert_eq!((attempt.worker.as_str(), attempt.pid), ("w1", Some(4242)));
    assert_eq!(attempt.log.as_ref().unwrap().len(), 64 * 1024);
    assert_eq!(attempt.timings, Some(json!({ "read": 0.1 })));
    let twice = queue.store.finish_pass(pass.id, &[succeeded(task)], None);
    assert!(matches!(twice, Err(Error::PassEnded { .. })));
    queue.assert_sound();
}

#[test]
fn transient_failures_are_retried_with_growing_delays_until_attempts_are_used_up() {
    let queue = Queue::new();
    let task = one_task(&queue);
    let mut delays = Vec::new();
    for attempts in 1..=2 {
        attempt(&queue, |task| failed(task, FailureClass::Transient));
        let row = queue.store.task(task).unwrap().task;
        assert_eq!((row.state, row.attempts), (TaskState::Retrying, attempts));
        delays.push(row.ready_at.unwrap().as_millisecond() - queue.clock.now());
        assert!(queue.claim().is_none(), "not before its time");
    }
    assert!((900..=1100).contains(&delays[0]), "{delays:?}");
    assert!((14_400..=17_600).contains(&delays[1]), "{delays:?}");
    attempt(&queue, |task| failed(task, FailureClass::Transient));
    let row = queue.store.task(task).unwrap().task;
    assert_eq!(
        (row.state, row.attempts, row.error.unwrap().remedy),
        (TaskState::Failed, 3, "try harder".into())
    );
    assert_eq!(queue.store.failures(10).unwrap()[0].id, task);
    queue.assert_sound();
}

#[test]
fn permanent_failures_are_final_at_once() {
    let queue = Queue::new();
    let task = one_task(&queue);
    attempt(&queue, |task| failed(task, FailureClass::Permanent));
    let row = queue.store.task(task).unwrap().task;
    assert_eq!((row.state, row.attempts), (TaskState::Failed, 1));
    assert!(queue.claim().is_none());
}

#[test]
fn trouble_of_the_surroundings_costs_no_attempt() {
    let queue = Queue::new();
    let task = one_task(&queue);
    for _ in 0..10 {
        attempt(&queue, |task| failed(task, FailureClass::Environment));
        let row = queue.store.task(task).unwrap().task;
        assert_eq!((row.state, row.attempts), (TaskState::Retrying, 0));
        assert_eq!(row.error.unwrap().code, "test");
    }
    attempt(&queue, succeeded);
    let row = queue.store.task(task).unwrap().task;
    assert_eq!(
        (row.state, row.attempts, row.error),
        (TaskState::Succeeded, 1, None)
    );
    assert_eq!(queue.store.attempts(task).unwrap().len(), 11);
}

#[test]
fn what_waits_for_the_surroundings_can_be_hurried_and_other_retries_cannot() {
    let queue = Queue::new();
    let task = one_task(&queue);
    attempt(&queue, |task| failed(task, FailureClass::Environment));
    assert!(queue.claim().is_none(), "it waits");
    assert_eq!(queue.store.hurry(Some(queue::RootId(99))).unwrap(), 0);
    assert_eq!(queue.store.hurry(Some(queue.root)).unwrap(), 1);
    assert_eq!(queue.store.hurry(None).unwrap(), 0, "it is due already");
    let pass = queue.claim().unwrap();
    let report = failed(pass.tasks[0].id, FailureClass::Transient);
    queue.store.finish_pass(pass.id, &[report], None).unwrap();
    assert_eq!(
        queue.store.hurry(None).unwrap(),
        0,
        "a transient error keeps its time"
    );
    assert_eq!(queue.store.task(task).unwrap().task.attempts, 1);
    queue.assert_sound();
}

#[test]
fn the_third_crash_quarantines() {
    let queue = Queue::new();
    let task = one_task(&queue);
    for crashes in 1..=2 {
        attempt(&queue, crashed);
        let row = queue.store.task(task).unwrap().task;
        assert_eq!(
            (row.state, row.attempts, row.crashes),
            (TaskState::Retrying, 0, crashes)
        );
    }
    attempt(&queue, crashed);
    let row = queue.store.task(task).unwrap().task;
    assert_eq!((row.state, row.crashes), (TaskState::Quarantined, 3));
    assert!(row.error.unwrap().message.contains("signal 11"));
    assert!(queue.claim().is_none());
    assert_eq!(queue.store.failures(10).unwrap()[0].id, task);
    queue.assert_sound();
}

#[test]
fn interruptions_go_straight_back() {
    let queue = Queue::new();
    let task = one_task(&queue);
    for count in 1..=5 {
        let pass = queue.claim().unwrap();
        queue.finish(pass.id, vec![interrupted(task)]);
        let row = queue.store.task(task).unwrap().task;
        assert_eq!(
            (row.state, row.attempts, row.interruptions),
            (TaskState::Ready, 0, count)
        );
    }
}

#[test]
fn a_task_without_a_report_counts_as_interrupted() {
    let queue = Queue::new();
    let subject = queue.image_set(queue.plate("p"), "A01-0001");
    let tasks = ids(&queue.put(subject, chain()));
    let pass = queue.claim().unwrap();
    queue.finish(pass.id, vec![succeeded(tasks[0])]);
    let states: Vec<_> = tasks.iter().map(|task| queue.state(*task)).collect();
    assert_eq!(
        states,
        [TaskState::Succeeded, TaskState::Ready, TaskState::Waiting]
    );
    assert_eq!(queue.store.task(tasks[2]).unwrap().task.interruptions, 1);
    queue.assert_sound();
}

#[test]
fn a_failure_in_the_middle_keeps_what_came_before_and_blocks_what_comes_after() {
    let queue = Queue::new();
    let subject = queue.image_set(queue.plate("p"), "A01-0001");
    let tasks = ids(&queue.put(subject, chain()));
    let pass = queue.claim().unwrap();
    queue.finish(
        pass.id,
        vec![
            skipped(tasks[2]),
            failed(tasks[1], FailureClass::Permanent),
            succeeded(tasks[0]),
        ],
    );
    let states: Vec<_> = tasks.iter().map(|task| queue.state(*task)).collect();
    assert_eq!(
        states,
        [TaskState::Succeeded, TaskState::Failed, TaskState::Waiting]
    );
    assert!(queue.store.task(tasks[2]).unwrap().task.blocked);
    assert_eq!(
        queue.store.attempts(tasks[2]).unwrap(),
        [],
        "it was never started"
    );
    assert_eq!(queue.store.status().unwrap().tasks.blocked, 1);
    queue.assert_sound();
}

#[test]
fn a_success_on_top_of_a_failure_is_not_believed() {
    let queue = Queue::new();
    let subject = queue.image_set(queue.plate("p"), "A01-0001");
    let tasks = ids(&queue.put(subject, chain()));
    let pass = queue.claim().unwrap();
    queue.finish(
        pass.id,
        vec![
            failed(tasks[0], FailureClass::Transient),
            succeeded(tasks[1]),
            succeeded(tasks[2]),
        ],
    );
    let states: Vec<_> = tasks.iter().map(|task| queue.state(*task)).collect();
    assert_eq!(
        states,
        [TaskState::Retrying, TaskState::Waiting, TaskState::Waiting]
    );
    queue.assert_sound();
}

#[test]
fn a_crash_in_the_middle_delays_only_the_one_that_crashed() {
    let queue = Queue::new();
    let subject = queue.image_set(queue.plate("p"), "A01-0001");
    let tasks = ids(&queue.put(subject, chain()));
    let pass = queue.claim().unwrap();
    queue.finish(
        pass.id,
        vec![interrupted(tasks[0]), crashed(tasks[1]), skipped(tasks[2])],
    );
    assert_eq!(queue.state(tasks[0]), TaskState::Ready);
    let row = queue.store.task(tasks[1]).unwrap().task;
    assert_eq!((row.state, row.crashes), (TaskState::Waiting, 1));
    // It must not come along before its delay is over.
    let pass = queue.claim().unwrap();
    assert_eq!(
        pass.tasks.iter().map(|task| task.id).collect::<Vec<_>>(),
        [tasks[0]]
    );
    queue.finish(pass.id, vec![succeeded(tasks[0])]);
    assert_eq!(queue.state(tasks[1]), TaskState::Retrying);
    queue.clock.advance(Duration::from_secs(2));
    assert_eq!(queue.claim().unwrap().tasks.len(), 2);
    queue.assert_sound();
}

#[test]
fn outcomes_may_be_recorded_one_by_one() {
    let queue = Queue::new();
    let subject = queue.image_set(queue.plate("p"), "A01-0001");
    let tasks = ids(&queue.put(subject, chain()));
    let pass = queue.claim().unwrap();
    for (index, task) in tasks.iter().enumerate() {
        assert_eq!(queue.store.status().unwrap().passes, 1);
        queue
            .store
            .finish_tasks(pass.id, &[succeeded(*task)])
            .unwrap();
        assert_eq!(
            queue.store.status().unwrap().tasks.succeeded,
            index as u64 + 1
        );
        queue.assert_sound();
    }
    assert_eq!(queue.store.status().unwrap().passes, 0);
}

#[test]
fn a_report_about_a_foreign_task_is_refused_whole() {
    let queue = Queue::new();
    let plate = queue.plate("p");
    let first = ids(&queue.put(queue.image_set(plate, "A01-0001"), chain()));
    let other = ids(&queue.put(queue.image_set(plate, "A01-0002"), chain()));
    let pass = queue.claim().unwrap();
    let result =
        queue
            .store
            .finish_pass(pass.id, &[succeeded(first[0]), succeeded(other[0])], None);
    assert!(
        matches!(result, Err(Error::NotInPass { task, .. }) if task == other[0]),
        "{result:?}"
    );
    assert_eq!(
        queue.state(first[0]),
        TaskState::Running,
        "nothing of the refused report is recorded"
    );
    queue.assert_sound();
}

#[test]
fn cancelling_stops_what_waits_and_asks_what_runs() {
    let queue = Queue::new();
    let plate = queue.plate("p");
    let first = ids(&queue.put(queue.image_set(plate, "A01-0001"), chain()));
    let second = ids(&queue.put(queue.image_set(plate, "A01-0002"), chain()));
    let pass = queue.claim().unwrap();
    let cancelled = queue.store.cancel(&TaskFilter::plate(plate)).unwrap();
    assert_eq!(cancelled.tasks, second);
    assert_eq!(
        (cancelled.stopping, cancelled.passes),
        (first.clone(), vec![pass.id])
    );
    assert_eq!(
        queue
            .store
            .heartbeat(pass.id, Duration::from_secs(60))
            .unwrap()
            .cancel,
        first
    );
    // The first had succeeded before the worker noticed.
    queue.finish(
        pass.id,
        vec![
            succeeded(first[0]),
            TaskReport::new(first[1], Outcome::Cancelled),
            skipped(first[2]),
        ],
    );
    let states: Vec<_> = first.iter().map(|task| queue.state(*task)).collect();
    assert_eq!(
        states,
        [
            TaskState::Succeeded,
            TaskState::Cancelled,
            TaskState::Cancelled
        ]
    );
    assert_eq!(
        queue.store.cancel(&TaskFilter::plate(plate)).unwrap().tasks,
        []
    );
    assert!(queue.claim().is_none());
    assert_eq!(
        queue
            .store
            .requeue(
                &TaskFilter::plate(plate).in_state(TaskState::Cancelled),
                None,
                false
            )
            .unwrap()
            .len(),
        5
    );
    queue.run_all();
    assert_eq!(queue.store.status().unwrap().tasks.succeeded, 6);
    queue.assert_sound();
}
