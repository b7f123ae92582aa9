//! Containers: everything that is read of one.

use std::fs;
use std::path::{Component, Path};

use image_io::container::{Container, inspect};

use super::{put, with_folder};

/// Files of a folder that one input may make.
const MOST_FILES: usize = 100;

/// An HDF5 file.
pub(super) fn run(input: &[u8]) {
    // A real file: the library opens it by its name.
    with_folder(|folder| {
        let path = folder.join("input.h5");
        put(&path, input);
        read(&path);
    });
}

/// An N5 folder: one file after another, each as the length of its name (one byte), its name, its length (two bytes, the lower
/// first), its bytes.
pub(super) fn folder(input: &[u8]) {
    with_folder(|folder| {
        let path = folder.join("input.n5");
        let _ = fs::remove_dir_all(&path);
        put_all(&path, input);
        read(&path);
    });
}

/// Makes the files as far as they can be made. Names that lead elsewhere are left out: they would be the fuzzer's fault.
fn put_all(root: &Path, mut input: &[u8]) {
    let _ = fs::create_dir(root);
    for _ in 0..MOST_FILES {
        let Some((name, rest)) = field(input, 1) else {
            return;
        };
        let Some((bytes, rest)) = field(rest, 2) else {
            return;
        };
        input = rest;
        let name = Path::new(std::str::from_utf8(name).unwrap_or_default());
        let is_inside = name.components().all(|c| matches!(c, Component::Normal(_)));
        if let (true, Some(parent)) = (is_inside, root.join(name).parent())
            && parent.starts_with(root)
            && fs::create_dir_all(parent).is_ok()
        {
            let _ = fs::write(root.join(name), bytes);
        }
    }
}

/// Bytes after their length, which has `width` bytes.
fn field(input: &[u8], width: usize) -> Option<(&[u8], &[u8])> {
    let (length, rest) = input.split_at_checked(width)?;
    let length = length.iter().rev().fold(0, |n, b| n << 8 | usize::from(*b));
    rest.split_at_checked(length)
}

/// Lists, describes and reads all that is there, as far as it goes.
fn read(path: &Path) {
    // Listing as text and as JSON, as the command does.
    if let Ok(found) = inspect(path) {
        assert!(serde_json::to_string(&found).is_ok());
    }
    let Ok(container) = Container::open(path) else {
        return;
    };
    for name in container.images().unwrap_or_default().iter().take(20) {
        let Ok(info) = container.image_info(name) else {
            continue;
        };
        for level in 0..info.levels.len().min(4) {
            if let Ok(pixels) = container.read_image(name, level) {
                assert_eq!(pixels.shape(), info.levels[level]);
            }
        }
    }
    for name in container.tables().unwrap_or_default().iter().take(20) {
        if let Ok(table) = container.read_table(name) {
            assert!(table.columns.len() < 1 << 20);
        }
    }
}
