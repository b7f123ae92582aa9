//! `wellspring run`: a folder becomes containers and tables, and a second run does only what is new.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::path::{Path, PathBuf};

use black_box::binary::{json, run};
use black_box::daemon::example_workflow;
use black_box::synthetic::{PlateSpec, render, sites, write_plate};
use serde_json::Value;

fn small() -> PlateSpec {
    PlateSpec {
        rows: 2,
        columns: 3,
        sites: 1,
        side: 256,
        nuclei: 12,
        dead_well: Some((1, 1)),
        seed: 11,
    }
}

/// A folder with a plate and room for results.
fn plate() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let (plate, results) = (folder.path().join("plate-1"), folder.path().join("results"));
    write_plate(&small(), &plate).unwrap();
    (folder, plate, results)
}

fn run_json(workflow: &Path, plate: &Path, results: &Path, more: &[&str]) -> (i32, Value) {
    let mut arguments: Vec<String> = ["run", "--json"].map(str::to_owned).to_vec();
    arguments.extend([workflow, plate].map(|p| p.display().to_string()));
    arguments.extend(["-o".to_owned(), results.display().to_string()]);
    arguments.extend(more.iter().map(|s| (*s).to_owned()));
    let output = run(&arguments);
    (output.status.code().unwrap(), json(&output))
}

fn table(results: &Path, name: &str) -> Value {
    let file = results.join("plate-1/plate-1_table.hdf5");
    json(&run([
        "inspect",
        "--json",
        "--table",
        name,
        file.to_str().unwrap(),
    ]))
}

