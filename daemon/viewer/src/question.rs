//! What can be asked of a container, and what comes back.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::ErrorClass;

/// A question about one container.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// The container: an HDF5 file or an N5 folder. Its bytes need not be UTF-8.
    #[serde(serialize_with = "write_path", deserialize_with = "read_path")]
    pub path: PathBuf,
    /// What to know of it.
    pub ask: Ask,
}

/// What to know of a container.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// Its images with their viewer attributes, and its tables: JSON.
    Contents,
    /// A picture of several images laid over each other.
    Picture {
        /// Which part.
        part: Part,
        /// The channels; empty: those that the viewer attributes show.
        channels: Vec<Channel>,
        /// Label images on top of them.
        overlays: Vec<Overlay>,
        /// How it is encoded.
        encoding: Encoding,
    },
    /// The labels of a tile: 32-bit little-endian numbers row by row, 0 being background.
    Labels {
        /// Name of the label image.
        image: String,
        /// Scale level.
        level: usize,
        /// Row of the tile.
        row: usize,
        /// Column of the tile.
        column: usize,
    },
    /// Rows of a table.
    Table {
        /// Its name, for example `nuclei/objects`.
        name: String,
        /// Only these columns, in this order; empty: all.
        columns: Vec<String>,
        /// Sorted by this column first; numbers by value, not-a-numbers last.
        sort: Option<String>,
        /// Largest first.
        descending: bool,
        /// Rows that are passed over.
        from: usize,
        /// Most rows.
        limit: usize,
        /// The form.
        format: TableFormat,
    },
    /// A heat map of a column of a plate table.
    HeatMap {
        /// The plate's name.
        plate: String,
        /// Rows and columns, where they are known.
        format: Option<(u16, u16)>,
        /// Name of the image or well table.
        table: String,
        /// The column.
        column: String,
        /// The image sets of the plate.
        sites: Vec<HeatMapSite>,
        /// Lower and upper end of the colours; absent: robust percentiles.
        range: Option<(f64, f64)>,
        /// The form.
        form: HeatMapForm,
    },
}

/// The form of a heat map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HeatMapForm {
    /// The value of each well.
    #[default]
    Json,
    /// A drawing.
    Svg,
    /// A picture.
    Png,
}

impl FromStr for HeatMapForm {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "json" => Ok(Self::Json),
            "svg" => Ok(Self::Svg),
            "png" => Ok(Self::Png),
            _ => Err(format!("`{word}` is not one of json, svg, png")),
        }
    }
}

/// An image set in a heat map.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeatMapSite {
    /// Its name, for example `A01-0001`.
    pub name: String,
    /// Its well.
    pub well: String,
    /// Why it has no result, where it has none.
    pub failed: Option<String>,
}

/// Which part of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// All of it, reduced so that the longer side has at most so many pixels.
    Whole(u32),
    /// A tile of [`crate::TILE`] pixels.
    Tile {
        /// Scale level, 0 being full resolution.
        level: usize,
        /// Its row.
        row: usize,
        /// Its column.
        column: usize,
    },
}

/// One channel of a picture. What is absent is taken from the viewer attributes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Channel {
    /// Name of the image.
    pub image: String,
    /// Pixel values that become black and full colour.
    pub limits: Option<(f64, f64)>,
    /// Its full colour.
    pub color: Option<Color>,
}

/// A label image on top of a picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overlay {
    /// Name of the label image.
    pub image: String,
    /// How it is drawn.
    pub style: OverlayStyle,
}

/// How labels are drawn. Each has a colour of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OverlayStyle {
    /// The outermost pixels of each object.
    Outline,
    /// All pixels of each object, half transparent.
    Fill,
}

impl FromStr for OverlayStyle {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "outline" => Ok(Self::Outline),
            "fill" => Ok(Self::Fill),
            _ => Err(format!("`{word}` is not one of outline, fill")),
        }
    }
}

/// A colour: red, green, blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Color(pub u8, pub u8, pub u8);

