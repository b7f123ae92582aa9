//! Lists, explanations, events, upkeep.

use std::sync::mpsc;
use std::time::Duration;

use queue::{
    Cursor, EventId, EventKind, FailureClass, PlateFilter, Reason, RootState, SubjectFilter,
    Target, TaskFilter, TaskState,
};

use crate::support::{Queue, chain, failed, ids, succeeded};

#[test]
fn tasks_are_filtered_and_paged() {
    let queue = Queue::new();
    let plate = queue.plate("p");
    for name in ["A01-0001", "A01-0002", "B07-0001"] {
        queue.put(queue.image_set(plate, name), chain());
    }
    queue.put(queue.image_set(queue.plate("q"), "A01-0001"), chain());
    let count = |filter: TaskFilter| {
        queue
            .store
            .tasks(&filter, Cursor::first(100))
            .unwrap()
            .items
            .len()
    };
    assert_eq!(count(TaskFilter::default()), 12);
    assert_eq!(count(TaskFilter::plate(plate)), 9);
    assert_eq!(
        count(TaskFilter {
            wells: Some(vec!["B07".into()]),
            ..Default::default()
        }),
        3
    );
    assert_eq!(
        count(TaskFilter {
            job: Some("b".into()),
            ..TaskFilter::plate(plate)
        }),
        3
    );
    assert_eq!(
        count(TaskFilter {
            kind: Some("kind.c".into()),
            ..Default::default()
        }),
        4
    );
    assert_eq!(
        count(TaskFilter {
            q: Some("b07".into()),
            ..Default::default()
        }),
        3
    );
    assert_eq!(
        count(TaskFilter {
            q: Some("A0_".into()),
            ..Default::default()
        }),
        0
    );
    assert_eq!(count(TaskFilter::default().in_state(TaskState::Ready)), 4);
    assert_eq!(
        count(
            TaskFilter::default()
                .in_state(TaskState::Ready)
                .in_state(TaskState::Waiting)
        ),
        12
    );
    assert_eq!(
        count(TaskFilter {
            workflow: Some("none".into()),
            ..Default::default()
        }),
        0
    );
    let mut seen = Vec::new();
    let mut cursor = Cursor::first(5);
    loop {
        let page = queue.store.tasks(&TaskFilter::default(), cursor).unwrap();
        seen.extend(page.items.iter().map(|task| task.id));
        let Some(after) = page.next else { break };
        cursor.after = after;
    }
    assert_eq!(seen.len(), 12);
    assert!(seen.is_sorted());
}

#[test]
fn plates_and_subjects_come_with_their_counts() {
    let queue = Queue::new();
    let plate = queue.plate("p");
    let newer = queue.plate("q");
    queue.put(queue.image_set(plate, "A01-0001"), chain());
    queue.run_one();
    queue.put(queue.image_set(plate, "A01-0002"), chain());
    let page = queue
        .store
        .plates(&PlateFilter::default(), Cursor::first(1))
        .unwrap();
    assert_eq!(page.items[0].plate.id, newer, "newest first");
    let page = queue
        .store
        .plates(
            &PlateFilter::default(),
            Cursor {
                after: page.next.unwrap(),
                limit: 1,
            },
        )
        .unwrap();
    assert_eq!((page.items[0].plate.id, page.next), (plate, None));
    let counts = page.items[0].tasks;
    assert_eq!(
        (
            counts.succeeded,
            counts.ready,
            counts.waiting,
            counts.total()
        ),
        (3, 1, 2, 6)
    );
    let named = PlateFilter {
        q: Some("plate q".into()),
        ..Default::default()
    };
    assert_eq!(
        queue
            .store
            .plates(&named, Cursor::first(9))
            .unwrap()
            .items
            .len(),
        1
    );
    let subjects = queue
        .store
        .subjects(plate, &SubjectFilter::default(), Cursor::first(9))
        .unwrap()
        .items;
    assert_eq!(
        (
            subjects.len(),
            subjects[0].tasks.succeeded,
            subjects[1].tasks.ready
        ),
        (2, 3, 1)
    );
    let elsewhere = SubjectFilter {
        well: Some("H12".into()),
        ..Default::default()
    };
    assert_eq!(
        queue
            .store
            .subjects(plate, &elsewhere, Cursor::first(9))
            .unwrap()
            .items
            .len(),
        0
    );
    let json = serde_json::to_value(&page.items[0]).unwrap();
    assert_eq!(
        (json["state"].as_str(), json["tasks"]["succeeded"].as_u64()),
        (Some("arriving"), Some(3))
    );
}

