//! What the test files share.
#![allow(dead_code, clippy::unwrap_used)]

pub mod samples;

use std::path::{Path, PathBuf};

use plate::{NamingScheme, ParsedName, Verdict};

/// The folder of real data beside the repository, or `None` (with a line that says so) where it is absent.
pub fn shared(path: &str) -> Option<PathBuf> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared"));
    if !root.is_dir() {
        println!("skipped: ../shared is absent");
        return None;
    }
    Some(root.join(path))
}

pub fn parse(preset: &str, path: &str) -> ParsedName {
    match NamingScheme::from_config(preset)
        .unwrap()
        .parse(Path::new(path))
    {
        Verdict::Image(name) => name,
        other => panic!("{preset} on {path}: {other:?}"),
    }
}

/// One line for a parsed name: plate, acquisition, well, site, channels, z, t.
pub fn line(name: &ParsedName) -> String {
    let number = |n: Option<u32>| n.map_or("-".to_owned(), |n| n.to_string());
    format!(
        "{}|{}|{}|{}|{}|{}|{}",
        name.plate.as_deref().unwrap_or("-"),
        name.acquisition.display(),
        name.well,
        name.site,
        name.channels.join("+"),
        number(name.z),
        number(name.t)
    )
}
