//! Tables as files that other programs read: CSV, TSV, XLSX, Parquet.
//!
//! Names and columns are BatchLib's (`export_tables_for_plate`): `<plate>_image_table.csv`, `<plate>_cell_table_<channel>.csv`.
//! Every file is published: readers see the old one or the whole new one. A missing value is an empty cell, and null in
//! Parquet.

mod delimited;
mod folder;
mod frame;
mod names;
mod objects;
mod parquet;
mod whole;
mod writer;
mod xlsx;

use std::path::{Path, PathBuf};

use image_io::table::{Table, Values};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Result;
use frame::{Part, Schema};

pub use folder::{ObjectTableNames, PlateFolder, read_table};
pub use names::FileNames;
pub(crate) use names::safe;
pub use objects::{ObjectSite, ObjectTables, Written, write_objects};
pub use whole::{Exported, export_folder};

/// A file format.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Comma-separated values, RFC 4180, UTF-8.
    Csv,
    /// The same with tabs.
    Tsv,
    /// Spreadsheet; at most 1,048,576 rows with the header.
    Xlsx,
    /// Parquet with typed columns, Snappy.
    Parquet,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Csv, Self::Tsv, Self::Xlsx, Self::Parquet];

    /// The file name extension, which is also the word in files and on the command line.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Xlsx => "xlsx",
            Self::Parquet => "parquet",
        }
    }
}

impl std::str::FromStr for Format {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|f| f.extension() == word)
            .ok_or_else(|| format!("`{word}` is not one of csv, tsv, xlsx, parquet"))
    }
}

/// How tables are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// In which formats.
    pub formats: Vec<Format>,
    /// Decimals of real numbers in image, well and plate tables; `None`: all digits. BatchLib rounds to 2. Object tables keep
    /// all digits, as BatchLib's do.
    pub decimals: Option<u8>,
}

/// Writes an image, well or plate table as `<stem>.<extension>`, in each format.
///
/// # Errors
/// [`crate::Error::File`], or the table is too large for XLSX; the other formats are then written all the same.
pub fn write_table(
    folder: &Path,
    stem: &str,
    table: &Table,
    options: &Options,
) -> Result<Vec<PathBuf>> {
    let mut table = std::borrow::Cow::Borrowed(table);
    if let Some(decimals) = options.decimals {
        for column in &mut table.to_mut().columns {
            if let Values::Float(values) = &mut column.values {
                values.iter_mut().for_each(|v| *v = rounded(*v, decimals));
            }
        }
    }
    let schema = Schema::of(&table);
    let mut writers = writer::open_all(folder, stem, &schema, table.rows(), &options.formats)?;
    writers.write(&Part::of(&table))?;
    writers.finish()
}

/// As `numpy.round`: scaled, to even, scaled back.
fn rounded(value: f64, decimals: u8) -> f64 {
    let scale = 10_f64.powi(i32::from(decimals));
    let scaled = value * scale;
    // Numbers without decimals, and ones too large to be scaled.
    if !scaled.is_finite() || value.abs() >= 1e15 {
        return value;
    }
    scaled.round_ties_even() / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_numpys() {
        for (value, decimals, expected) in [
            (2.675, 2, 2.68),
            (0.125, 2, 0.12),
            (-1.005, 2, -1.0),
            (1.5, 0, 2.0),
            (2.5, 0, 2.0),
            (1e300, 2, 1e300),
        ] {
            assert!((rounded(value, decimals) - expected).abs() <= 1e-12 * expected.abs());
        }
        assert!(rounded(f64::NAN, 2).is_nan());
    }
}
