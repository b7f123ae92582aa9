//! The daemon: files in, results out, over the file system and HTTP only.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::process::Command;

use black_box::binary::{json, run, shared};
use black_box::daemon::{Daemon, example_workflow};
use black_box::synthetic::{PlateSpec, render, sites, write_plate};
use serde_json::json;

fn small() -> PlateSpec {
    PlateSpec {
        rows: 2,
        columns: 3,
        sites: 1,
        side: 256,
        nuclei: 12,
        dead_well: None,
        seed: 5,
    }
}

fn start() -> Daemon {
    Daemon::start(
        &example_workflow("nuclei-and-cells.toml"),
        "plate_complete = [\"sentinel:FINISHED\"]",
    )
}

fn finish(daemon: &Daemon, plate: &str) {
    fs::write(daemon.folder("drop").join(plate).join("FINISHED"), "x").unwrap();
}

#[test]
fn a_dropped_plate_becomes_results() {
    let mut daemon = start();
    let folder = daemon.folder("drop").join("plate-1");
    fs::create_dir(&folder).unwrap();
    for (i, site) in sites(&small()).iter().enumerate() {
        // Half-written first, as a microscope does.
        let bytes = render(&small(), i).unwrap();
        let mut file = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(true)
            .open(folder.join(&site.file))
            .unwrap();
        file.write_all(&bytes[..bytes.len() / 3]).unwrap();
        file.flush().unwrap();
        file.write_all(&bytes[bytes.len() / 3..]).unwrap();
    }
    finish(&daemon, "plate-1");
    daemon.wait_for_plates(1, "done");
    let plate = &daemon.get("/api/v1/plates")["items"][0];
    assert_eq!(
        (plate["name"].as_str(), plate["decided_by"].as_str()),
        (Some("plate-1"), Some("sentinel:FINISHED"))
    );
    assert_eq!(
        plate["output"].as_str().map(str::to_owned),
        daemon
            .folder("results")
            .join("plate-1")
            .to_str()
            .map(str::to_owned)
    );
    let file = daemon.folder("results").join("plate-1/plate-1_table.hdf5");
    let table = json(&run([
        "inspect",
        "--json",
        "--table",
        "images/default",
        file.to_str().unwrap(),
    ]));
    for site in sites(&small()) {
        let row = table["rows"]
            .as_array()
            .unwrap()
            .iter()
            .find(|r| r["site_name"] == site.site.as_str())
            .unwrap();
        assert_eq!(
            row["n_nucleus_segmentation/objects"].as_f64(),
            Some(site.cells as f64),
            "{}",
            site.site
        );
    }
    for page in ["/", "/metrics", "/readyz", "/api/openapi.json"] {
        assert!(daemon.try_get(page).is_some(), "{page}");
    }
    assert!(daemon.try_get("/").unwrap().contains("plate-1"));
    assert!(
        daemon.terminate(),
        "SIGTERM ends the daemon well\n{}",
        daemon.log()
    );
}

#[test]
fn a_broken_file_is_listed_and_requeued_after_repair() {
    let daemon = start();
    let folder = daemon.folder("drop").join("plate-1");
    write_plate(&small(), &daemon.folder("state").join("../aside")).unwrap();
    let aside = daemon.folder("aside");
    let broken = &sites(&small())[3].file;
    let whole = fs::read(aside.join(broken)).unwrap();
    fs::write(aside.join(broken), &whole[..whole.len() * 6 / 10]).unwrap();
    fs::rename(&aside, &folder).unwrap();
    finish(&daemon, "plate-1");
    daemon.wait_for_plates(1, "done_with_failures");
    let failed = daemon.get("/api/v1/tasks?state=failed");
    let items = failed["items"].as_array().unwrap();
    assert!(
        !items.is_empty() && items.iter().all(|t| t["well"] == "B01"),
        "{failed}"
    );
    assert!(
        items[0]["error"]["message"]
            .as_str()
            .unwrap()
            .contains(broken.as_str()),
        "{failed}"
    );
    // Dry run tells, and changes nothing.
    let body = json!({ "filter": { "state": ["failed", "quarantined"] }, "dry_run": true });
    let (status, dry) = daemon.post("/api/v1/tasks/requeue", &body);
    assert!(
        (200..300).contains(&status) && dry["count"].as_u64() == Some(items.len() as u64),
        "{status} {dry}"
    );
    assert_eq!(
        daemon.get("/api/v1/tasks?state=failed")["items"]
            .as_array()
            .unwrap()
            .len(),
        items.len()
    );
    fs::write(folder.join(broken), &whole).unwrap();
    daemon.wait_for_plates(1, "done");
    let (_, nothing) = daemon.post(
        "/api/v1/tasks/requeue",
        &json!({ "filter": { "state": ["failed"] }, "dry_run": false }),
    );
    assert_eq!(nothing["count"], 0, "nothing is left to requeue: {nothing}");
}

