//! What people are told: written with what becomes true, kept until it is delivered.

use std::time::Duration;

use queue::{
    Error, FailureClass, NewRecipient, News, NoticeId, NoticeKind, NoticeRow, NoticeState, PlateId,
    RootState, Target, TaskFilter,
};

use crate::support::{Queue, chain, failed, image_set, new_root};

fn recipient(name: &str, wants: &[NoticeKind]) -> NewRecipient {
    NewRecipient {
        name: name.into(),
        wants: wants.to_vec(),
        roots: Vec::new(),
    }
}

/// A queue with one who wants to hear everything.
fn told() -> Queue {
    let queue = Queue::new();
    let lab = recipient("lab", NoticeKind::ALL);
    queue.store.put_recipients(&[lab]).unwrap();
    queue
}

fn complete_with_one_image(queue: &Queue) -> PlateId {
    let plate = queue.plate("p");
    queue.put(queue.image_set(plate, "A01-0001"), chain());
    queue.store.complete_plate(plate, "manual", None).unwrap();
    plate
}

fn due(queue: &Queue) -> Option<NoticeRow> {
    queue.store.due_notice("lab").unwrap()
}

fn kinds(queue: &Queue) -> Vec<NoticeKind> {
    let mut all = queue.store.notices(100).unwrap();
    all.reverse();
    all.iter().map(|notice| notice.kind).collect()
}

fn fail_once(queue: &Queue, plate: PlateId) {
    queue.put(queue.image_set(plate, "A01-0002"), chain());
    queue.store.complete_plate(plate, "manual", None).unwrap();
    let pass = queue.claim().unwrap();
    let bad = pass.tasks[0].id;
    queue.finish(pass.id, vec![failed(bad, FailureClass::Permanent)]);
    queue.run_all();
}

#[test]
fn the_end_of_a_plate_is_told_once_with_what_was_true_then() {
    let queue = told();
    let plate = complete_with_one_image(&queue);
    assert_eq!(kinds(&queue), [], "it is not done yet");
    queue.run_all();
    let notice = due(&queue).unwrap();
    assert_eq!(
        (notice.kind, notice.plate, notice.state, notice.attempts),
        (NoticeKind::Done, Some(plate), NoticeState::Waiting, 0)
    );
    let News::Plate(news) = &notice.news else {
        panic!("{:?}", notice.news)
    };
    assert_eq!(
        (news.plate.as_str(), news.root.as_str()),
        ("plate p", "microscope")
    );
    assert_eq!((news.tasks.succeeded, news.image_sets.complete), (3, 1));
    assert_eq!((news.failed_image_sets, news.failures.len()), (0, 0));
    assert_eq!(news.output.to_str(), Some("/data/results/p"));

    // A daemon that starts again finds it, and adds nothing.
    let queue = queue.reopen();
    queue
        .store
        .put_recipients(&[recipient("lab", NoticeKind::ALL)])
        .unwrap();
    assert_eq!(kinds(&queue), [NoticeKind::Done]);
    assert_eq!(due(&queue).unwrap().token, notice.token);

    // It is told although the plate was taken out of the queue.
    queue.store.forget_plate(plate).unwrap();
    assert_eq!(due(&queue).unwrap().news, notice.news);
    queue.store.notice_sent(notice.id).unwrap();
    assert_eq!(due(&queue), None);
    let row = &queue.store.recipients().unwrap()[0];
    assert_eq!((row.sent, row.waiting, row.failed), (1, 0, 0));
    queue.assert_sound();
}

