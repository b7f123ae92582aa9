//! Harmony's `Index.idx.xml`: one `Image` element for each plane, with `URL`, `Row`, `Col`, `FieldID`, `PlaneID`,
//! `TimepointID` and `ChannelID`. Planes without `URL` were not recorded and never come.
//!
//! Channel names and pixel sizes (in metres) stand in the `Image` elements, in newer versions in `Maps/Map/Entry`.

use std::path::Path;

use super::text::{LocalName, attribute, child, child_number, elements};
use super::{
    ExpectedPlane, Manifest, ManifestChannel, ManifestKind, bad, base_name, believable,
    plane_of_file, text,
};
use crate::{NamingScheme, Result, WellName};

pub(super) fn read(path: &Path) -> Result<Manifest> {
    let content = text::read(path, text::XML_LIMIT)?;
    let document = text::xml(path, &content)?;
    let root = document.root_element();
    let scheme = NamingScheme::preset(ManifestKind::Operetta.preset())?;
    let mut manifest = Manifest::new(ManifestKind::Operetta, path);
    if let Some(plate) = elements(root, "PlateRows")
        .next()
        .and_then(|rows| rows.parent())
    {
        manifest.plate_name = child(plate, "Name")
            .or_else(|| child(plate, "PlateID"))
            .map(str::to_owned);
        manifest.rows = child_number(plate, "PlateRows");
        manifest.columns = child_number(plate, "PlateColumns");
    }
    let mut images = false;
    for image in elements(root, "Image") {
        // The wells list their images too, as empty elements with only an id.
        if !image.children().any(|c| c.has_tag_name_local("ChannelID")) {
            continue;
        }
        images = true;
        believable(
            path,
            manifest.expected.len() as u64,
            manifest.channels.len(),
        )?;
        describe_channel(&mut manifest.channels, child(image, "ChannelID"), image);
        let Some(url) = child(image, "URL") else {
            continue;
        };
        let plane = plane_of_file(&scheme, url).or_else(|| plane_of_image(image, url));
        manifest.expected.push(plane.ok_or_else(|| {
            bad(
                path,
                format!("an image without a place on the plate: `{url}`"),
            )
        })?);
    }
    if !images && manifest.rows.is_none() {
        return Err(bad(
            path,
            "it has neither a plate nor images: it is no Harmony index",
        ));
    }
    for entry in elements(root, "Entry") {
        believable(path, 0, manifest.channels.len())?;
        describe_channel(&mut manifest.channels, attribute(entry, "ChannelID"), entry);
    }
    manifest
        .channels
        .sort_by_key(|channel| (channel.id.len(), channel.id.clone()));
    Ok(manifest)
}

fn plane_of_image(image: roxmltree::Node<'_, '_>, url: &str) -> Option<ExpectedPlane> {
    let row: u16 = child_number(image, "Row")?;
    let channel: u32 = child_number(image, "ChannelID")?;
    Some(ExpectedPlane {
        well: WellName::from_row_column(row.checked_sub(1)?, child_number(image, "Col")?).ok()?,
        site: child_number(image, "FieldID")?,
        channel: format!("ch{channel}"),
        z: child_number(image, "PlaneID"),
        // `sk` in the names counts from 1, TimepointID from 0 or 1: not comparable.
        t: None,
        file_name: Some(base_name(url).to_owned()),
    })
}

fn describe_channel(
    channels: &mut Vec<ManifestChannel>,
    id: Option<&str>,
    node: roxmltree::Node<'_, '_>,
) {
    let Some(id) = id
        .and_then(|id| id.parse::<u32>().ok())
        .map(|id| format!("ch{id}"))
    else {
        return;
    };
    let index = channels
        .iter()
        .position(|channel| channel.id == id)
        .unwrap_or_else(|| {
            channels.push(ManifestChannel {
                id,
                name: None,
                pixel_size_um: None,
            });
            channels.len() - 1
        });
    let channel = &mut channels[index];
    if channel.name.is_none() {
        channel.name = child(node, "ChannelName").map(str::to_owned);
    }
    if channel.pixel_size_um.is_none() {
        channel.pixel_size_um =
            child_number::<f64>(node, "ImageResolutionX").map(|metres| metres * 1e6);
    }
}
