//! A screen whose scores are known, with everything that goes wrong on a plate.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use black_box::binary::{json, repository, run};
use black_box::daemon::{Daemon, example_workflow};
use black_box::screen::{CELLS, Well, file, write};
use serde_json::Value;

const INFECTED_CELLS: usize = CELLS.div_ceil(3);

/// Two good wells, one of a single site, and one without cells.
const WELLS: [Well; 4] = [
    Well {
        name: "A01",
        sites: 2,
        infected: 900,
        control: 300,
    },
    Well {
        name: "A02",
        sites: 1,
        infected: 450,
        control: 300,
    },
    Well {
        name: "A03",
        sites: 2,
        infected: 300,
        control: 300,
    },
    Well {
        name: "B01",
        sites: 2,
        infected: 0,
        control: 0,
    },
];

struct Screen {
    _folder: tempfile::TempDir,
    plate: PathBuf,
    results: PathBuf,
    workflow: PathBuf,
}

impl Screen {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (plate, results) = (
            folder.path().join("screen-1"),
            folder.path().join("results"),
        );
        write(&WELLS, &plate).unwrap();
        let workflow = folder.path().join("screen.toml");
        std::fs::copy(repository().join("tests/workflows/screen.toml"), &workflow).unwrap();
        Self {
            _folder: folder,
            plate,
            results,
            workflow,
        }
    }

    /// Changes the workflow file.
    fn edit(&self, from: &str, to: &str) {
        let text = std::fs::read_to_string(&self.workflow).unwrap();
        assert!(text.contains(from), "{from}");
        std::fs::write(&self.workflow, text.replacen(from, to, 1)).unwrap();
    }

    fn run(&self, more: &[&str]) -> (i32, Value) {
        let mut arguments: Vec<String> = ["run", "--json", "-o"].map(str::to_owned).to_vec();
        let paths: [&Path; 3] = [&self.results, &self.workflow, &self.plate];
        arguments.extend(paths.map(|p| p.display().to_string()));
        arguments.extend(more.iter().map(|s| (*s).to_owned()));
        let output = run(&arguments);
        (output.status.code().unwrap(), json(&output))
    }

    /// Jobs that would run, and on how many subjects.
    fn planned(&self) -> Vec<(String, usize)> {
        let (_, dry) = self.run(&["--dry-run"]);
        let jobs = dry["planned"].as_array().unwrap();
        let names: BTreeSet<&str> = jobs.iter().filter_map(|j| j["job"].as_str()).collect();
        names
            .into_iter()
            .map(|name| {
                let count = jobs.iter().filter(|j| j["job"] == name).count();
                (name.to_owned(), count)
            })
            .collect()
    }

    fn row(&self, table: &str, key: &str, value: &str) -> Value {
        let file = self.results.join("screen-1/screen-1_table.hdf5");
        let arguments = [
            "inspect",
            "--json",
            "--table",
            table,
            file.to_str().unwrap(),
        ];
        let table = json(&run(arguments));
        let rows = table["rows"].as_array().unwrap();
        let found = rows.iter().find(|row| row[key] == value).cloned();
        found.unwrap_or_else(|| panic!("no {value} in {table}"))
    }
}

fn close(value: &Value, expected: f64) {
    let found = value.as_f64().unwrap_or(f64::NAN);
    assert!(
        (found - expected).abs() < 0.01 * expected,
        "{found} is not {expected}"
    );
}

