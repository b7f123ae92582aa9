//! What is charged for which kind of death: a task pays only for what its own worker died of, and never for the daemon.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;

use black_box::crash::Bench;
use faults::{Action, Point, Role};
use serde_json::json;

#[test]
fn three_dead_workers_quarantine_the_task_and_a_requeue_heals_it() {
    let bench = Bench::start();
    for death in 0..3 {
        let hits = bench.plant(Point::WorkerJob, Action::Kill, Role::Worker);
        // The daemon stands still before it records the death: the next try must not come before the next fault is planted.
        bench.plant(Point::DispatchReported, Action::Hold, Role::Daemon);
        if death == 0 {
            bench.image(0);
        } else {
            bench.victim.plans().release(Point::DispatchReported);
        }
        bench.wait_for_hit(hits + 1);
        assert_eq!(bench.victim.plans().hits().len(), hits + 2);
    }
    bench.victim.plans().release(Point::DispatchReported);
    let quarantined = || {
        bench.victim.get("/api/v1/tasks?state=quarantined")["items"]
            .as_array()
            .map_or(0, Vec::len)
    };
    bench
        .victim
        .wait("a task is quarantined", |_| quarantined() > 0);
    assert_eq!(quarantined(), 1, "only the job that ran is to blame");
    for task in bench.tasks(0) {
        let counted = (&task["attempts"], &task["crashes"], &task["interruptions"]);
        let expected = if task["job"] == "smooth" {
            assert!(
                task["error"]["message"]
                    .as_str()
                    .unwrap()
                    .contains("SIGKILL"),
                "{task}"
            );
            (json!(0), json!(3), json!(0))
        } else {
            // Claimed with it in the first pass; later it waited for the retry.
            (json!(0), json!(0), json!(3))
        };
        assert_eq!(
            counted,
            (&expected.0, &expected.1, &expected.2),
            "{}",
            task["job"]
        );
    }
    assert!(bench.requeue(&json!({ "state": ["quarantined"] })));
    bench.wait_for(0, "succeeded");
    assert!(bench.counters(0).iter().all(|c| (c.0, c.2) == (1, 0)));
}

#[test]
fn the_death_of_the_daemon_is_charged_to_nobody() {
    let mut bench = Bench::start();
    let deaths = [
        (Point::DispatchClaimed, Action::Kill),
        (Point::WorkerReceived, Action::KillDaemon),
        (Point::PublishRenamed, Action::KillDaemon),
        (Point::DispatchReported, Action::Kill),
        (Point::QueueFinished, Action::Kill),
    ];
    bench.image(0);
    bench.wait_for(0, "succeeded");
    for (number, (point, action)) in deaths.into_iter().enumerate() {
        let hits = bench.plant(point, action, point.role());
        if number == 0 {
            bench.image(1);
        } else {
            // It finds work at once, so that the next fault must be there already.
            bench.victim.launch();
        }
        bench.wait_for_hit(hits);
        bench.victim.wait_for_end("it is killed");
    }
    bench.victim.launch_and_wait();
    bench.wait_for(1, "succeeded");
    let expected = (1, deaths.len() as u64, 0);
    assert_eq!(bench.counters(1), [expected; 5]);
    assert_eq!(bench.counters(0), [(1, 0, 0); 5]);
}

#[test]
fn a_worker_that_dies_idle_costs_the_next_image_nothing() {
    let bench = Bench::start();
    let hits = bench.plant(Point::WorkerReported, Action::Kill, Role::Worker);
    bench.image(0);
    bench.wait_for_hit(hits);
    bench.wait_for(0, "succeeded");
    // It says that it dies before it does.
    bench
        .victim
        .wait("the worker is dead", |v| v.workers().is_empty());
    bench.image(1);
    bench.wait_for(1, "succeeded");
    assert_eq!(bench.counters(0), [(1, 0, 0); 5]);
    assert_eq!(bench.counters(1), [(1, 0, 0); 5]);
}

#[test]
fn a_full_disk_in_the_middle_of_publishing_costs_no_attempt_and_leaves_nothing() {
    let bench = Bench::start();
    for point in [
        Point::ContainerAssembled,
        Point::PublishCreated,
        Point::PublishHalf,
        Point::PublishWritten,
        Point::PublishSynced,
    ] {
        let hits = bench.plant(point, Action::Enospc, Role::Worker);
        if hits == 0 {
            bench.image(0);
        } else {
            assert!(bench.requeue(&json!({ "state": ["retrying"] })));
        }
        bench.wait_for_hit(hits);
        bench.victim.wait("the trouble is recorded", |_| {
            let tasks = bench.tasks(0);
            tasks.iter().any(|t| t["state"] == "retrying")
                && tasks.iter().all(|t| t["state"] != "running")
        });
        for task in bench.tasks(0) {
            assert_eq!(
                (&task["attempts"], &task["crashes"]),
                (&json!(0), &json!(0))
            );
            if task["state"] == "retrying" {
                assert_eq!(task["error"]["class"], "environment", "{task}");
                let message = task["error"]["message"].as_str().unwrap();
                assert!(message.contains("No space left"), "{message}");
            }
        }
        assert_eq!(
            bench.output(),
            Vec::<String>::new(),
            "after {}",
            point.name()
        );
    }
    assert!(bench.requeue(&json!({ "state": ["retrying"] })));
    bench.wait_for(0, "succeeded");
    assert_eq!(bench.output().len(), 1);
}

/// A reader may come at any moment, also for a long time after the new file has its name and before its writer lets go of it.
#[test]
fn readers_open_what_has_its_final_name_whatever_its_writer_does() {
    let bench = Bench::start();
    bench.image(0);
    bench.wait_for(0, "succeeded");
    let file = bench
        .victim
        .folder("results/plate-1")
        .join(&bench.output()[0]);
    for (point, changed) in [
        (Point::PublishCreated, false),
        (Point::PublishHalf, false),
        (Point::PublishSynced, false),
        (Point::PublishRenamed, true),
    ] {
        let before = fs::read(&file).unwrap();
        let hits = bench.plant(point, Action::Hang, Role::Worker);
        assert!(bench.requeue(&json!({ "job": "smooth", "state": ["succeeded"] })));
        bench.wait_for_hit(hits);
        let inspected = black_box::binary::run(["inspect", "--json", file.to_str().unwrap()]);
        assert!(inspected.status.success(), "at {}", point.name());
        let is_new = fs::read(&file).unwrap() != before;
        assert_eq!(is_new, changed, "at {}", point.name());
        assert!(bench.victim.kill_worker(0));
        bench.wait_for(0, "succeeded");
    }
    assert_eq!(bench.output().len(), 1, "{:?}", bench.output());
}