#[test]
fn a_killed_daemon_goes_on_where_it_was() {
    let mut daemon = start();
    let spec = PlateSpec {
        rows: 4,
        columns: 6,
        ..small()
    };
    write_plate(&spec, &daemon.folder("drop").join("plate-1")).unwrap();
    let succeeded = |d: &Daemon| {
        d.try_get("/api/v1/status")
            .and_then(|t| serde_json::from_str::<serde_json::Value>(&t).ok())
            .and_then(|s| s["tasks"]["succeeded"].as_u64())
            .unwrap_or(0)
    };
    for kill in 1..=3 {
        daemon.wait("some work is done", || succeeded(&daemon) >= kill * 20);
        daemon.kill();
        daemon.launch();
    }
    finish(&daemon, "plate-1");
    daemon.wait_for_plates(1, "done");
    let tasks = daemon.get("/api/v1/status")["tasks"].clone();
    assert_eq!(
        (tasks["succeeded"].as_u64(), tasks["failed"].as_u64()),
        (Some(24 * 9 + 1), Some(0)),
        "{tasks}"
    );
    let results = daemon.folder("results").join("plate-1");
    let names = || -> Vec<String> {
        fs::read_dir(&results)
            .unwrap()
            .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
            .collect()
    };
    let containers = names().iter().filter(|n| n.ends_with(".h5")).count();
    assert_eq!(containers, 24, "{:?}", names());
    daemon.wait("no temporary file is left", || {
        !names().iter().any(|n| n.starts_with('.'))
    });
}

#[test]
fn a_late_file_reopens_the_plate() {
    let daemon = start();
    let folder = daemon.folder("drop").join("plate-1");
    let aside = daemon.folder("aside");
    write_plate(&small(), &aside).unwrap();
    let name = &sites(&small())[5].file;
    let (late, bytes) = (folder.join(name), fs::read(aside.join(name)).unwrap());
    fs::remove_file(aside.join(name)).unwrap();
    fs::rename(&aside, &folder).unwrap();
    finish(&daemon, "plate-1");
    daemon.wait("five image sets are done", || {
        daemon
            .try_get("/api/v1/plates")
            .is_some_and(|t| t.contains("\"done\""))
    });
    fs::write(&late, bytes).unwrap();
    daemon.wait("the late image is in the plate's table", || {
        let file = daemon.folder("results").join("plate-1/plate-1_table.hdf5");
        let output = run([
            "inspect",
            "--json",
            "--table",
            "images/default",
            file.to_str().unwrap(),
        ]);
        output.status.success()
            && json(&output)["rows"]
                .as_array()
                .is_some_and(|r| r.len() == 6)
    });
    daemon.wait_for_plates(1, "done");
}

#[test]
fn a_second_daemon_on_the_same_state_is_refused() {
    let daemon = start();
    let output = run(["serve", "--config", daemon.config().to_str().unwrap()]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(
        text.contains("error:")
            && text.contains(
                &daemon
                    .folder("state")
                    .join("queue.db")
                    .display()
                    .to_string()
            ),
        "{text}"
    );
}

#[test]
fn a_vendors_manifest_completes_the_plate() {
    let Some(input) = shared("data/cv8000") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let workflow = folder.path().join("workflow.toml");
    let text = "name = \"cv\"\nversion = \"1\"\n[z]\nprojection = \"max\"\n[channels]\nC01 = \"nuclei\"\nC02 = \"marker\"\n[[job]]\nid = \"smooth\"\nkind = \"filter.gaussian\"\ninput = \"nuclei\"\noutput = \"smooth\"\n";
    fs::write(&workflow, text).unwrap();
    let lines = "naming = \"yokogawa\"\nplate_complete = [\"manifest\"]";
    let daemon = Daemon::start(&workflow, lines);
    let copied = Command::new("cp")
        .arg("-r")
        .arg(&input)
        .arg(daemon.folder("drop"))
        .status();
    assert!(copied.unwrap().success());
    daemon.wait_for_plates(1, "done");
    let plate = &daemon.get("/api/v1/plates")["items"][0];
    assert_eq!(plate["decided_by"], "manifest", "{plate}");
    assert_eq!(plate["expected"], 12, "{plate}");
}