#[test]
fn a_plate_that_runs_again_is_told_again() {
    let queue = told();
    let plate = complete_with_one_image(&queue);
    fail_once(&queue, plate);
    assert_eq!(kinds(&queue), [NoticeKind::DoneWithFailures]);
    let News::Plate(news) = due(&queue).unwrap().news else {
        panic!("not of a plate")
    };
    assert_eq!(news.failed_image_sets, 1);
    assert_eq!(news.failures.len(), 1);
    let failure = &news.failures[0];
    assert_eq!(
        (failure.job.as_str(), failure.subject.as_str()),
        ("a", "A01-0001")
    );
    assert_eq!(failure.failure.message, "it did not work");
    assert_eq!(failure.failure.remedy, "try harder");

    queue
        .store
        .requeue(&TaskFilter::default(), None, false)
        .unwrap();
    queue.run_all();
    queue
        .store
        .reopen_plate(plate, Some("a late file"))
        .unwrap();
    queue.store.complete_plate(plate, "manual", None).unwrap();
    queue.run_all();
    assert_eq!(
        kinds(&queue),
        [
            NoticeKind::DoneWithFailures,
            NoticeKind::Done,
            NoticeKind::Stale,
            NoticeKind::Done
        ]
    );
    // The first still tells what was true then.
    let first = queue.store.notices(100).unwrap().pop().unwrap();
    assert!(matches!(first.news, News::Plate(news) if news.tasks.failed == 1));
}

#[test]
fn a_change_that_is_undone_tells_nothing() {
    let queue = told();
    let plate = complete_with_one_image(&queue);
    let pass = queue.claim().unwrap();
    let reports: Vec<_> = pass
        .tasks
        .iter()
        .map(|task| crate::support::succeeded(task.id))
        .collect();
    let undone: queue::Result<()> = queue.store.transaction(|tx| {
        tx.finish_pass(pass.id, &reports, None)?;
        tx.complete_plate(plate, "manual", None)?;
        Err(Error::ReadOnly)
    });
    assert!(undone.is_err());
    assert_eq!(kinds(&queue), []);
    queue.finish(pass.id, reports);
    assert_eq!(kinds(&queue), [NoticeKind::Done]);
}

#[test]
fn everybody_hears_what_they_asked_for() {
    let queue = Queue::new();
    let elsewhere = NewRecipient {
        roots: vec!["/data/other".into()],
        ..recipient("elsewhere", NoticeKind::ALL)
    };
    let here = NewRecipient {
        roots: vec![new_root().path, "/data/other".into()],
        ..recipient("here", &[NoticeKind::Done])
    };
    let worried = recipient("worried", &[NoticeKind::DoneWithFailures]);
    let all = [elsewhere, here, worried, recipient("lab", NoticeKind::ALL)];
    queue.store.put_recipients(&all).unwrap();
    complete_with_one_image(&queue);
    queue.run_all();
    let told: Vec<String> = queue
        .store
        .notices(10)
        .unwrap()
        .into_iter()
        .map(|n| n.recipient)
        .collect();
    assert_eq!(told, ["lab", "here"]);

    // Whoever is gone is not waited for; whoever is new is not told of old things.
    let next = [
        recipient("lab", NoticeKind::ALL),
        recipient("new", NoticeKind::ALL),
    ];
    assert_eq!(queue.store.put_recipients(&next).unwrap(), 1);
    let rows = queue.store.recipients().unwrap();
    let waiting: Vec<_> = rows
        .iter()
        .map(|row| (row.name.as_str(), row.active, row.waiting))
        .collect();
    assert_eq!(
        waiting,
        [
            ("elsewhere", false, 0),
            ("here", false, 0),
            ("lab", true, 1),
            ("new", true, 0),
            ("worried", false, 0)
        ]
    );
    queue.assert_sound();
}

#[test]
fn without_anybody_to_tell_nothing_is_written() {
    let queue = Queue::new();
    complete_with_one_image(&queue);
    queue.run_all();
    assert_eq!(kinds(&queue), []);
}

