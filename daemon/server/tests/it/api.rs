//! Questions.

use serde_json::{Value, json};

use crate::support::Served;
use crate::world::World;

#[test]
fn status_sums_up_everything() {
    let (world, plate) = World::small();
    let served = Served::new(world);
    let status = served.json("/api/v1/status");
    assert_eq!(status["version"], "9.8.7");
    assert_eq!(status["boot_id"], served.world.store.boot_id());
    assert_eq!(status["paused"], Value::Null);
    assert_eq!(status["tasks"]["succeeded"], 3);
    assert_eq!(status["tasks"]["failed"], 1);
    assert_eq!(status["tasks"]["blocked"], 2);
    assert_eq!(status["tasks"]["ready"], 1);
    assert_eq!(status["plates"]["arriving"], 1);
    assert_eq!(status["workers"][0]["state"], "running");
    assert_eq!(status["workers"][0]["pid"], 4242);
    assert_eq!(status["workers"][1]["state"], "idle");
    assert_eq!(status["gpu"]["adapter"], "A card");
    assert_eq!(status["gpu"]["used"]["grey"]["pixels"], 3000);
    assert_eq!(status["gpu"]["fallbacks"]["lost"], 2);
    assert_eq!(status["roots"][0]["mode"], "native");
    assert_eq!(status["roots"][0]["settling"], 3);
    assert_eq!(status["disk"][0]["path"], "/var/lib/wellspring");
    let failure = &status["failures"][0];
    assert_eq!(failure["plate"], plate.0);
    assert_eq!(failure["error"]["code"], "tiff_truncated");
    assert_eq!(
        failure["error"]["remedy"],
        "copy it again from the microscope, then requeue"
    );
    let hour = &status["throughput"]["hour"];
    assert_eq!(
        *hour,
        json!({ "image_sets": 2, "succeeded": 3, "failed": 1 })
    );
    assert_eq!(status["throughput"]["hours"].as_array().unwrap().len(), 24);
    assert!(
        status["roots"][0]["watched_because"]
            .as_str()
            .unwrap()
            .contains("nfs")
    );
    let started: jiff::Timestamp = status["started_at"].as_str().unwrap().parse().unwrap();
    assert!(started <= jiff::Timestamp::now());
}

#[test]
fn roots_are_listed_and_scanned() {
    let served = Served::new(World::new());
    let roots = served.json("/api/v1/roots");
    assert_eq!(roots["items"][0]["path"], "/data/acquisition");
    assert_eq!(roots["next"], Value::Null);
    let id = &roots["items"][0]["id"];
    let answer = served.post(&format!("/api/v1/roots/{id}/rescan"), &Value::Null);
    assert_eq!(answer.status, 202);
    assert_eq!(
        *served.daemon.asked.lock().unwrap(),
        [format!("rescan {id}")]
    );
    served
        .post("/api/v1/roots/99/rescan", &Value::Null)
        .problem(404, "not_found");
}

#[test]
fn plates_come_with_their_counts() {
    let (world, plate) = World::small();
    let served = Served::new(world);
    let one = served.json(&format!("/api/v1/plates/{plate}"));
    assert_eq!(one["name"], "plate-2026-07");
    assert_eq!(one["state"], "arriving");
    assert_eq!(one["counts"]["failed"], 1);
    let sets = json!({ "expected": 96, "seen": 4, "arriving": 1, "complete": 3, "incomplete": 0 });
    assert_eq!(one["image_sets"], sets);
    assert_eq!(one["estimate"]["state"], "unknown");
    assert!(
        one["estimate"]["text"]
            .as_str()
            .unwrap()
            .starts_with("no estimate yet: too few")
    );
    let list = served.json("/api/v1/plates");
    assert_eq!(list["items"], json!([one]));
    served.get("/api/v1/plates/99").problem(404, "not_found");
}

