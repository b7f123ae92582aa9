//! Reports of a plate, through a whole plate pass.
#![allow(missing_docs, clippy::unwrap_used)]

use std::path::Path;
use std::sync::Arc;

use config::WorkflowFile;
use image_io::container::{ContainerWriter, VisibleType};
use image_io::table::{Column, Table};
use workflow::pass::{JobOutcome, JobRequest, PassReport, PassRequest, Subject};
use workflow::{PlateMember, Workflow};

const JOBS: &str = r#"
name = "it"
version = "7"
[[job]]
id = "measure"
kind = "measure.objects"
input = { labels = "cells" }
output = "objects"
[[job]]
id = "tables"
kind = "summarise.objects"
input = "objects"
output = "default"
[[job]]
id = "maps"
kind = "report.heatmap"
input = "default"
columns = ["area_*", "n_objects", "no_such"]
range = [0.0, 30.0]
[[job]]
id = "files"
kind = "export.tables"
input = { tables = ["default"], objects = ["objects"] }
formats = ["csv", "xlsx", "parquet"]
[[job]]
id = "summary"
kind = "report.summary"
input = "default"
columns = ["area_mean"]
"#;

fn compile(text: &str) -> Result<Workflow, String> {
    let file = WorkflowFile::from_str(text, Path::new("/")).map_err(|e| e.to_string())?;
    Workflow::compile(&file).map_err(|mistakes| {
        let texts: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        texts.join("\n")
    })
}

/// Image sets with object tables; the second never got a channel, and has none.
fn members(folder: &Path) -> Vec<PlateMember> {
    let member = |name: &str, areas: &[i64]| {
        let container = folder.join(format!("{name}.h5"));
        if !areas.is_empty() {
            let table = Table {
                columns: vec![
                    Column::int("label_id", (1..=areas.len() as i64).collect()),
                    Column::int("area", areas.to_vec()),
                    Column::float("centroid_y", vec![1.5; areas.len()]),
                    Column::float("centroid_x", vec![2.5; areas.len()]),
                ],
            };
            let mut writer = ContainerWriter::create(&container, None).unwrap();
            writer
                .add_table("objects", &table, VisibleType::U8)
                .unwrap();
            writer.commit().unwrap();
        }
        PlateMember {
            name: name.to_owned(),
            well: name.split('-').next().unwrap().parse().unwrap(),
            site: 0,
            timepoint: None,
            container,
            planes: Vec::new(),
            inputs: Vec::new(),
            missing: areas
                .is_empty()
                .then(|| "channel DAPI never came".to_owned()),
            failures: Default::default(),
        }
    };
    vec![
        member("A01-0000", &[10, 20]),
        member("A01-0001", &[]),
        member("H12-0000", &[30, 40, 50]),
    ]
}

fn run(workflow: Workflow, folder: &Path) -> PassReport {
    let request = PassRequest {
        pass: 1,
        plate: "plate".to_owned(),
        plate_dir: folder.to_owned(),
        subject: Subject::Plate {
            members: members(folder),
        },
        scratch: folder.join("scratch"),
        jobs: workflow
            .jobs
            .iter()
            .map(|job| JobRequest {
                job: job.id.clone(),
                key: "key".to_owned(),
            })
            .collect(),
    };
    workflow::pass::run(&Arc::new(workflow), &request, &mut |_| {})
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn pictures_files_and_a_summary() {
    let folder = tempfile::tempdir().unwrap();
    let plate = folder.path().join("plate");
    std::fs::create_dir(&plate).unwrap();
    let report = run(compile(JOBS).unwrap(), &plate);
    for job in ["tables", "maps", "files", "summary"] {
        assert_eq!(report.outcomes[job], JobOutcome::Succeeded, "{job}");
    }
    let mut expected = Vec::new();
    for column in ["area_mean", "area_median", "n_objects", "no_such"] {
        for style in ["per-image", "per-well"] {
            for extension in ["png", "svg"] {
                expected.push(format!("plate_{column}_{style}.{extension}"));
            }
        }
    }
    assert_eq!(names(&plate.join("plots")), expected);
    let svg = |name: &str| std::fs::read_to_string(plate.join("plots").join(name)).unwrap();
    let map = svg("plate_area_mean_per-well.svg");
    assert!(map.contains("<title>A01: 15</title>") && map.contains("<title>H12: 40</title>"));
    let images = svg("plate_area_mean_per-image.svg");
    assert!(images.contains("A01-0001: no result, failed: channel DAPI never came"));
    assert!(svg("plate_no_such_per-well.svg").contains("no column"));

    let cells = std::fs::read_to_string(plate.join("plate_cell_table_objects.csv")).unwrap();
    let lines: Vec<&str> = cells.lines().collect();
    assert_eq!(
        lines[0],
        "plate_name,well_name,site_name,anchor_x,anchor_y,label_id,area,centroid_y,centroid_x"
    );
    assert_eq!(lines[1], "plate,A01,A01-0000,2.5,1.5,1,10,1.5,2.5");
    assert_eq!(lines.len(), 6);
    for stem in [
        "image_table",
        "well_table",
        "plate_table",
        "cell_table_objects",
    ] {
        for extension in ["csv", "xlsx", "parquet"] {
            assert!(
                plate.join(format!("plate_{stem}.{extension}")).exists(),
                "{stem}"
            );
        }
    }

    let summary = std::fs::read_to_string(plate.join("plate_summary.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
    assert_eq!(summary["made_by"]["workflow"], "it");
    assert_eq!(summary["made_by"]["workflow_version"], "7");
    assert_eq!(summary["images"]["total"], 3);
    assert_eq!(
        summary["failed_images"][0]["reason"],
        "channel DAPI never came"
    );
    assert_eq!(summary["columns"][0]["median"], 27.5);
    let html = std::fs::read_to_string(plate.join("plate_summary.html")).unwrap();
    assert!(html.contains("<svg") && !html.contains("<script"));
    let left: Vec<String> = names(&plate)
        .into_iter()
        .filter(|n| n.ends_with(".partial"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn mistakes_are_found_before_anything_runs() {
    for (from, to, told) in [
        (
            "range = [0.0, 30.0]",
            "range = [3.0, 1.0]",
            "`range` must be",
        ),
        (
            "range = [0.0, 30.0]",
            "format = 95",
            "`format` must be one of 6, 12",
        ),
        ("range = [0.0, 30.0]", "colors = \"rainbow\"", "rainbow"),
        (
            "columns = [\"area_*\", \"n_objects\", \"no_such\"]",
            "",
            "`columns` is empty",
        ),
        ("\"csv\", \"xlsx\", \"parquet\"", "", "`formats` is empty"),
        (
            "formats =",
            "decimals = 16\nformats =",
            "`decimals` must be",
        ),
        (
            "input = \"default\"\ncolumns = [\"area_mean\"]",
            "input = [\"default\", \"images/default\"]",
            "more than one of images",
        ),
        (
            "input = { tables = [\"default\"], objects = [\"objects\"] }",
            "",
            "`tables` or `objects`",
        ),
    ] {
        let text = JOBS.replace(from, to);
        assert_ne!(text, JOBS, "{from}");
        let error = compile(&text).err().unwrap_or_default();
        assert!(error.contains(told), "{told}: {error}");
    }
}
