//! What the container tests share.
#![allow(dead_code, clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::Command;

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
pub fn bytes(pixels: &image_io::Pixels) -> Vec<u8> {
    image_io::with_pixels!(pixels, a => bytemuck::cast_slice(a.as_slice().unwrap()).to_vec())
}
