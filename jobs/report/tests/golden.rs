//! Exports of plates that BatchLib processed: what BatchLib exported of them.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::path::{Path, PathBuf};

use report::export::{Format, Options, PlateFolder, export_folder};
use support::{python, run_python, shared};

const RUNS: [&str; 2] = [
    "golden/batchlib/runs/plain/goldA",
    "golden/batchlib/runs/corrected/goldAcorr",
];

/// What BatchLib exports.
const TABLES: [&str; 4] = [
    "images/default",
    "wells/default",
    "cell_segmentation/*",
    "cell_classification/cell_segmentation/*",
];

fn export(golden: &Path, decimals: Option<u8>, tables: &[&str]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join(golden.file_name().unwrap());
    std::fs::create_dir(&output).unwrap();
    let options = Options {
        formats: Format::ALL.to_vec(),
        decimals,
    };
    let plate = PlateFolder::open(golden).unwrap();
    let tables: Vec<String> = tables.iter().map(|t| (*t).to_owned()).collect();
    let exported = export_folder(&plate, &output, &tables, &options).unwrap();
    assert!(exported.refused.is_empty(), "{:?}", exported.refused);
    (folder, output)
}

fn read(path: &Path) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_path(path)
        .unwrap();
    let row =
        |r: Result<csv::StringRecord, csv::Error>| r.unwrap().iter().map(str::to_owned).collect();
    reader.records().map(row).collect()
}

/// The same value: equal text, no value, or the same number.
fn same(ours: &str, theirs: &str) -> bool {
    let none = |t: &str| t.is_empty() || t == "nan";
    let number = |t: &str| t.parse::<f64>().ok();
    ours == theirs
        || none(ours) && none(theirs)
        || number(ours).is_some_and(|a| number(theirs).is_some_and(|b| (a - b).abs() <= 0.011))
}

#[test]
fn every_csv_of_batchlib_cell_by_cell() {
    for run in RUNS {
        let Some(golden) = shared(run) else { return };
        let (_folder, output) = export(&golden, Some(2), &TABLES);
        let mut compared = 0;
        for entry in std::fs::read_dir(&golden).unwrap() {
            let theirs = entry.unwrap().path();
            if theirs.extension().is_none_or(|e| e != "csv") {
                continue;
            }
            let ours = output.join(theirs.file_name().unwrap());
            let (ours, theirs) = (read(&ours), read(&theirs));
            assert_eq!(ours.len(), theirs.len(), "rows");
            for (a, b) in ours.iter().zip(&theirs) {
                assert_eq!(a.len(), b.len());
                for (a, b) in a.iter().zip(b) {
                    assert!(same(a, b), "{a} is not {b}");
                    compared += 1;
                }
            }
        }
        assert!(compared > 5000, "{compared}");
    }
}

#[test]
fn the_comparison_program_finds_no_error() {
    let Some(python) = python("h5py, numpy, pandas, openpyxl") else {
        return;
    };
    for run in RUNS {
        let (Some(golden), Some(compare)) = (shared(run), shared("golden/compare.py")) else {
            return;
        };
        let (_folder, output) = export(&golden, Some(2), &TABLES);
        let arguments = [
            compare.as_os_str(),
            golden.as_os_str(),
            output.as_os_str(),
            "--only".as_ref(),
            "export".as_ref(),
        ];
        let text = run_python(&python, &arguments);
        assert!(text.contains("TOTAL 0 error classes"), "{text}");
        assert!(!text.contains("not compared"), "{text}");
    }
}

/// All formats hold the same, as pandas reads them.
const SAME: &str = r#"
import sys, glob, pandas as pd
from pandas.testing import assert_frame_equal
files = sorted(glob.glob(sys.argv[1] + "/*.csv"))
for csv in files:
    stem = csv[:-4]
    a = pd.read_csv(csv)
    for b in (pd.read_csv(stem + ".tsv", sep="\t"), pd.read_excel(stem + ".xlsx"), pd.read_parquet(stem + ".parquet")):
        assert list(a.columns) == list(b.columns), csv
        for c in a.columns:
            x, y = a[c], b[c]
            if pd.api.types.is_numeric_dtype(x) and not pd.api.types.is_bool_dtype(x):
                x, y = x.astype(float), y.astype(float)
                assert ((x == y) | (x.isna() & y.isna())).all(), (csv, c)
            else:
                assert (x.fillna("").astype(str) == y.fillna("").astype(str)).all(), (csv, c)
    p = pd.read_parquet(stem + ".parquet")
    assert all(str(t) in ("int64", "float64", "object", "str", "string") for t in p.dtypes), p.dtypes
print(len(files))
"#;

#[test]
fn pandas_reads_the_same_from_every_format() {
    let Some(python) = python("pandas, openpyxl, pyarrow") else {
        return;
    };
    let Some(golden) = shared(RUNS[0]) else {
        return;
    };
    // All digits: also the last one must be the same.
    let tables = ["*/default", "plate/*", "*_classification/*", "*/properties"];
    let (_folder, output) = export(&golden, None, &tables);
    let text = run_python(&python, &["-c".as_ref(), SAME.as_ref(), output.as_os_str()]);
    assert!(text.trim().parse::<usize>().unwrap() > 8, "{text}");
}

#[test]
fn a_name_that_fits_nothing_is_told_before_anything_is_written() {
    let Some(golden) = shared(RUNS[1]) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let plate = PlateFolder::open(&golden).unwrap();
    let options = Options {
        formats: vec![Format::Csv],
        decimals: None,
    };
    let names = ["wells/*", "cells/none"].map(str::to_owned);
    let error = export_folder(&plate, folder.path(), &names, &options).unwrap_err();
    assert!(error.to_string().contains("`cells/none`"), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    let some = export_folder(&plate, folder.path(), &names[..1], &options).unwrap();
    assert!(some.files.len() >= 4 && some.left_out.is_empty());
}
