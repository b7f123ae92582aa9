//! What the container tests share.
#![allow(dead_code, clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::Command;

use image_io::container::{ContainerWriter, ImageOptions};
use image_io::table::{Column, Table};
use image_io::{PixelType, Pixels};
use ndarray::Array2;

/// One container in each format.
pub const FORMATS: [&str; 2] = ["a.h5", "a.n5"];

/// A folder of the shared reference data, or `None` with a note if this checkout has none.
pub fn shared(path: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared")
        .join(path);
    if !folder.exists() {
        println!("skipped: ../shared is absent");
        return None;
    }
    Some(folder)
}

/// A Python with h5py, or `None` with a note.
pub fn python() -> Option<PathBuf> {
    let python = std::env::var_os("WELLSPRING_PYTHON")
        .map_or_else(|| PathBuf::from("python3"), PathBuf::from);
    let works = Command::new(&python)
        .args(["-c", "import h5py"])
        .output()
        .is_ok_and(|o| o.status.success());
    if !works {
        println!("skipped: no Python with h5py (set WELLSPRING_PYTHON)");
        return None;
    }
    Some(python)
}

/// Runs a script and returns what it prints.
pub fn run_python(python: &Path, script: &str, arguments: &[&std::ffi::OsStr]) -> String {
    let output = Command::new(python)
        .arg("-c")
        .arg(script)
        .args(arguments)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// All containers in a folder and the folders below it, sorted.
pub fn containers(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(containers(&path));
        } else if path.extension().is_some_and(|e| e == "h5" || e == "hdf5") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The pixels' bytes, row by row, little-endian.
pub fn bytes(pixels: &Pixels) -> Vec<u8> {
    image_io::with_pixels!(pixels, a => bytemuck::cast_slice(a.as_slice().unwrap()).to_vec())
}

/// Odd and even sizes around those of chunks.
pub const SHAPES: [(usize, usize); 11] = [
    (1, 1),
    (1, 300),
    (300, 1),
    (2, 3),
    (7, 5),
    (255, 256),
    (256, 255),
    (257, 257),
    (512, 256),
    (1003, 777),
    (513, 1025),
];

/// A plane with noise in the upper half and runs below, of any type.
pub fn plane(pixel_type: PixelType, (h, w): (usize, usize)) -> Pixels {
    let value = |(y, x): (usize, usize)| {
        let mut v = (y * w + x) as u64 ^ 0x9E37_79B9_7F4A_7C15;
        v = (v ^ (v >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        v = (v ^ (v >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        if y < h / 2 {
            v >> 7
        } else {
            (y / 9 * 3 + x / 11) as u64
        }
    };
    match pixel_type {
        PixelType::U8 => Pixels::U8(Array2::from_shape_fn((h, w), |p| value(p) as u8)),
        PixelType::U16 => Pixels::U16(Array2::from_shape_fn((h, w), |p| value(p) as u16)),
        PixelType::U32 => Pixels::U32(Array2::from_shape_fn((h, w), |p| value(p) as u32)),
        PixelType::U64 => Pixels::U64(Array2::from_shape_fn((h, w), value)),
        PixelType::I8 => Pixels::I8(Array2::from_shape_fn((h, w), |p| value(p) as i8)),
        PixelType::I16 => Pixels::I16(Array2::from_shape_fn((h, w), |p| value(p) as i16)),
        PixelType::I32 => Pixels::I32(Array2::from_shape_fn((h, w), |p| value(p) as i32)),
        PixelType::I64 => Pixels::I64(Array2::from_shape_fn((h, w), |p| value(p) as i64)),
        PixelType::F32 => Pixels::F32(Array2::from_shape_fn((h, w), |p| {
            value(p) as u32 as f32 * 1.7e-6 - 100.0
        })),
        PixelType::F64 => Pixels::F64(Array2::from_shape_fn((h, w), |p| {
            value(p) as u32 as f64 * 1.7e-6 - 100.0
        })),
    }
}

/// All types of pixels.
pub const TYPES: [PixelType; 10] = [
    PixelType::U8,
    PixelType::U16,
    PixelType::U32,
    PixelType::U64,
    PixelType::I8,
    PixelType::I16,
    PixelType::I32,
    PixelType::I64,
    PixelType::F32,
    PixelType::F64,
];

/// Publishes a container with these images.
pub fn write(target: &Path, images: &[(&str, &Pixels)]) {
    let mut writer = ContainerWriter::create(target, None).unwrap();
    for (name, pixels) in images {
        writer
            .add_image(name, pixels, &ImageOptions::default())
            .unwrap();
    }
    writer.commit().unwrap();
}

/// A table with all that is odd: equal names, a `/`, missing numbers, long letters.
pub fn table(rows: usize) -> Table {
    let text = |r: usize| ["none", "too_small", "größer", ""][r % 4].to_owned();
    Table {
        columns: vec![
            Column::int("label_id", (0..rows as i64).collect()),
            Column::float("a/b", (0..rows).map(|r| r as f64 / 3.0).collect()).hidden(),
            Column::float(
                "a/b",
                (0..rows)
                    .map(|r| if r == 0 { f64::NAN } else { 1e-7 })
                    .collect(),
            ),
            Column::text("type", (0..rows).map(text).collect()),
        ],
    }
}

/// Equal up to NaN.
pub fn assert_same(a: &Table, b: &Table) {
    assert_eq!(format!("{a:?}"), format!("{b:?}"));
}
