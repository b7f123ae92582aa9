//! ScanR's `experiment_descriptor.xml`: a LabVIEW dump of `Name` and `Val` pairs.
//!
//! There is no public description of it; the keys and their meaning are those that the Bio-Formats reader relies on. The
//! planes are predicted for acquisitions of one timepoint only: how the time loop's keys count is not clear enough to
//! call a plate complete by them. Elsewhere the manifest gives the plate, its wells and channels, and no planes.

use std::path::Path;

use super::text::LocalName;
use super::{
    ExpectedPlane, MOST_CHANNELS, Manifest, ManifestChannel, ManifestKind, bad, believable, text,
};
use crate::{Result, WellName};

#[derive(Default)]
struct Descriptor {
    plate_name: Option<String>,
    rows: Option<u16>,
    columns: Option<u16>,
    /// Number and label of each selected well.
    wells: Vec<(u32, Option<String>)>,
    /// Name of each channel, and whether it is switched off.
    channels: Vec<(String, bool)>,
    slices: Option<u32>,
    timepoints: Option<u32>,
    positions: Option<u32>,
    grid: [Option<u32>; 2],
    pixel_size_um: Option<f64>,
}

impl Descriptor {
    /// Takes one value; `key` is the nearest name before it, `in_layout` says that it belongs to the plate's format.
    fn take(&mut self, key: &str, value: &str, in_layout: bool) {
        match key {
            "plate name" => self.plate_name = Some(value.to_owned()),
            "Rows" if in_layout => self.rows = value.parse().ok(),
            "Columns" if in_layout => self.columns = value.parse().ok(),
            "well selection table + cDNA" => match value.parse() {
                Ok(number) => self.wells.push((number, None)),
                Err(_) => {
                    if let Some((_, label @ None)) = self.wells.last_mut() {
                        *label = Some(value.to_owned());
                    }
                }
            },
            "name"
                if self.channels.len() <= MOST_CHANNELS
                    && self.channels.iter().all(|(name, _)| name != value) =>
            {
                self.channels.push((value.to_owned(), false));
            }
            "idle" => {
                if let Some((_, off)) = self.channels.last_mut() {
                    *off = value != "0";
                }
            }
            "# slices" => self.slices = value.parse().ok(),
            "timeloop real" => self.timepoints = self.timepoints.max(value.parse().ok()),
            "timeloop count" => {
                self.timepoints = self
                    .timepoints
                    .max(value.parse::<u32>().ok().map(|n| n.saturating_add(1)));
            }
            "rows/well" => self.grid[0] = value.parse().ok(),
            "columns/well" => self.grid[1] = value.parse().ok(),
            "conversion factor um/pixel" => self.pixel_size_um = value.parse().ok(),
            _ => {}
        }
    }

    fn read(document: &roxmltree::Document<'_>) -> Self {
        let mut descriptor = Self::default();
        let (mut key, mut in_layout, mut in_positions) = (String::new(), false, false);
        for node in document.descendants().filter(roxmltree::Node::is_element) {
            let Some(value) = node.text().map(str::trim).filter(|text| !text.is_empty()) else {
                continue;
            };
            if node.has_tag_name_local("Name") {
                value.clone_into(&mut key);
                in_layout |= key == "format typedef";
                in_positions |= key == "subposition list";
            } else if node.has_tag_name_local("Dimsize")
                && in_positions
                && descriptor.positions.is_none()
            {
                descriptor.positions = value.parse().ok();
            } else if node.has_tag_name_local("Val") {
                descriptor.take(&key, value, in_layout);
                in_layout &= key != "Columns";
            }
        }
        // The autofocus stands among the channels but writes no images.
        descriptor
            .channels
            .retain(|(name, off)| !off && name != "Autofocus");
        descriptor
    }

    fn sites(&self) -> u32 {
        let grid = || {
            self.grid[0]
                .unwrap_or(1)
                .saturating_mul(self.grid[1].unwrap_or(1))
        };
        self.positions
            .filter(|n| *n > 0)
            .unwrap_or_else(grid)
            .max(1)
    }
}

pub(super) fn read(path: &Path) -> Result<Manifest> {
    let content = text::read(path, text::XML_LIMIT)?;
    let document = text::xml(path, &content)?;
    let descriptor = Descriptor::read(&document);
    if descriptor.channels.is_empty() && descriptor.wells.is_empty() && descriptor.rows.is_none() {
        return Err(bad(
            path,
            "it has neither wells nor channels: it is no ScanR experiment",
        ));
    }
    let channels = descriptor.channels.iter().map(|(name, _)| ManifestChannel {
        id: name.clone(),
        name: Some(name.clone()),
        pixel_size_um: descriptor.pixel_size_um,
    });
    Ok(Manifest {
        plate_name: descriptor.plate_name.clone(),
        rows: descriptor.rows,
        columns: descriptor.columns,
        expected: expected(path, &descriptor)?,
        channels: channels.collect(),
        ..Manifest::new(ManifestKind::ScanR, path)
    })
}

fn expected(path: &Path, descriptor: &Descriptor) -> Result<Vec<ExpectedPlane>> {
    if descriptor.timepoints.unwrap_or(0) > 1 {
        return Ok(Vec::new());
    }
    let (sites, slices) = (descriptor.sites(), descriptor.slices.unwrap_or(1).max(1));
    let planes = [
        descriptor.wells.len() as u64,
        sites.into(),
        descriptor.channels.len() as u64,
        slices.into(),
    ]
    .into_iter()
    .fold(1u64, u64::saturating_mul);
    believable(path, planes, descriptor.channels.len())?;
    let mut expected = Vec::with_capacity(planes as usize);
    for (number, label) in &descriptor.wells {
        let columns = descriptor.columns.unwrap_or(12);
        let well = match label.as_deref().and_then(|label| label.parse().ok()) {
            Some(well) => well,
            None => WellName::from_number(*number, columns)
                .map_err(|error| bad(path, error.to_string()))?,
        };
        for site in 1..=sites {
            for (channel, _) in &descriptor.channels {
                for z in 0..slices {
                    let channel = channel.clone();
                    expected.push(ExpectedPlane {
                        well,
                        site,
                        channel,
                        z: Some(z),
                        t: None,
                        file_name: None,
                    });
                }
            }
        }
    }
    Ok(expected)
}
