//! Planning again: what is computed again, and what is not.

use queue::{Change, Error, Gate, Plan, Require, SubjectState, TaskState, Upstream};
use serde_json::json;

use crate::support::{Queue, chain, ids, image_set, plan, succeeded, task};

#[test]
fn planning_the_same_again_changes_nothing() {
    let queue = Queue::new();
    let subject = queue.image_set(queue.plate("p"), "A01-0001");
    let first = queue.put(subject, chain());
    assert!(first.iter().all(|task| task.change == Change::Created));
    queue.run_all();
    let events = queue.store.last_event();
    let again = queue.put(subject, chain());
    assert_eq!(ids(&again), ids(&first));
    assert!(
        again
            .iter()
            .all(|task| task.change == Change::Unchanged && task.state == TaskState::Succeeded)
    );
    assert_eq!(
        queue.store.last_event(),
        events,
        "nothing happened, so nothing is said"
    );
    assert!(queue.claim().is_none());
}

#[test]
fn a_changed_key_reruns_the_job_and_what_depends_on_it() {
    let queue = Queue::new();
    let subject = queue.image_set(queue.plate("p"), "A01-0001");
    let mut tasks = chain();
    tasks.push(task("other", 4, &["a"]));
    let planned = ids(&queue.put(subject, tasks.clone()));
    queue.run_all();
    tasks[1].key = Some("b:2".into());
    tasks[1].ingredients = json!({ "parameters": { "sigma": 2.0 }, "inputs": "h0" });
    let again = queue.put(subject, tasks);
    assert_eq!(
        again[1].change,
        Change::Recompute {
            changed: vec!["parameters.sigma".into()]
        }
    );
    let states: Vec<_> = planned.iter().map(|task| queue.state(*task)).collect();
    assert_eq!(
        states,
        [
            TaskState::Succeeded,
            TaskState::Ready,
            TaskState::Waiting,
            TaskState::Succeeded
        ]
    );
    let because = queue.store.explain(planned[1]).unwrap().because.join("\n");
    assert!(because.contains("parameters.sigma"), "{because}");
    // What follows names the job that changed, which is not itself.
    let because = queue.store.explain(planned[2]).unwrap().because.join("\n");
    let expected = "these changed of job `b`: parameters.sigma";
    assert!(because.contains(expected), "{because}");
    queue.assert_sound();
    assert_eq!(queue.run_one().tasks.len(), 2);
    assert!(queue.claim().is_none());
}

#[test]
fn a_key_that_changes_while_the_task_runs_makes_it_run_again() {
    let queue = Queue::new();
    let subject = queue.image_set(queue.plate("p"), "A01-0001");
    let planned = ids(&queue.put(subject, chain()));
    let pass = queue.claim().unwrap();
    let mut tasks = chain();
    for task in &mut tasks {
        task.key = Some(format!("{}:2", task.job));
    }
    queue.put(subject, tasks.clone());
    queue.finish(
        pass.id,
        planned.iter().map(|task| succeeded(*task)).collect(),
    );
    let states: Vec<_> = planned.iter().map(|task| queue.state(*task)).collect();
    assert_eq!(
        states,
        [TaskState::Ready, TaskState::Waiting, TaskState::Waiting]
    );
    queue.assert_sound();
    assert_eq!(queue.run_one().tasks.len(), 3);
    assert!(
        queue
            .put(subject, tasks)
            .iter()
            .all(|task| task.change == Change::Unchanged)
    );
    assert!(queue.claim().is_none());
}

#[test]
fn a_result_that_exists_is_adopted() {
    let queue = Queue::new();
    let subject = queue.image_set(queue.plate("p"), "A01-0001");
    let mut tasks = chain();
    tasks[0].done = Some(json!({ "found": true }));
    tasks[2].done = Some(json!({ "found": true }));
    let planned = queue.put(subject, tasks.clone());
    let changes: Vec<_> = planned
        .iter()
        .map(|task| (&task.change, task.state))
        .collect();
    // c cannot be adopted: what it rests on is not there.
    assert_eq!(
        changes,
        [
            (&Change::Adopted, TaskState::Succeeded),
            (&Change::Created, TaskState::Ready),
            (&Change::Created, TaskState::Waiting)
        ]
    );
    tasks[1].done = Some(json!({ "found": true }));
    let planned = queue.put(subject, tasks);
    assert!(
        planned
            .iter()
            .all(|task| task.state == TaskState::Succeeded),
        "{planned:?}"
    );
    assert_eq!(
        queue.store.succeeded_with_key("b:1").unwrap().unwrap().id,
        planned[1].id
    );
    assert_eq!(queue.store.succeeded_with_key("b:2").unwrap(), None);
    queue.assert_sound();
}

#[test]
fn contradictory_plans_are_refused_whole() {
    let queue = Queue::new();
    let subject = queue.image_set(queue.plate("p"), "A01-0001");
    let refused = |tasks| {
        let error = queue.store.put_tasks(&plan(subject, tasks)).unwrap_err();
        assert!(matches!(error, Error::InvalidPlan { .. }), "{error}");
        assert_eq!(queue.store.status().unwrap().tasks.total(), 0);
        error.to_string()
    };
    assert!(refused(vec![task("a", 1, &[]), task("a", 2, &[])]).contains("twice"));
    assert!(refused(vec![task("a", 1, &["b"])]).contains("`b`"));
    assert!(refused(vec![task("a", 1, &["b"]), task("b", 2, &["a"])]).contains("`b`"));
    assert!(refused(vec![task("a", 1, &[]), task("b", 1, &["a"])]).contains("position"));
    let error = queue
        .store
        .put_tasks(&plan(queue::SubjectId(999), chain()))
        .unwrap_err();
    assert!(matches!(
        error,
        Error::NotFound {
            what: "subject",
            ..
        }
    ));
}

