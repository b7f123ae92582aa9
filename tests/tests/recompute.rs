//! What is computed again after a change, told beforehand by `run --dry-run` and by `tasks explain`: the job whose parameter
//! changed and what follows, and of new images only what depends on them.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use black_box::binary::{json, run};
use black_box::daemon::Daemon;
use black_box::synthetic::{PlateSpec, render, sites, write_plate};
use serde_json::Value;

const SPEC: PlateSpec = PlateSpec {
    rows: 2,
    columns: 2,
    sites: 1,
    side: 96,
    nuclei: 4,
    dead_well: None,
    seed: 3,
};

/// `light` and `tables` are jobs of the plate; nothing needs `light`.
const WORKFLOW: &str = r#"name = "parts"
version = "1"
[channels]
DAPI = "nuclei"
WF_GFP = "cells"
[container]
scale_factors = [1]
[[job]]
id = "smooth"
kind = "filter.gaussian"
input = "nuclei"
output = "nuclei_smooth"
sigma = 1.0
[[job]]
id = "mask"
kind = "segment.threshold"
input = "nuclei_smooth"
output = "mask"
method = "otsu"
[[job]]
id = "nuclei"
kind = "segment.declump"
input = "mask"
output = "nucleus_segmentation"
min_distance = 7
[[job]]
id = "measure"
kind = "measure.objects"
input = { labels = "nucleus_segmentation", images = ["nuclei"] }
output = "nucleus_segmentation/objects"
[[job]]
id = "light"
kind = "correct.illumination_function"
input = ["cells"]
output = "light"
smoothing = 5.0
[[job]]
id = "tables"
kind = "summarise.objects"
input = ["nucleus_segmentation/objects"]
output = "default"
"#;

struct Lab(tempfile::TempDir);

impl Lab {
    fn new() -> Self {
        let lab = Self(tempfile::tempdir().unwrap());
        write_plate(&SPEC, &lab.path("plate-1")).unwrap();
        assert_eq!(lab.run(WORKFLOW, &[]).0, 0);
        lab
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, workflow: &str, more: &[&str]) -> (i32, Value) {
        fs::write(self.path("w.toml"), workflow).unwrap();
        let mut arguments = vec!["run".to_owned(), "--json".to_owned()];
        arguments.extend(["w.toml", "plate-1"].map(|n| self.path(n).display().to_string()));
        arguments.extend(["-o".to_owned(), self.path("results").display().to_string()]);
        arguments.extend(more.iter().map(|s| (*s).to_owned()));
        let output = run(&arguments);
        (output.status.code().unwrap(), json(&output))
    }

    /// What would run, as (job, subject, reason).
    fn planned(&self, workflow: &str, more: &[&str]) -> Vec<(String, String, String)> {
        let more: Vec<&str> = more.iter().copied().chain(["--dry-run"]).collect();
        let (code, summary) = self.run(workflow, &more);
        assert_eq!(code, 0, "{summary}");
        let text = |t: &Value, key: &str| t[key].as_str().unwrap().to_owned();
        let planned = summary["planned"].as_array().unwrap().iter();
        planned
            .map(|t| (text(t, "job"), text(t, "subject"), text(t, "reason")))
            .collect()
    }
}

/// Each job with the number of its tasks.
fn jobs(planned: &[(String, String, String)]) -> Vec<(&str, usize)> {
    let names: BTreeSet<&str> = planned.iter().map(|p| p.0.as_str()).collect();
    let count = |name: &str| planned.iter().filter(|p| p.0 == name).count();
    names.into_iter().map(|name| (name, count(name))).collect()
}

fn written(folder: &Path) -> Vec<(PathBuf, std::time::SystemTime)> {
    let mut all: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap())
        .filter(|e| e.path().extension().is_some_and(|e| e == "h5"))
        .map(|e| (e.path(), e.metadata().unwrap().modified().unwrap()))
        .collect();
    all.sort();
    all
}

#[test]
fn a_parameter_of_an_image_set_job_concerns_it_and_what_follows() {
    let lab = Lab::new();
    let changed = WORKFLOW.replace("min_distance = 7", "min_distance = 9");
    let planned = lab.planned(&changed, &[]);
    assert_eq!(
        jobs(&planned),
        [("measure", 4), ("nuclei", 4), ("tables", 1)]
    );
    for (job, _, reason) in &planned {
        let expected = match job.as_str() {
            "nuclei" => "changed: parameters",
            "measure" => "changed: upstream.nuclei",
            _ => "changed: parameters of nuclei",
        };
        assert!(reason.starts_with(expected), "{job}: {reason}");
    }
    // A plan is only told: what ran before is still what is there.
    assert_eq!(lab.planned(WORKFLOW, &[]), []);
    let (code, summary) = lab.run(&changed, &[]);
    assert_eq!(
        (code, &summary["tasks"]["succeeded"]),
        (0, &Value::from(4 * 4 + 2))
    );
    assert_eq!(lab.planned(&changed, &[]), []);
}

#[test]
fn a_parameter_of_a_plate_job_concerns_it_alone_where_nothing_follows() {
    let lab = Lab::new();
    let changed = WORKFLOW.replace("smoothing = 5.0", "smoothing = 6.0");
    let planned = lab.planned(&changed, &[]);
    assert_eq!(jobs(&planned), [("light", 1)]);
    assert!(planned[0].2.contains("parameters"), "{planned:?}");
    let before = written(&lab.path("results/plate-1"));
    assert_eq!(lab.run(&changed, &[]).0, 0);
    assert_eq!(
        written(&lab.path("results/plate-1")),
        before,
        "containers are left alone"
    );
}

