//! Yokogawa CellVoyager: `MeasurementData.mlf` has one record for each image; `*.wpi` describes the plate,
//! `MeasurementDetail.mrf` the measurement (with its end), `*.mes` the settings of the channels.
//!
//! Records whose type is not `IMG` are failed exposures: their images never come.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::text::{LocalName, attribute, elements, number};
use super::{
    ExpectedPlane, Manifest, ManifestChannel, ManifestKind, bad, base_name, believable,
    plane_of_file, text,
};
use crate::{NamingScheme, Result, WellName};

pub(super) fn read(path: &Path) -> Result<Manifest> {
    let content = text::read(path, text::XML_LIMIT)?;
    let document = text::xml(path, &content)?;
    let root = document.root_element();
    if !root.has_tag_name_local("MeasurementData") {
        return Err(bad(
            path,
            format!(
                "its root element is {}, not MeasurementData",
                root.tag_name().name()
            ),
        ));
    }
    let scheme = NamingScheme::preset(ManifestKind::Yokogawa.preset())?;
    let mut manifest = Manifest::new(ManifestKind::Yokogawa, path);
    for record in elements(root, "MeasurementRecord") {
        if attribute(record, "Type") != Some("IMG") {
            continue;
        }
        let listed = record.text().unwrap_or_default();
        let plane = plane_of_file(&scheme, listed).or_else(|| plane_of_record(record));
        let plane = plane.ok_or_else(|| {
            bad(
                path,
                format!("a record without a place on the plate: `{}`", listed.trim()),
            )
        })?;
        manifest.expected.push(plane);
    }
    believable(path, manifest.expected.len() as u64, 0)?;
    let companions = Companions::beside(path)?;
    companions.describe_plate(&mut manifest)?;
    companions.describe_channels(&mut manifest)?;
    Ok(manifest)
}

fn plane_of_record(record: roxmltree::Node<'_, '_>) -> Option<ExpectedPlane> {
    let row: u16 = number(record, "Row")?;
    let channel: u32 = number(record, "Ch")?;
    Some(ExpectedPlane {
        well: WellName::from_row_column(row.checked_sub(1)?, number(record, "Column")?).ok()?,
        site: number(record, "FieldIndex")?,
        channel: format!("C{channel:02}"),
        z: number(record, "ZIndex"),
        t: number(record, "TimePoint"),
        file_name: record
            .text()
            .map(|text| base_name(text).to_owned())
            .filter(|name| !name.is_empty()),
    })
}

/// The other files of the measurement, in the same folder.
struct Companions {
    plate: Option<PathBuf>,
    detail: Option<PathBuf>,
    settings: Option<PathBuf>,
}

impl Companions {
    fn beside(path: &Path) -> Result<Self> {
        let dir = path.parent().unwrap_or(Path::new(""));
        let dir = if dir.as_os_str().is_empty() {
            Path::new(".")
        } else {
            dir
        };
        let names = text::list(dir)?;
        let with = |extension: &str| {
            names
                .iter()
                .find(|n| {
                    Path::new(n)
                        .extension()
                        .is_some_and(|e| e.eq_ignore_ascii_case(extension))
                })
                .map(|n| dir.join(n))
        };
        Ok(Self {
            plate: with("wpi"),
            detail: with("mrf"),
            settings: with("mes"),
        })
    }

    fn describe_plate(&self, manifest: &mut Manifest) -> Result<()> {
        if let Some(path) = &self.plate {
            let content = text::read(path, text::XML_LIMIT)?;
            let document = text::xml(path, &content)?;
            let plate = document.root_element();
            manifest.plate_name = attribute(plate, "Name").map(str::to_owned);
            manifest.rows = number(plate, "Rows");
            manifest.columns = number(plate, "Columns");
        }
        // The list of records may grow while the plate is acquired; only the end time says that it is all.
        manifest.finished = Some(false);
        if let Some(path) = &self.detail {
            let content = text::read(path, text::XML_LIMIT)?;
            let document = text::xml(path, &content)?;
            let detail = document.root_element();
            manifest.finished = Some(attribute(detail, "EndTime").is_some());
            manifest.plate_name = manifest
                .plate_name
                .take()
                .or_else(|| attribute(detail, "Title").map(str::to_owned));
            manifest.rows = manifest.rows.or_else(|| number(detail, "RowCount"));
            manifest.columns = manifest.columns.or_else(|| number(detail, "ColumnCount"));
            for channel in elements(detail, "MeasurementChannel") {
                believable(path, 0, manifest.channels.len())?;
                if let Some(id) = number::<u32>(channel, "Ch") {
                    let pixel_size_um = number(channel, "HorizontalPixelDimension");
                    manifest.channels.push(ManifestChannel {
                        id: format!("C{id:02}"),
                        name: None,
                        pixel_size_um,
                    });
                }
            }
        }
        Ok(())
    }

    /// Keeps the channels that are recorded, and names them after the settings.
    fn describe_channels(&self, manifest: &mut Manifest) -> Result<()> {
        let used: BTreeSet<&str> = manifest
            .expected
            .iter()
            .map(|plane| &*plane.channel)
            .collect();
        believable(&manifest.path, 0, used.len())?;
        let described = std::mem::take(&mut manifest.channels);
        let mut channels: Vec<ManifestChannel> = used
            .into_iter()
            .map(|id| {
                let pixel_size_um = described
                    .iter()
                    .find(|c| c.id == id)
                    .and_then(|c| c.pixel_size_um);
                ManifestChannel {
                    id: id.to_owned(),
                    name: None,
                    pixel_size_um,
                }
            })
            .collect();
        if let Some(path) = &self.settings {
            let content = text::read(path, text::XML_LIMIT)?;
            let document = text::xml(path, &content)?;
            for setting in elements(document.root_element(), "Channel") {
                let id = number::<u32>(setting, "Ch").map(|id| format!("C{id:02}"));
                if let Some(channel) = channels.iter_mut().find(|c| Some(&c.id) == id.as_ref()) {
                    let name = attribute(setting, "Fluorophore")
                        .or_else(|| attribute(setting, "Acquisition"));
                    channel.name = name.map(str::to_owned);
                }
            }
        }
        manifest.channels = channels;
        Ok(())
    }
}
