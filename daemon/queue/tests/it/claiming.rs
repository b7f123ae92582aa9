//! Which tasks a claim takes, and in which order.

use std::time::Duration;

use queue::{ClaimFilter, ClaimRequest, Error, RootState, Target, TaskFilter, TaskState, Upstream};

use crate::support::{Queue, chain, failed, ids, plan, request, skipped, succeeded, task};

fn jobs(pass: &queue::Pass) -> Vec<&str> {
    pass.tasks.iter().map(|task| task.job.as_str()).collect()
}

#[test]
fn takes_the_whole_chain_of_a_subject_in_graph_order() {
    let queue = Queue::new();
    let subject = queue.image_set(queue.plate("p"), "A01-0001");
    let mut tasks = chain();
    tasks.reverse();
    queue.put(subject, tasks);
    let pass = queue.claim().unwrap();
    assert_eq!(jobs(&pass), ["a", "b", "c"]);
    assert_eq!(pass.subject.id, subject);
    assert!(
        pass.tasks
            .iter()
            .all(|task| task.state == TaskState::Running && task.pass == Some(pass.id))
    );
    queue.assert_sound();
    assert!(queue.claim().is_none());
}

#[test]
fn leaves_what_waits_for_something_else() {
    let queue = Queue::new();
    let subject = queue.image_set(queue.plate("p"), "A01-0001");
    // d needs b, which fails and is to be tried later; e needs only a.
    let planned = queue.put(
        subject,
        vec![
            task("a", 1, &[]),
            task("b", 2, &["a"]),
            task("d", 3, &["a", "b"]),
            task("e", 4, &["a"]),
        ],
    );
    let [a, b, d, e] = ids(&planned)[..] else {
        panic!()
    };
    let pass = queue.claim().unwrap();
    assert_eq!(jobs(&pass), ["a", "b", "d", "e"]);
    let failure = failed(b, queue::FailureClass::Transient);
    queue.finish(pass.id, vec![succeeded(a), failure, skipped(d), skipped(e)]);
    assert_eq!(queue.state(e), TaskState::Ready);
    let pass = queue.claim().unwrap();
    assert_eq!(jobs(&pass), ["e"]);
    queue.finish(pass.id, vec![succeeded(e)]);
    assert!(queue.claim().is_none());
    queue.clock.advance(Duration::from_secs(2));
    assert_eq!(jobs(&queue.claim().unwrap()), ["b", "d"]);
    queue.assert_sound();
}

#[test]
fn one_pass_a_subject_and_one_workflow_a_pass() {
    let queue = Queue::new();
    let subject = queue.image_set(queue.plate("p"), "A01-0001");
    queue.put(subject, chain());
    let mut other = plan(subject, vec![task("a", 1, &[])]);
    other.workflow = "other".into();
    queue.store.put_tasks(&other).unwrap();
    let first = queue.claim().unwrap();
    assert_eq!((first.workflow.as_str(), first.tasks.len()), ("cells", 3));
    assert!(queue.claim().is_none(), "the subject is being worked on");
    queue.finish(
        first.id,
        first.tasks.iter().map(|task| succeeded(task.id)).collect(),
    );
    let second = queue.claim().unwrap();
    assert_eq!((second.workflow.as_str(), second.tasks.len()), ("other", 1));
}

#[test]
fn oldest_plate_first_unless_priority_says_otherwise() {
    let queue = Queue::new();
    let (old, new) = (queue.plate("old"), queue.plate("new"));
    let new_subject = queue.image_set(new, "A01-0001");
    queue.put(new_subject, chain());
    let old_subject = queue.image_set(old, "A01-0001");
    queue.put(old_subject, chain());
    assert_eq!(queue.run_one().plate.id, old);
    let again = queue.image_set(old, "A01-0002");
    queue.put(again, chain());
    assert_eq!(
        queue.store.prioritise(&TaskFilter::plate(new), 5).unwrap(),
        3
    );
    assert_eq!(
        queue.store.prioritise(&TaskFilter::plate(new), 5).unwrap(),
        0
    );
    assert_eq!(queue.run_one().plate.id, new);
    assert_eq!(queue.run_one().plate.id, old);
}

#[test]
fn pauses_and_offline_roots_hold_claims_back() {
    let queue = Queue::new();
    let (first, second) = (queue.plate("1"), queue.plate("2"));
    for plate in [first, second] {
        queue.put(queue.image_set(plate, "A01-0001"), chain());
        queue.put(queue.image_set(plate, "A01-0002"), chain());
    }
    assert!(
        queue
            .store
            .pause(Target::Plate(first), "user", "looking at it")
            .unwrap()
    );
    assert!(
        !queue
            .store
            .pause(Target::Plate(first), "user", "looking at it")
            .unwrap()
    );
    assert_eq!(queue.run_one().plate.id, second);
    assert!(queue.store.pause(Target::All, "disk", "3 GB left").unwrap());
    assert!(
        queue
            .store
            .pause(Target::All, "user", "maintenance")
            .unwrap()
    );
    assert!(queue.claim().is_none());
    // The disk watch resumes by itself; what the person paused stays paused.
    assert!(queue.store.resume(Target::All, "disk").unwrap());
    assert!(!queue.store.resume(Target::All, "disk").unwrap());
    assert!(queue.claim().is_none());
    assert!(queue.store.resume(Target::All, "user").unwrap());
    queue
        .store
        .set_root_state(queue.root, RootState::Offline, Some("unmounted"))
        .unwrap();
    assert!(queue.claim().is_none());
    queue
        .store
        .set_root_state(queue.root, RootState::Online, None)
        .unwrap();
    assert!(
        queue
            .store
            .pause(Target::Root(queue.root), "user", "moving")
            .unwrap()
    );
    assert!(queue.claim().is_none());
    assert!(
        queue
            .store
            .resume(Target::Root(queue.root), "user")
            .unwrap()
    );
    assert_eq!(queue.run_one().plate.id, second);
    assert!(queue.claim().is_none(), "the first plate is still paused");
    assert!(queue.store.resume(Target::Plate(first), "user").unwrap());
    assert_eq!(queue.run_one().plate.id, first);
}

