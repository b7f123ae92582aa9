//! Which plane of a file is which channel, z-slice and timepoint, from OME-XML or from ImageJ's description.
//!
//! OME-TIFF keeps its metadata as XML in the first page's ImageDescription. The planes of the first `Image` are placed by
//! its `TiffData` elements and its `DimensionOrder` (OME data model 2016-06, "OME-TIFF specification").

mod order;

use order::Order;
use std::collections::HashMap;

use plate::foreign::{XmlLimits, parse_xml};
use roxmltree::Node;
use serde::Serialize;

/// Above this many planes (of a set of files) a description is taken for nonsense.
const MOST_PLANES: usize = 1 << 24;
/// Above this many channels too: each has a name in memory.
const MOST_CHANNELS: usize = 1 << 12;
/// A longer name of a channel is nonsense, and would be kept once for each of its samples.
const LONGEST_NAME: usize = 256;
/// A set of 65 536 files that each list the whole set has 30 MB. The tree then takes about 100 MB of memory.
const XML: XmlLimits = XmlLimits {
    bytes: 64 << 20,
    nodes: 1 << 20,
};

/// Place of every plane of the first image of a file.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct OmePlanes {
    /// Number of channels; each sample of a colour page is one.
    pub size_c: usize,
    /// Number of z-slices.
    pub size_z: usize,
    /// Number of timepoints.
    pub size_t: usize,
    /// One name a channel, empty where the file gives none.
    pub channel_names: Vec<String>,
    /// Size of a pixel in micrometres, (y, x).
    pub pixel_size_um: Option<(f64, f64)>,
    /// Plane of (c, z, t) under `(t · size_z + z) · size_c + c`. Only what the file holds: its description may claim anything.
    #[serde(skip)]
    table: HashMap<usize, u32>,
}

impl OmePlanes {
    /// The plane of a channel, z-slice and timepoint (all counted from 0): an index into `ImageInfo::planes`.
    /// `None` outside the sizes, and where this file does not hold the plane (a set spread over several files).
    #[must_use]
    pub fn index(&self, c: usize, z: usize, t: usize) -> Option<usize> {
        let plane = self.table.get(&self.slot(c, z, t)?)?;
        Some(*plane as usize)
    }

    fn slot(&self, c: usize, z: usize, t: usize) -> Option<usize> {
        (c < self.size_c && z < self.size_z && t < self.size_t)
            .then(|| (t * self.size_z + z) * self.size_c + c)
    }

    /// All planes in the order of the table: channel fastest, then z, then time.
    pub(super) fn dense(
        size_c: usize,
        size_z: usize,
        size_t: usize,
        pixel_size_um: Option<(f64, f64)>,
    ) -> Self {
        let table = (0..size_c * size_z * size_t).zip(0..).collect();
        Self {
            size_c,
            size_z,
            size_t,
            channel_names: vec![String::new(); size_c],
            pixel_size_um,
            table,
        }
    }