#[test]
fn a_default_that_is_written_out_a_new_version_and_another_order_change_nothing() {
    let lab = Lab::new();
    let mut parts: Vec<&str> = WORKFLOW.split("[[job]]").collect();
    parts.swap(5, 1);
    let changed = parts
        .join("[[job]]")
        .replace("version = \"1\"", "version = \"2\"")
        .replace(
            "method = \"otsu\"",
            "method = \"otsu\"\nenabled = true\nstatus_name = \"Otsu\"",
        );
    assert_eq!(lab.planned(&changed, &[]), []);
}

#[test]
fn new_images_concern_themselves_and_the_plate() {
    let lab = Lab::new();
    let before = written(&lab.path("results/plate-1"));
    let larger = PlateSpec { sites: 2, ..SPEC };
    // The second site of the second well; its number counts all sites of the plate.
    let index = 3;
    let file = &sites(&larger)[index].file;
    fs::write(
        lab.path("plate-1").join(file),
        render(&larger, index).unwrap(),
    )
    .unwrap();
    let planned = lab.planned(WORKFLOW, &[]);
    let expected = [
        ("light", 1),
        ("mask", 1),
        ("measure", 1),
        ("nuclei", 1),
        ("smooth", 1),
        ("tables", 1),
    ];
    assert_eq!(jobs(&planned), expected);
    for (job, subject, reason) in &planned {
        if ["light", "tables"].contains(&job.as_str()) {
            assert!(reason.contains("inputs"), "{job}: {reason}");
        } else {
            assert_eq!(
                (subject.as_str(), reason.as_str()),
                ("A02-0001", "never run"),
                "{job}"
            );
        }
    }
    let (code, summary) = lab.run(WORKFLOW, &[]);
    assert_eq!(
        (code, &summary["tasks"]["succeeded"]),
        (0, &Value::from(5 * 4 + 2))
    );
    let after = written(&lab.path("results/plate-1"));
    assert_eq!(after.len(), 5);
    assert!(
        before.iter().all(|old| after.contains(old)),
        "{before:?} {after:?}"
    );
}

#[test]
fn a_forced_job_takes_with_it_what_follows() {
    let lab = Lab::new();
    let planned = lab.planned(WORKFLOW, &["--force-job", "measure"]);
    assert_eq!(jobs(&planned), [("measure", 4), ("tables", 1)]);
    assert!(planned.iter().all(|p| p.2 == "requeued"), "{planned:?}");
    let planned = lab.planned(WORKFLOW, &["--force-job", "light", "--force-job", "tables"]);
    assert_eq!(jobs(&planned), [("light", 1), ("tables", 1)]);
    assert_eq!(lab.planned(WORKFLOW, &["--force"]).len(), 4 * 4 + 2);
    let before = written(&lab.path("results/plate-1"));
    let (code, summary) = lab.run(WORKFLOW, &["--force-job", "nuclei"]);
    assert_eq!(
        (code, &summary["tasks"]["succeeded"]),
        (0, &Value::from(4 * 4 + 2))
    );
    let after = written(&lab.path("results/plate-1"));
    assert!(
        before.iter().zip(&after).all(|(b, a)| b.1 < a.1),
        "they were written again"
    );
    let arguments = ["run", "w.toml", "plate-1", "-o", "results"].map(|a| match a {
        "run" | "-o" => a.to_owned(),
        name => lab.path(name).display().to_string(),
    });
    let more = ["--force-job".to_owned(), "nucleus".to_owned()];
    let output = run(arguments.iter().chain(&more));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text.contains("no job `nucleus`") && text.contains("measure"),
        "{text}"
    );
}

#[test]
fn the_daemon_explains_why_a_task_runs_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("parts.toml");
    fs::write(&file, WORKFLOW).unwrap();
    let daemon = Daemon::start(&file, "plate_complete = [\"quiet:1\"]");
    daemon.move_in("plate-1", |aside| drop(write_plate(&SPEC, aside).unwrap()));
    daemon.wait_for_plates(1, "done");
    assert!(
        daemon
            .client(["pause", "--reason", "to look"])
            .status
            .success()
    );
    fs::write(
        &file,
        WORKFLOW.replace("min_distance = 7", "min_distance = 9"),
    )
    .unwrap();
    daemon.signal("HUP");
    daemon.wait_for_plates(1, "complete");
    let set_back = |job: &str| -> Vec<i64> {
        let tasks = daemon.get(&format!("/api/v1/tasks?job={job}&limit=100"));
        let items = tasks["items"].as_array().unwrap().iter();
        items
            .filter(|t| t["state"] != "succeeded")
            .map(|t| t["id"].as_i64().unwrap())
            .collect()
    };
    daemon.wait("the plate is planned anew", || {
        set_back("tables").len() == 1
    });
    for (job, tasks) in [
        ("smooth", 0),
        ("mask", 0),
        ("nuclei", 4),
        ("measure", 4),
        ("light", 0),
    ] {
        assert_eq!(set_back(job).len(), tasks, "{job}");
    }
    let changed = [
        ("nuclei", "`nuclei`: parameters"),
        ("measure", "`measure`: upstream.nuclei"),
        ("tables", "`nuclei`: parameters"),
    ];
    for (job, ingredient) in changed {
        let id = set_back(job)[0].to_string();
        let output = daemon.client(["tasks", "explain", &id]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains(ingredient), "{job}: {text}");
    }
    assert!(daemon.client(["resume"]).status.success());
    daemon.wait_for_plates(1, "done");
}