#[test]
fn counts_are_the_truth_and_a_second_run_does_nothing() {
    let (_folder, plate, results) = plate();
    let workflow = example_workflow("nuclei-and-cells.toml");
    let (code, first) = run_json(&workflow, &plate, &results, &[]);
    assert_eq!(code, 0, "{first}");
    assert_eq!(first["tasks"]["succeeded"], 6 * 9 + 1);
    let images = table(&results, "images/default");
    for site in sites(&small()) {
        let row = images["rows"]
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
        assert_eq!(
            row["n_cell_segmentation/objects"].as_f64(),
            Some(site.cells as f64),
            "{}",
            site.site
        );
    }
    let container = std::fs::read_dir(results.join("plate-1"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .find(|p| p.extension().is_some_and(|e| e == "h5"))
        .unwrap();
    let written = std::fs::metadata(&container).unwrap().modified().unwrap();
    let (code, dry) = run_json(&workflow, &plate, &results, &["--dry-run"]);
    assert_eq!(
        (code, dry["planned"].as_array().unwrap().len()),
        (0, 0),
        "{dry}"
    );
    let (code, _) = run_json(&workflow, &plate, &results, &[]);
    assert_eq!(code, 0);
    assert_eq!(
        std::fs::metadata(&container).unwrap().modified().unwrap(),
        written,
        "a finished container was written again"
    );
    assert!(
        !results.join("plate-1").read_dir().unwrap().any(|e| e
            .unwrap()
            .file_name()
            .to_string_lossy()
            .contains("partial"))
    );
}

#[test]
fn a_changed_parameter_reruns_that_job_and_what_follows() {
    let (folder, plate, results) = plate();
    let workflow = example_workflow("nuclei-and-cells.toml");
    assert_eq!(run_json(&workflow, &plate, &results, &[]).0, 0);
    let text = std::fs::read_to_string(&workflow).unwrap();
    let changed = folder.path().join("changed.toml");
    std::fs::write(
        &changed,
        text.replace("regularisation = 0.05", "regularisation = 0.5"),
    )
    .unwrap();
    let (_, dry) = run_json(&changed, &plate, &results, &["--dry-run"]);
    let mut jobs: Vec<&str> = dry["planned"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| t["job"].as_str().unwrap())
        .collect();
    jobs.sort_unstable();
    jobs.dedup();
    assert_eq!(jobs, ["cells", "measure-cells", "tables"], "{dry}");
    assert!(
        dry["planned"].to_string().contains("parameters"),
        "the reason names the ingredient: {dry}"
    );
    let (code, second) = run_json(&changed, &plate, &results, &[]);
    assert_eq!(
        (code, second["tasks"]["succeeded"].as_u64()),
        (0, Some(55)),
        "{second}"
    );
}

#[test]
fn one_bad_file_fails_alone_and_is_listed() {
    let (_folder, plate, results) = plate();
    let bad = plate.join(&sites(&small())[2].file);
    let bytes = std::fs::read(&bad).unwrap();
    std::fs::write(&bad, &bytes[..bytes.len() / 2]).unwrap();
    let workflow = example_workflow("nuclei-and-cells.toml");
    let (code, first) = run_json(&workflow, &plate, &results, &[]);
    assert_eq!(code, 1, "{first}");
    let failed = first["failed"].as_array().unwrap();
    assert!(
        !failed.is_empty() && failed.iter().all(|t| t["subject_name"] == "A03-0000"),
        "{first}"
    );
    let error = &failed[0]["error"];
    assert!(
        error["message"].as_str().unwrap().contains("Seq0002.tiff")
            && !error["remedy"].as_str().unwrap().is_empty(),
        "{error}"
    );
    let images = table(&results, "images/default");
    let row = |site: &str| {
        images["rows"]
            .as_array()
            .unwrap()
            .iter()
            .find(|r| r["site_name"] == site)
            .cloned()
            .unwrap()
    };
    assert_eq!(row("A03-0000")["is_outlier"], 1);
    assert_eq!(row("A01-0000")["is_outlier"], 0);
    assert_eq!(
        run_json(
            &workflow,
            &plate,
            &results,
            &["--ignore-failed-outputs", "--ignore-invalid-inputs"]
        )
        .0,
        0
    );
    // Repaired: only this image set, and what is made from the whole plate, runs again.
    std::fs::write(&bad, render(&small(), 2).unwrap()).unwrap();
    let (code, repaired) = run_json(&workflow, &plate, &results, &[]);
    assert_eq!(
        (code, repaired["tasks"]["succeeded"].as_u64()),
        (0, Some(55)),
        "{repaired}"
    );
    assert_eq!(
        table(&results, "images/default")["rows"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|r| r["is_outlier"] == 1)
            .count(),
        0
    );
}

/// A TIFF as [`render`] makes it, but black: a shutter that stayed closed.
fn black(side: u32) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let mut encoder = tiff::encoder::TiffEncoder::new(&mut bytes).unwrap();
    for _ in 0..2 {
        let pixels = vec![0_u16; (side * side) as usize];
        encoder
            .write_image::<tiff::encoder::colortype::Gray16>(side, side, &pixels)
            .unwrap();
    }
    bytes.into_inner()
}

#[test]
fn black_damaged_and_good_images_come_through_together() {
    let (_folder, plate, results) = plate();
    let files: Vec<PathBuf> = sites(&small())
        .iter()
        .map(|s| plate.join(&s.file))
        .collect();
    std::fs::write(&files[0], black(256)).unwrap();
    for (file, bytes) in [(1, 100_000), (2, 8), (3, 0)] {
        let whole = std::fs::read(&files[file]).unwrap();
        std::fs::write(&files[file], &whole[..bytes]).unwrap();
    }
    let workflow = example_workflow("nuclei-and-cells.toml");
    let (code, strict) = run_json(&workflow, &plate, &results, &[]);
    assert_eq!(code, 1, "{strict}");
    let failed = strict["failed"].as_array().unwrap();
    assert!(failed.iter().all(|f| f["blame"] == "input"), "{strict}");
    // Those that do not even look like images are listed as files.
    let unreadable = strict["invalid_inputs"].as_array().unwrap().len();
    let mut subjects: Vec<&str> = failed
        .iter()
        .map(|f| f["subject_name"].as_str().unwrap())
        .collect();
    subjects.dedup();
    assert_eq!(unreadable + subjects.len(), 3, "{strict}");
    let (code, ignored) = run_json(&workflow, &plate, &results, &["--ignore-invalid-inputs"]);
    assert_eq!(code, 0, "{ignored}");
    let images = table(&results, "images/default");
    let row = |site: &str| {
        let rows = images["rows"].as_array().unwrap();
        rows.iter().find(|r| r["site_name"] == site).cloned()
    };
    let dark = row("A01-0000").unwrap();
    assert_eq!(
        (
            &dark["is_outlier"],
            dark["n_nucleus_segmentation/objects"].as_f64()
        ),
        (&0.into(), Some(0.0)),
        "{dark}"
    );
    for site in ["B02-0000", "B03-0000"] {
        assert_eq!(row(site).unwrap()["is_outlier"], 0, "{site}");
    }
    for site in subjects {
        assert_eq!(row(site).unwrap()["is_outlier"], 1, "{site}");
    }
}

#[test]
fn a_plate_of_one_site_has_all_its_tables() {
    let folder = tempfile::tempdir().unwrap();
    let (plate, results) = (folder.path().join("plate-1"), folder.path().join("results"));
    let one = PlateSpec {
        rows: 1,
        columns: 1,
        dead_well: None,
        ..small()
    };
    write_plate(&one, &plate).unwrap();
    let workflow = example_workflow("nuclei-and-cells.toml");
    assert_eq!(run_json(&workflow, &plate, &results, &[]).0, 0);
    for name in ["images/default", "wells/default", "plate/default"] {
        let rows = table(&results, name)["rows"].as_array().unwrap().len();
        assert_eq!(rows, 1, "{name}");
    }
}

#[test]
fn mistakes_are_explained() {
    let (folder, plate, results) = plate();
    let workflow = folder.path().join("typo.toml");
    std::fs::write(&workflow, "name = \"x\"\nversion = \"1\"\n[channels]\nDAPI = \"nuclei\"\n[[job]]\nid = \"a\"\nkind = \"filter.gausian\"\ninput = \"nuclei\"\noutput = \"b\"\n").unwrap();
    let output = run([
        "run",
        workflow.to_str().unwrap(),
        plate.to_str().unwrap(),
        "-o",
        results.to_str().unwrap(),
    ]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(text.contains("did you mean `filter.gaussian`?"), "{text}");
    let output = run(["run", "--nonsense"]);
    assert_eq!(output.status.code(), Some(2), "a usage mistake");
}
