//! What the tests of networks share.
#![allow(dead_code, missing_docs, clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use ndarray::{Array2, ArrayD, IxDyn};

/// A folder of the shared test data; `None`, with a line that says so, where it is absent.
pub fn shared(path: &str) -> Option<PathBuf> {
    let found = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")).join(path);
    if found.exists() {
        return Some(found);
    }
    println!("skipped: ../shared/{path} is absent");
    None
}

/// One plane of an image file as float32.
pub fn plane(path: &Path, index: usize) -> Array2<f32> {
    let file = image_io::acquisition::ImageFile::open(path).unwrap();
    file.read(index).unwrap().to_f32()
}

/// A NumPy file of float32 or float16, C order.
pub fn npy(path: &Path) -> ArrayD<f32> {
    let bytes = std::fs::read(path).unwrap();
    assert_eq!(&bytes[..6], b"\x93NUMPY");
    let length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = std::str::from_utf8(&bytes[10..10 + length]).unwrap();
    assert!(header.contains("'fortran_order': False"), "{header}");
    let shape = header.split_once('(').unwrap().1.split_once(')').unwrap().0;
    let shape: Vec<usize> = shape
        .split(',')
        .filter_map(|n| n.trim().parse().ok())
        .collect();
    let data = &bytes[10 + length..];
    let values = if header.contains("<f4") {
        data.chunks_exact(4)
            .map(|c| f32::from_le_bytes(c.try_into().unwrap()))
            .collect()
    } else {
        assert!(header.contains("<f2"), "{header}");
        data.chunks_exact(2)
            .map(|c| half(u16::from_le_bytes(c.try_into().unwrap())))
            .collect()
    };
    ArrayD::from_shape_vec(IxDyn(&shape), values).unwrap()
}

/// IEEE 754 binary16.
fn half(bits: u16) -> f32 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let exponent = i32::from(bits >> 10 & 31);
    let fraction = f32::from(bits & 1023) / 1024.0;
    match exponent {
        0 => sign * fraction * 2f32.powi(-14),
        31 => f32::NAN,
        e => sign * (1.0 + fraction) * 2f32.powi(e - 15),
    }
}

/// The largest difference of two arrays.
pub fn difference<D: ndarray::Dimension>(
    a: &ndarray::Array<f32, D>,
    b: &ndarray::Array<f32, D>,
) -> f32 {
    assert_eq!(a.shape(), b.shape());
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max)
}
