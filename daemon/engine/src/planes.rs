//! What a file contributes: from its name and its header to planes of an image set.

use std::path::{Path, PathBuf};

use image_io::acquisition::ImageInfo;
use plate::ParsedName;

use crate::image_set::Plane;

/// The image set that a file belongs to, and the planes that it brings.
#[derive(Clone, Debug, PartialEq)]
pub struct Contribution {
    /// `A01-0001`, with `-T0003` where the name carries a timepoint.
    pub image_set: String,
    /// The planes.
    pub planes: Vec<Plane>,
}

/// Name of the image set of a parsed name: BatchLib's site name.
#[must_use]
pub fn image_set_name(parsed: &ParsedName) -> String {
    let site = format!("{}-{:04}", parsed.well, parsed.site);
    parsed.t.map_or(site.clone(), |t| format!("{site}-T{t:04}"))
}

/// File name of the container of an image set. A file that holds all channels lends its own stem, as in BatchLib; otherwise the
/// name is one that PlateViewer finds.
#[must_use]
pub fn container_name(parsed: &ParsedName, relative: &Path) -> PathBuf {
    if parsed.channels.len() > 1 {
        let mut stem = relative.file_stem().unwrap_or_default().to_owned();
        stem.push(format!(".{}", workflow::CONTAINER_EXTENSION));
        return PathBuf::from(stem);
    }
    let (well, site, t) = (parsed.well, parsed.site, parsed.t.unwrap_or(1));
    PathBuf::from(format!(
        "Well{well}_Point{well}_{site:04}_T{t:04}.{}",
        workflow::CONTAINER_EXTENSION
    ))
}

/// Planes of a whole file.
///
/// # Errors
/// Why the file's planes do not fit its name, as text for people.
pub fn contribution(parsed: &ParsedName, info: &ImageInfo) -> Result<Contribution, String> {
    let plane = |index: usize, channel: &str, z: Option<u32>| Plane {
        plane: index,
        channel: channel.to_owned(),
        z,
        pixels: info
            .planes
            .get(index)
            .map_or(0, |p| p.width as u64 * p.height as u64),
    };
    let count = info.planes.len();
    let planes = match parsed.channels.as_slice() {
        [] => return Err("the name gives no channel".to_owned()),
        [channel] if count == 1 => vec![plane(0, channel, parsed.z)],
        [channel] => match &info.ome {
            Some(ome) => ome_planes(ome, channel, &plane)?,
            // Pages of a plain file without channel names are a stack of slices.
            None => (0..count)
                .zip(1..)
                .map(|(i, z)| plane(i, channel, Some(z)))
                .collect(),
        },
        channels if channels.len() == count => channels
            .iter()
            .enumerate()
            .map(|(i, c)| plane(i, c, parsed.z))
            .collect(),
        channels => {
            return Err(format!(
                "the name lists {} channels ({}), but the file has {count} planes",
                channels.len(),
                channels.join(", ")
            ));
        }
    };
    Ok(Contribution {
        image_set: image_set_name(parsed),
        planes,
    })
}

/// OME-TIFF: every channel and slice of the first timepoint.
fn ome_planes(
    ome: &image_io::acquisition::OmePlanes,
    channel: &str,
    plane: &dyn Fn(usize, &str, Option<u32>) -> Plane,
) -> Result<Vec<Plane>, String> {
    if ome.size_t > 1 {
        return Err(format!(
            "the OME-XML describes {} timepoints in one file; split the series into one file a timepoint",
            ome.size_t
        ));
    }
    let mut out = Vec::new();
    for c in 0..ome.size_c {
        let name = match ome.channel_names.get(c) {
            Some(name) if ome.size_c > 1 && !name.is_empty() => name.clone(),
            _ if ome.size_c > 1 => format!("{channel}{}", c + 1),
            _ => channel.to_owned(),
        };
        for z in 0..ome.size_z {
            let index = ome
                .index(c, z, 0)
                .ok_or_else(|| format!("the OME-XML places no plane at channel {c}, slice {z}"))?;
            let slice = if ome.size_z > 1 {
                u32::try_from(z + 1).ok()
            } else {
                None
            };
            out.push(plane(index, &name, slice));
        }
    }
    Ok(out)
}
