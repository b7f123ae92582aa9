//! A plate in words and numbers: Markdown for chats and repositories, HTML to look at, JSON for programs.

mod html;
mod markdown;

use std::path::{Path, PathBuf};

use image_io::publish::write_bytes_atomically;
use image_io::table::Table;
use serde::Serialize;

use crate::columns::{text, wanted_columns};
use crate::export::safe;
use crate::heatmap::Value;
use crate::{PlateTables, Result, Scale, Style, heatmap};

/// Who made the results.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MadeBy {
    /// The workflow.
    pub workflow: String,
    /// Its version.
    pub workflow_version: String,
    /// The program and its version.
    pub program: String,
}

/// How many there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// All.
    pub total: usize,
    /// Without a result. A well without a result has only failed images.
    pub failed: usize,
    /// Outliers.
    pub outliers: usize,
}

/// An image or well, and what is to be said of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Remark {
    /// Its name.
    pub name: String,
    /// Why it failed or is an outlier.
    pub reason: String,
}

/// A column of the well table over the plate; wells without a number do not count.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ColumnNumbers {
    /// Its name.
    pub name: String,
    /// Wells that have a number.
    pub wells: usize,
    /// The smallest; NaN (null in JSON) where no well has a number.
    pub min: f64,
    /// The median.
    pub median: f64,
    /// The largest.
    pub max: f64,
}

/// The values of one well.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WellRow {
    /// The well.
    pub well: String,
    /// Whether some channel calls it an outlier.
    pub outlier: bool,
    /// One value a column; NaN (null in JSON) where there is no number.
    pub values: Vec<f64>,
}

/// A table of one row, for example the backgrounds of the plate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// The table's name.
    pub table: String,
    /// Column and value.
    pub values: Vec<(String, String)>,
}

/// A summary. Its JSON form is what notifications read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// The plate.
    pub plate: String,
    /// Who made the results.
    pub made_by: MadeBy,
    /// Wells, rows and columns of the plate.
    pub format: String,
    /// Image sets.
    pub images: Counts,
    /// Wells.
    pub wells: Counts,
    /// Image sets without a result.
    pub failed_images: Vec<Remark>,
    /// Image sets that quality control left out.
    pub outlier_images: Vec<Remark>,
    /// Wells that quality control left out.
    pub outlier_wells: Vec<Remark>,
    /// The columns that were asked for.
    pub columns: Vec<ColumnNumbers>,
    /// Names and wildcards that fit no column.
    pub absent_columns: Vec<String>,
    /// The wells with the values of those columns.
    pub well_values: Vec<WellRow>,
    /// Backgrounds.
    pub backgrounds: Vec<Facts>,
    /// Heat maps as SVG; only in the HTML form.
    #[serde(skip)]
    pub pictures: Vec<String>,
}

impl Summary {
    /// Collects what there is to say. `columns` are names and wildcards of the well table's columns, `backgrounds` tables of one
    /// row with their names.
    #[must_use]
    pub fn new(
        tables: &PlateTables<'_>,
        made_by: MadeBy,
        columns: &[String],
        backgrounds: &[(String, Table)],
    ) -> Self {
        let of_wells: Vec<&Table> = tables.wells.into_iter().collect();
        let wanted = wanted_columns(columns, &of_wells);
        let remark = |(name, reason): (String, String)| Remark { name, reason };
        let outlier_images: Vec<Remark> = tables.outlier_images().into_iter().map(remark).collect();
        let outlier_wells: Vec<Remark> = tables.outlier_wells().into_iter().map(remark).collect();
        let failed_images: Vec<Remark> = tables
            .sites
            .iter()
            .filter_map(|s| Some(remark((s.name.clone(), s.failed.clone()?))))
            .collect();
        let without = |well| {
            let mut sites = tables.sites.iter().filter(move |s| s.well == well);
            sites.all(|s| s.failed.is_some())
        };
        let maps: Vec<_> = wanted
            .columns
            .iter()
            .map(|c| tables.heat_map(c, Style::PerWell, Scale::default()))
            .collect();
        Self {
            plate: tables.plate.to_owned(),
            made_by,
            format: tables.format().to_string(),
            images: Counts {
                total: tables.sites.len(),
                failed: failed_images.len(),
                outliers: outlier_images.len(),
            },
            wells: Counts {
                total: tables.well_names().count(),
                failed: tables.well_names().filter(|w| without(*w)).count(),
                outliers: outlier_wells.len(),
            },
            columns: wanted.columns.iter().map(|c| numbers(tables, c)).collect(),
            well_values: rows(tables, &wanted.columns, &outlier_wells),
            absent_columns: [wanted.absent, wanted.empty].concat(),
            failed_images,
            outlier_images,
            outlier_wells,
            backgrounds: backgrounds.iter().map(|(n, t)| facts(n, t)).collect(),
            pictures: maps
                .into_iter()
                .enumerate()
                .map(|(i, mut map)| {
                    // Two columns may differ only in characters that ids do not have.
                    map.id = format!("map{i}-{}", map.id);
                    heatmap(&map)
                })
                .collect(),
        }
    }

