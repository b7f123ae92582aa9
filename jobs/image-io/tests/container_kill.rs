//! A writer that is killed at any moment leaves a whole container or none, and nothing that stays for ever.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use image_io::container::{Attribute, Container, ContainerWriter, ImageOptions, VisibleType};
use image_io::publish::remove_leftovers;
use image_io::table::{Column, Table};
use image_io::{PixelType, Pixels};
use ndarray::Array2;
use rayon::prelude::*;

/// Set in the process that is to be killed: where it writes.
const TARGET: &str = "WELLSPRING_TEST_CONTAINER";
const SIDE: usize = 700;

fn plane(version: u16) -> Pixels {
    Pixels::U16(Array2::from_shape_fn((SIDE, SIDE), |(y, x)| {
        (y * 31 + x * x * 7) as u16 % 1021 + version
    }))
}

fn write(target: &Path, previous: Option<&Path>, version: u16) {
    let mut writer = ContainerWriter::create(target, previous).unwrap();
    writer
        .add_image("image", &plane(version), &ImageOptions::default())
        .unwrap();
    let table = Table {
        columns: vec![Column::int("version", vec![i64::from(version); 50])],
    };
    writer
        .add_table("versions", &table, VisibleType::U8)
        .unwrap();
    writer
        .set_attribute("version", &Attribute::Int(version.into()))
        .unwrap();
    writer.commit().unwrap();
}

/// Reads everything and returns the version, which must be the same everywhere.
fn check(target: &Path) -> u16 {
    let container = Container::open(target).unwrap();
    let Some(Attribute::Int(version)) = container.attribute("/", "version").unwrap() else {
        panic!("no version")
    };
    let version = u16::try_from(version).unwrap();
    assert!(
        container.read_image("image", 0).unwrap() == plane(version),
        "another image than version {version}"
    );
    let table = container.read_table("versions").unwrap();
    assert_eq!(
        table.columns[0],
        Column::int("version", vec![i64::from(version); 50])
    );
    version
}

/// Not a test by itself: what the killed process runs.
#[test]
fn write_until_killed() {
    let Some(target) = std::env::var_os(TARGET) else {
        return;
    };
    let target = Path::new(&target);
    for version in 0..1000 {
        let previous = target.exists().then_some(target);
        write(target, previous, version);
        println!("version {version}");
    }
}

#[test]
fn a_killed_writer_leaves_a_whole_file() {
    kill("WellA01.h5");
}

#[test]
fn a_killed_writer_leaves_a_whole_folder() {
    kill("WellA01.n5");
}

fn kill(name: &str) {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join(name);
    let mut seen = Vec::new();
    for round in 0..12u32 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "write_until_killed", "--nocapture"])
            .env(TARGET, &target)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let wanted = round % 3 + 1;
        let published = lines
            .by_ref()
            .filter(|l| l.contains("version "))
            .take(wanted as usize)
            .count();
        assert_eq!(published, wanted as usize, "the writer stopped by itself");
        // Somewhere within the next version, another place each time.
        let mut spun = 0u64;
        for i in 0..u64::from(round) * 400_000 {
            spun = std::hint::black_box(spun.wrapping_add(i));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        seen.push(check(&target));
        remove_leftovers(folder.path()).unwrap();
        let names: Vec<_> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|e| e.unwrap().file_name())
            .collect();
        assert_eq!(names, [name], "leftovers remain after round {round}");
    }
    assert!(seen.iter().any(|v| *v > 0), "{seen:?}");
}

#[test]
fn many_threads_write_and_read_at_once() {
    for extension in ["h5", "n5"] {
        many_threads(extension);
    }
}

fn many_threads(extension: &str) {
    let folder = tempfile::tempdir().unwrap();
    let versions: Vec<u16> = (0..16).collect();
    versions.par_iter().for_each(|version| {
        let target = folder.path().join(format!("{version}.{extension}"));
        write(&target, None, *version);
        write(&target, Some(&target), version + 100);
        assert_eq!(check(&target), version + 100);
        let info = Container::open(&target)
            .unwrap()
            .image_info("image")
            .unwrap();
        assert_eq!(
            (info.shape, info.pixel_type),
            ((SIDE, SIDE), PixelType::U16)
        );
    });
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        versions.len()
    );
}