impl Color {
    /// The colours that have names, those of the viewer attributes among them.
    pub const NAMED: [(&'static str, Self); 8] = [
        ("white", Self(255, 255, 255)),
        ("gray", Self(255, 255, 255)),
        ("red", Self(255, 0, 0)),
        ("green", Self(0, 255, 0)),
        ("blue", Self(0, 0, 255)),
        ("cyan", Self(0, 255, 255)),
        ("magenta", Self(255, 0, 255)),
        ("yellow", Self(255, 255, 0)),
    ];

    /// As `rrggbb`.
    #[must_use]
    pub fn hex(self) -> String {
        format!("{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

impl FromStr for Color {
    type Err = String;

    /// A name in any case, or `rrggbb`.
    fn from_str(text: &str) -> Result<Self, String> {
        let named = Self::NAMED
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(text));
        if let Some((_, color)) = named {
            return Ok(*color);
        }
        let is_hex = text.len() == 6 && text.bytes().all(|b| b.is_ascii_hexdigit());
        let number = u32::from_str_radix(text, 16).ok().filter(|_| is_hex);
        let [_, red, green, blue] = number
            .ok_or_else(|| format!("`{text}` is no colour: write `rrggbb`, or red, green, blue, cyan, magenta, yellow, white"))?
            .to_be_bytes();
        Ok(Self(red, green, blue))
    }
}

/// How a picture is encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// Without loss.
    #[default]
    Png,
    /// Smaller; quality 92, colours at full resolution.
    Jpeg,
}

impl FromStr for Encoding {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "png" => Ok(Self::Png),
            "jpeg" | "jpg" => Ok(Self::Jpeg),
            _ => Err(format!("`{word}` is not one of png, jpeg")),
        }
    }
}

/// The form of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TableFormat {
    /// `{columns, rows, total, from}`; what is not a number, infinite values included, is null.
    #[default]
    Json,
    /// Comma-separated values.
    Csv,
    /// Tab-separated values.
    Tsv,
    /// Spreadsheet.
    Xlsx,
    /// Parquet with typed columns.
    Parquet,
}

impl TableFormat {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Json, Self::Csv, Self::Tsv, Self::Xlsx, Self::Parquet];

    /// The word in requests, which is also the file name extension.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Xlsx => "xlsx",
            Self::Parquet => "parquet",
        }
    }

    /// The media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Tsv => "text/tab-separated-values; charset=utf-8",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }
}

impl FromStr for TableFormat {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|format| format.word() == word)
            .ok_or_else(|| format!("`{word}` is not one of json, csv, tsv, xlsx, parquet"))
    }
}

/// What came back.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Media type.
    pub kind: String,
    /// Content.
    pub bytes: Vec<u8>,
    /// What belongs to it but is no content, for example the number of rows that there are in all.
    pub meta: Value,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Whether asking again can help, and whose fault it is.
    pub class: ErrorClass,
    /// What is wrong.
    pub detail: String,
    /// What to do about it.
    pub remedy: String,
}

fn write_path<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    path.as_os_str().as_bytes().serialize(serializer)
}

fn read_path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    let bytes = Vec::deserialize(deserializer)?;
    Ok(PathBuf::from(OsString::from_vec(bytes)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn colours_have_names_or_digits() {
        assert_eq!("Blue".parse(), Ok(Color(0, 0, 255)));
        assert_eq!("00ff7f".parse(), Ok(Color(0, 255, 127)));
        assert_eq!(Color(0, 255, 127).hex(), "00ff7f");
        for bad in ["", "blau", "fff", "#00ff7f", "+0ff7f", "00ff7ff"] {
            assert!(bad.parse::<Color>().is_err(), "{bad}");
        }
    }

    #[test]
    fn paths_are_bytes() {
        let question = Question {
            path: PathBuf::from(OsString::from_vec(b"/r/\xff.h5".to_vec())),
            ask: Ask::Contents,
        };
        let text = serde_json::to_string(&question).unwrap();
        assert_eq!(serde_json::from_str::<Question>(&text).unwrap(), question);
    }
}