#[test]
fn explains_each_state() {
    let queue = Queue::new();
    let plate = queue.plate("p");
    let tasks = ids(&queue.put(queue.image_set(plate, "A01-0001"), chain()));
    let reasons = |index: usize| queue.store.explain(tasks[index]).unwrap().reasons;
    let sentences = |index: usize| {
        queue
            .store
            .explain(tasks[index])
            .unwrap()
            .because
            .join("\n")
    };
    assert!(matches!(&reasons(0)[..], [Reason::InQueue { ahead: 0 }]));
    assert!(
        matches!(&reasons(1)[..], [Reason::UpstreamPending { upstream }] if upstream.task == tasks[0])
    );
    queue.store.pause(Target::All, "user", "lunch").unwrap();
    queue
        .store
        .set_root_state(queue.root, RootState::Offline, Some("unmounted"))
        .unwrap();
    assert!(
        sentences(0).contains("lunch") && sentences(0).contains("unmounted"),
        "{}",
        sentences(0)
    );
    queue.store.resume(Target::All, "user").unwrap();
    queue
        .store
        .set_root_state(queue.root, RootState::Online, None)
        .unwrap();
    let pass = queue.claim().unwrap();
    assert!(matches!(&reasons(0)[..], [Reason::Running { worker, .. }] if worker == "w1"));
    queue.finish(
        pass.id,
        vec![
            succeeded(tasks[0]),
            failed(tasks[1], FailureClass::Transient),
        ],
    );
    assert!(matches!(&reasons(0)[..], [Reason::UpToDate { .. }]));
    assert!(matches!(
        &reasons(1)[..],
        [Reason::RetryAt { attempts: 1, .. }, Reason::Failed { .. }]
    ));
    queue.clock.advance(Duration::from_secs(2));
    let pass = queue.claim().unwrap();
    queue.finish(pass.id, vec![failed(tasks[1], FailureClass::Permanent)]);
    assert!(
        matches!(&reasons(2)[..], [Reason::UpstreamDead { upstream }, ..] if upstream.task == tasks[1])
    );
    assert!(sentences(1).contains("try harder"), "{}", sentences(1));
    assert!(queue.store.explain(queue::TaskId(999)).is_err());
}

#[test]
fn every_change_is_an_event_in_rising_order() {
    let queue = Queue::new();
    let (sender, receiver) = mpsc::channel();
    queue
        .store
        .on_event(move |event| sender.send(event).unwrap());
    let plate = queue.plate("p");
    let tasks = ids(&queue.put(queue.image_set(plate, "A01-0001"), chain()));
    queue.run_one();
    let events = queue
        .store
        .events(Some(plate), Cursor::first(100))
        .unwrap()
        .items;
    assert!(events.windows(2).all(|pair| pair[0].id < pair[1].id));
    let of_a: Vec<_> = events
        .iter()
        .filter(|event| event.task == Some(tasks[0]))
        .map(|event| event.kind)
        .collect();
    assert_eq!(of_a, [EventKind::TaskRunning, EventKind::TaskSucceeded]);
    let history = queue
        .store
        .task_events(tasks[1], Cursor::first(100))
        .unwrap()
        .items;
    // Its upstream task succeeds first, in the same transaction.
    let of_b: Vec<_> = history
        .iter()
        .map(|event| (event.kind, event.data["from"].as_str().unwrap()))
        .collect();
    assert_eq!(
        of_b,
        [
            (EventKind::TaskRunning, "waiting"),
            (EventKind::TaskSucceeded, "running")
        ]
    );
    assert_eq!(receiver.try_iter().last(), Some(queue.store.last_event()));
    assert_eq!(
        queue.store.status().unwrap().last_event,
        queue.store.last_event()
    );
    let after = queue
        .store
        .events(
            None,
            Cursor {
                after: events[0].id.0,
                limit: 1,
            },
        )
        .unwrap();
    assert!(after.items[0].id > events[0].id && after.next.is_some());
}

#[test]
fn waiting_for_an_event_ends_with_it_or_with_the_time() {
    let queue = Queue::new();
    let before = queue.store.last_event();
    assert_eq!(queue.store.wait_for_event(before, Duration::ZERO), before);
    let store = queue.store.clone();
    let waiter = std::thread::spawn(move || store.wait_for_event(before, Duration::from_secs(60)));
    queue.plate("p");
    assert!(waiter.join().unwrap() > before);
    assert!(
        queue
            .store
            .wait_for_event(EventId(0), Duration::from_secs(60))
            > before
    );
}