    /// JSON, for programs.
    #[must_use]
    pub fn json(&self) -> String {
        // Nothing in it can fail: keys are text, and NaN is null.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Markdown, with everything foreign escaped.
    #[must_use]
    pub fn markdown(&self) -> String {
        markdown::markdown(self)
    }

    /// One HTML file without scripts that loads nothing, the heat maps in it.
    #[must_use]
    pub fn html(&self) -> String {
        html::html(self)
    }

    /// Publishes `<plate>_summary.md`, `.html` and `.json`.
    ///
    /// # Errors
    /// [`crate::Error::File`].
    pub fn write(&self, folder: &Path) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        // The numbers last: whoever waits for them finds the others there.
        for (extension, text) in [
            ("md", self.markdown()),
            ("html", self.html()),
            ("json", self.json()),
        ] {
            let path = folder.join(format!("{}_summary.{extension}", safe(&self.plate)));
            write_bytes_atomically(&path, text.as_bytes())?;
            files.push(path);
        }
        Ok(files)
    }
}

fn numbers(tables: &PlateTables<'_>, column: &str) -> ColumnNumbers {
    let values = tables.well_values(column);
    let mut finite: Vec<f64> = values.into_iter().filter_map(|(_, v)| v.finite()).collect();
    finite.sort_unstable_by(f64::total_cmp);
    let half = finite.len() / 2;
    let at = |index: usize| finite.get(index).copied().unwrap_or(f64::NAN);
    ColumnNumbers {
        name: column.to_owned(),
        wells: finite.len(),
        min: at(0),
        median: if finite.len() % 2 == 1 || finite.is_empty() {
            at(half)
        } else {
            f64::midpoint(at(half - 1), at(half))
        },
        max: finite.last().copied().unwrap_or(f64::NAN),
    }
}

fn rows(tables: &PlateTables<'_>, columns: &[String], outliers: &[Remark]) -> Vec<WellRow> {
    let values: Vec<_> = columns.iter().map(|c| tables.well_values(c)).collect();
    tables
        .well_names()
        .enumerate()
        .map(|(row, well)| {
            let well = well.to_string();
            let value = |(_, value): (_, Value)| match value {
                Value::Number(v) => v,
                Value::Undefined | Value::Missing => f64::NAN,
            };
            WellRow {
                outlier: outliers.iter().any(|o| o.name == well),
                values: values.iter().map(|v| value(v[row])).collect(),
                well,
            }
        })
        .collect()
}

fn facts(name: &str, table: &Table) -> Facts {
    let value = |c: &image_io::table::Column| Some((c.name.clone(), text(&c.values, 0)?));
    Facts {
        table: name.to_owned(),
        values: table
            .columns
            .iter()
            .filter(|c| c.name != "plate_name")
            .filter_map(value)
            .collect(),
    }
}

/// How the plate went, in one sentence.
fn sentence(summary: &Summary) -> String {
    let count = |n: usize, one: &str| match n {
        1 => format!("1 {one}"),
        n => format!("{n} {one}s"),
    };
    let part = |counts: Counts, one: &str| {
        format!(
            "{}, {} failed, {} outlier{}",
            count(counts.total, one),
            counts.failed,
            counts.outliers,
            if counts.outliers == 1 { "" } else { "s" }
        )
    };
    format!(
        "{}. {}. Plate of {}.",
        part(summary.wells, "well"),
        part(summary.images, "image"),
        summary.format
    )
}

/// Lists that people read end here; all is in the JSON.
const MOST_LISTED: usize = 200;
