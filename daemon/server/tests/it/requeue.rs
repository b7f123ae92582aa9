//! Running tasks again, and stopping them.

use serde_json::{Value, json};

use crate::support::Served;
use crate::world::World;

fn failed(served: &Served) -> i64 {
    let tasks = served.json("/api/v1/tasks?state=failed");
    tasks["items"][0]["id"].as_i64().unwrap()
}

fn state(served: &Served, task: i64) -> Value {
    served.json(&format!("/api/v1/tasks/{task}"))["state"].clone()
}

#[test]
fn a_failed_task_is_requeued_once() {
    let (world, _) = World::small();
    let served = Served::new(world);
    let task = failed(&served);
    let path = format!("/api/v1/tasks/{task}/requeue");

    let dry = served.post(&path, &json!({ "dry_run": true }));
    assert_eq!(dry.status, 200);
    assert_eq!(
        dry.json(),
        json!({ "tasks": [task], "count": 1, "following": 3, "dry_run": true })
    );
    assert_eq!(state(&served, task), "failed");

    let answer = served.post(&path, &Value::Null);
    assert_eq!(answer.status, 202);
    assert_eq!(
        answer.json(),
        json!({ "tasks": [task], "count": 1, "following": 3, "dry_run": false })
    );
    assert_eq!(state(&served, task), "ready");

    let again = served.post(&path, &Value::Null);
    assert_eq!(again.status, 200, "it is queued already");
    assert_eq!(again.json()["count"], 0);
    served
        .post("/api/v1/tasks/9999/requeue", &Value::Null)
        .problem(404, "not_found");
}

#[test]
fn a_running_task_is_in_the_way() {
    let (world, _) = World::small();
    let pass = world.claim();
    let task = pass.tasks[0].id.0;
    let served = Served::new(world);
    let problem = served
        .post(&format!("/api/v1/tasks/{task}/requeue"), &Value::Null)
        .problem(409, "task_running");
    assert!(problem["remedy"].as_str().unwrap().contains("cancel"));
    let answer = served.post(
        "/api/v1/tasks/requeue",
        &json!({ "filter": { "state": ["running"] } }),
    );
    answer.problem(409, "task_running");
}

#[test]
fn a_task_is_started_from_an_earlier_job() {
    let (world, _) = World::small();
    let served = Served::new(world);
    let measured = served.json("/api/v1/tasks?well=A01&job=measure");
    let id = &measured["items"][0]["id"];
    let nuclei = served.json("/api/v1/tasks?well=A01&job=nuclei");
    let answer = served.post(
        &format!("/api/v1/tasks/{id}/requeue"),
        &json!({ "from_job": "nuclei" }),
    );
    assert_eq!(answer.status, 202);
    assert_eq!(answer.json()["tasks"][0], nuclei["items"][0]["id"]);
    let typo = json!({ "from_job": "nucleii" });
    for path in [
        format!("/api/v1/tasks/{id}/requeue"),
        "/api/v1/plates/1/requeue".to_owned(),
        "/api/v1/tasks/requeue".to_owned(),
    ] {
        served.post(&path, &typo).problem(404, "unknown_job");
    }
}

#[test]
fn the_failed_tasks_of_a_plate_are_requeued() {
    let (world, plate) = World::small();
    let served = Served::new(world);
    let task = failed(&served);
    let path = format!("/api/v1/plates/{plate}/requeue");
    let none = served.post(&path, &json!({ "state": ["cancelled"] }));
    assert_eq!((none.status, &none.json()["count"]), (200, &json!(0)));
    let all = json!({ "state": null, "from_job": null, "dry_run": false });
    let answer = served.post(&path, &all);
    assert_eq!(answer.status, 202);
    assert_eq!(answer.json()["tasks"], json!([task]));
    served
        .post("/api/v1/plates/99/requeue", &Value::Null)
        .problem(404, "not_found");
}

#[test]
fn many_tasks_are_requeued_by_a_filter() {
    let (world, plate) = World::small();
    let served = Served::new(world);
    let task = failed(&served);
    let requeue = |body: Value| served.post("/api/v1/tasks/requeue", &body).json();
    let elsewhere =
        requeue(json!({ "filter": { "plate": plate, "well": "A01" }, "dry_run": true }));
    assert_eq!(elsewhere["count"], 0);
    let found = requeue(json!({ "filter": { "well": "a2", "job": "nuclei" }, "dry_run": true }));
    assert_eq!(found["tasks"], json!([task]));
    for (wells, count) in [
        ("A01:A02", 1),
        ("A", 1),
        ("2", 1),
        ("A01, A02", 1),
        ("B", 0),
        (",", 0),
        ("A01", 0),
    ] {
        let found =
            requeue(json!({ "filter": { "plate": plate, "well": wells }, "dry_run": true }));
        assert_eq!(found["count"], count, "{wells}");
    }
    let nothing = requeue(json!({ "filter": { "tasks": [] } }));
    assert_eq!(nothing["count"], 0, "an empty list is not all of them");
    assert_eq!(state(&served, task), "failed");
    let by_id = requeue(json!({ "filter": { "tasks": [task], "plate": null } }));
    assert_eq!(
        by_id,
        json!({ "tasks": [task], "count": 1, "following": 3, "dry_run": false })
    );
    assert_eq!(state(&served, task), "ready");
}

#[test]
fn tasks_are_cancelled_and_their_workers_stopped() {
    let (world, _) = World::small();
    let pass = world.claim();
    let task = pass.tasks[0].id.0;
    let served = Served::new(world);
    let answer = served.post(&format!("/api/v1/tasks/{task}/cancel"), &Value::Null);
    assert_eq!(answer.status, 202);
    assert_eq!(answer.json(), json!({ "tasks": [], "stopping": [task] }));
    assert_eq!(
        *served.daemon.asked.lock().unwrap(),
        [format!("stop {:?}", [pass.id])]
    );
    let done = served.json("/api/v1/tasks?state=succeeded");
    let done = &done["items"][0]["id"];
    let answer = served.post(&format!("/api/v1/tasks/{done}/cancel"), &Value::Null);
    assert_eq!(
        (answer.status, answer.json()),
        (200, json!({ "tasks": [], "stopping": [] }))
    );
    served
        .post("/api/v1/tasks/9999/cancel", &Value::Null)
        .problem(404, "not_found");
}
