//! `container.format = "n5"`: the same results in another form.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use black_box::binary::{json, python, repository, run, wellspring};
use black_box::crash::Plans;
use black_box::daemon::example_workflow;
use black_box::synthetic::{PlateSpec, write_plate};
use faults::{Action, Plan, Point, Role};
use serde_json::Value;

const SPEC: PlateSpec = PlateSpec {
    rows: 1,
    columns: 2,
    sites: 2,
    side: 300,
    nuclei: 9,
    dead_well: None,
    seed: 5,
};

/// Runs the workflow in a format and returns the folder of the plate's results.
fn results(folder: &Path, format: &str) -> PathBuf {
    let text = fs::read_to_string(example_workflow("nuclei-and-cells.toml")).unwrap();
    let (begin, rest) = text.split_once("[container]\n").unwrap();
    let workflow = folder.join(format!("{format}.toml"));
    fs::write(
        &workflow,
        format!("{begin}[container]\nformat = \"{format}\"\n{rest}"),
    )
    .unwrap();
    let output = folder.join(format!("results-{format}"));
    run_into(&workflow, &folder.join("plate-1"), &output);
    output.join("plate-1")
}

fn run_into(workflow: &Path, plate: &Path, output: &Path) -> Value {
    let done = run(["run", "--json"].map(PathBuf::from).into_iter().chain([
        workflow.to_owned(),
        plate.to_owned(),
        "-o".into(),
        output.to_owned(),
    ]));
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    json(&done)
}

fn containers(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    let mut found: Vec<_> = entries
        .filter(|p| p.extension().is_some_and(|e| e == extension))
        .collect();
    found.sort();
    found
}

/// Groups, shapes, types and attributes below a node, as `inspect` lists them: what does not depend on the format.
fn outline(node: &Value, path: &str, out: &mut Vec<String>) {
    let mut attributes: Vec<Value> = node["attributes"].as_array().cloned().unwrap_or_default();
    // The format is an ingredient of the keys, and the size of the text form on disk is what it is.
    attributes.retain(|a| a[0] != "cells_bytes" && a[0] != "wellspring_key");
    for attribute in &mut attributes {
        if let Ok(mut made_by) = serde_json::from_str::<Value>(attribute[1].as_str().unwrap_or(""))
            && let Some(fields) = made_by.as_object_mut()
        {
            fields.remove("key");
            attribute[1] = made_by;
        }
    }
    let mut shape: Vec<u64> = serde_json::from_value(node["shape"].clone()).unwrap_or_default();
    let mut dtype = node["dtype"].as_str().unwrap_or("group").to_owned();
    if path.starts_with("/tables") || path.starts_with("/typed") {
        // Texts: of fixed length in one format, with an axis for their bytes in the other.
        if dtype == "uint8" && !path.ends_with("/visible") {
            let width = shape.pop().unwrap();
            dtype = format!("text {width}");
        } else if !["group", "int64", "float64", "uint8"].contains(&dtype.as_str()) {
            let digits: String = dtype.chars().filter(char::is_ascii_digit).collect();
            dtype = format!("text {digits}");
        }
    }
    let attributes = Value::Array(attributes);
    out.push(format!("{path} {dtype} {shape:?} {attributes}"));
    for member in node["members"].as_array().into_iter().flatten() {
        let name = member["name"].as_str().unwrap();
        outline(member, &format!("{path}/{name}"), out);
    }
}

fn outline_of(path: &Path) -> Vec<String> {
    let found = json(&run([Path::new("inspect"), Path::new("--json"), path]));
    let mut out = Vec::new();
    outline(&found["root"], "", &mut out);
    out
}

fn table(path: &Path, name: &str) -> Value {
    let arguments = ["inspect", "--json", "--table", name].map(PathBuf::from);
    json(&run(arguments.into_iter().chain([path.to_owned()])))
}