#[test]
fn filters_narrow_a_claim() {
    let queue = Queue::new();
    let plate = queue.plate("p");
    let subject = queue.image_set(plate, "A01-0001");
    queue.put(subject, chain());
    let claim = |filter: ClaimFilter| {
        queue
            .store
            .claim_pass(&ClaimRequest {
                filter,
                ..request()
            })
            .unwrap()
    };
    assert!(
        claim(ClaimFilter {
            exclude: vec![subject],
            ..Default::default()
        })
        .is_none()
    );
    assert!(
        claim(ClaimFilter {
            scopes: vec!["plate".into()],
            ..Default::default()
        })
        .is_none()
    );
    assert!(
        claim(ClaimFilter {
            plate: Some(queue::PlateId(plate.0 + 1)),
            ..Default::default()
        })
        .is_none()
    );
    assert!(
        claim(ClaimFilter {
            root: Some(queue::RootId(queue.root.0 + 1)),
            ..Default::default()
        })
        .is_none()
    );
    let filter = ClaimFilter {
        plate: Some(plate),
        root: Some(queue.root),
        scopes: vec!["plate".into(), "image_set".into()],
        exclude: vec![queue::SubjectId(subject.0 + 1)],
        ..ClaimFilter::default()
    };
    assert!(claim(filter).is_some());
}

#[test]
fn a_lease_lives_by_its_heartbeats() {
    let queue = Queue::new();
    let subject = queue.image_set(queue.plate("p"), "A01-0001");
    let tasks = ids(&queue.put(subject, chain()));
    let pass = queue.claim().unwrap();
    queue.clock.advance(Duration::from_secs(50));
    queue
        .store
        .heartbeat(pass.id, Duration::from_secs(60))
        .unwrap();
    queue.clock.advance(Duration::from_secs(50));
    assert!(queue.store.reap_expired().unwrap().passes.is_empty());
    queue.clock.advance(Duration::from_secs(11));
    let reaped = queue.store.reap_expired().unwrap();
    assert_eq!(
        (reaped.passes, reaped.tasks),
        (vec![pass.id], tasks.clone())
    );
    assert_eq!(queue.state(tasks[0]), TaskState::Ready);
    assert_eq!(queue.state(tasks[1]), TaskState::Waiting);
    let row = queue.store.task(tasks[0]).unwrap().task;
    assert_eq!((row.attempts, row.interruptions), (0, 1));
    // The worker was only slow: its late report is refused, whoever has the subject now.
    let late = queue
        .store
        .finish_pass(pass.id, &[succeeded(tasks[0])], None);
    assert!(matches!(late, Err(Error::PassEnded { .. })), "{late:?}");
    assert!(matches!(
        queue.store.heartbeat(pass.id, Duration::from_secs(60)),
        Err(Error::PassEnded { .. })
    ));
    let again = queue.claim().unwrap();
    assert_eq!(again.tasks.len(), 3);
    assert_eq!(queue.store.attempts(tasks[0]).unwrap().len(), 2);
    queue.assert_sound();
}

#[test]
fn plate_tasks_come_when_everything_before_them_has_ended() {
    let queue = Queue::new();
    let plate = queue.plate("p");
    let mut scores = task("scores", 9, &[]);
    scores.upstream = vec![Upstream::Plate {
        job: "c".into(),
        require: queue::Require::Succeeded,
    }];
    let whole = queue.plate_subject(plate);
    let scores = ids(&queue.put(whole, vec![scores]))[0];
    assert_eq!(
        queue.state(scores),
        TaskState::Ready,
        "there is no c yet, and no gate"
    );
    for name in ["A01-0001", "A01-0002"] {
        queue.put(queue.image_set(plate, name), chain());
        assert_eq!(queue.state(scores), TaskState::Waiting);
    }
    queue.run_one();
    assert_eq!(queue.state(scores), TaskState::Waiting);
    queue.run_one();
    assert_eq!(queue.state(scores), TaskState::Ready);
    queue.assert_sound();
}

#[test]
fn finishing_and_claiming_the_next_can_be_one_change() {
    let queue = Queue::new();
    let plate = queue.plate("p");
    for name in ["A01-0001", "A01-0002"] {
        queue.put(queue.image_set(plate, name), chain());
    }
    let first = queue.claim().unwrap();
    let reports: Vec<_> = first.tasks.iter().map(|task| succeeded(task.id)).collect();
    let next = queue.store.transaction(|transaction| {
        transaction.finish_pass(first.id, &reports, None)?;
        transaction.claim_pass(&request())
    });
    assert_ne!(next.unwrap().unwrap().subject.id, first.subject.id);
    let counts = queue.store.status().unwrap().tasks;
    assert_eq!((counts.succeeded, counts.running), (3, 3));
    queue.assert_sound();
}