#[test]
fn scores_are_the_truth_and_bad_images_are_left_out() {
    let screen = Screen::new();
    // Half a file: only the other site of its well counts.
    let whole = std::fs::read(screen.plate.join(file("A03", 1))).unwrap();
    std::fs::write(screen.plate.join(file("A03", 1)), &whole[..whole.len() / 2]).unwrap();
    let (code, strict) = screen.run(&[]);
    assert_eq!(code, 1, "an unreadable image is told: {strict}");
    let (code, summary) = screen.run(&["--ignore-invalid-inputs"]);
    assert_eq!(code, 0, "{summary}");
    for task in summary["failed"].as_array().unwrap() {
        assert_eq!(task["error"]["code"], "damaged-file", "{task}");
    }
    for well in &WELLS[..3] {
        let row = screen.row("wells/serum_IgG", "well_name", well.name);
        let ratio = f64::from(well.infected) / f64::from(well.control);
        close(&row["serum_ratio_of_q0.5_of_means"], ratio);
        let sites = if well.name == "A03" { 1 } else { well.sites };
        let infected = INFECTED_CELLS * sites as usize;
        assert_eq!(row["n_infected"].as_f64(), Some(infected as f64), "{row}");
        assert_eq!(
            row["n_cells"].as_f64(),
            Some((CELLS * sites as usize) as f64)
        );
        assert_eq!(row["is_outlier"], 0);
    }
    // Cells that are three times as bright differ by no chance; equal ones may.
    let p = |well: &str| {
        let row = screen.row("wells/serum_IgG", "well_name", well);
        row["serum_pvalue_of_q0.5_of_means"].as_f64()
    };
    assert!(p("A01").unwrap() < 1e-4, "{:?}", p("A01"));
    // A well in which no image has cells is no answer, and says so.
    let empty = screen.row("wells/default", "well_name", "B01");
    assert_eq!(empty["IgG_is_outlier"], 1);
    assert_eq!(empty["IgG_outlier_type"], "all images are outliers");
    assert!(empty["score"].is_null(), "{empty}");
    // People find the same in the pictures and on the page.
    let read = |file: &str| std::fs::read_to_string(screen.results.join("screen-1").join(file));
    let picture = read("plots/screen-1_score_per-well.svg").unwrap();
    assert!(picture.contains("A01") && picture.contains("all images are outliers"));
    let page = read("screen-1_summary.md").unwrap();
    assert!(page.contains("all images are outliers"), "{page}");
    let image = screen.row("images/outliers", "site_name", "B01-0000");
    assert_eq!(
        image["outlier_type"],
        "manual: -1; heuristic: too few cells"
    );
}

#[test]
fn a_missing_background_well_fails_clearly_and_only_what_follows_is_run_after() {
    let screen = Screen::new();
    screen.edit("from = \"min\"", "from = [\"H12\"]");
    let (code, summary) = screen.run(&[]);
    assert_eq!(code, 1);
    let failed = summary["failed"].as_array().unwrap();
    assert_eq!(failed.len(), 1, "{summary}");
    assert_eq!(failed[0]["error"]["code"], "no-background-well");
    let message = failed[0]["error"]["message"].as_str().unwrap();
    assert!(message.contains("H12"), "{message}");
    // What does not need it is there.
    screen.row("plate/backgrounds", "plate_name", "screen-1");
    screen.edit("from = [\"H12\"]", "from = \"min\"");
    let jobs: Vec<String> = screen.planned().into_iter().map(|(job, _)| job).collect();
    assert_eq!(
        jobs,
        [
            "background-of-plate",
            "heatmaps",
            "merge",
            "report",
            "scores",
            "well-qc"
        ]
    );
    let (code, summary) = screen.run(&[]);
    assert_eq!(code, 0, "{summary}");
    screen.row("wells/default", "well_name", "A01");
}

#[test]
fn a_changed_threshold_reruns_that_job_and_what_follows_nothing_else() {
    let screen = Screen::new();
    let (code, summary) = screen.run(&[]);
    assert_eq!(code, 0, "{summary}");
    assert!(screen.planned().is_empty());
    let one = |jobs: &[&str]| -> Vec<(String, usize)> {
        jobs.iter().map(|job| ((*job).to_owned(), 1)).collect()
    };
    screen.edit("min_control_cells = 1", "min_control_cells = 1000");
    assert_eq!(
        screen.planned(),
        one(&["heatmaps", "merge", "report", "scores", "well-qc"])
    );
    assert_eq!(screen.run(&[]).0, 0);
    let row = screen.row("wells/default", "well_name", "A01");
    assert_eq!(row["IgG_outlier_type"], "too few control cells");
    assert!(row["score"].is_null(), "outliers have no score: {row}");

    // A job of image sets: each of the seven, and the plate jobs behind it.
    screen.edit("min_cell_size = 20", "min_cell_size = 21");
    let mut expected = one(&[
        "cell-qc", "heatmaps", "merge", "report", "scores", "well-qc",
    ]);
    expected[0].1 = 7;
    assert_eq!(screen.planned(), expected);
    assert_eq!(screen.run(&[]).0, 0);

    // One more well: its image set, and what looks at the whole plate. Cells and features of the others stay.
    let more = Well {
        name: "C05",
        sites: 1,
        infected: 600,
        control: 200,
    };
    write(&[more], &screen.plate).unwrap();
    let planned = screen.planned();
    let of = |job: &str| {
        planned
            .iter()
            .find(|(j, _)| j == job)
            .map_or(0, |(_, n)| *n)
    };
    assert_eq!(
        (of("features"), of("nuclei"), of("cell-qc")),
        (1, 1, 1),
        "{planned:?}"
    );
    assert_eq!(
        of("infected"),
        8,
        "the background of the plate may be another"
    );
    assert_eq!((of("image-qc"), of("scores")), (1, 1));
    assert_eq!(screen.run(&[]).0, 0);
    close(
        &screen.row("wells/serum_IgG", "well_name", "C05")["serum_ratio_of_q0.5_of_means"],
        3.0,
    );
}

