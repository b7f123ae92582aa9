//! Plates from arriving to done, and back.

use queue::{
    Error, FailureClass, Gate, NewTask, PlateId, PlateState, Require, SubjectState, TaskFilter,
    TaskId, TaskState, Upstream,
};

use crate::support::{Queue, chain, failed, ids, image_set, succeeded, task};

fn scores() -> NewTask {
    let mut scores = task("scores", 9, &[]);
    scores.scope = "plate".into();
    scores.gate = Gate::PlateComplete;
    scores.upstream = vec![Upstream::Plate {
        job: "c".into(),
        require: Require::Settled,
    }];
    scores
}

fn plate_with_scores(queue: &Queue) -> (PlateId, TaskId) {
    let plate = queue.plate("p");
    queue.put(queue.image_set(plate, "A01-0001"), chain());
    let scores = ids(&queue.put(queue.plate_subject(plate), vec![scores()]))[0];
    (plate, scores)
}

fn state(queue: &Queue, plate: PlateId) -> PlateState {
    queue.store.plate(plate).unwrap().plate.state
}

#[test]
fn plate_tasks_wait_for_the_plate_then_it_is_done() {
    let queue = Queue::new();
    let (plate, scores) = plate_with_scores(&queue);
    queue.run_all();
    assert_eq!(queue.state(scores), TaskState::Waiting);
    assert_eq!(state(&queue, plate), PlateState::Arriving);
    queue
        .store
        .complete_plate(plate, "manifest", Some("HTD"))
        .unwrap();
    assert_eq!(state(&queue, plate), PlateState::Complete);
    assert_eq!(queue.state(scores), TaskState::Ready);
    queue.run_all();
    let row = queue.store.plate(plate).unwrap().plate;
    assert_eq!(
        (row.state, row.decided_by.as_deref()),
        (PlateState::Done, Some("manifest"))
    );
    assert!(row.finished_at.is_some());
    let last = queue.store.last_event();
    queue
        .store
        .complete_plate(plate, "manifest", Some("HTD"))
        .unwrap();
    assert_eq!(queue.store.last_event(), last);
    queue.assert_sound();
}

#[test]
fn one_bad_image_does_not_stop_the_plate() {
    let queue = Queue::new();
    let (plate, scores) = plate_with_scores(&queue);
    queue.put(queue.image_set(plate, "A01-0002"), chain());
    queue.store.complete_plate(plate, "manifest", None).unwrap();
    let pass = queue.claim().unwrap();
    let bad = pass.tasks[0].id;
    queue.finish(pass.id, vec![failed(bad, FailureClass::Permanent)]);
    assert_eq!(queue.state(scores), TaskState::Waiting);
    queue.run_one();
    assert_eq!(
        queue.state(scores),
        TaskState::Ready,
        "all that can be computed is"
    );
    queue.run_all();
    assert_eq!(queue.state(scores), TaskState::Succeeded);
    assert_eq!(state(&queue, plate), PlateState::DoneWithFailures);
    // One command runs the failed ones again, and the plate task after them.
    assert_eq!(
        queue
            .store
            .requeue(&TaskFilter::plate(plate), None, false)
            .unwrap(),
        [bad]
    );
    assert_eq!(state(&queue, plate), PlateState::Complete);
    assert_eq!(queue.state(scores), TaskState::Waiting);
    queue.run_all();
    assert_eq!(state(&queue, plate), PlateState::Done);
    queue.assert_sound();
}

#[test]
fn image_sets_without_all_planes_are_given_up_with_the_plate() {
    let queue = Queue::new();
    let (plate, scores) = plate_with_scores(&queue);
    let arriving = image_set(plate, "A01-0002", SubjectState::Arriving);
    let subject = queue.store.upsert_subject(&arriving).unwrap().id();
    let mut tasks = chain();
    tasks[0].gate = Gate::SubjectComplete;
    queue.put(subject, tasks);
    queue
        .store
        .complete_plate(plate, "quiet:900", None)
        .unwrap();
    assert_eq!(
        queue.store.subject(subject).unwrap().subject.state,
        SubjectState::Incomplete
    );
    queue.run_all();
    assert_eq!(queue.state(scores), TaskState::Succeeded);
    assert_eq!(state(&queue, plate), PlateState::DoneWithFailures);
    let wells = queue.store.wells(plate).unwrap();
    assert_eq!(
        (
            wells.len(),
            wells[0].image_sets.total(),
            wells[0].image_sets.complete,
            wells[0].image_sets.incomplete
        ),
        (1, 2, 1, 1)
    );
    assert_eq!((wells[0].tasks.succeeded, wells[0].tasks.blocked), (3, 3));
    assert_eq!(
        queue.store.plate(plate).unwrap().image_sets,
        wells[0].image_sets
    );
    queue.assert_sound();
}

#[test]
fn a_reopened_plate_is_stale_until_it_is_complete_again() {
    let queue = Queue::new();
    let (plate, scores) = plate_with_scores(&queue);
    queue.store.complete_plate(plate, "manifest", None).unwrap();
    queue.run_all();
    assert!(
        queue
            .store
            .reopen_plate(plate, Some("a late image"))
            .unwrap()
    );
    assert!(!queue.store.reopen_plate(plate, Some("another")).unwrap());
    assert_eq!(state(&queue, plate), PlateState::Stale);
    assert_eq!(queue.state(scores), TaskState::Waiting);
    assert!(queue.claim().is_none());
    queue.assert_sound();
    queue.store.complete_plate(plate, "manifest", None).unwrap();
    queue.run_all();
    assert_eq!(state(&queue, plate), PlateState::Done);
}

#[test]
fn a_plate_reopened_before_it_was_done_arrives_again() {
    let queue = Queue::new();
    let (plate, scores) = plate_with_scores(&queue);
    queue
        .store
        .complete_plate(plate, "quiet:900", None)
        .unwrap();
    queue.run_one();
    let pass = queue.claim().unwrap();
    assert_eq!(pass.tasks[0].id, scores);
    // Reopened while the plate task runs: its result would be about too few images.
    queue.store.reopen_plate(plate, None).unwrap();
    assert_eq!(state(&queue, plate), PlateState::Arriving);
    queue.finish(pass.id, vec![succeeded(scores)]);
    assert_eq!(queue.state(scores), TaskState::Waiting);
    queue.assert_sound();
}

#[test]
fn a_plate_without_tasks_is_not_done() {
    let queue = Queue::new();
    let plate = queue.plate("p");
    queue.store.complete_plate(plate, "manifest", None).unwrap();
    assert_eq!(state(&queue, plate), PlateState::Complete);
    queue.put(queue.image_set(plate, "A01-0001"), chain());
    queue.run_all();
    assert_eq!(state(&queue, plate), PlateState::Done);
}

#[test]
fn forgetting_a_plate_takes_its_tasks_along_but_never_running_ones() {
    let queue = Queue::new();
    let (plate, _) = plate_with_scores(&queue);
    let other = queue.plate("other");
    queue.put(queue.image_set(other, "A01-0001"), chain());
    let pass = queue.claim().unwrap();
    assert!(matches!(
        queue.store.forget_plate(plate),
        Err(Error::Running { .. })
    ));
    queue.finish(pass.id, Vec::new());
    queue.store.forget_plate(plate).unwrap();
    assert!(matches!(
        queue.store.plate(plate),
        Err(Error::NotFound { .. })
    ));
    assert_eq!(queue.store.status().unwrap().tasks.total(), 3);
    assert!(matches!(
        queue.store.forget_plate(plate),
        Err(Error::NotFound { .. })
    ));
    queue.assert_sound();
}