    /// Reads an ImageDescription. `pages` holds the first plane and the number of planes (samples) of each page.
    /// `None` if it is no OME-XML, or does not describe the pixels (companion files), or contradicts itself.
    pub(super) fn parse(description: &str, pages: &[(usize, usize)]) -> Option<Self> {
        if !description.contains("<OME") && !description.contains(":OME") {
            return None;
        }
        let document = parse_xml(description.trim_end(), &XML).ok()?;
        let root = document.root_element();
        let pixels = child(child(root, "Image")?, "Pixels")?;
        let size = |name| {
            pixels
                .attribute(name)
                .and_then(|value| value.trim().parse::<usize>().ok())
                .filter(|size| *size > 0)
        };
        let (size_c, size_z, size_t) = (size("SizeC")?, size("SizeZ")?, size("SizeT")?);
        size_c
            .checked_mul(size_z)?
            .checked_mul(size_t)
            .filter(|count| *count <= MOST_PLANES && size_c <= MOST_CHANNELS)?;

        let mut planes = Self {
            size_c,
            size_z,
            size_t,
            channel_names: channel_names(pixels, size_c),
            pixel_size_um: length_um(pixels, "PhysicalSizeY")
                .zip(length_um(pixels, "PhysicalSizeX")),
            table: HashMap::new(),
        };
        // A page of several samples holds as many channels.
        let samples = pages.first().map_or(1, |(_, samples)| *samples);
        let samples = if samples > 1 && size_c % samples == 0 {
            samples
        } else {
            1
        };
        let order = Order::parse(
            pixels.attribute("DimensionOrder").unwrap_or("XYCZT"),
            [size_c / samples, size_z, size_t],
        )?;
        let mut placed = false;
        // Each page has one place; a description that places them over and over would keep us busy for long.
        let mut left = 4 * pages.len();
        for data in pixels
            .children()
            .filter(|node| node.has_tag_name_local("TiffData"))
        {
            placed = true;
            if !in_this_file(root, data) {
                continue;
            }
            let number = |name| {
                data.attribute(name)
                    .and_then(|value| value.trim().parse::<usize>().ok())
            };
            let first = order.position([
                number("FirstC").unwrap_or(0) / samples,
                number("FirstZ").unwrap_or(0),
                number("FirstT").unwrap_or(0),
            ])?;
            // Without an IFD the element speaks of all pages, with one of a single page.
            let run = number("PlaneCount").unwrap_or(if data.has_attribute("IFD") {
                1
            } else {
                usize::MAX
            });
            let done = planes.place(
                &order,
                samples,
                pages,
                number("IFD").unwrap_or(0),
                first,
                run.min(left + 1),
            );
            left = left.checked_sub(done)?;
        }
        if !placed {
            planes.place(&order, samples, pages, 0, 0, usize::MAX);
        }
        Some(planes)
    }

    /// Places `run` pages from page `ifd` at positions from `first` on. Returns how many there were.
    fn place(
        &mut self,
        order: &Order,
        samples: usize,
        pages: &[(usize, usize)],
        ifd: usize,
        first: usize,
        run: usize,
    ) -> usize {
        let mut done = 0;
        for (position, (plane, planes)) in
            (first..order.count()).zip(pages.iter().skip(ifd)).take(run)
        {
            let [c, z, t] = order.coordinates(position);
            for sample in 0..samples.min(*planes) {
                if let Some(slot) = self.slot(c * samples + sample, z, t) {
                    self.table
                        .extend(u32::try_from(plane + sample).map(|plane| (slot, plane)));
                }
            }
            done += 1;
        }
        done
    }
}

trait LocalName {
    fn has_tag_name_local(&self, name: &str) -> bool;
}

impl LocalName for Node<'_, '_> {
    /// The schema's year is part of the namespace, so only the local name is compared.
    fn has_tag_name_local(&self, name: &str) -> bool {
        self.is_element() && self.tag_name().name() == name
    }
}

fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children().find(|node| node.has_tag_name_local(name))
}

/// A set of several files gives each its UUID; a plane that names another UUID than this file's own lies elsewhere.
fn in_this_file(root: Node<'_, '_>, data: Node<'_, '_>) -> bool {
    let named = child(data, "UUID").and_then(|uuid| uuid.text());
    match (root.attribute("UUID"), named) {
        (Some(own), Some(named)) => own.trim() == named.trim(),
        _ => true,
    }
}

fn channel_names(pixels: Node<'_, '_>, size_c: usize) -> Vec<String> {
    let mut names = Vec::with_capacity(size_c);
    for channel in pixels
        .children()
        .filter(|node| node.has_tag_name_local("Channel"))
    {
        let samples = channel
            .attribute("SamplesPerPixel")
            .and_then(|count| count.parse().ok())
            .unwrap_or(1)
            .max(1);
        let name = channel.attribute("Name").unwrap_or_default();
        let name = if name.len() <= LONGEST_NAME { name } else { "" };
        for _ in 0..samples.min(size_c - names.len()) {
            names.push(name.to_owned());
        }
    }
    names.resize(size_c, String::new());
    names
}