/// The shipped workflow of the published assay, with thresholds in place of the networks and limits for small drawn cells.
fn assay_without_networks() -> String {
    let shipped = example_workflow("cell-analysis.toml");
    format!(
        r#"
name = "assay"
version = "1"
extends = "{}"
[[job]]
id = "boundaries"
kind = "filter.gaussian"
input = "nuclei"
output = "boundaries"
sigma = 1.0
[[job]]
id = "foreground"
kind = "segment.threshold"
input = "nuclei"
output = "mask"
minimum = 600.0
[[job]]
id = "nuclei"
kind = "segment.declump"
input = "mask"
output = "nucleus_segmentation"
min_distance = 7
[[job]]
id = "cells"
erode_mask = 1
dilate_seeds = 1
[[job]]
id = "image-qc"
min_cells = 2
[[job]]
id = "image-qc-{{each}}"
min_cells = 2
[[job]]
id = "cell-qc-{{each}}"
min_cell_size = 20
[[job]]
id = "well-qc-{{each}}"
min_control_cells = 1
[[job]]
id = "background-of-plate"
from = "min"
"#,
        shipped.display()
    )
}

#[test]
fn the_published_assay_runs_in_the_daemon_and_grows_with_its_plate() {
    let folder = tempfile::tempdir().unwrap();
    let workflow = folder.path().join("assay.toml");
    std::fs::write(&workflow, assay_without_networks()).unwrap();
    let daemon = Daemon::start(
        &workflow,
        "plate_complete = [\"sentinel:FINISHED\"]\nstatus_files = true",
    );
    let plate = daemon.folder("drop").join("screen-1");
    write(&WELLS, &plate).unwrap();
    std::fs::write(plate.join("FINISHED"), "x").unwrap();
    daemon.wait_for_plates(1, "done");
    let results = daemon.folder("results").join("screen-1");
    let row = |table: &str, key: &str, value: &str| {
        let file = results.join("screen-1_table.hdf5");
        let arguments = [
            "inspect",
            "--json",
            "--table",
            table,
            file.to_str().unwrap(),
        ];
        let table = json(&run(arguments));
        let rows = table["rows"].as_array().unwrap();
        rows.iter().find(|row| row[key] == value).cloned()
    };
    for well in &WELLS[..3] {
        let found = row("wells/default", "well_name", well.name).unwrap();
        close(
            &found["score"],
            f64::from(well.infected) / f64::from(well.control),
        );
    }
    for file in [
        "plots/screen-1_IgG_ratio_of_q0.5_of_means_per-well.png",
        "screen-1_summary.html",
        "screen-1_well_table.csv",
    ] {
        assert!(results.join(file).is_file(), "{file}");
    }
    // Written for scripts once the plate is done.
    let status = results.join("batchlib/CellLevelQCserum_IgG.status");
    daemon.wait("the status files are there", || status.is_file());
    // Pictures for people: infected cells are where they were drawn.
    let container = results.join(file("A01", 0)).with_extension("h5");
    let seen = json(&run(["inspect", "--json", container.to_str().unwrap()])).to_string();
    for image in [
        "infected_cell_mask",
        "serum_per_cell_mean",
        "serum_IgG_background_subtracted",
    ] {
        assert!(seen.contains(image), "{image}");
    }

    // One more well arrives after all was done: it is computed, the plate's tables with it.
    let more = Well {
        name: "C05",
        sites: 1,
        infected: 600,
        control: 200,
    };
    write(&[more], &plate).unwrap();
    daemon.rescan();
    daemon.wait("the new well has its score", || {
        row("wells/default", "well_name", "C05").is_some()
    });
    daemon.wait_for_plates(1, "done");
    let found = row("wells/default", "well_name", "C05").unwrap();
    close(&found["score"], 3.0);
}
