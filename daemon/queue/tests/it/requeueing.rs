//! Running again what failed.

use queue::{Cursor, Error, EventKind, FailureClass, TaskFilter, TaskId, TaskState};

use crate::support::{Queue, chain, crashed, failed, ids, succeeded};

#[test]
fn requeues_only_the_failed_ones_and_only_once() {
    let queue = Queue::new();
    let plate = queue.plate("p");
    let good = ids(&queue.put(queue.image_set(plate, "A01-0001"), chain()));
    queue.run_one();
    let bad = ids(&queue.put(queue.image_set(plate, "A01-0002"), chain()));
    let pass = queue.claim().unwrap();
    queue.finish(
        pass.id,
        vec![succeeded(bad[0]), failed(bad[1], FailureClass::Permanent)],
    );
    let filter = TaskFilter::plate(plate);
    let before = queue.store.last_event();
    assert_eq!(
        queue.store.requeue(&filter, None, true).unwrap(),
        [bad[1]],
        "dry run"
    );
    assert_eq!(
        (queue.state(bad[1]), queue.store.last_event()),
        (TaskState::Failed, before)
    );
    assert_eq!(queue.store.requeue(&filter, None, false).unwrap(), [bad[1]]);
    assert_eq!(queue.store.requeue(&filter, None, false).unwrap(), []);
    let row = queue.store.task(bad[1]).unwrap().task;
    assert_eq!(
        (row.state, row.attempts, row.error),
        (TaskState::Ready, 0, None)
    );
    assert!(!queue.store.task(bad[2]).unwrap().task.blocked);
    let pass = queue.run_one();
    assert_eq!(
        pass.tasks.iter().map(|task| task.id).collect::<Vec<_>>(),
        bad[1..]
    );
    assert!(
        good.iter()
            .all(|task| queue.state(*task) == TaskState::Succeeded)
    );
    queue.assert_sound();
}

/// A full disk fails all jobs of a pass, and puts each off; whoever requeues the first does not want to wait for the others.
#[test]
fn what_is_behind_a_requeued_task_is_no_longer_put_off() {
    let queue = Queue::new();
    let plate = queue.plate("p");
    let tasks = ids(&queue.put(queue.image_set(plate, "A01-0001"), chain()));
    let pass = queue.claim().unwrap();
    let full = |task: &TaskId| failed(*task, FailureClass::Environment);
    queue.finish(pass.id, tasks.iter().map(full).collect());
    let filter = TaskFilter {
        states: vec![TaskState::Retrying],
        ..TaskFilter::plate(plate)
    };
    assert_eq!(
        queue.store.requeue(&filter, None, false).unwrap(),
        [tasks[0]]
    );
    let pass = queue.claim().unwrap();
    let claimed: Vec<_> = pass.tasks.iter().map(|task| task.id).collect();
    assert_eq!(claimed, tasks, "all in one pass, now");
    queue.finish(pass.id, tasks.iter().map(|t| succeeded(*t)).collect());
    queue.assert_sound();
}

#[test]
fn from_a_job_on_reruns_what_depends_on_it() {
    let queue = Queue::new();
    let plate = queue.plate("p");
    let first = ids(&queue.put(queue.image_set(plate, "A01-0001"), chain()));
    let second = ids(&queue.put(queue.image_set(plate, "B02-0001"), chain()));
    queue.run_all();
    let filter = TaskFilter {
        wells: Some(vec!["B02".into()]),
        ..TaskFilter::plate(plate)
    };
    assert_eq!(
        queue.store.requeue(&filter, Some("b"), false).unwrap(),
        [second[1]]
    );
    let states: Vec<_> = second.iter().map(|task| queue.state(*task)).collect();
    assert_eq!(
        states,
        [TaskState::Succeeded, TaskState::Ready, TaskState::Waiting]
    );
    assert!(
        first
            .iter()
            .all(|task| queue.state(*task) == TaskState::Succeeded)
    );
    assert_eq!(queue.store.requeue(&filter, Some("b"), false).unwrap(), []);
    queue.assert_sound();
}

#[test]
fn running_tasks_are_a_conflict() {
    let queue = Queue::new();
    let tasks = ids(&queue.put(queue.image_set(queue.plate("p"), "A01-0001"), chain()));
    let pass = queue.claim().unwrap();
    let conflict = queue
        .store
        .requeue(&TaskFilter::task(tasks[0]), None, false)
        .unwrap_err();
    assert!(matches!(&conflict, Error::Running { running } if *running == [tasks[0]]));
    assert!(conflict.remedy().unwrap().contains("cancel"));
    queue.finish(pass.id, vec![succeeded(tasks[0]), succeeded(tasks[1])]);
    // c is still to be run; requeueing a only sets it back, also while it runs.
    let pass = queue.claim().unwrap();
    assert_eq!(
        queue
            .store
            .requeue(&TaskFilter::task(tasks[0]), None, false)
            .unwrap(),
        [tasks[0]]
    );
    assert!(queue.claim().is_none(), "the subject is busy");
    queue.finish(pass.id, vec![succeeded(tasks[2])]);
    let states: Vec<_> = tasks.iter().map(|task| queue.state(*task)).collect();
    assert_eq!(
        states,
        [TaskState::Ready, TaskState::Waiting, TaskState::Waiting]
    );
    queue.assert_sound();
}

#[test]
fn a_quarantined_task_stays_out_until_it_is_named() {
    let queue = Queue::new();
    let tasks = ids(&queue.put(queue.image_set(queue.plate("p"), "A01-0001"), chain()));
    let pass = queue.claim().unwrap();
    queue.finish(pass.id, vec![succeeded(tasks[0])]);
    for _ in 0..3 {
        queue.clock.advance(std::time::Duration::from_secs(7200));
        let pass = queue.claim().unwrap();
        queue.finish(pass.id, vec![crashed(tasks[1])]);
    }
    assert_eq!(queue.state(tasks[1]), TaskState::Quarantined);
    queue
        .store
        .requeue(&TaskFilter::task(tasks[0]), None, false)
        .unwrap();
    queue.run_all();
    assert_eq!(queue.state(tasks[1]), TaskState::Quarantined);
    assert_eq!(
        queue
            .store
            .requeue(&TaskFilter::task(tasks[1]), None, false)
            .unwrap(),
        [tasks[1]]
    );
    assert_eq!(queue.store.task(tasks[1]).unwrap().task.crashes, 0);
    queue.run_all();
    assert_eq!(queue.state(tasks[2]), TaskState::Succeeded);
    queue.assert_sound();
}

#[test]
fn each_task_behind_is_set_back_once_and_never_ready_in_between() {
    let queue = Queue::new();
    let tasks = ids(&queue.put(queue.image_set(queue.plate("p"), "A01-0001"), chain()));
    queue.run_all();
    let before = queue.store.last_event();
    queue
        .store
        .requeue(&TaskFilter::task(tasks[0]), None, false)
        .unwrap();
    let events = queue
        .store
        .events(
            None,
            Cursor {
                after: before.0,
                limit: 100,
            },
        )
        .unwrap()
        .items;
    let told: Vec<_> = events
        .iter()
        .map(|event| (event.task.unwrap(), event.kind))
        .collect();
    let expected = [
        (tasks[0], EventKind::TaskReady),
        (tasks[1], EventKind::TaskWaiting),
        (tasks[2], EventKind::TaskWaiting),
    ];
    assert_eq!(told, expected);
}
