//! What the tests share.
#![allow(dead_code, clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder of the shared reference data, or `None` with a note if this checkout has none.
pub fn shared(path: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared")
        .join(path);
    if folder.exists() {
        return Some(folder);
    }
    println!("skipped: ../shared/{path} is absent");
    None
}

/// A Python with these modules, or `None` with a note.
pub fn python(modules: &str) -> Option<PathBuf> {
    let python = std::env::var_os("WELLSPRING_PYTHON")
        .map_or_else(|| PathBuf::from("python3"), PathBuf::from);
    let works = Command::new(&python)
        .args(["-c", &format!("import {modules}")])
        .output()
        .is_ok_and(|o| o.status.success());
    if works {
        return Some(python);
    }
    println!("skipped: no Python with {modules} (set WELLSPRING_PYTHON)");
    None
}

/// Runs Python and returns what it prints; its complaints are the test's.
pub fn run_python(python: &Path, arguments: &[&std::ffi::OsStr]) -> String {
    let output = Command::new(python).args(arguments).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    text
}
