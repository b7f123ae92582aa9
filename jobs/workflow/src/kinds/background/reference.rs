//! The background that the intensities of a plate are measured from: of chosen wells, of the darkest well, or given numbers.

use std::collections::BTreeMap;
use std::path::Path;

use analysis::pooled::MedianMad;
use image_io::table::{Column, Table};
use plate::WellName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pixels::{PixelsOf, readable};
use crate::error::Failure;
use crate::graph::{Bindings, Scope};
use crate::kind::{KindInfo, PlateOperation, plate_kind, schema_of};
use crate::kinds::cells::{at_level, numbers, texts};
use crate::kinds::side_file;
use crate::plate_context::{PlateIo, PlateMember};
use crate::port::{Holds, Port};

/// Where a background comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Source {
    /// These wells: all their pixels.
    Wells(Vec<String>),
    /// A word: `min`, the well with the smallest background.
    Word(Word),
    /// These values, by channel.
    Values(BTreeMap<String, f64>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Word {
    /// The well with the smallest background.
    Min,
}

/// Parameters of `background.reference`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Reference {
    /// `["H01", "G01"]`: all pixels of these wells. `"min"`: for each channel the well whose background has the smallest median (needs input
    /// `backgrounds`). `{ serum_IgG = 1300.0 }`: these values; their MAD is not known.
    from: Source,
    /// JSON file with the background of single plates, by the plate's name, in the same three forms; `from` is for all others. Relative
    /// to the workflow file.
    file: Option<String>,
    /// With `min`: wells with a smaller share of background pixels are passed over.
    min_background_fraction: f64,
    /// With `min`: wells with a larger share of background pixels are passed over.
    max_background_fraction: f64,
}

impl Default for Reference {
    fn default() -> Self {
        Self {
            from: Source::Wells(vec!["H01".to_owned(), "G01".to_owned()]),
            file: None,
            min_background_fraction: 0.1,
            max_background_fraction: 0.9,
        }
    }
}

pub(in super::super) static REFERENCE: KindInfo = KindInfo {
    name: "background.reference",
    version: 1,
    scope: Scope::Plate,
    about: "The plate's background in each channel: of given wells, of the well with the smallest one, or given values (BatchLib BackgroundFromWells, BackgroundFromMinWell)",
    inputs: &[
        Port::many(
            "images",
            Holds::Image,
            "channels, as they are in the containers",
        )
        .stored(),
        Port::one(
            "backgrounds",
            Holds::PlateTables,
            "backgrounds of the wells (background.extract), for `min`",
        )
        .optional(),
    ],
    outputs: &[Port::one(
        "table",
        Holds::PlateTables,
        "plate/<name>: <channel>_min_well (the wells), <channel>_median, <channel>_mad",
    )],
    schema: schema_of::<Reference>,
    compile: plate_kind::<Reference>,
};

/// The background of one channel.
struct Known {
    wells: String,
    median: f64,
    mad: f64,
}

impl PlateOperation for Reference {
    fn run(&self, io: &mut PlateIo<'_>) -> Result<(), Failure> {
        let source = self.source_for(&io.plate_name())?;
        let mut columns = vec![Column::text("plate_name", vec![io.plate_name()])];
        for channel in io.names("images") {
            let known = match &source {
                Source::Wells(wells) => of_wells(io, wells, &channel)?,
                Source::Word(Word::Min) => self.of_min_well(io, &channel)?,
                Source::Values(values) => given(values, &channel)?,
            };
            columns.push(Column::text(
                format!("{channel}_min_well"),
                vec![known.wells],
            ));
            columns.push(Column::float(
                format!("{channel}_median"),
                vec![known.median],
            ));
            columns.push(Column::float(format!("{channel}_mad"), vec![known.mad]));
        }
        let output = at_level("plate", io.output("table").unwrap_or("background"));
        io.put_table(&output, Table { columns });
        Ok(())
    }

    fn outside(&self, plate: &str) -> BTreeMap<String, String> {
        let source = match self.of_file(plate) {
            Ok(Some(source)) => serde_json::to_string(&source).unwrap_or_default(),
            Ok(None) => return BTreeMap::new(),
            // Told when the job runs.
            Err(failure) => failure.message,
        };
        BTreeMap::from([("background of the plate".to_owned(), source)])
    }

    fn check(&self, inputs: &Bindings, _outputs: &Bindings) -> Vec<String> {
        let mut mistakes = Vec::new();
        match &self.from {
            Source::Wells(wells) if wells.is_empty() => {
                mistakes.push("`from` names no well".to_owned());
            }
            Source::Wells(wells) => mistakes.extend(
                wells
                    .iter()
                    .filter_map(|w| w.parse::<WellName>().err())
                    .map(|e| format!("`from`: {e}")),
            ),
            Source::Word(Word::Min) if !inputs.contains_key("backgrounds") => {
                mistakes.push("`from = \"min\"` needs input `backgrounds`".to_owned());
            }
            _ => {}
        }
        mistakes
    }

