//! Containers that BatchLib itself wrote: they must be read as h5py reads them, and be written again the same.
#![allow(clippy::unwrap_used)]

mod container_support;

use std::collections::BTreeMap;
use std::path::Path;

use container_support::{bytes, containers, python, run_python, shared};
use image_io::container::{
    Attribute, Color, Container, ContainerWriter, ImageInfo, ImageOptions, VisibleType,
};
use image_io::table::{Table, Values};
use image_io::{Pixels, with_pixels};

const RUNS: &str = "golden/batchlib/runs";

/// By dataset: type, shape, CRC-32.
type Datasets = BTreeMap<String, (String, Vec<usize>, u32)>;

#[test]
fn every_level_and_table_reads_as_with_h5py() {
    let (Some(runs), Some(python)) = (shared(RUNS), python()) else {
        return;
    };
    let script = r"
import h5py, json, sys, zlib, numpy as np
out = {}
for path in sys.argv[1:]:
    found = {}
    with h5py.File(path, 'r') as f:
        def visit(prefix, group):
            for name, o in group.items():
                if isinstance(o, h5py.Dataset):
                    found[prefix + name] = [str(o.dtype), list(o.shape), zlib.crc32(np.ascontiguousarray(o[()]).tobytes())]
                else:
                    visit(prefix + name + '/', o)
        visit('', f)
    out[path] = found
print(json.dumps(out))";
    let files = containers(&runs);
    assert!(files.len() > 20, "{} files", files.len());
    let arguments: Vec<_> = files.iter().map(|f| f.as_os_str()).collect();
    let expected: BTreeMap<String, Datasets> =
        serde_json::from_str(&run_python(&python, script, &arguments)).unwrap();
    let mut compared = 0;
    for file in &files {
        let expected = &expected[file.to_str().unwrap()];
        let container = Container::open(file).unwrap();
        for name in container.images().unwrap() {
            for level in 0..container.image_info(&name).unwrap().levels.len() {
                let pixels = container.read_image(&name, level).unwrap();
                let (dtype, shape, crc) = &expected[&format!("{name}/s{level}")];
                assert_eq!(pixels.pixel_type().name(), dtype, "{name}");
                assert_eq!(pixels.shape(), (shape[0], shape[1]));
                assert_eq!(
                    libdeflater::crc32(&bytes(&pixels)),
                    *crc,
                    "{} {name}/s{level}",
                    file.display()
                );
                compared += 1;
            }
        }
        // A table's text is checked through the values of its cells.
        for name in container.tables().unwrap() {
            let table = container.read_table(&name).unwrap();
            let (_, shape, _) = &expected[&format!("tables/{name}/cells")];
            assert_eq!(
                (table.rows(), table.columns.len()),
                (shape[0], shape[1]),
                "{name}"
            );
            compared += 1;
        }
        let images = expected.keys().filter(|k| k.ends_with("/s0")).count();
        assert_eq!(container.images().unwrap().len(), images);
    }
    assert!(compared > 1000, "{compared} datasets compared");
}

