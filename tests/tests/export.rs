//! `wellspring export tables`: a folder that BatchLib wrote becomes the files that BatchLib would have made of it.
#![allow(clippy::unwrap_used, missing_docs)]

use black_box::binary::{json, run, shared};

#[test]
fn tables_of_a_folder() {
    let Some(golden) = shared("golden/batchlib/runs/corrected/goldAcorr") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("made").display().to_string();
    let golden = golden.display().to_string();
    let result = run([
        "export",
        "tables",
        &golden,
        "--json",
        "--format",
        "csv,xlsx,parquet",
        "--output",
        &output,
        "--decimals",
        "2",
        "--tables",
        "*/default,cell_segmentation/*",
    ]);
    assert_eq!(result.status.code(), Some(0), "{result:?}");
    let told = json(&result);
    // Two plate tables and four object tables.
    assert_eq!(told["files"].as_array().unwrap().len(), 6 * 3);
    assert_eq!(told["left_out"], serde_json::json!([]));
    let wells = std::fs::read_to_string(folder.path().join("made/goldAcorr_well_table.csv"));
    assert!(wells.unwrap().starts_with("well_name,n_outlier_cells,"));

    let wrong = run([
        "export",
        "tables",
        &golden,
        "--tables",
        "wels/default",
        "-o",
        &output,
    ]);
    assert_eq!(wrong.status.code(), Some(1));
    let message = String::from_utf8_lossy(&wrong.stderr);
    assert!(
        message.contains("`wels/default`") && message.contains("hint: "),
        "{message}"
    );
    let empty = run(["export", "tables", &output]);
    assert_eq!(empty.status.code(), Some(1));
    let bad = run(["export", "tables", &golden, "--format", "xls"]);
    assert_eq!(bad.status.code(), Some(2), "a mistake on the command line");
}
