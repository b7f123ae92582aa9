//! Instance heads on the outputs of real networks, against what StarDist and InstanSeg make of them.
#![allow(clippy::unwrap_used, missing_docs)]

mod instanseg;
mod numpy;
mod stardist;

use std::path::PathBuf;

/// A folder of the networks for tests, or `None` (and a line that says so) where it is absent.
fn models(folder: &str) -> Option<PathBuf> {
    let path = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/models"
    ))
    .join(folder);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: ../shared is absent");
    None
}

/// A page of a label image.
fn labels(path: &std::path::Path, page: usize) -> ndarray::Array2<u32> {
    match image_io::acquisition::read_plane(path, page).unwrap() {
        image_io::Pixels::U16(plane) => plane.mapv(u32::from),
        other => panic!("{} holds {:?}", path.display(), other.pixel_type()),
    }
}