#[test]
fn plates_are_paged_and_filtered() {
    let world = World::new();
    let ids: Vec<i64> = (0..5)
        .map(|i| world.plate(&format!("p{i}"), 8, 12).0)
        .collect();
    world
        .store
        .complete_plate(queue::PlateId(ids[1]), "manifest", None)
        .unwrap();
    let served = Served::new(world);
    let mut seen = Vec::new();
    let mut path = "/api/v1/plates?limit=2".to_owned();
    loop {
        let page = served.json(&path);
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        seen.extend(items.iter().map(|plate| plate["id"].as_i64().unwrap()));
        match page["next"].as_i64() {
            Some(next) => path = format!("/api/v1/plates?limit=2&after={next}"),
            None => break,
        }
    }
    seen.reverse();
    assert_eq!(seen, ids, "newest first, each once");
    let names = |path: &str| {
        let page = served.json(path);
        let names = page["items"].as_array().unwrap().iter();
        names
            .map(|plate| plate["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names("/api/v1/plates?state=complete"), ["p1"]);
    assert_eq!(names("/api/v1/plates?state=done,complete&q="), ["p1"]);
    assert_eq!(names("/api/v1/plates?q=p3"), ["p3"]);
    assert_eq!(names("/api/v1/plates?root=77"), [""; 0]);
}

#[test]
fn wells_say_how_far_they_are() {
    let (world, plate) = World::small();
    let served = Served::new(world);
    let wells = served.json(&format!("/api/v1/plates/{plate}/wells"));
    let wells = wells["items"].as_array().unwrap();
    let names: Vec<_> = wells
        .iter()
        .map(|well| well["well"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["A01", "A02", "A03", "B01"]);
    assert_eq!(wells[0]["sites"], 1);
    assert_eq!(wells[0]["by_state"]["succeeded"], 3);
    assert_eq!(wells[1]["by_state"]["failed"], 1);
    assert_eq!(wells[3]["arriving"], 1);
    assert_eq!(wells[3]["missing"], 0);
    served
        .get("/api/v1/plates/99/wells")
        .problem(404, "not_found");
}

#[test]
fn image_sets_are_filtered_by_well_and_state() {
    let (world, plate) = World::small();
    let served = Served::new(world);
    let path = format!("/api/v1/plates/{plate}/image-sets");
    let all = served.json(&path);
    assert_eq!(
        all["items"].as_array().unwrap().len(),
        4,
        "not the plate itself"
    );
    let one = served.json(&format!("{path}?well=a1"));
    assert_eq!(one["items"][0]["name"], "A01-0001");
    assert_eq!(one["items"][0]["container"], "/data/results/c.h5");
    assert_eq!(one["items"][0]["counts"]["succeeded"], 3);
    let arriving = served.json(&format!("{path}?state=arriving"));
    assert_eq!(arriving["items"][0]["missing"], json!(["TRITC"]));
    let first = served.json(&format!("{path}?limit=3"));
    let rest = served.json(&format!("{path}?limit=3&after={}", first["next"]));
    assert_eq!(rest["items"].as_array().unwrap().len(), 1);
    assert_eq!(rest["next"], Value::Null);
}

#[test]
fn a_plate_is_finalized_by_a_person() {
    let (world, plate) = World::small();
    let served = Served::new(world);
    let answer = served.post(&format!("/api/v1/plates/{plate}/finalize"), &Value::Null);
    assert_eq!(answer.status, 202);
    assert_eq!(answer.json()["state"], "complete");
    assert_eq!(answer.json()["decided_by"], "user");
    assert_eq!(answer.json()["image_sets"]["incomplete"], 1);
    served
        .post("/api/v1/plates/99/finalize", &Value::Null)
        .problem(404, "not_found");
    assert_eq!(
        *served.daemon.asked.lock().unwrap(),
        [format!("finalize {plate}")]
    );
}

#[test]
fn pausing_is_shown_and_ended() {
    let (world, plate) = World::small();
    let served = Served::new(world);
    let answer = served.post(
        "/api/v1/queue/pause",
        &json!({ "reason": "moving the server" }),
    );
    assert_eq!(answer.json(), json!({ "paused": true, "changed": true }));
    let again = served.post(
        "/api/v1/queue/pause",
        &json!({ "reason": "moving the server" }),
    );
    assert_eq!(again.json()["changed"], false);
    let status = served.json("/api/v1/status");
    assert_eq!(status["paused"]["reason"], "moving the server");
    assert_eq!(status["paused"]["holder"], "user");
    assert!(status["paused"]["at"].is_string());
    let metrics = served.get("/metrics").text;
    assert!(metrics.contains("\nwellspring_paused 1\n"), "{metrics}");
    let answer = served.post("/api/v1/queue/resume", &Value::Null);
    assert_eq!(answer.json(), json!({ "paused": false, "changed": true }));
    assert_eq!(served.json("/api/v1/status")["paused"], Value::Null);

    let path = format!("/api/v1/plates/{plate}");
    assert_eq!(
        served.post(&format!("{path}/pause"), &Value::Null).status,
        200
    );
    let status = served.json("/api/v1/status");
    assert_eq!(status["pauses"][0]["plate"], plate.0);
    assert_eq!(status["paused"], Value::Null, "not everything is");
    let answer = served.post(&format!("{path}/resume"), &Value::Null);
    assert_eq!(answer.json()["changed"], true);
    served
        .post("/api/v1/plates/99/pause", &Value::Null)
        .problem(404, "not_found");
}

#[test]
fn status_files_are_written_by_the_engine() {
    let (world, plate) = World::small();
    let served = Served::new(world);
    let path = format!("/api/v1/plates/{plate}/status-files");
    let answer = served.post(&path, &Value::Null);
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json()["folder"], "/data/results/plate/batchlib");
    assert_eq!(answer.json()["names"][2], "w.log");
    served
        .post("/api/v1/plates/99/status-files", &Value::Null)
        .problem(404, "not_found");
}

#[test]
fn tasks_are_found_by_what_they_are() {
    let (world, plate) = World::small();
    let served = Served::new(world);
    let count = |query: &str| {
        served.json(&format!("/api/v1/tasks?{query}"))["items"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(count(""), 10);
    assert_eq!(count(&format!("plate={plate}&state=failed,quarantined")), 1);
    assert_eq!(count("job=cells"), 3);
    assert_eq!(count("kind=segment.watershed&well=a2"), 1);
    assert_eq!(count("q=strip"), 1, "text of the error");
    assert_eq!(
        count("plate=&state=&job=&well=&q="),
        10,
        "as an empty form sends it"
    );
    assert_eq!(count("limit=4"), 4);
}

#[test]
fn a_task_has_neighbours_attempts_log_and_reasons() {
    let (world, plate) = World::small();
    let served = Served::new(world);
    let failed = served.json(&format!("/api/v1/tasks?plate={plate}&state=failed"));
    let id = &failed["items"][0]["id"];
    let path = format!("/api/v1/tasks/{id}");
    let task = served.json(&path);
    assert_eq!(task["job"], "nuclei");
    assert_eq!(task["upstream"], json!([]));
    assert_eq!(task["downstream"][0]["job"], "cells");
    assert_eq!(task["ingredients"]["parameters"]["sigma"], 1.5);
    let attempts = served.json(&format!("{path}/attempts"));
    assert_eq!(attempts["items"][0]["outcome"], "failed");
    assert_eq!(attempts["items"][0]["worker"], "w1");
    let log = served.get(&format!("{path}/log"));
    assert_eq!(log.text, "reading A01\nstrip 41 of 64 is cut off\n");
    assert_eq!(log.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(served.get(&format!("{path}/log?attempt=1")).text, log.text);
    served
        .get(&format!("{path}/log?attempt=2"))
        .problem(404, "not_found");
    let explanation = served.json(&format!("{path}/explain"));
    assert_eq!(explanation["reasons"][0]["reason"], "failed");
    let why = explanation["because"][0].as_str().unwrap();
    assert!(why.contains("tiff_truncated"), "{why}");
    for path in ["", "/attempts", "/log", "/explain"] {
        served
            .get(&format!("/api/v1/tasks/99999{path}"))
            .problem(404, "not_found");
    }
}

#[test]
fn files_are_listed_and_explained() {
    let world = World::new();
    let record = queue::FileRecord {
        root: world.root,
        path: "notes.txt".into(),
        size: 12,
        mtime_ns: 1,
        ctime_ns: 1,
        inode: 7,
        device: 1,
        content: None,
        state: queue::FileState::Unmatched,
        reason: Some("no naming scheme has a name like this".into()),
        remedy: Some("rename it".into()),
        subject: None,
        parsed: Value::Null,
    };
    world.store.record_file(&record).unwrap();
    let served = Served::new(world);
    let files = served.json("/api/v1/files?state=unmatched");
    assert_eq!(files["items"][0]["path"], "notes.txt");
    assert_eq!(files["items"][0]["remedy"], "rename it");
    let none = served.json("/api/v1/files?state=registered");
    assert_eq!(none["items"], json!([]));
    assert_eq!(files["items"][0]["vanished_at"], Value::Null);
    assert_eq!(
        served.json("/api/v1/files?vanished=true")["items"],
        json!([])
    );
    let known = served.json("/api/v1/files/explain?path=/data/acquisition/a.tif");
    assert_eq!(known["status"], "settling");
    let bytes = served.json("/api/v1/files/explain?path=%2Fdata%2Facquisition%2F%FF%0A+%2B.tif");
    assert_eq!(bytes["path"], "/data/acquisition/\u{fffd}\n +.tif");
    let root = &served.json("/api/v1/roots")["items"][0];
    assert_eq!(
        (&root["watched"], &root["file_system"]),
        (&json!("poll"), &json!("nfs"))
    );
    served
        .get("/api/v1/files/explain?path=/etc/passwd")
        .problem(404, "not_found");
    served
        .get("/api/v1/files/explain")
        .problem(400, "invalid_query");
}

#[test]
fn readiness_lists_its_checks() {
    let served = Served::new(World::new());
    for path in ["/readyz", "/healthz"] {
        let ready = served.json(path);
        assert_eq!(ready["status"], "ready");
        assert_eq!(ready["checks"][0]["name"], "queue");
        assert_eq!(ready["checks"][1]["name"], "root microscope 1");
    }
    *served.daemon.ready.lock().unwrap() = false;
    let answer = served.get("/readyz");
    assert_eq!(answer.status, 503);
    assert_eq!(answer.json()["status"], "not_ready");
    assert_eq!(answer.json()["checks"][1]["remedy"], "mount it");
    let live = served.get("/livez");
    assert_eq!((live.status, live.text.as_str()), (200, "ok\n"));
}

#[test]
fn metrics_are_prometheus_text() {
    let (world, _) = World::small();
    let chat = queue::NewRecipient {
        name: "chat".into(),
        wants: vec![queue::NoticeKind::Paused],
        roots: Vec::new(),
    };
    world.store.put_recipients(&[chat]).unwrap();
    for holder in ["disk", "output"] {
        world
            .store
            .pause(queue::Target::All, holder, "full")
            .unwrap();
    }
    let first = world.store.due_notice("chat").unwrap().unwrap();
    world
        .store
        .notice_failed(first.id, "HTTP 500", None)
        .unwrap();
    let served = Served::new(world);
    let status = served.json("/api/v1/status");
    assert_eq!(status["recipients"][0]["name"], "chat");
    assert_eq!(status["recipients"][0]["waiting"], 2);
    assert_eq!(status["recipients"][0]["last_error"], "HTTP 500");
    let answer = served.get("/metrics");
    assert_eq!(
        answer.header("content-type"),
        "text/plain; version=0.0.4; charset=utf-8"
    );
    for line in [
        "wellspring_build_info{version=\"9.8.7\"} 1",
        "wellspring_tasks{state=\"failed\"} 1",
        "wellspring_tasks{state=\"succeeded\"} 3",
        "wellspring_plates{state=\"arriving\"} 1",
        "wellspring_files{state=\"registered\"} 0",
        "wellspring_files_settling 3",
        "wellspring_roots{state=\"online\"} 1",
        "wellspring_notices_waiting{recipient=\"chat\"} 2",
        "wellspring_notices_failed_total{recipient=\"chat\"} 1",
        "wellspring_notices_sent_total{recipient=\"chat\"} 0",
        "wellspring_workers{state=\"running\"} 1",
        "wellspring_workers{state=\"idle\"} 1",
        "wellspring_disk_free_bytes{volume=\"/var/lib/wellspring\"} 45097156608",
        "wellspring_gpu_info{adapter=\"A card\"} 1",
        "wellspring_gpu_calls_total{operation=\"grey\"} 3",
        "wellspring_gpu_dispatches_total{operation=\"grey\"} 12",
        "wellspring_gpu_device_seconds_total{operation=\"grey\"} 0.5",
        "wellspring_gpu_fallbacks_total{reason=\"lost\"} 2",
        "wellspring_gpu_process_starts_total 2",
        "wellspring_gpu_process_failures_total 1",
        "# TYPE wellspring_tasks gauge",
    ] {
        assert!(
            answer.text.lines().any(|found| found == line),
            "{line}\n{}",
            answer.text
        );
    }
    // Each family is described once, and each series is there once.
    let mut lines: Vec<_> = answer
        .text
        .lines()
        .map(|line| line.rsplit_once(' ').unwrap().0)
        .collect();
    let all = lines.len();
    lines.sort_unstable();
    lines.dedup();
    assert_eq!(lines.len(), all);
}

#[test]
fn what_makes_no_sense_is_a_problem() {
    let served = Served::new(World::new());
    served
        .get("/api/v1/plates/one")
        .problem(400, "invalid_path");
    let unknown = served
        .get("/api/v1/plates?state=sleeping")
        .problem(400, "invalid_query");
    let detail = unknown["detail"].as_str().unwrap();
    assert!(
        detail.contains("done_with_failures"),
        "names what is known: {detail}"
    );
    served
        .get("/api/v1/tasks?plates=1")
        .problem(400, "invalid_query");
    served
        .get("/api/v1/tasks?limit=many")
        .problem(400, "invalid_query");
    let lost = served.get("/api/v1/plats").problem(404, "no_such_path");
    assert_eq!(lost["instance"], "/api/v1/plats");
    assert!(
        lost["remedy"]
            .as_str()
            .unwrap()
            .contains("/api/openapi.json")
    );
    let answer = served.get("/api/v1/tasks/requeue");
    // `requeue` is no task's id.
    assert!([400, 405].contains(&answer.status), "{answer:?}");
    let answer = served.post("/api/v1/status", &Value::Null);
    answer.problem(405, "method_not_allowed");
    assert!(answer.header("allow").contains("GET"), "{answer:?}");
}

#[test]
fn bodies_that_make_no_sense_are_problems() {
    let served = Served::new(World::new());
    let path = "/api/v1/tasks/requeue";
    let ours = ("x-wellspring", "1");
    let json = ("content-type", "application/json");
    served
        .post_with(path, &[ours, json], "{")
        .problem(400, "invalid_json");
    let typo = served
        .post_with(path, &[ours, json], r#"{"filter":{"plates":1}}"#)
        .problem(422, "invalid_body");
    let detail = typo["detail"].as_str().unwrap();
    assert!(detail.contains("plates"), "{detail}");
    served
        .post_with(path, &[ours, ("content-type", "text/plain")], "{}")
        .problem(415, "unsupported_media_type");
    let large = format!(r#"{{"filter":{{"q":"{}"}}}}"#, "x".repeat(5000));
    served
        .post_with(path, &[ours, json], &large)
        .problem(413, "body_too_large");
}

#[test]
fn a_plate_that_is_being_worked_on_has_an_estimate_and_one_that_is_done_has_none() {
    let world = World::new();
    let plate = world.plate("p", 1, 2);
    for name in ["A01-0001", "A02-0001"] {
        world.image_set(plate, name, queue::SubjectState::Complete);
    }
    world.store.complete_plate(plate, "user", None).unwrap();
    world.succeed();
    let served = Served::new(world);
    let path = format!("/api/v1/plates/{plate}");
    let estimate = served.json(&path)["estimate"].clone();
    assert_eq!(estimate["state"], "about", "{estimate}");
    assert_eq!(estimate["limited_by"], "work");
    assert!(estimate["low_seconds"].as_u64() <= estimate["high_seconds"].as_u64());
    assert!(
        estimate["basis"]
            .as_str()
            .unwrap()
            .contains("1 run of a job of this plate")
    );
    served
        .world
        .store
        .pause(queue::Target::Plate(plate), "user", "lunch")
        .unwrap();
    let estimate = served.json(&path)["estimate"].clone();
    assert_eq!(estimate["text"], "held: it is paused (lunch)");
    served
        .world
        .store
        .resume(queue::Target::Plate(plate), "user")
        .unwrap();
    served.world.succeed();
    assert_eq!(served.json(&path)["estimate"], Value::Null);
}

#[test]
fn the_log_of_a_running_attempt_is_there_before_it_ends() {
    let world = World::new();
    let plate = world.plate("p", 1, 1);
    world.image_set(plate, "A01-0001", queue::SubjectState::Complete);
    let task = world.claim().tasks[0].id;
    let served = Served::new(world);
    let path = format!("/api/v1/tasks/{task}/log");
    let answer = served.get(&path);
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
    *served.daemon.running_log.lock().unwrap() = Some("half of it".to_owned());
    let answer = served.get(&path);
    assert_eq!(answer.text, "pass 1: half of it");
    assert_eq!(answer.header("x-wellspring-outcome"), "running");
}

#[test]
fn workflows_tell_their_jobs_and_who_used_them() {
    let (world, plate) = World::small();
    let served = Served::new(world);
    let list = served.json("/api/v1/workflows");
    let one = &list["items"][0];
    assert_eq!(one["name"], "cell-analysis");
    assert_eq!(one["versions"], json!(["1"]));
    assert_eq!(
        (&one["plates"], &one["counts"]["failed"]),
        (&json!(1), &json!(1))
    );
    let one = served.json("/api/v1/workflows/cell-analysis");
    let jobs = one["configured"][0]["jobs"].as_array().unwrap();
    assert_eq!(jobs.len(), 5);
    assert_eq!(
        jobs[2]["needs"],
        json!([{ "job": "nuclei", "names": ["nuclei_out"] }])
    );
    let used: Vec<_> = one["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| &job["job"])
        .collect();
    assert_eq!(used, ["nuclei", "cells", "measure", "scores"]);
    assert_eq!(one["uses"][0]["plate"], plate.0);
    assert_eq!(one["uses"][0]["counts"]["succeeded"], 3);
    served
        .get("/api/v1/workflows/none")
        .problem(404, "not_found");
    let tasks = served.json("/api/v1/tasks?workflow=cell-analysis&root=1&job=scores");
    assert_eq!(tasks["items"].as_array().unwrap().len(), 1);
    let tasks = served.json("/api/v1/tasks?root=77");
    assert_eq!(tasks["items"], json!([]));
}

/// serde takes the items of a list for the fields of an object; a wish without conditions must not come about that way.
#[test]
fn a_list_is_no_object() {
    let (world, plate) = World::small();
    let served = Served::new(world);
    let list = |path: &str, body: &str| {
        let headers = [("x-wellspring", "1"), ("content-type", "application/json")];
        served
            .post_with(path, &headers, body)
            .problem(422, "invalid_body");
    };
    list(&format!("/api/v1/plates/{plate}/requeue"), "[null, null]");
    list("/api/v1/tasks/requeue", r#"{"filter": [null, null]}"#);
    list("/api/v1/queue/pause", "[]");
    let counts = served.json(&format!("/api/v1/plates/{plate}"))["counts"].clone();
    assert_eq!(counts["failed"], 1, "nothing was requeued");
    // Null says nothing, as an empty body does.
    let headers = [("x-wellspring", "1"), ("content-type", "application/json")];
    let answer = served.post_with("/api/v1/queue/pause", &headers, "null");
    assert_eq!(answer.json()["paused"], true);
}
