//! `wellspring ilastik` as a script for headless ilastik would call it.
#![allow(clippy::unwrap_used, missing_docs)]

use black_box::binary::{shared, wellspring};
use std::process::Command;

#[test]
fn a_script_for_headless_ilastik_runs_and_one_bad_file_is_left_out() {
    let Some(golden) = shared("golden/ilastik/pc_2d_1ch") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    let good = out.join("an image.png");
    std::fs::copy(golden.join("Data_1channel.png"), &good).unwrap();
    let bad = out.join("bad.png");
    std::fs::write(&bad, "no picture").unwrap();
    let run = Command::new(wellspring())
        .args(["ilastik", "predict", "--headless", "--readonly"])
        .arg(format!(
            "--project={}",
            golden.join("project.ilp").display()
        ))
        .args([
            "--export_source=Simple Segmentation",
            "--output_format=numpy",
        ])
        .arg("--raw_data")
        .args([&bad, &good])
        .output()
        .unwrap();
    assert_eq!(run.status.code(), Some(1));
    let messages = String::from_utf8_lossy(&run.stderr);
    assert!(
        messages.contains("bad.png") && messages.contains("hint:"),
        "{messages}"
    );
    let result = out.join("an image_Simple Segmentation.npy");
    assert_eq!(
        String::from_utf8_lossy(&run.stdout).trim(),
        result.to_str().unwrap()
    );
    let bytes = std::fs::read(&result).unwrap();
    // Labels 1 and 2, behind the header.
    assert!(
        bytes[bytes.len() - 128 * 128..]
            .iter()
            .all(|b| matches!(b, 1 | 2))
    );
    // A result never replaces an image, nor another result.
    for format in ["{dataset_dir}/an image", "/nowhere/same"] {
        let raw = std::fs::read(&good).unwrap();
        let run = Command::new(wellspring())
            .args(["ilastik", "predict", "--output_format=tif"])
            .arg(format!("--output_filename_format={format}"))
            .arg("--project")
            .arg(golden.join("project.ilp"))
            .args([&good, &out.join("an image.tif"), &bad])
            .output()
            .unwrap();
        assert_eq!(run.status.code(), Some(1));
        let messages = String::from_utf8_lossy(&run.stderr);
        assert!(messages.contains("would replace"), "{messages}");
        assert_eq!(std::fs::read(&good).unwrap(), raw);
    }
    let info = Command::new(wellspring())
        .args(["ilastik", "info", "--json"])
        .arg(golden.join("project.ilp"))
        .output()
        .unwrap();
    assert!(info.status.success());
    let info: serde_json::Value = serde_json::from_slice(&info.stdout).unwrap();
    assert_eq!(info["stages"][0]["trees"], 100);
    assert_eq!(info["stages"][0]["columns"], 25);
    assert_eq!(info["usable"], true);
    // A raw image is no project: the reason, and what to do.
    let info = Command::new(wellspring())
        .args(["ilastik", "info"])
        .arg(&good)
        .output()
        .unwrap();
    assert_eq!(info.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&info.stderr).contains("an image.png"));
}
