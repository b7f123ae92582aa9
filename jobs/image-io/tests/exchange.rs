//! What is handed to other programs comes back as it was, and what others wrote is read or refused with a reason.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, missing_docs)]

use std::path::Path;

use image_io::acquisition::ImageFile;
use image_io::exchange::{Axes, DATASET, Format, Wanted, read_plane, write_plane, write_stack};
use image_io::{Error, Pixels};
use ndarray::Array2;
use proptest::prelude::*;

fn ramp(seed: u8) -> Array2<u8> {
    Array2::from_shape_fn((5, 7), |(y, x)| (y * 31 + x * 7) as u8 ^ seed)
}

/// One plane of each type, with values that use the whole range.
fn every_type() -> Vec<Pixels> {
    let a = ramp(0);
    vec![
        Pixels::U8(a.clone()),
        Pixels::U16(a.mapv(|v| u16::from(v) * 257)),
        Pixels::U32(a.mapv(|v| u32::from(v) * 16_843_009)),
        Pixels::U64(a.mapv(|v| u64::from(v) << 55)),
        Pixels::I8(a.mapv(|v| v as i8)),
        Pixels::I16(a.mapv(|v| i16::from(v) * -128)),
        Pixels::I32(a.mapv(|v| i32::from(v) * -8_388_608)),
        Pixels::I64(a.mapv(|v| i64::from(v) << 54)),
        Pixels::F32(a.mapv(|v| f32::from(v) * -0.1)),
        Pixels::F64(a.mapv(|v| f64::from(v) * 1e200)),
    ]
}

const fn of_dataset(format: Format) -> Wanted<'static> {
    Wanted {
        dataset: match format {
            Format::Hdf5 => Some(DATASET),
            _ => None,
        },
        axes: None,
        channel: None,
        shape: Some((5, 7)),
    }
}

#[test]
fn every_type_comes_back_from_every_format() {
    let folder = tempfile::tempdir().unwrap();
    for format in [Format::Tiff, Format::Hdf5, Format::Npy] {
        for plane in every_type() {
            let path = folder.path().join(format!("a.{}", format.extension()));
            write_plane(&path, &plane, format).unwrap();
            assert_eq!(read_plane(&path, &of_dataset(format)).unwrap(), plane);
        }
    }
}

#[test]
fn stacks_come_back_channel_by_channel() {
    let folder = tempfile::tempdir().unwrap();
    let planes: Vec<Pixels> = (0..3)
        .map(|i| Pixels::U16(ramp(i).mapv(u16::from)))
        .collect();
    let planes: Vec<&Pixels> = planes.iter().collect();
    for (format, last, axes) in [
        (Format::Tiff, false, None),
        (Format::Hdf5, false, Some("cyx")),
        (Format::Hdf5, true, Some("yxc")),
        (Format::Npy, false, Some("cyx")),
        (Format::Npy, true, Some("yxc")),
    ] {
        let path = folder.path().join(format!("a.{}", format.extension()));
        write_stack(&path, &planes, format, last).unwrap();
        let axes: Option<Axes> = axes.map(|a| a.parse().unwrap());
        for (channel, plane) in planes.iter().enumerate() {
            let wanted = Wanted {
                axes: axes.as_ref(),
                channel: Some(channel),
                ..of_dataset(format)
            };
            assert_eq!(read_plane(&path, &wanted).unwrap(), **plane, "{format:?}");
        }
    }
    let file = ImageFile::open(&folder.path().join("a.tif")).unwrap();
    assert_eq!(file.info().ome.as_ref().unwrap().size_c, 3);
    assert!(write_stack(&folder.path().join("b.tif"), &planes, Format::Tiff, true).is_err());
}

#[test]
fn planes_of_different_types_become_floats() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npy");
    let (a, b) = (
        Pixels::U8(ramp(1)),
        Pixels::U16(ramp(2).mapv(|v| u16::from(v) * 200)),
    );
    write_stack(&path, &[&a, &b], Format::Npy, false).unwrap();
    let axes: Axes = "cyx".parse().unwrap();
    let wanted = Wanted {
        axes: Some(&axes),
        channel: Some(1),
        ..Wanted::default()
    };
    assert_eq!(read_plane(&path, &wanted).unwrap(), Pixels::F32(b.to_f32()));
}

