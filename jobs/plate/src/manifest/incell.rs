//! IN Cell's `.xdce`: `Plate rows columns`, and one `Image filename` for each plane with `Well/Row`, `Well/Column` and
//! `Identifier` (0 based indices of field, z, wavelength and time).

use std::path::Path;

use super::text::{attribute, elements, number};
use super::{
    ExpectedPlane, Manifest, ManifestChannel, ManifestKind, bad, base_name, believable,
    plane_of_file, text,
};
use crate::{NamingScheme, Result, WellName};

pub(super) fn read(path: &Path) -> Result<Manifest> {
    let content = text::read(path, text::XML_LIMIT)?;
    let document = text::xml(path, &content)?;
    let root = document.root_element();
    let scheme = NamingScheme::preset(ManifestKind::InCell.preset())?;
    let plate = elements(root, "Plate").find(|plate| attribute(*plate, "rows").is_some());
    // Filters in the order of the wavelengths; names are written `excitation - emission`.
    let waves: Vec<String> = elements(root, "Wavelength")
        .filter_map(|wave| {
            let filter = |name| {
                elements(wave, name)
                    .next()
                    .and_then(|filter| attribute(filter, "name"))
            };
            Some(format!(
                "{} - {}",
                filter("ExcitationFilter")?,
                filter("EmissionFilter")?
            ))
        })
        .collect();
    let mut expected = Vec::new();
    for image in elements(root, "Image") {
        let Some(listed) = attribute(image, "filename") else {
            continue;
        };
        let plane =
            plane_of_file(&scheme, listed).or_else(|| plane_of_image(image, listed, &waves));
        expected.push(plane.ok_or_else(|| {
            bad(
                path,
                format!("an image without a place on the plate: `{listed}`"),
            )
        })?);
    }
    believable(path, expected.len() as u64, 0)?;
    if plate.is_none() && expected.is_empty() {
        return Err(bad(
            path,
            "it has neither a plate nor images: it is no IN Cell manifest",
        ));
    }
    let pixel_size_um =
        elements(root, "ObjectiveCalibration").find_map(|o| number(o, "pixel_width"));
    let mut channels: Vec<ManifestChannel> = Vec::new();
    for plane in &expected {
        believable(path, 0, channels.len())?;
        if channels.iter().all(|channel| channel.id != plane.channel) {
            let name = plane.channel.rsplit(" - ").next().map(str::to_owned);
            channels.push(ManifestChannel {
                id: plane.channel.clone(),
                name,
                pixel_size_um,
            });
        }
    }
    Ok(Manifest {
        plate_name: path
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned()),
        rows: plate.and_then(|plate| number(plate, "rows")),
        columns: plate.and_then(|plate| number(plate, "columns")),
        expected,
        channels,
        ..Manifest::new(ManifestKind::InCell, path)
    })
}

fn plane_of_image(
    image: roxmltree::Node<'_, '_>,
    listed: &str,
    waves: &[String],
) -> Option<ExpectedPlane> {
    let row: u16 = elements(image, "Row").find_map(|row| number(row, "number"))?;
    let column = elements(image, "Column").find_map(|column| number(column, "number"))?;
    let identifier = elements(image, "Identifier").next()?;
    let wave: usize = number(identifier, "wave_index")?;
    Some(ExpectedPlane {
        well: WellName::from_row_column(row.checked_sub(1)?, column).ok()?,
        site: number::<u32>(identifier, "field_index")?.checked_add(1)?,
        channel: waves.get(wave)?.clone(),
        // The names carry z and time only where there are several: the indices can not be compared.
        z: None,
        t: None,
        file_name: Some(base_name(listed).to_owned()),
    })
}