#[test]
fn jobs_that_left_the_workflow_are_removed_on_request() {
    let queue = Queue::new();
    let subject = queue.image_set(queue.plate("p"), "A01-0001");
    let planned = ids(&queue.put(subject, chain()));
    let shorter = Plan {
        retire_missing: true,
        ..plan(subject, vec![task("a", 1, &[])])
    };
    let pass = queue.claim().unwrap();
    let again = queue.store.put_tasks(&shorter).unwrap();
    assert!(
        again.iter().all(|task| task.change != Change::Retired),
        "running tasks stay"
    );
    assert_eq!(
        queue
            .store
            .heartbeat(pass.id, crate::support::LEASE)
            .unwrap()
            .cancel,
        planned[1..]
    );
    queue.finish(pass.id, vec![succeeded(planned[0])]);
    let again = queue.store.put_tasks(&shorter).unwrap();
    assert_eq!(
        again
            .iter()
            .filter(|task| task.change == Change::Retired)
            .count(),
        2
    );
    assert_eq!(queue.store.status().unwrap().tasks.total(), 1);
    assert!(matches!(
        queue.store.task(planned[2]),
        Err(Error::NotFound { .. })
    ));
    queue.assert_sound();
}

#[test]
fn a_new_image_set_sets_back_the_plate_task_that_did_not_see_it() {
    let queue = Queue::new();
    let plate = queue.plate("p");
    let mut scores = task("scores", 9, &[]);
    scores.upstream = vec![Upstream::Plate {
        job: "c".into(),
        require: Require::Settled,
    }];
    queue.put(queue.image_set(plate, "A01-0001"), chain());
    let scores = ids(&queue.put(queue.plate_subject(plate), vec![scores]))[0];
    queue.run_all();
    assert_eq!(queue.state(scores), TaskState::Succeeded);
    queue.put(queue.image_set(plate, "A01-0002"), chain());
    assert_eq!(queue.state(scores), TaskState::Waiting);
    queue.run_all();
    assert_eq!(queue.state(scores), TaskState::Succeeded);
    assert_eq!(queue.store.attempts(scores).unwrap().len(), 2);
    queue.assert_sound();
}

#[test]
fn well_tasks_wait_for_their_well_only() {
    let queue = Queue::new();
    let plate = queue.plate("p");
    let well = queue
        .store
        .upsert_subject(&queue::NewSubject {
            kind: queue::SubjectKind::Well,
            ..image_set(plate, "B02", SubjectState::Complete)
        })
        .unwrap()
        .id();
    let mut summary = task("summary", 9, &[]);
    summary.upstream = vec![
        Upstream::Well {
            well: "B02".into(),
            job: "c".into(),
            require: Require::Succeeded,
        },
        Upstream::Well {
            well: "B02".into(),
            job: "c".into(),
            require: Require::Settled,
        },
    ];
    let b02 = queue.image_set(plate, "B02-0001");
    queue.put(b02, chain());
    let summary = ids(&queue.put(well, vec![summary.clone()]))[0];
    queue.put(queue.image_set(plate, "A01-0001"), chain());
    let detail = queue.store.task(summary).unwrap();
    assert_eq!(detail.upstream.len(), 1);
    assert_eq!(
        (detail.upstream[0].subject, detail.upstream[0].require),
        (b02, Require::Succeeded)
    );
    queue.put(queue.image_set(plate, "B02-0002"), chain());
    assert_eq!(queue.store.task(summary).unwrap().upstream.len(), 2);
    queue.assert_sound();
}

#[test]
fn tasks_wait_for_the_planes_of_their_subject() {
    let queue = Queue::new();
    let plate = queue.plate("p");
    let arriving = image_set(plate, "A01-0001", SubjectState::Arriving);
    let subject = queue.store.upsert_subject(&arriving).unwrap().id();
    let mut tasks = chain();
    tasks[0].gate = Gate::SubjectComplete;
    let planned = ids(&queue.put(subject, tasks));
    assert!(queue.claim().is_none());
    let because = queue.store.explain(planned[0]).unwrap().because;
    assert!(because[0].contains("image set is arriving"), "{because:?}");
    queue
        .store
        .complete_plate(plate, "quiet:900", None)
        .unwrap();
    assert!(
        queue.store.task(planned[2]).unwrap().task.blocked,
        "the missing plane blocks the whole chain"
    );
    queue.assert_sound();
    queue
        .store
        .upsert_subject(&image_set(plate, "A01-0001", SubjectState::Complete))
        .unwrap();
    assert_eq!(queue.run_one().tasks.len(), 3);
    queue.assert_sound();
}

#[test]
fn upstream_tasks_of_other_plates_are_refused() {
    let queue = Queue::new();
    let other = ids(&queue.put(queue.image_set(queue.plate("1"), "A01-0001"), chain()));
    let mut wrong = task("d", 9, &[]);
    wrong.upstream = vec![Upstream::Task {
        task: other[0],
        require: Require::Succeeded,
    }];
    let subject = queue.image_set(queue.plate("2"), "A01-0001");
    let error = queue
        .store
        .put_tasks(&plan(subject, vec![wrong]))
        .unwrap_err();
    assert!(error.to_string().contains("another plate"), "{error}");
}