/// Bytes of an npy file of version 1.
fn npy(descr: &str, fortran: bool, shape: &str, data: &[u8]) -> Vec<u8> {
    let fortran = if fortran { "True" } else { "False" };
    let header =
        format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': ({shape}), }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend_from_slice(&(header.len() as u16).to_le_bytes());
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend_from_slice(data);
    bytes
}

fn read_bytes(folder: &Path, bytes: &[u8]) -> Result<Pixels, Error> {
    let path = folder.join("a.npy");
    std::fs::write(&path, bytes).unwrap();
    read_plane(&path, &Wanted::default())
}

#[test]
fn other_orders_of_npy_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let expected = Pixels::U16(ndarray::array![[1, 2, 3], [4, 5, 6]]);
    let big: Vec<u8> = (1..=6_u16).flat_map(u16::to_be_bytes).collect();
    assert_eq!(
        read_bytes(folder.path(), &npy(">u2", false, "2, 3", &big)).unwrap(),
        expected
    );
    let columns: Vec<u8> = [1_u16, 4, 2, 5, 3, 6]
        .iter()
        .flat_map(|v| v.to_le_bytes())
        .collect();
    assert_eq!(
        read_bytes(folder.path(), &npy("<u2", true, "2, 3", &columns)).unwrap(),
        expected
    );
    assert_eq!(
        read_bytes(
            folder.path(),
            &npy("|b1", false, "1, 2, 2, 1", &[0, 1, 7, 0])
        )
        .unwrap(),
        Pixels::U8(ndarray::array![[0, 1], [1, 0]])
    );
}

#[test]
fn what_is_not_whole_or_not_meant_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let whole = npy("<u2", false, "2, 3", &[0; 12]);
    for cut in [1, 7, 11, 40, whole.len() - 1] {
        let error = read_bytes(folder.path(), &whole[..cut]).unwrap_err();
        assert!(
            matches!(error, Error::Damaged { .. } | Error::Unsupported { .. }),
            "{cut}: {error}"
        );
    }
    for shape in ["4000000000, 4000000000", "9223372036854775807, 9", "0, 3"] {
        assert!(
            read_bytes(folder.path(), &npy("<u2", false, shape, &[])).is_err(),
            "{shape}"
        );
    }
    let plane = Pixels::U8(ramp(0));
    for format in [Format::Tiff, Format::Hdf5, Format::Npy] {
        let path = folder.path().join(format!("b.{}", format.extension()));
        write_plane(&path, &plane, format).unwrap();
        let other = Wanted {
            shape: Some((7, 5)),
            ..of_dataset(format)
        };
        let error = read_plane(&path, &other).unwrap_err().to_string();
        assert!(error.contains("5 x 7 pixels, not 7 x 5"), "{error}");
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 9]).unwrap();
        assert!(
            read_plane(&path, &of_dataset(format)).is_err(),
            "{format:?}"
        );
        std::fs::write(&path, "").unwrap();
        assert!(
            read_plane(&path, &of_dataset(format)).is_err(),
            "{format:?}"
        );
    }
    let path = folder.path().join("c.h5");
    write_plane(&path, &plane, Format::Hdf5).unwrap();
    for (dataset, word) in [(None, "`dataset`"), (Some("other"), "no dataset `other`")] {
        let wanted = Wanted {
            dataset,
            ..Wanted::default()
        };
        let error = read_plane(&path, &wanted).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
    let absent = read_plane(&folder.path().join("absent"), &Wanted::default()).unwrap_err();
    assert!(matches!(absent, Error::Io { .. }));
}

proptest! {
    /// Whatever a header says, the answer is a plane or an error.
    #[test]
    fn no_npy_file_makes_us_panic(header in "[ -~]{0,120}", data: Vec<u8>, version in 0_u8..4) {
        let folder = tempfile::tempdir().unwrap();
        let mut bytes = b"\x93NUMPY".to_vec();
        bytes.extend_from_slice(&[version, 0]);
        bytes.extend_from_slice(&(header.len() as u16).to_le_bytes());
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(&data);
        let _ = read_bytes(folder.path(), &bytes);
    }

    #[test]
    fn no_shape_makes_us_panic(shape in proptest::collection::vec(0_u64..6, 0..5), data in 0_usize..80, fortran: bool) {
        let folder = tempfile::tempdir().unwrap();
        let text: Vec<String> = shape.iter().map(ToString::to_string).collect();
        let bytes = npy("<i2", fortran, &(text.join(", ") + ","), &vec![1; data]);
        let _ = read_bytes(folder.path(), &bytes);
    }
}