/// A length attribute in micrometres, OME's default unit.
fn length_um(pixels: Node<'_, '_>, name: &str) -> Option<f64> {
    let value: f64 = pixels.attribute(name)?.trim().parse().ok()?;
    let factor = match pixels
        .attribute(format!("{name}Unit").as_str())
        .unwrap_or("µm")
    {
        "µm" | "μm" | "um" | "micron" => 1.0,
        "nm" => 1e-3,
        "pm" => 1e-6,
        "Å" | "\u{212b}" => 1e-4,
        "mm" => 1e3,
        "cm" => 1e4,
        "m" => 1e6,
        "in" => 25_400.0,
        _ => return None,
    };
    (value > 0.0 && value.is_finite()).then_some(value * factor)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn xml(order: &str, sizes: [usize; 3], body: &str) -> String {
        let [c, z, t] = sizes;
        format!(
            "<?xml version='1.0' encoding='UTF-8'?><OME xmlns='http://www.openmicroscopy.org/Schemas/OME/2016-06' UUID='urn:uuid:1'><Image ID='Image:0'>\
             <Pixels DimensionOrder='{order}' SizeX='4' SizeY='4' SizeC='{c}' SizeZ='{z}' SizeT='{t}' PhysicalSizeX='325' PhysicalSizeXUnit='nm' PhysicalSizeY='0.5'>\
             <Channel Name='DAPI'/>{body}</Pixels></Image></OME>"
        )
    }

    fn pages(count: usize) -> Vec<(usize, usize)> {
        (0..count).map(|page| (page, 1)).collect()
    }

    #[test]
    fn every_dimension_order_is_followed() {
        for (order, fastest) in [
            ("XYCZT", 0),
            ("XYCTZ", 0),
            ("XYZCT", 1),
            ("XYZTC", 1),
            ("XYTCZ", 2),
            ("XYTZC", 2),
        ] {
            let planes =
                OmePlanes::parse(&xml(order, [2, 3, 4], "<TiffData/>"), &pages(24)).unwrap();
            let mut at = [0; 3];
            at[fastest] = 1;
            assert_eq!(planes.index(at[0], at[1], at[2]), Some(1), "{order}");
            assert_eq!(planes.index(1, 2, 3), Some(23));
            assert_eq!(planes.index(2, 0, 0), None);
        }
        let planes = OmePlanes::parse(&xml("XYZTC", [2, 3, 4], "<TiffData/>"), &pages(24)).unwrap();
        assert_eq!(planes.index(1, 2, 3), Some(2 + 3 * (3 + 4)));
        assert_eq!(planes.channel_names, ["DAPI", ""]);
        assert_eq!(planes.pixel_size_um, Some((0.5, 0.325)));
    }

    #[test]
    fn tiff_data_places_single_pages_and_runs() {
        let body = "<TiffData IFD='2' FirstC='0' FirstZ='0' FirstT='0'/><TiffData IFD='0' FirstC='1' PlaneCount='2'/>\
                    <TiffData FirstC='1' FirstZ='1' IFD='5'><UUID FileName='b.ome.tif'>urn:uuid:2</UUID></TiffData>";
        let planes = OmePlanes::parse(&xml("XYZCT", [2, 3, 1], body), &pages(6)).unwrap();
        assert_eq!(planes.index(0, 0, 0), Some(2));
        assert_eq!(
            (planes.index(1, 0, 0), planes.index(1, 1, 0)),
            (Some(0), Some(1))
        );
        assert_eq!(
            planes.index(0, 1, 0),
            None,
            "a single page unless PlaneCount says otherwise"
        );
        assert_eq!(planes.index(1, 2, 0), None);
    }

    #[test]
    fn samples_of_a_colour_page_are_channels() {
        let rgb: Vec<(usize, usize)> = (0..2).map(|page| (3 * page, 3)).collect();
        let planes = OmePlanes::parse(&xml("XYCZT", [3, 2, 1], "<TiffData/>"), &rgb).unwrap();
        assert_eq!(planes.index(2, 0, 0), Some(2));
        assert_eq!(planes.index(0, 1, 0), Some(3));
    }

    #[test]
    fn nonsense_is_no_description() {
        for text in [
            "",
            "<OME",
            "<OME><Image/></OME>",
            "<OME><BinaryOnly MetadataFile='x'/></OME>",
            &xml("XYCCT", [1, 1, 1], ""),
            &xml("XYCZT", [1 << 20, 1 << 20, 1 << 40], ""),
        ] {
            assert_eq!(OmePlanes::parse(text, &pages(1)), None, "{text}");
        }
        // More planes than pages: those that are absent are None.
        let planes = OmePlanes::parse(&xml("XYCZT", [2, 1, 1], "<TiffData/>"), &pages(1)).unwrap();
        assert_eq!(
            (planes.index(0, 0, 0), planes.index(1, 0, 0)),
            (Some(0), None)
        );
    }
}