#[test]
fn tables_have_the_types_and_values_that_batchlib_reads() {
    let Some(runs) = shared(RUNS) else { return };
    let mut compared = 0;
    for run in ["plain", "corrected"] {
        let json: serde_json::Value =
            serde_json::from_slice(&std::fs::read(runs.join(run).join("tables.json")).unwrap())
                .unwrap();
        for file in containers(&runs.join(run)) {
            let name = file.file_name().unwrap().to_str().unwrap();
            let Some(tables) = json.get(name).and_then(|t| t.as_object()) else {
                continue;
            };
            let container = Container::open(&file).unwrap();
            assert_eq!(container.tables().unwrap().len(), tables.len(), "{name}");
            for (table_name, expected) in tables {
                let table = container.read_table(table_name).unwrap();
                let names: Vec<_> = table.columns.iter().map(|c| c.name.as_str()).collect();
                let wanted: Vec<_> = expected["columns"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|c| c.as_str().unwrap())
                    .collect();
                assert_eq!(names, wanted);
                for (r, row) in expected["rows"].as_array().unwrap().iter().enumerate() {
                    for (c, value) in row.as_array().unwrap().iter().enumerate() {
                        let place = format!("{name} {table_name} row {r} column {}", names[c]);
                        match &table.columns[c].values {
                            Values::Int(v) => assert_eq!(Some(v[r]), value.as_i64(), "{place}"),
                            Values::Float(v) => match value.as_f64() {
                                Some(f) => assert!(
                                    (v[r] - f).abs() <= 1e-12 * f.abs(),
                                    "{place}: {} {f}",
                                    v[r]
                                ),
                                None => assert!(
                                    value.is_null() && v[r].is_nan(),
                                    "{place}: {} {value}",
                                    v[r]
                                ),
                            },
                            Values::Text(v) => {
                                assert_eq!(Some(v[r].as_str()), value.as_str(), "{place}");
                            }
                        }
                    }
                }
                compared += 1;
            }
        }
    }
    assert!(compared > 100, "{compared} tables");
}

fn options(name: &str, info: &ImageInfo) -> ImageOptions {
    let color = match info.attribute("Color").and_then(Attribute::as_text) {
        Some("Red") => Color::Red,
        Some("Green") => Color::Green,
        Some("Blue") => Color::Blue,
        Some("Gray") => Color::Gray,
        // The defaults must come out right by themselves.
        _ => {
            return ImageOptions {
                use_nearest: name == "serum_per_cell_mean",
                ..rest(info)
            };
        }
    };
    ImageOptions {
        color: Some(color),
        ..rest(info)
    }
}

fn rest(info: &ImageInfo) -> ImageOptions {
    ImageOptions {
        scale_factors: info
            .attribute("ScaleFactors")
            .and_then(Attribute::as_ints)
            .unwrap()
            .iter()
            .map(|f| u32::try_from(*f).unwrap())
            .collect(),
        visible: info.attribute("Visible") == Some(&Attribute::Bool(true)),
        channel_information: info
            .attribute("ChannelInformation")
            .and_then(Attribute::as_text)
            .map(str::to_owned),
        ..ImageOptions::default()
    }
}

/// Writes a golden container again from its full-resolution images and its tables.
fn rewrite(golden: &Container, target: &Path) {
    let mut writer = ContainerWriter::create(target, None).unwrap();
    for name in golden.images().unwrap() {
        let info = golden.image_info(&name).unwrap();
        writer
            .add_image(
                &name,
                &golden.read_image(&name, 0).unwrap(),
                &options(&name, &info),
            )
            .unwrap();
    }
    for name in golden.tables().unwrap() {
        writer
            .add_table(&name, &golden.read_table(&name).unwrap(), VisibleType::U8)
            .unwrap();
    }
    for (name, value) in golden.attributes("/").unwrap() {
        writer.set_attribute(&name, &value).unwrap();
    }
    writer.commit().unwrap();
}

fn differences(a: &Pixels, b: &Pixels) -> (usize, f64) {
    assert_eq!((a.shape(), a.pixel_type()), (b.shape(), b.pixel_type()));
    if let (Pixels::F32(a), Pixels::F32(b)) = (a, b) {
        let worst = a
            .iter()
            .zip(b)
            .map(|(x, y)| f64::from((x - y).abs()) / f64::from(x.abs()).max(1e-30))
            .fold(0.0, f64::max);
        return (
            a.iter()
                .zip(b)
                .filter(|(x, y)| x.to_bits() != y.to_bits())
                .count(),
            worst,
        );
    }
    (
        with_pixels!(a, _a => bytes(a))
            .iter()
            .zip(bytes(b))
            .filter(|(x, y)| **x != *y)
            .count(),
        0.0,
    )
}

