//! Files that change while they are read: a result is made of what its key says, or not at all.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;

use black_box::crash::{Bench, SPEC};
use black_box::synthetic::{PlateSpec, render};
use faults::{Action, Point, Role};
use serde_json::{Value, json};

fn other_content() -> Vec<u8> {
    let spec = PlateSpec { seed: 99, ..SPEC };
    render(&spec, 0).unwrap()
}

fn task(bench: &Bench, job: &str) -> Value {
    let page = bench.victim.get("/api/v1/tasks?limit=1000");
    let items = page["items"].as_array().cloned().unwrap_or_default();
    items
        .into_iter()
        .find(|t| t["job"] == job)
        .unwrap_or(Value::Null)
}

/// The original is moved away and back, with all of its times but one, while a worker reads what lies there meanwhile.
#[test]
fn what_was_read_in_between_is_not_published_under_the_old_key() {
    let bench = Bench::start();
    bench.image(0);
    bench.wait_for(0, "succeeded");
    let container = bench
        .victim
        .folder("results/plate-1")
        .join(&bench.output()[0]);
    let before = fs::read(&container).unwrap();

    let hits = bench.plant(Point::WorkerReceived, Action::Hold, Role::Worker);
    bench.plant(Point::WorkerPublishing, Action::Hold, Role::Worker);
    assert!(bench.requeue(&json!({ "job": "smooth", "state": ["succeeded"] })));
    bench.wait_for_hit(hits);
    // The watching stands still over another image, so that it does not take what lies there meanwhile for a new file.
    bench.plant(Point::IntakeHashed, Action::Hold, Role::Daemon);
    bench.image(1);
    bench.wait_for_hit(hits + 1);
    let kept = bench.victim.folder("aside").join("kept");
    fs::rename(bench.path(0), &kept).unwrap();
    let other = bench.victim.folder("aside").join("other");
    fs::write(&other, other_content()).unwrap();
    fs::rename(other, bench.path(0)).unwrap();
    bench.victim.plans().release(Point::WorkerReceived);
    bench.wait_for_hit(hits + 2);
    fs::rename(kept, bench.path(0)).unwrap();
    bench.victim.plans().release(Point::WorkerPublishing);

    bench.victim.wait("the change is noticed", |_| {
        task(&bench, "smooth")["state"] == "retrying"
    });
    let smooth = task(&bench, "smooth");
    assert_eq!(smooth["error"]["code"], "input-changed", "{smooth}");
    assert_eq!(smooth["attempts"], 0, "{smooth}");
    assert!(
        fs::read(&container).unwrap() == before,
        "something was published"
    );
    bench.victim.plans().release(Point::IntakeHashed);
    bench.victim.wait("the original is computed", |_| {
        // Before the watching has seen that it is back, the next try only notices that it was away.
        let _ = bench.requeue(&json!({ "state": ["retrying"] }));
        let tasks = bench.tasks(0);
        tasks.len() == 5 && tasks.iter().all(|t| t["state"] == "succeeded")
    });
}

/// A bad image is left out of a plate's results; one that is being written again is not a bad image.
#[test]
fn a_plate_job_does_not_leave_out_what_is_being_written_again() {
    let bench = Bench::start();
    for index in [0, 1] {
        bench.image(index);
        bench.wait_for(index, "succeeded");
    }
    let whole = fs::read(bench.path(0)).unwrap();
    let hits = bench.plant(Point::WorkerReceived, Action::Hold, Role::Worker);
    fs::write(bench.victim.folder("drop/plate-1/FINISHED"), "").unwrap();
    bench.wait_for_hit(hits);
    // The watching gives a half file up after some seconds, which would take the plate back before the worker sees it.
    bench.plant(Point::IntakeHashed, Action::Hold, Role::Daemon);
    fs::write(bench.path(0), &whole[..whole.len() / 2]).unwrap();
    bench.victim.plans().release(Point::WorkerReceived);
    bench.victim.wait("the pass on the plate is over", |_| {
        let state = task(&bench, "illumination")["state"].clone();
        state == "retrying" || state == "succeeded"
    });
    let illumination = task(&bench, "illumination");
    assert_eq!(
        illumination["error"]["code"], "input-changed",
        "{illumination}"
    );
    if !bench.victim.plans().withdraw(Point::IntakeHashed) {
        bench.victim.plans().release(Point::IntakeHashed);
    }
    fs::write(bench.path(0), &whole).unwrap();
    bench.victim.wait("the plate is done", |v| {
        let _ = bench.requeue(&json!({ "state": ["retrying"] }));
        v.get("/api/v1/plates")["items"][0]["state"] == "done"
    });
}
