//! Shared by the tests: where the data are, and planes as the bytes that NumPy has.

use std::path::PathBuf;

use image_io::{Pixels, with_pixels};

/// A folder of the shared test data, or `None` (and a line that says so) where it is absent.
pub fn shared(folder: &str) -> Option<PathBuf> {
    let path =
        PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")).join(folder);
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: ../shared is absent");
    None
}

/// Little-endian bytes of the planes of one page in NumPy's layout; `interleaved` for (y, x, sample).
pub fn numpy_bytes(planes: &[Pixels], interleaved: bool, half: bool) -> Vec<u8> {
    let planes: Vec<(usize, Vec<u8>)> = planes
        .iter()
        .map(|plane| little_endian(plane, half))
        .collect();
    if !interleaved {
        return planes.into_iter().flat_map(|(_, bytes)| bytes).collect();
    }
    let (size, first) = &planes[0];
    (0..first.len() / size)
        .flat_map(|i| {
            planes
                .iter()
                .flat_map(move |(_, bytes)| &bytes[i * size..(i + 1) * size])
        })
        .copied()
        .collect()
}

fn little_endian(plane: &Pixels, half: bool) -> (usize, Vec<u8>) {
    if let (Pixels::F32(values), true) = (plane, half) {
        return (
            2,
            values
                .iter()
                .flat_map(|value| to_half(*value).to_le_bytes())
                .collect(),
        );
    }
    let bytes = with_pixels!(plane, values => values.iter().flat_map(|value| value.to_le_bytes()).collect());
    (plane.pixel_type().size(), bytes)
}

/// Back from the widened value; only for values that came from a half.
fn to_half(value: f32) -> u16 {
    let bits = value.to_bits();
    let sign = (bits >> 16 & 0x8000) as u16;
    let exponent = (bits >> 23 & 0xff) as i32 - 127;
    let half = match exponent {
        128 => 0x7c00 | (bits >> 13 & 0x3ff) as u16,
        -14..=15 => (((exponent + 15) as u16) << 10) | (bits >> 13 & 0x3ff) as u16,
        _ => (value.abs() * 2_f32.powi(24)) as u16,
    };
    sign | half
}

/// Writes a file into a temporary folder.
pub fn write(folder: &tempfile::TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Sum of all values, and the sum in which value `i` counts `i mod 65521` times (modulo 2^64): the order of pixels shows.
pub fn checksums(plane: &Pixels) -> (u64, u64) {
    let values: Vec<u64> = match plane {
        Pixels::U8(values) => values.iter().map(|value| u64::from(*value)).collect(),
        Pixels::U16(values) => values.iter().map(|value| u64::from(*value)).collect(),
        other => panic!("no checksum for {:?}", other.pixel_type()),
    };
    let weighted = values
        .iter()
        .zip((0..65_521).cycle())
        .fold(0_u64, |sum, (value, weight)| {
            sum.wrapping_add(value * weight)
        });
    (values.iter().sum(), weighted)
}
