//! Where the manifest of an acquisition is.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::{ManifestKind, text};
use crate::{Error, Result};

/// The manifest of the acquisition in `dir`: in the folder itself or in its `Images` folder.
///
/// `None` when there is none (yet).
///
/// # Errors
/// [`Error::Io`] when the folder can not be listed, [`Error::SeveralManifests`] when the folder has more than one of the
/// same kind.
pub fn find(dir: &Path) -> Result<Option<PathBuf>> {
    let names = text::list(dir)?;
    if let Some(found) = choose(dir, &names)? {
        return Ok(Some(found));
    }
    match names
        .iter()
        .find(|name| name.eq_ignore_ascii_case("images"))
    {
        Some(images) if dir.join(images).is_dir() => {
            let images = dir.join(images);
            choose(&images, &text::list(&images)?)
        }
        _ => Ok(None),
    }
}

fn choose(dir: &Path, names: &[OsString]) -> Result<Option<PathBuf>> {
    let mut found: Vec<(ManifestKind, u8, &OsString)> = names
        .iter()
        .filter_map(|name| {
            let kind = ManifestKind::of_name(Path::new(name))?;
            // Harmony may leave more than one index; Bio-Formats prefers them in this order.
            let rank = match &*name.to_string_lossy().to_lowercase() {
                "index.ref.xml" => 1,
                "index.xml" => 2,
                // Yokogawa's other `.mlf` files, if any, are not the measurement.
                other if kind == ManifestKind::Yokogawa && other != "measurementdata.mlf" => 1,
                _ => 0,
            };
            Some((kind, rank, name))
        })
        .collect();
    found.sort_by(|a, b| (a.0 as u8, a.1, a.2).cmp(&(b.0 as u8, b.1, b.2)));
    match found[..] {
        [] => Ok(None),
        [first, second, ..] if (first.0, first.1) == (second.0, second.1) => {
            Err(Error::SeveralManifests {
                dir: dir.to_path_buf(),
                names: found
                    .iter()
                    .map(|f| f.2.to_string_lossy())
                    .collect::<Vec<_>>()
                    .join(", "),
            })
        }
        [first, ..] => Ok(Some(dir.join(first.2))),
    }
}
