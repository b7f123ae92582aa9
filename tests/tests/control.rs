//! A running daemon is changed: its configuration, its priorities, its limits.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;

use black_box::daemon::{Daemon, Start, example_workflow};
use black_box::synthetic::{PlateSpec, render, sites, write_plate};
use serde_json::json;

fn small() -> PlateSpec {
    PlateSpec {
        rows: 2,
        columns: 3,
        sites: 1,
        side: 128,
        nuclei: 6,
        dead_well: None,
        seed: 5,
    }
}

/// A plate comes, all of it at once.
fn plate(daemon: &Daemon, name: &str) {
    daemon.move_in(name, |aside| drop(write_plate(&small(), aside).unwrap()));
}

#[test]
fn a_reload_takes_a_new_folder_and_refuses_a_broken_file() {
    let daemon = Daemon::start(
        &example_workflow("nuclei-and-cells.toml"),
        "plate_complete = [\"quiet:1\"]",
    );
    plate(&daemon, "before");
    daemon.wait_for_plates(1, "done");
    let good = fs::read_to_string(daemon.config()).unwrap();

    fs::write(daemon.config(), format!("{good}\nsettle_sec = 3\n")).unwrap();
    daemon.signal("HUP");
    daemon.wait("the broken file is refused", || {
        daemon.log().contains("goes on with the one that it has")
    });
    let ready = daemon.answer("/readyz");
    assert_eq!(ready.0, 503, "{}", ready.1);
    assert!(ready.1.contains("settle_sec"), "{}", ready.1);

    fs::create_dir(daemon.folder("drop-2")).unwrap();
    let second = good
        .split("[[root]]")
        .nth(1)
        .unwrap()
        .replace("/drop\"", "/drop-2\"")
        .replace("/results\"", "/results-2\"");
    let both = format!("{good}\n[[root]]{second}").replace("count = 2", "count = 1");
    fs::write(daemon.config(), both).unwrap();
    daemon.signal("HUP");
    daemon.wait("the good file is taken", || {
        daemon.log().contains("configuration reloaded")
    });
    daemon.wait("the new folder has been looked at", || {
        daemon.answer("/readyz").0 == 200
    });
    write_plate(&small(), &daemon.folder("drop-2").join("after")).unwrap();
    plate(&daemon, "also");
    daemon.wait_for_plates(3, "done");
    daemon.wait("one worker is left", || {
        daemon.get("/api/v1/status")["workers"]
            .as_array()
            .is_some_and(|w| w.len() == 1)
    });

    // A folder that is taken out is no longer looked at, and nothing of it is lost.
    fs::write(daemon.config(), &good).unwrap();
    daemon.signal("HUP");
    daemon.wait("the folder is out", || {
        let roots = daemon.get("/api/v1/roots");
        let items = roots["items"].as_array().unwrap().clone();
        items.iter().any(|r| r["state"] == "removed")
            && items.iter().any(|r| r["state"] == "online")
    });
    assert_eq!(
        daemon.get("/api/v1/plates")["items"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
}

#[test]
fn a_changed_workflow_is_planned_anew_by_a_reload() {
    let mut workflow = tempfile::NamedTempFile::new().unwrap();
    let text = fs::read_to_string(example_workflow("nuclei-and-cells.toml")).unwrap();
    std::io::Write::write_all(&mut workflow, text.as_bytes()).unwrap();
    let daemon = Daemon::start(workflow.path(), "plate_complete = [\"quiet:1\"]");
    plate(&daemon, "plate-1");
    daemon.wait_for_plates(1, "done");
    // When each task of a job last started.
    let runs = |job: &str| -> Vec<String> {
        let tasks = daemon.get(&format!("/api/v1/tasks?job={job}&limit=100"));
        let items = tasks["items"].as_array().unwrap();
        items
            .iter()
            .map(|t| t["started_at"].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    let jobs: Vec<String> = {
        let tasks = daemon.get("/api/v1/tasks?limit=500");
        let mut jobs: Vec<String> = tasks["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|t| t["job"].as_str().unwrap().to_owned())
            .collect();
        jobs.sort();
        jobs.dedup();
        jobs
    };
    let before: Vec<Vec<String>> = jobs.iter().map(|j| runs(j)).collect();

    daemon.signal("HUP");
    daemon.wait("reloaded", || {
        daemon.log().matches("configuration reloaded").count() == 1
    });
    daemon.wait("the root is back", || daemon.answer("/readyz").0 == 200);
    assert_eq!(
        before,
        jobs.iter().map(|j| runs(j)).collect::<Vec<_>>(),
        "nothing changed, nothing runs"
    );

    let changed = text.replacen("max_size = 40", "max_size = 41", 1);
    assert_ne!(changed, text);
    fs::write(workflow.path(), changed).unwrap();
    daemon.signal("HUP");
    let now = || jobs.iter().map(|j| runs(j)).collect::<Vec<_>>();
    daemon.wait("some jobs run again", || now() != before);
    daemon.wait_for_plates(1, "done");
    let after = now();
    let again: Vec<&String> = jobs
        .iter()
        .zip(after.iter().zip(&before))
        .filter(|(_, (a, b))| a != b)
        .map(|(j, _)| j)
        .collect();
    assert!(
        again.iter().any(|j| *j == "clean")
            && !again.iter().any(|j| *j == "smooth" || *j == "fill"),
        "{again:?}"
    );
}

#[test]
fn a_plate_whose_images_are_archived_is_forgotten_in_time_and_its_results_stay() {
    let mut daemon = Daemon::start(
        &example_workflow("nuclei-and-cells.toml"),
        "plate_complete = [\"quiet:1\"]",
    );
    for name in ["archived", "kept"] {
        plate(&daemon, name);
    }
    daemon.wait_for_plates(2, "done");
    let (folder, archive) = (
        daemon.folder("drop").join("archived"),
        daemon.folder("archive"),
    );
    fs::rename(&folder, &archive).unwrap();
    assert!(daemon.terminate());
    let text = fs::read_to_string(daemon.config()).unwrap();
    fs::write(
        daemon.config(),
        text.replacen("[state]\n", "[state]\nkeep_plates_days = 0\n", 1),
    )
    .unwrap();
    daemon.launch();
    daemon.wait_for_plates(1, "done");
    assert_eq!(daemon.get("/api/v1/plates")["items"][0]["name"], "kept");
    assert!(
        daemon
            .folder("results")
            .join("archived/archived_table.hdf5")
            .exists()
    );
    // Back from the archive: known images are no new plate.
    fs::rename(&archive, &folder).unwrap();
    daemon.rescan();
    daemon.wait("the files are back", || {
        daemon.get("/api/v1/status")["files"]["vanished"] == 0
    });
    daemon.wait_for_plates(1, "done");
}

#[test]
fn a_named_limit_holds_back_its_own_jobs_only() {
    let workflow = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    let text = fs::read_to_string(example_workflow("nuclei-and-cells.toml")).unwrap();
    fs::write(
        workflow.path(),
        text.replacen("[[job]]\n", "[[job]]\nlimit = \"bench\"\n", 1),
    )
    .unwrap();
    let path = workflow.path().display().to_string();
    let log = Daemon::refused(&Start::new(&path));
    assert!(
        log.contains("[workers.limits]") && log.contains("bench = 1"),
        "{log}"
    );

    let daemon = Daemon::start_with(&Start {
        root_lines: "plate_complete = [\"quiet:1\"]",
        sections: "[workers.limits]\nbench = 1",
        ..Start::new(&path)
    });
    let spec = PlateSpec {
        side: 1024,
        ..small()
    };
    daemon.post("/api/v1/queue/pause", &json!({}));
    write_plate(&spec, &daemon.folder("drop").join("plate-1")).unwrap();
    daemon.wait("all images are in the queue", || {
        daemon.get("/api/v1/plates")["items"][0]["image_sets"]["complete"] == 6
    });
    daemon.post("/api/v1/queue/resume", &json!({}));
    let (mut most, mut told) = (0, false);
    daemon.wait("the plate is done", || {
        let status = daemon.get("/api/v1/status");
        let workers = status["workers"].as_array().unwrap();
        most = most.max(workers.iter().filter(|w| !w["pass"].is_null()).count());
        let ready = daemon.get("/api/v1/tasks?state=ready&limit=1");
        if let Some(id) = ready["items"][0]["id"].as_i64() {
            let why = daemon.get(&format!("/api/v1/tasks/{id}/explain"))["because"].to_string();
            told |= why.contains("1 of 1 passes with the limit `bench`");
        }
        daemon.get("/api/v1/plates")["items"][0]["state"] == "done"
    });
    assert!(told, "a task that waits for the limit says so");
    assert_eq!(most, 1, "two workers, but one pass at a time");
}

#[test]
fn a_plate_with_priority_goes_first() {
    let daemon = Daemon::start(
        &example_workflow("nuclei-and-cells.toml"),
        "plate_complete = [\"manual\"]",
    );
    daemon.post("/api/v1/queue/pause", &json!({}));
    for plate in ["first", "urgent"] {
        write_plate(&small(), &daemon.folder("drop").join(plate)).unwrap();
        daemon.wait("its files are registered", || {
            let plates = daemon.get("/api/v1/plates");
            plates["items"]
                .as_array()
                .unwrap()
                .iter()
                .any(|p| p["name"] == plate && p["image_sets"]["complete"] == 6)
        });
    }
    let id = |name: &str| {
        let plates = daemon.get("/api/v1/plates");
        plates["items"]
            .as_array()
            .unwrap()
            .iter()
            .find(|p| p["name"] == name)
            .unwrap()["id"]
            .as_i64()
            .unwrap()
    };
    let answer = daemon.post(
        &format!("/api/v1/plates/{}/priority", id("urgent")),
        &json!({ "priority": 7 }),
    );
    assert_eq!(
        (answer.0, &answer.1["changed"]),
        (200, &json!(true)),
        "{answer:?}"
    );
    // What comes later has it too.
    let later = PlateSpec {
        columns: 4,
        ..small()
    };
    write_plate(&later, &daemon.folder("drop").join("urgent")).unwrap();
    daemon.wait("more files are registered", || {
        daemon.get(&format!("/api/v1/plates/{}", id("urgent")))["image_sets"]["complete"] == 8
    });
    let tasks = daemon.get(&format!("/api/v1/tasks?plate={}&limit=500", id("urgent")));
    assert!(
        tasks["items"]
            .as_array()
            .unwrap()
            .iter()
            .all(|t| t["priority"] == 7),
        "{tasks}"
    );
    daemon.post("/api/v1/queue/resume", &json!({}));
    daemon.wait("all is done", || {
        daemon.get("/api/v1/status")["tasks"]["ready"] == 0
            && daemon.get("/api/v1/status")["tasks"]["running"] == 0
    });
    let starts = |name: &str| -> Vec<String> {
        let tasks = daemon.get(&format!("/api/v1/tasks?plate={}&limit=500", id(name)));
        tasks["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|t| Some(t["started_at"].as_str()?.to_owned()))
            .collect()
    };
    assert!(
        starts("urgent").iter().max() <= starts("first").iter().min(),
        "{:?} {:?}",
        starts("urgent"),
        starts("first")
    );
}

/// The bytes of a file change while its image set waits in the queue: what is computed then must not be stored under the
/// key of what was there before. The old bytes come back, and are computed.
#[test]
fn what_was_written_to_after_it_was_registered_is_not_computed_as_if_it_were_not() {
    // A rule of quiet would have the folder listed again, and so find the other bytes itself.
    let daemon = Daemon::start(
        &example_workflow("nuclei-and-cells.toml"),
        "plate_complete = [\"sentinel:FINISHED\"]\nmode = \"poll\"\npoll_secs = 3600",
    );
    daemon.post("/api/v1/queue/pause", &json!({}));
    let folder = daemon.folder("drop").join("plate-1");
    let one = PlateSpec {
        rows: 1,
        columns: 1,
        ..small()
    };
    write_plate(&one, &folder).unwrap();
    daemon.rescan();
    daemon.wait("it is registered", || {
        daemon.get("/api/v1/plates")["items"][0]["image_sets"]["complete"] == 1
    });
    let file = folder.join(&sites(&one)[0].file);
    let (before, state) = (fs::read(&file).unwrap(), fs::metadata(&file).unwrap());
    let other = render(&PlateSpec { seed: 6, ..one }, 0).unwrap();
    fs::write(&file, &other).unwrap();
    daemon.post("/api/v1/queue/resume", &json!({}));
    daemon.wait("the worker notices", || {
        let tasks = daemon.get("/api/v1/tasks?limit=100");
        let items = tasks["items"].as_array().unwrap();
        items
            .iter()
            .any(|t| t["error"]["code"] == "input-changed" && t["attempts"] == 0)
    });
    assert!(
        fs::read_dir(daemon.folder("results").join("plate-1"))
            .map_or(true, |mut d| d.next().is_none())
    );
    fs::write(&file, &before).unwrap();
    fs::File::options()
        .write(true)
        .open(&file)
        .unwrap()
        .set_modified(state.modified().unwrap())
        .unwrap();
    fs::write(folder.join("FINISHED"), "x").unwrap();
    daemon.rescan();
    daemon.wait("the old bytes are computed", || {
        // Before the watcher has seen that they are back, the next try only notices that they were away.
        daemon.post(
            "/api/v1/plates/1/requeue",
            &json!({ "state": ["retrying"] }),
        );
        daemon.get("/api/v1/plates")["items"][0]["state"] == "done"
    });
}