#[test]
fn what_fails_is_tried_again_later_and_given_up_in_the_end() {
    let queue = told();
    complete_with_one_image(&queue);
    queue.run_all();
    let notice = due(&queue).unwrap();
    let fail = |asked| {
        queue
            .store
            .notice_failed(notice.id, "HTTP 500", asked)
            .unwrap()
    };
    assert_eq!(fail(None), NoticeState::Waiting);
    assert_eq!(due(&queue), None, "not at once");
    queue.clock.advance(Duration::from_secs(70));
    assert_eq!(due(&queue).unwrap().error.as_deref(), Some("HTTP 500"));

    // The server asks for an hour; a year would be too much.
    assert_eq!(fail(Some(Duration::from_secs(3600))), NoticeState::Waiting);
    let wait = || {
        let at = queue.store.next_notice_at("lab").unwrap().unwrap();
        at.as_millisecond() - queue.clock.steady()
    };
    assert_eq!(wait(), 3_600_000);
    assert_eq!(
        fail(Some(Duration::from_secs(365 * 24 * 3600))),
        NoticeState::Waiting
    );
    assert_eq!(wait(), 6 * 3_600_000);

    // A configuration that is read again makes it due.
    queue
        .store
        .put_recipients(&[recipient("lab", NoticeKind::ALL)])
        .unwrap();
    assert_eq!(due(&queue).unwrap().attempts, 3);

    for _ in 3..19 {
        assert_eq!(fail(None), NoticeState::Waiting);
    }
    assert_eq!(fail(None), NoticeState::GivenUp);
    queue.clock.advance(Duration::from_secs(30 * 24 * 3600));
    assert_eq!(due(&queue), None);
    assert_eq!(queue.store.next_notice_at("lab").unwrap(), None);
    let row = queue.store.recipients().unwrap().remove(0);
    assert_eq!(
        (row.failed, row.given_up, row.sent, row.waiting),
        (20, 1, 0, 0)
    );
    assert_eq!(row.last_error.as_deref(), Some("HTTP 500"));

    assert!(matches!(
        queue.store.notice_sent(NoticeId(99)),
        Err(Error::NotFound { .. })
    ));
    let pruned = queue.store.prune(Duration::from_secs(24 * 3600)).unwrap();
    assert_eq!(pruned.notices, 1);
    assert_eq!(kinds(&queue), []);
}

#[test]
fn what_waits_is_never_pruned() {
    let queue = told();
    complete_with_one_image(&queue);
    queue.run_all();
    queue.clock.advance(Duration::from_secs(400 * 24 * 3600));
    queue.store.prune(Duration::from_secs(24 * 3600)).unwrap();
    assert!(due(&queue).is_some());
}

#[test]
fn a_pause_by_the_daemon_is_told_and_one_by_a_person_is_not() {
    let queue = told();
    let pause = |target, holder, reason| queue.store.pause(target, holder, reason).unwrap();
    pause(Target::All, queue::PERSON, "maintenance");
    let plate = queue.plate("p");
    queue
        .store
        .upsert_subject(&image_set(plate, "A01-0001", queue::SubjectState::Complete))
        .unwrap();
    pause(Target::Plate(plate), "disk", "no");
    assert_eq!(kinds(&queue), []);
    pause(Target::Root(queue.root), "disk", "full");
    pause(Target::Root(queue.root), "disk", "still full");
    queue
        .store
        .set_root_state(queue.root, RootState::Offline, Some("unplugged"))
        .unwrap();
    queue
        .store
        .set_root_state(queue.root, RootState::Offline, Some("unplugged again"))
        .unwrap();
    pause(Target::All, "disk", "all full");
    let mut told = Vec::new();
    while let Some(notice) = due(&queue) {
        queue.store.notice_sent(notice.id).unwrap();
        let News::Pause(news) = notice.news else {
            panic!("{notice:?}")
        };
        told.push((news.root, news.reason));
    }
    let root = || Some("microscope".to_owned());
    assert_eq!(
        told,
        [
            (root(), "full".to_owned()),
            (root(), "unplugged".to_owned()),
            (None, "all full".to_owned())
        ]
    );
}