#[test]
fn a_plate_has_the_same_results_in_both_formats() {
    let folder = tempfile::tempdir().unwrap();
    write_plate(&SPEC, &folder.path().join("plate-1")).unwrap();
    let (h5, n5) = (results(folder.path(), "h5"), results(folder.path(), "n5"));
    let (files, folders) = (containers(&h5, "h5"), containers(&n5, "n5"));
    assert_eq!((files.len(), folders.len()), (4, 4));
    assert!(containers(&n5, "h5").is_empty());
    for (file, tree) in files.iter().zip(&folders) {
        assert_eq!(file.file_stem(), tree.file_stem());
        let (of_file, of_tree) = (outline_of(file), outline_of(tree));
        for (line, other) in of_file.iter().zip(&of_tree) {
            assert_eq!(line, other);
        }
        assert_eq!(of_file.len(), of_tree.len());
        for name in ["nucleus_segmentation/objects", "cell_segmentation/objects"] {
            let objects = table(file, name);
            assert!(!objects["rows"].as_array().unwrap().is_empty());
            assert_eq!(objects, table(tree, name));
        }
    }
    // The table of the plate is an HDF5 file in both: PlateViewer looks for it.
    for name in ["images/default", "wells/default"] {
        let of = |folder: &Path| table(&folder.join("plate-1_table.hdf5"), name);
        assert_eq!(of(&h5), of(&n5));
    }
    // Another run does nothing; another format makes all of it again, beside what is there.
    let inode = |path: &Path| std::os::unix::fs::MetadataExt::ino(&path.metadata().unwrap());
    let before = inode(&folders[0]);
    let plate = folder.path().join("plate-1");
    let (workflow, output) = (
        folder.path().join("n5.toml"),
        folder.path().join("results-n5"),
    );
    run_into(&workflow, &plate, &output);
    assert_eq!(
        inode(&folders[0]),
        before,
        "a finished container was written again"
    );
    run_into(&folder.path().join("h5.toml"), &plate, &output);
    assert_eq!(
        (containers(&n5, "h5").len(), containers(&n5, "n5").len()),
        (4, 4)
    );
    let hidden = fs::read_dir(&n5).unwrap().map(|e| e.unwrap().file_name());
    let hidden: Vec<_> = hidden
        .filter(|n| n.to_string_lossy().starts_with('.'))
        .collect();
    assert!(hidden.is_empty(), "{hidden:?}");

    let Some(python) = python() else { return };
    let output = Command::new(python)
        .arg(repository().join("tests/readers/n5.py"))
        .args([&h5, &n5])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A folder is published in the steps in which a file is; a worker is killed at each of them while it replaces one.
#[test]
fn a_worker_that_is_killed_at_any_step_of_publishing_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (plate, output) = (folder.path().join("plate-1"), folder.path().join("results"));
    let one = PlateSpec {
        columns: 1,
        sites: 1,
        side: 96,
        nuclei: 2,
        ..SPEC
    };
    write_plate(&one, &plate).unwrap();
    let workflow = folder.path().join("workflow.toml");
    let job = |id: &str, input: &str, sigma: usize| {
        format!(
            "[[job]]\nid = \"{id}\"\nkind = \"filter.gaussian\"\ninput = \"{input}\"\noutput = \"{id}_image\"\nsigma = {sigma}.0\n"
        )
    };
    let write = |sigma: usize| {
        let head = "name = \"n5\"\nversion = \"1\"\n[channels]\nDAPI = \"nuclei\"\nWF_GFP = \"cells\"\n[container]\nformat = \"n5\"\n";
        let jobs = [job("kept", "cells", 1), job("changed", "nuclei", sigma)];
        fs::write(&workflow, format!("{head}{}", jobs.concat())).unwrap();
    };
    write(1);
    run_into(&workflow, &plate, &output);
    let results = output.join("plate-1");
    let plans = Plans::new(folder.path().join("plans"));
    let steps = [
        Point::ContainerAssembled,
        Point::PublishCreated,
        Point::PublishHalf,
        Point::PublishWritten,
        Point::PublishSynced,
        Point::PublishRenamed,
        Point::PublishDurable,
    ];
    for (sigma, point) in (2..).zip(steps) {
        write(sigma);
        let plan = Plan {
            action: Action::Kill,
            after: 0,
            role: Some(Role::Worker),
        };
        let before = plans.plant(point, plan);
        let done = Command::new(wellspring())
            .args([
                "run".as_ref(),
                workflow.as_os_str(),
                plate.as_os_str(),
                "-o".as_ref(),
                output.as_os_str(),
            ])
            .env(faults::VARIABLE, plans.folder())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{}: {said}", point.name());
        assert_eq!(
            plans.hits().len(),
            before + 1,
            "{} was not reached: {said}",
            point.name()
        );
        let names: Vec<_> = fs::read_dir(&results)
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        assert_eq!(names.len(), 1, "{}: {names:?}", point.name());
        let outline = outline_of(&results.join(&names[0])).join("\n");
        assert!(
            outline.contains(&format!("\"parameters\":{{\"sigma\":{sigma}.0")),
            "{outline}"
        );
        for image in [
            "/nuclei/s0",
            "/cells/s0",
            "/kept_image/s4",
            "/changed_image/s4",
        ] {
            assert!(
                outline.contains(&format!("\n{image} ")),
                "{image}: {outline}"
            );
        }
    }
}
