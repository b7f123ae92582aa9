//! Background of each image, well and of the plate.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use analysis::pooled::MedianMad;
use image_io::table::{Column, Table};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pixels::{self, IN_MEMORY, ImagePixels, PixelsOf, readable};
use crate::error::Failure;
use crate::graph::Scope;
use crate::kind::{KindInfo, PlateOperation, plate_kind, schema_of};
use crate::kinds::cells::{at_level, mean_of_known};
use crate::kinds::quality::verdicts;
use crate::plate_context::{PlateIo, PlateMember};
use crate::port::{Holds, Port};

/// Parameters of `background.extract`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Extract {}

pub(in super::super) static EXTRACT: KindInfo = KindInfo {
    name: "background.extract",
    version: 1,
    scope: Scope::Plate,
    about: "Median and MAD of each channel where no cell is, of each image, each well and the plate (BatchLib ExtractBackground)",
    inputs: &[
        Port::many(
            "images",
            Holds::Image,
            "channels, as they are in the containers",
        )
        .stored(),
        Port::one("labels", Holds::Labels, "the cells; label 0 is background").stored(),
        Port::one(
            "image_outliers",
            Holds::PlateTables,
            "outlier images (qc.images) count in no well and not for the plate",
        )
        .optional(),
    ],
    outputs: &[Port::one(
        "tables",
        Holds::PlateTables,
        "images/<name>, wells/<name>, plate/<name>: <channel>_median, <channel>_mad, background_fraction",
    )],
    schema: schema_of::<Extract>,
    compile: plate_kind::<Extract>,
};

/// What one image set shows where no cell is.
#[derive(Clone)]
struct Background {
    channels: Vec<MedianMad>,
    pixels: usize,
    all: usize,
    /// Share of the pixels that are background; of the plate, the mean of its wells.
    fraction: f64,
}

#[allow(clippy::cast_precision_loss)]
fn share(pixels: usize, all: usize) -> f64 {
    pixels as f64 / all as f64
}

impl PlateOperation for Extract {
    fn run(&self, io: &mut PlateIo<'_>) -> Result<(), Failure> {
        let channels = io.names("images");
        let labels = io.names("labels").remove(0);
        let outliers: BTreeSet<String> = match io.names("image_outliers").first() {
            Some(name) => {
                let name = at_level("images", name);
                let verdicts = verdicts(&*io.plate_table(&name)?, &name, "site_name")?;
                let marked = verdicts.into_iter().filter(|(_, (outlier, _))| *outlier);
                marked.map(|(site, _)| site).collect()
            }
            None => BTreeSet::new(),
        };
        let members = io.members();
        let readable = readable(io, members);
        // The pixels of each image are wanted again for its well and for the plate: as many as fit stay.
        let held = AtomicUsize::new(0);
        let of_images: BTreeMap<&str, OfImage> = readable
            .par_iter()
            .map(|member| {
                let of_image = OfImage::read(member, &channels, &labels, &held)?;
                Ok((member.name.as_str(), of_image))
            })
            .collect::<Result<_, Failure>>()?;
        let good: Vec<&PlateMember> = readable
            .into_iter()
            .filter(|m| !outliers.contains(&m.name))
            .collect();
        let pool = |members: &[&PlateMember]| pooled(members, &channels, &labels, &of_images);
        let mut wells: BTreeMap<plate::WellName, Vec<&PlateMember>> = BTreeMap::new();
        for member in members {
            wells.entry(member.well).or_default();
        }
        for member in &good {
            wells.entry(member.well).or_default().push(member);
        }
        let of_wells = wells
            .iter()
            .map(|(well, members)| Ok((well.to_string(), pool(members)?)))
            .collect::<Result<Vec<_>, Failure>>()?;
        let mut of_plate = pool(&good)?;
        of_plate.fraction = mean_of_known(of_wells.iter().map(|(_, well)| well.fraction));
        let text = |name: &str, values: Vec<String>| Column::text(name, values);
        let images = members
            .iter()
            .map(|m| Some(of_images.get(m.name.as_str())?.background.clone()))
            .collect::<Vec<_>>();
        let names = (
            members.iter().map(PlateMember::image_name).collect(),
            members.iter().map(|m| m.name.clone()).collect(),
        );
        let keys = vec![text("image_name", names.0), text("site_name", names.1)];
        let output = io.output("tables").unwrap_or("backgrounds").to_owned();
        let of_plate = [Some(of_plate)];
        let plate_name = io.plate_name();
        let tables = [
            ("images", table(keys, &channels, &images)),
            (
                "wells",
                table(
                    vec![text(
                        "well_name",
                        of_wells.iter().map(|w| w.0.clone()).collect(),
                    )],
                    &channels,
                    &of_wells.into_iter().map(|w| Some(w.1)).collect::<Vec<_>>(),
                ),
            ),
            (
                "plate",
                table(
                    vec![text("plate_name", vec![plate_name])],
                    &channels,
                    &of_plate,
                ),
            ),
        ];
        for (level, table) in tables {
            io.put_table(&at_level(level, &output), table);
        }
        Ok(())
    }