    fn batchlib(&self) -> Option<&'static str> {
        Some(match self.from {
            Source::Word(Word::Min) => "BackgroundFromMinWell",
            Source::Wells(_) | Source::Values(_) => "BackgroundFromWells",
        })
    }
}

impl Reference {
    fn source_for(&self, plate: &str) -> Result<Source, Failure> {
        Ok(self.of_file(plate)?.unwrap_or_else(|| self.from.clone()))
    }

    /// What the file says of a plate.
    fn of_file(&self, plate: &str) -> Result<Option<Source>, Failure> {
        const REMEDY: &str = "write {\"plate\": [\"H01\"]}, {\"plate\": \"min\"} or {\"plate\": {\"channel\": 1300}}";
        let Some(path) = self.file.as_deref().map(Path::new) else {
            return Ok(None);
        };
        let Some(bytes) = side_file::read(path)? else {
            return Err(side_file::refuse(
                path,
                "there is no such file",
                "name the right file, or leave `file` out",
            ));
        };
        let mut plates: BTreeMap<String, serde_json::Value> = serde_json::from_slice(&bytes)
            .map_err(|e| side_file::refuse(path, &e.to_string(), REMEDY))?;
        let Some(entry) = plates.remove(plate) else {
            return Ok(None);
        };
        serde_json::from_value(entry).map(Some).map_err(|_| {
            side_file::refuse(
                path,
                &format!("the entry of plate `{plate}` is none of the three forms"),
                REMEDY,
            )
        })
    }

    fn of_min_well(&self, io: &PlateIo<'_>, channel: &str) -> Result<Known, Failure> {
        let Some(name) = io
            .names("backgrounds")
            .first()
            .map(|n| at_level("wells", n))
        else {
            return Err(Failure::permanent(
                "unbound-input",
                "the darkest well is asked for, but input `backgrounds` is not bound",
                "bind it to an output of background.extract in the workflow",
            ));
        };
        let table = io.plate_table(&name)?;
        let wells = texts(&table, &name, "well_name")?;
        let medians = numbers(&table, &name, &format!("{channel}_median"))?;
        let mads = numbers(&table, &name, &format!("{channel}_mad"))?;
        let fractions = numbers(&table, &name, "background_fraction")?;
        let allowed = self.min_background_fraction..=self.max_background_fraction;
        let smallest = (0..wells.len())
            .filter(|&row| allowed.contains(&fractions[row]) && !medians[row].is_nan())
            // Of equal ones the first in well order.
            .min_by(|&a, &b| medians[a].total_cmp(&medians[b]));
        smallest
            .map(|row| Known {
                wells: wells[row].clone(),
                median: medians[row],
                mad: mads[row],
            })
            .ok_or_else(|| {
                Failure::permanent(
                    "no-background",
                    format!(
                        "no well of the plate has between {} and {} of its pixels without cells",
                        self.min_background_fraction, self.max_background_fraction
                    ),
                    "widen min_background_fraction and max_background_fraction, or name wells or values in `from` or in the plate's entry of `file`",
                )
            })
    }
}

fn of_wells(io: &PlateIo<'_>, wells: &[String], channel: &str) -> Result<Known, Failure> {
    let members = io.members();
    let mut chosen: Vec<&PlateMember> = Vec::new();
    for name in wells {
        let well: WellName = name.parse().map_err(|e| {
            Failure::permanent(
                "bad-parameter",
                format!("background well: {e}"),
                "correct the list of wells",
            )
        })?;
        let of_well = |m: &&PlateMember| m.well == well;
        let before = chosen.len();
        chosen.extend(readable(io, members).into_iter().filter(of_well));
        if chosen.len() == before {
            let known = if members.iter().any(|m| m.well == well) {
                "none of its images could be processed"
            } else {
                "the plate has no image of it"
            };
            return Err(Failure::permanent(
                "no-background-well",
                format!("background well {name}: {known}"),
                "name other wells or \"min\" for this plate in the job's `file` or `from`, then the plate is computed on",
            ));
        }
    }
    let MedianMad { median, mad } = MedianMad::of_parts(&PixelsOf::new(chosen, channel, None)?)?;
    Ok(Known {
        wells: wells.join(","),
        median: f64::from(median),
        mad: f64::from(mad),
    })
}

fn given(values: &BTreeMap<String, f64>, channel: &str) -> Result<Known, Failure> {
    // BatchLib's lists name serum channels without their prefix.
    let value = values
        .get(channel)
        .or_else(|| values.get(channel.strip_prefix("serum_")?));
    value
        .map(|value| Known {
            wells: String::new(),
            median: *value,
            mad: f64::NAN,
        })
        .ok_or_else(|| {
            let known: Vec<&str> = values.keys().map(String::as_str).collect();
            Failure::permanent(
                "no-background",
                format!(
                    "no background is given for channel `{channel}`, only for {}",
                    known.join(", ")
                ),
                "add its value in `from`, or in the plate's entry of `file`",
            )
        })
}