#[test]
fn says_how_many_tasks_are_ahead() {
    let queue = Queue::new();
    let (first, second) = (queue.plate("p"), queue.plate("q"));
    let mut tasks = Vec::new();
    for (plate, name) in [
        (first, "A01-0001"),
        (first, "A01-0002"),
        (second, "A01-0001"),
    ] {
        tasks.push(ids(&queue.put(queue.image_set(plate, name), chain()))[0]);
    }
    let ahead = || {
        let of = |task: &queue::TaskId| match queue.store.explain(*task).unwrap().reasons[..] {
            [Reason::InQueue { ahead }] => ahead,
            ref other => panic!("{other:?}"),
        };
        tasks.iter().map(of).collect::<Vec<_>>()
    };
    assert_eq!(ahead(), [0, 1, 2]);
    queue
        .store
        .prioritise(&TaskFilter::plate(second), 1)
        .unwrap();
    assert_eq!(ahead(), [1, 2, 0]);
}

#[test]
fn running_passes_are_listed_with_what_they_still_do() {
    let queue = Queue::new();
    let plate = queue.plate("p");
    let tasks = ids(&queue.put(queue.image_set(plate, "A01-0001"), chain()));
    assert_eq!(queue.store.passes().unwrap(), []);
    let pass = queue.claim().unwrap();
    queue
        .store
        .finish_tasks(pass.id, &[succeeded(tasks[0])])
        .unwrap();
    let passes = queue.store.passes().unwrap();
    assert_eq!(
        (passes.len(), passes[0].id, passes[0].subject_name.as_str()),
        (1, pass.id, "A01-0001")
    );
    assert_eq!(
        (&passes[0].jobs[..], passes[0].pid),
        (&["b".to_owned(), "c".to_owned()][..], Some(4242))
    );
    queue.finish(pass.id, Vec::new());
    assert_eq!(queue.store.passes().unwrap(), []);
}

#[test]
fn wakes_for_the_next_retry_or_lease() {
    let queue = Queue::new();
    assert_eq!(queue.store.next_wakeup().unwrap(), None);
    let plate = queue.plate("p");
    let tasks = ids(&queue.put(queue.image_set(plate, "A01-0001"), chain()));
    let pass = queue.claim().unwrap();
    assert_eq!(queue.store.next_wakeup().unwrap(), Some(pass.lease_until));
    queue.finish(pass.id, vec![failed(tasks[0], FailureClass::Transient)]);
    let retry = queue.store.task(tasks[0]).unwrap().task.ready_at;
    assert!(retry.is_some());
    assert_eq!(queue.store.next_wakeup().unwrap(), retry);
}

#[test]
fn pruning_removes_old_history_and_nothing_else() {
    let queue = Queue::new();
    let plate = queue.plate("p");
    let tasks = ids(&queue.put(queue.image_set(plate, "A01-0001"), chain()));
    let pass = queue.claim().unwrap();
    let mut report = succeeded(tasks[0]);
    report.log = Some("said something".into());
    queue.finish(pass.id, vec![report]);
    let last = queue.store.last_event();
    queue.clock.advance(Duration::from_secs(86_400));
    queue.plate("q");
    let pruned = queue.store.prune(Duration::from_secs(3600)).unwrap();
    assert_eq!((pruned.events as i64, pruned.logs), (last.0, 1));
    assert_eq!(
        queue.store.oldest_event().unwrap(),
        Some(EventId(last.0 + 1))
    );
    assert_eq!(queue.store.attempts(tasks[0]).unwrap()[0].log, None);
    queue.clock.advance(Duration::from_secs(86_400));
    queue.store.prune(Duration::ZERO).unwrap();
    // The newest event stays, so that the ids that clients hold go on rising from somewhere.
    assert_eq!(
        queue.store.oldest_event().unwrap(),
        Some(queue.store.last_event())
    );
    queue.assert_sound();
}

#[test]
fn a_backup_is_a_whole_queue() {
    let queue = Queue::new();
    let plate = queue.plate("p");
    queue.put(queue.image_set(plate, "A01-0001"), chain());
    let copy = queue.folder.path().join("backup.db");
    queue.store.backup(&copy).unwrap();
    assert!(queue.store.backup(&copy).is_err(), "nothing is overwritten");
    let restored = queue::Store::open(&copy, queue::Options::default()).unwrap();
    assert_eq!(restored.status().unwrap().tasks.total(), 3);
    assert_eq!(restored.check().unwrap(), Vec::<String>::new());
}

#[test]
fn settings_are_remembered() {
    let queue = Queue::new();
    assert_eq!(queue.store.setting("greeting").unwrap(), None);
    queue.store.set_setting("greeting", "hello").unwrap();
    queue.store.set_setting("greeting", "good day").unwrap();
    let queue = queue.reopen();
    assert_eq!(
        queue.store.setting("greeting").unwrap().as_deref(),
        Some("good day")
    );
    assert_eq!(
        queue.store.setting("boot_id").unwrap().as_deref(),
        Some(queue.store.boot_id())
    );
}