    fn batchlib(&self) -> Option<&'static str> {
        Some("ExtractBackground")
    }
}

/// One image set, and its pixels where there is room for them.
struct OfImage {
    background: Background,
    pixels: Option<ImagePixels>,
}

impl OfImage {
    /// `held`: bytes that are kept of all image sets so far.
    fn read(
        member: &PlateMember,
        channels: &[String],
        labels: &str,
        held: &AtomicUsize,
    ) -> Result<Self, Failure> {
        let pixels = pixels::read(member, channels, Some(labels))?;
        let count = pixels.channels.first().map_or(0, Vec::len);
        let background = Background {
            channels: pixels
                .channels
                .iter()
                .map(|values| MedianMad::of(&mut values.clone()))
                .collect(),
            pixels: count,
            all: pixels.all,
            fraction: share(count, pixels.all),
        };
        let bytes = pixels.bytes();
        let fits = held.fetch_add(bytes, Ordering::Relaxed) + bytes <= IN_MEMORY;
        Ok(Self {
            background,
            pixels: fits.then_some(pixels),
        })
    }
}

/// Of all pixels of several image sets together, not of their medians.
fn pooled(
    members: &[&PlateMember],
    channels: &[String],
    labels: &str,
    of_images: &BTreeMap<&str, OfImage>,
) -> Result<Background, Failure> {
    let images: Vec<&OfImage> = members
        .iter()
        .filter_map(|member| of_images.get(member.name.as_str()))
        .collect();
    if let [image] = images.as_slice() {
        return Ok(image.background.clone());
    }
    let pixels = images.iter().map(|i| i.background.pixels).sum();
    let all = images.iter().map(|i| i.background.all).sum();
    let mut background = Background {
        channels: Vec::with_capacity(channels.len()),
        pixels,
        all,
        fraction: share(pixels, all),
    };
    for (at, channel) in channels.iter().enumerate() {
        let held: Option<Vec<&[f32]>> = images
            .iter()
            .map(|image| Some(image.pixels.as_ref()?.channels[at].as_slice()))
            .collect();
        let pixels = match held {
            Some(held) => PixelsOf::at_hand(held),
            None => PixelsOf::new(members.to_vec(), channel, Some(labels))?,
        };
        background.channels.push(MedianMad::of_parts(&pixels)?);
    }
    Ok(background)
}

fn table(keys: Vec<Column>, channels: &[String], rows: &[Option<Background>]) -> Table {
    let of = |value: &dyn Fn(&Background) -> f64| -> Vec<f64> {
        rows.iter()
            .map(|row| row.as_ref().map_or(f64::NAN, value))
            .collect()
    };
    let mut columns = keys;
    for (at, channel) in channels.iter().enumerate() {
        let median = of(&|b| f64::from(b.channels[at].median));
        let mad = of(&|b| f64::from(b.channels[at].mad));
        columns.push(Column::float(format!("{channel}_median"), median));
        columns.push(Column::float(format!("{channel}_mad"), mad));
    }
    columns.push(Column::float("background_fraction", of(&|b| b.fraction)));
    Table { columns }
}
