//! `.npy` and `.npz` files.

use std::path::Path;

use ndarray::ArrayD;

/// An array of `<f4`, `<f2` or `<i8` as float32.
pub fn read(path: &Path) -> ArrayD<f32> {
    parse(&std::fs::read(path).unwrap())
}

/// A member of an archive that `numpy.savez` or `numpy.savez_compressed` wrote.
pub fn read_member(path: &Path, name: &str) -> ArrayD<f32> {
    let bytes = std::fs::read(path).unwrap();
    let word = |at: usize| u16::from_le_bytes(bytes[at..at + 2].try_into().unwrap()) as usize;
    let long = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    // The directory at the end of the archive knows the sizes.
    let end = bytes.windows(4).rposition(|w| w == b"PK\x05\x06").unwrap();
    let mut at = long(end + 16);
    while bytes[at..].starts_with(b"PK\x01\x02") {
        let (method, length) = (word(at + 10), word(at + 28));
        let (packed_size, size) = (long(at + 20), long(at + 24));
        let found = &bytes[at + 46..at + 46 + length];
        if found == format!("{name}.npy").as_bytes() {
            let local = long(at + 42);
            let data = local + 30 + word(local + 26) + word(local + 28);
            let packed = &bytes[data..data + packed_size];
            if method == 0 {
                return parse(packed);
            }
            let mut unpacked = vec![0; size];
            libdeflater::Decompressor::new()
                .deflate_decompress(packed, &mut unpacked)
                .unwrap();
            return parse(&unpacked);
        }
        at += 46 + length + word(at + 30) + word(at + 32);
    }
    panic!("no {name} in {}", path.display());
}

fn parse(bytes: &[u8]) -> ArrayD<f32> {
    assert!(bytes.starts_with(b"\x93NUMPY\x01"));
    let data = 10 + u16::from_le_bytes([bytes[8], bytes[9]]) as usize;
    let header = std::str::from_utf8(&bytes[10..data]).unwrap();
    assert!(header.contains("'fortran_order': False"));
    let shape: Vec<usize> = header
        .split(['(', ')'])
        .nth(1)
        .unwrap()
        .split(',')
        .filter_map(|n| n.trim().parse().ok())
        .collect();
    let data = &bytes[data..];
    let values: Vec<f32> = if header.contains("'<f4'") {
        data.chunks_exact(4)
            .map(|c| f32::from_le_bytes(c.try_into().unwrap()))
            .collect()
    } else if header.contains("'<f2'") {
        data.chunks_exact(2)
            .map(|c| half(u16::from_le_bytes([c[0], c[1]])))
            .collect()
    } else if header.contains("'<i8'") {
        data.chunks_exact(8)
            .map(|c| i64::from_le_bytes(c.try_into().unwrap()) as f32)
            .collect()
    } else {
        panic!("{header}")
    };
    ArrayD::from_shape_vec(shape, values).unwrap()
}

fn half(bits: u16) -> f32 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f32::from(bits & 1023) / 1024.0);
    match exponent {
        0 => sign * fraction * 2f32.powi(-14),
        31 => {
            sign * if fraction == 0.0 {
                f32::INFINITY
            } else {
                f32::NAN
            }
        }
        e => sign * (1.0 + fraction) * 2f32.powi(e - 15),
    }
}
