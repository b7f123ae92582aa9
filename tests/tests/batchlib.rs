//! The plates that BatchLib's own code processed, through the real program: images and label images exact, tables equal.
//!
//! Needs the reference data beside the repository and a Python with h5py; prints `skipped` without them.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::path::{Path, PathBuf};
use std::process::Command;

use black_box::binary::{json, python, repository, run, shared};
use serde_json::Value;

/// What differs from BatchLib, and why; `docs/correctness.md` tells the same.
const EXCEPTIONS: [(&str, &str); 3] = [
    (
        "ERROR pixels     x1    serum_per_cell_mean/s0:",
        "float32 rounding of a cell's mean before the background is taken from it, 1e-4 grey values",
    ),
    (
        "ERROR pixels     x4    serum_per_cell_mean/s1+:",
        "the scale levels of the same cell",
    ),
    (
        "ERROR table      x2    plate/analysis_parameter: 1",
        "BatchLib writes the table's file name where the plate's name belongs",
    ),
];

struct Golden {
    /// `plain` or `corrected`.
    run: &'static str,
    plate: &'static str,
    /// Images that BatchLib's networks made; ours begins with them.
    given: &'static [&'static str],
}

/// Puts the plate and what BatchLib's networks made of it into a folder, and writes the workflow with its paths.
fn prepare(golden: &Path, case: &Golden, python: &str, work: &Path) -> (PathBuf, PathBuf, PathBuf) {
    let (plate, results) = (work.join(case.plate), work.join("results"));
    std::fs::create_dir_all(&plate).unwrap();
    for entry in golden.join("input").join(case.plate).read_dir().unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), plate.join(entry.file_name())).unwrap();
    }
    let target = results.join(case.plate);
    std::fs::create_dir_all(&target).unwrap();
    let script = "
import glob, h5py, os, sys
source, target = sys.argv[1:3]
for path in glob.glob(os.path.join(source, '*.h5')):
    with h5py.File(path, 'r') as f, h5py.File(os.path.join(target, os.path.basename(path)), 'w') as g:
        for name in sys.argv[3:]:
            f.copy(name, g)";
    let made = Command::new(python)
        .args(["-c", script])
        .arg(golden.join("runs").join(case.run).join(case.plate))
        .arg(&target)
        .args(case.given)
        .status()
        .unwrap();
    assert!(made.success());
    let name = format!("golden-{}.toml", case.run);
    let text = std::fs::read_to_string(repository().join("tests/workflows").join(&name)).unwrap();
    let misc = golden.join("misc").display().to_string();
    let text = text
        .replace("TAGS/", &format!("{misc}/tagged_outliers/"))
        .replace("CORRECTORS", &format!("{misc}/barrel_correctors/golden"))
        .replace(
            "BACKGROUNDS",
            &format!("{misc}/plates_to_background_well_new.json"),
        );
    let workflow = work.join(name);
    std::fs::write(&workflow, text).unwrap();
    (workflow, plate, results)
}

fn compared_with_batchlib(case: &Golden) {
    let (Some(golden), Some(python)) = (shared("golden/batchlib"), python()) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (workflow, plate, results) = prepare(&golden, case, &python, folder.path());
    let arguments = ["run", "--json", "-o"].map(str::to_owned);
    let paths = [&results, &workflow, &plate].map(|p| p.display().to_string());
    let output = run(arguments.iter().chain(&paths));
    let summary = json(&output);
    assert!(output.status.success(), "{summary}");
    assert_eq!(
        summary["failed"].as_array().map(Vec::len),
        Some(0),
        "{summary}"
    );

    let compare = Command::new(&python)
        .arg(golden.with_file_name("compare.py"))
        .arg(golden.join("runs").join(case.run).join(case.plate))
        .arg(results.join(case.plate))
        // Exports have a test of their own. Status files are written on request.
        .args(["--skip", "status,export"])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&compare.stdout);
    assert!(
        told.contains("TOTAL"),
        "{}",
        String::from_utf8_lossy(&compare.stderr)
    );
    let known = |line: &str| EXCEPTIONS.iter().any(|(begin, _)| line.starts_with(begin));
    let errors: Vec<&str> = told
        .lines()
        .filter(|line| line.starts_with("ERROR") && !known(line))
        .collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
    parameters_are_batchlibs(&golden, case, &results);
}

/// The one table whose key differs: its other columns must not.
fn parameters_are_batchlibs(golden: &Path, case: &Golden, results: &Path) {
    let row = |folder: &Path| -> Value {
        let file = folder.join(format!("{0}/{0}_table.hdf5", case.plate));
        let arguments = ["inspect", "--json", "--table", "plate/analysis_parameter"];
        let arguments = arguments.map(str::to_owned);
        json(&run(arguments.iter().chain([&file.display().to_string()])))["rows"][0].clone()
    };
    let (theirs, ours) = (row(&golden.join("runs").join(case.run)), row(results));
    for (name, value) in theirs.as_object().unwrap() {
        match name.as_str() {
            "plate_name" => assert_eq!(ours[name], case.plate),
            // BatchLib says that it ignores nuclei where it does not; the reference was made with the check of ratios on, which
            // never holds there.
            "ignore_nuclei" | "qc_wells_check_ratios" => assert_eq!(ours[name], "False"),
            _ => assert_eq!(ours[name], *value, "{name}"),
        }
    }
}

#[test]
fn a_plate_without_correction_equals_batchlibs() {
    compared_with_batchlib(&Golden {
        run: "plain",
        plate: "goldA",
        given: &[
            "mask",
            "boundaries",
            "nucleus_segmentation",
            "local_infected",
            "local_not_infected",
        ],
    });
}

#[test]
fn a_corrected_plate_with_two_sera_equals_batchlibs() {
    compared_with_batchlib(&Golden {
        run: "corrected",
        plate: "goldAcorr",
        given: &["mask", "boundaries", "nucleus_segmentation"],
    });
}