#[test]
fn written_again_all_levels_attributes_and_tables_are_equal() {
    let Some(runs) = shared(RUNS) else { return };
    let folder = tempfile::tempdir().unwrap();
    let (mut levels, mut inexact, mut worst) = (0, 0, 0.0f64);
    for file in containers(&runs) {
        let golden = Container::open(&file).unwrap();
        let target = folder.path().join("again.h5");
        rewrite(&golden, &target);
        let ours = Container::open(&target).unwrap();
        for name in golden.images().unwrap() {
            let (theirs, again) = (
                golden.image_info(&name).unwrap(),
                ours.image_info(&name).unwrap(),
            );
            assert_eq!(theirs.levels, again.levels);
            for level in 0..theirs.levels.len() {
                let (count, relative) = differences(
                    &golden.read_image(&name, level).unwrap(),
                    &ours.read_image(&name, level).unwrap(),
                );
                assert!(
                    count == 0 || relative > 0.0,
                    "{} {name}/s{level}: {count} pixels differ",
                    file.display()
                );
                assert!(
                    relative < 1e-6,
                    "{} {name}/s{level}: relative difference {relative}",
                    file.display()
                );
                (levels, inexact, worst) = (
                    levels + 1,
                    inexact + usize::from(count > 0),
                    worst.max(relative),
                );
            }
            for (key, value) in &theirs.attributes {
                match (value, again.attribute(key)) {
                    (Attribute::Floats(a), Some(Attribute::Floats(b))) => {
                        assert!(
                            a.iter()
                                .zip(b)
                                .all(|(a, b)| (a - b).abs() <= 1e-6 * a.abs().max(1.0)),
                            "{name}@{key}: {a:?} {b:?}"
                        );
                    }
                    (a, b) => assert_eq!(Some(a), b, "{name}@{key}"),
                }
            }
            assert_eq!(theirs.attributes.len(), again.attributes.len());
        }
        for name in golden.tables().unwrap() {
            assert!(
                same(
                    &golden.read_table(&name).unwrap(),
                    &ours.read_table(&name).unwrap()
                ),
                "{name}"
            );
        }
        assert_eq!(
            golden.attributes("/").unwrap(),
            ours.attributes("/").unwrap()
        );
    }
    println!("{levels} levels, {inexact} of single precision differ by at most {worst:.1e}");
    assert!(levels > 1000);
}

/// Equality that takes NaN as equal to itself.
fn same(a: &Table, b: &Table) -> bool {
    a.columns.len() == b.columns.len()
        && a.columns.iter().zip(&b.columns).all(|(a, b)| {
            a.name == b.name
                && a.visible == b.visible
                && match (&a.values, &b.values) {
                    (Values::Float(x), Values::Float(y)) => x
                        .iter()
                        .map(|v| v.to_bits())
                        .eq(y.iter().map(|v| v.to_bits())),
                    (x, y) => x == y,
                }
        })
}

#[test]
fn the_golden_comparison_finds_no_difference() {
    let (Some(runs), Some(python), Some(compare)) =
        (shared(RUNS), python(), shared("golden/compare.py"))
    else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    for (run, plate) in [("plain", "goldA"), ("corrected", "goldAcorr")] {
        let golden = runs.join(run).join(plate);
        for file in containers(&golden) {
            rewrite(
                &Container::open(&file).unwrap(),
                &folder.path().join(file.file_name().unwrap()),
            );
        }
        let output = std::process::Command::new(&python)
            .arg(&compare)
            .arg(&golden)
            .arg(folder.path())
            .args([
                "--only",
                "layout,dtype,pixels,pyramid,attr,table,table-text,viewer",
            ])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        if text.is_empty() {
            println!(
                "skipped: the comparison needs pandas: {}",
                String::from_utf8_lossy(&output.stderr)
            );
            return;
        }
        println!("{text}");
        // The merged tables' float64 flags are a note there: uint8 is what PlateViewer reads.
        assert!(output.status.success(), "{text}");
        for file in containers(folder.path()) {
            std::fs::remove_file(file).unwrap();
        }
    }
}
