//! Containers that claim too much, or do not end.
#![allow(clippy::unwrap_used, missing_docs)]

use std::path::Path;
use std::time::{Duration, Instant};

use image_io::container::{Container, ContainerWriter, ImageOptions, inspect};
use image_io::{Error, ErrorClass, Pixels};
use ndarray::Array2;

/// Adds an image to a copy of the container, which carries everything else over.
fn carry(path: &Path) -> Result<(), Error> {
    let target = path.with_extension("next.h5");
    std::fs::copy(path, &target).unwrap();
    let mut writer = ContainerWriter::create(&target, Some(&target))?;
    let pixels = Pixels::U8(Array2::zeros((4, 4)));
    writer.add_image("new", &pixels, &ImageOptions::default())?;
    writer.commit().map(drop)
}

#[test]
fn sizes_that_cannot_be_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.h5");
    let file = hdf5::File::create(&path).unwrap();
    // Gigabytes, and exabytes, of which nothing was ever written.
    file.new_dataset::<u16>()
        .shape((1 << 16, 1 << 16))
        .chunk((64, 64))
        .deflate(4)
        .create("hollow")
        .unwrap();
    file.new_dataset::<f64>()
        .shape((1 << 30, 1 << 30))
        .chunk((64, 64))
        .create("absurd")
        .unwrap();
    file.new_dataset::<u8>()
        .shape((2.., 2..))
        .chunk((1 << 15, 1 << 15))
        .create("chunk")
        .unwrap();
    let table = file
        .create_group("tables")
        .unwrap()
        .create_group("t")
        .unwrap();
    let fixed = hdf5::types::FixedAscii::<8>::new();
    table
        .new_dataset_builder()
        .with_data(&[fixed; 2])
        .create("columns")
        .unwrap();
    table
        .new_dataset::<hdf5::types::FixedAscii<8>>()
        .shape((1 << 40, 2))
        .chunk((64, 2))
        .create("cells")
        .unwrap();
    drop(file);
    let container = Container::open(&path).unwrap();
    let begin = Instant::now();
    for name in ["hollow", "absurd", "chunk"] {
        let error = container.read_image(name, 0).unwrap_err();
        assert_eq!(error.class(), ErrorClass::Permanent, "{name}: {error}");
        assert!(error.to_string().contains(name), "{error}");
    }
    let error = container.read_table("t").unwrap_err();
    assert_eq!(error.class(), ErrorClass::Permanent, "{error}");
    assert!(
        begin.elapsed() < Duration::from_secs(120),
        "{:?}",
        begin.elapsed()
    );
}

#[test]
fn groups_that_hold_themselves_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.h5");
    let file = hdf5::File::create(&path).unwrap();
    let tables = file.create_group("tables").unwrap();
    for i in 0..40 {
        tables.link_hard("/tables", &format!("again{i}")).unwrap();
    }
    drop(file);
    let begin = Instant::now();
    let error = Container::open(&path).unwrap().tables().unwrap_err();
    assert!(
        error.to_string().contains("names among the tables"),
        "{error}"
    );
    let error = carry(&path).unwrap_err();
    assert!(error.to_string().contains("holds itself"), "{error}");
    assert!(inspect(&path).is_ok());
    assert!(
        begin.elapsed() < Duration::from_secs(120),
        "{:?}",
        begin.elapsed()
    );
}

#[test]
fn pipes_are_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.h5");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &path,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .unwrap();
    for error in [
        Container::open(&path).unwrap_err(),
        inspect(&path).unwrap_err(),
    ] {
        assert!(matches!(error, Error::Unsupported { .. }), "{error}");
    }
}
