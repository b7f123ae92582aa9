//! The image and well tables of a plate, and the heat maps that they give.

use std::collections::{BTreeMap, HashMap};

use image_io::table::{Table, Values};
use plate::{PlateFormat, WellName};

use crate::columns::{number, outlier_columns, text};
use crate::heatmap::scale::Scale;
use crate::{HeatMap, Image, Style, Value, Well};

/// An image set of the plate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Its name, for example `A01-0001`.
    pub name: String,
    /// Its well.
    pub well: WellName,
    /// Why it has no result, where it has none.
    pub failed: Option<String>,
}

/// What a report reads of a plate.
#[derive(Clone, Copy, Debug)]
pub struct PlateTables<'a> {
    /// The plate's name.
    pub plate: &'a str,
    /// The image sets, in well and site order.
    pub sites: &'a [Site],
    /// The image table; its key is `site_name`.
    pub images: Option<&'a Table>,
    /// The well table; its key is `well_name`.
    pub wells: Option<&'a Table>,
    /// What the well table is called, for the legend: `wells/default`.
    pub wells_name: &'a str,
    /// Rows and columns; `None`: the smallest plate that has all these wells.
    pub format: Option<PlateFormat>,
}

/// Rows of a table by their key.
struct Keyed<'a> {
    table: &'a Table,
    rows: HashMap<String, usize>,
}

impl<'a> Keyed<'a> {
    fn new(table: &'a Table, key: &str) -> Self {
        let column = table.column(key);
        let rows = (0..table.rows())
            .filter_map(|row| Some((text(&column?.values, row)?, row)))
            .collect();
        Self { table, rows }
    }

    fn value(&self, key: &str, column: &str) -> Value {
        let found = || number(&self.table.column(column)?.values, *self.rows.get(key)?);
        found().map_or(Value::Missing, Value::of)
    }

    /// Why a row is an outlier; `None` where it is none.
    fn outlier(&self, key: &str, column: &str) -> Option<String> {
        let (is, why) = outlier_columns(self.table, column)?;
        let row = *self.rows.get(key)?;
        let flag = number(&self.table.column(&is)?.values, row)?;
        if flag.is_nan() || flag == 0.0 {
            return None;
        }
        let why = self.table.column(&why).and_then(|c| text(&c.values, row));
        Some(why.map_or_else(|| "no reason given".to_owned(), |w| readable(&w)))
    }
}

/// BatchLib's `manual: -1; heuristic: too few cells` without what says nothing.
fn readable(reason: &str) -> String {
    let parts: Vec<&str> = reason
        .split(';')
        .map(str::trim)
        .filter_map(|part| match part {
            "" | "none" | "manual: -1" | "manual: 0" | "heuristic: none" => None,
            "manual: 1" => Some("marked by hand"),
            _ => Some(part.strip_prefix("heuristic: ").unwrap_or(part)),
        })
        .collect();
    if parts.is_empty() {
        "no reason given".to_owned()
    } else {
        parts.join("; ")
    }
}

impl PlateTables<'_> {
    /// The heat map of a column. What a table does not have is said in the picture's notes, never an error.
    #[must_use]
    pub fn heat_map(&self, column: &str, style: Style, scale: Scale) -> HeatMap {
        let images = self.images.map(|t| Keyed::new(t, "site_name"));
        let wells = self.wells.map(|t| Keyed::new(t, "well_name"));
        let of_wells = wells.as_ref().filter(|w| is_numeric(w.table, column));
        let mut map: BTreeMap<WellName, Well> = BTreeMap::new();
        for site in self.sites {
            let well = map.entry(site.well).or_insert_with(|| {
                let name = site.well.to_string();
                Well {
                    value: of_wells.map_or(Value::Missing, |w| w.value(&name, column)),
                    outlier: wells.as_ref().and_then(|w| w.outlier(&name, column)),
                    images: Vec::new(),
                }
            });
            // A failed image may have a row that says so.
            let value = match &images {
                Some(table) if site.failed.is_none() => table.value(&site.name, column),
                _ => Value::Missing,
            };
            let outlier = images.as_ref().and_then(|t| t.outlier(&site.name, column));
            well.images.push(Image {
                name: site.name.clone(),
                value,
                // A failed image is not an outlier, but one without a result.
                outlier: outlier.filter(|_| site.failed.is_none()),
                failed: site.failed.clone(),
            });
        }
        let from_images = style == Style::PerImage;
        if from_images {
            for well in map.values_mut() {
                well.value = median(&well.images);
            }
        }
        HeatMap {
            id: format!("{}-{}", identifier(column), style.file_word()),
            plate: self.plate.to_owned(),
            column: column.to_owned(),
            format: self.format(),
            style,
            well_value: if from_images {
                "median of the images, outliers left out".to_owned()
            } else {
                self.wells_name.to_owned()
            },
            notes: self.notes(column, style, &map),
            wells: map,
            scale,
        }
    }

    /// Rows and columns of the plate: as given, else the smallest that has all wells; 96 wells where there is none.
    #[must_use]
    pub fn format(&self) -> PlateFormat {
        self.format
            .or_else(|| PlateFormat::guess(self.well_names()))
            .unwrap_or(PlateFormat::STANDARD[4])
    }

    /// Outlier images of any channel, with their reasons: in site order.
    #[must_use]
    pub fn outlier_images(&self) -> Vec<(String, String)> {
        let Some(images) = self.images.map(|t| Keyed::new(t, "site_name")) else {
            return Vec::new();
        };
        let names = self.sites.iter().filter(|s| s.failed.is_none());
        outliers(&images, names.map(|s| s.name.clone()))
    }

    /// Outlier wells of any channel, with their reasons: row by row.
    #[must_use]
    pub fn outlier_wells(&self) -> Vec<(String, String)> {
        let Some(wells) = self.wells.map(|t| Keyed::new(t, "well_name")) else {
            return Vec::new();
        };
        outliers(&wells, self.well_names().map(|w| w.to_string()))
    }

    /// The wells of the image sets, row by row, each once.
    pub fn well_names(&self) -> impl Iterator<Item = WellName> {
        let names: std::collections::BTreeSet<WellName> =
            self.sites.iter().map(|s| s.well).collect();
        names.into_iter()
    }

    /// The value of a well in the well table.
    #[must_use]
    pub fn well_values(&self, column: &str) -> Vec<(WellName, Value)> {
        let wells = self.wells.map(|t| Keyed::new(t, "well_name"));
        self.well_names()
            .map(|name| {
                let value = wells
                    .as_ref()
                    .map_or(Value::Missing, |w| w.value(&name.to_string(), column));
                (name, value)
            })
            .collect()
    }

    fn notes(&self, column: &str, style: Style, map: &BTreeMap<WellName, Well>) -> Vec<String> {
        let (table, name) = match style {
            Style::PerWell => (self.wells, "well table"),
            Style::PerImage => (self.images, "image table"),
        };
        let mut notes = Vec::new();
        match table {
            None => notes.push(format!("there is no {name}")),
            Some(table) => match table.column(column).map(|c| &c.values) {
                None => notes.push(format!("the {name} has no column \"{column}\"")),
                Some(Values::Text(_)) => {
                    notes.push(format!("\"{column}\" holds text, which has no colour"));
                }
                Some(_) => {}
            },
        }
        let outside: Vec<String> = self
            .format
            .map(|f| {
                map.keys()
                    .filter(|w| !f.contains(**w))
                    .map(ToString::to_string)
                    .collect()
            })
            .unwrap_or_default();
        if !outside.is_empty() {
            notes.push(format!(
                "wells outside the chosen plate format are not drawn: {}",
                outside.join(", ")
            ));
        }
        notes
    }
}

fn is_numeric(table: &Table, column: &str) -> bool {
    table
        .column(column)
        .is_some_and(|c| !matches!(c.values, Values::Text(_)))
}

/// Rows that some channel calls an outlier; a reason that several give is named once.
fn outliers(keyed: &Keyed<'_>, names: impl Iterator<Item = String>) -> Vec<(String, String)> {
    let channels: Vec<&str> = keyed
        .table
        .columns
        .iter()
        .filter_map(|c| c.name.ends_with("is_outlier").then_some(c.name.as_str()))
        .collect();
    let reason = |name: &str| -> Option<String> {
        let mut reasons: Vec<String> = Vec::new();
        for channel in &channels {
            if let Some(reason) = keyed.outlier(name, channel)
                && !reasons.contains(&reason)
            {
                reasons.push(reason);
            }
        }
        (!reasons.is_empty()).then(|| reasons.join("; "))
    };
    names
        .filter_map(|name| reason(&name).map(|r| (name, r)))
        .collect()
}

/// Median of the numbers of images that are no outliers; the mean of the two middle ones of an even count.
fn median(images: &[Image]) -> Value {
    let mut values: Vec<f64> = images
        .iter()
        .filter(|i| i.outlier.is_none())
        .filter_map(|i| match i.value {
            Value::Number(v) => Some(v),
            _ => None,
        })
        .collect();
    values.sort_unstable_by(f64::total_cmp);
    let half = values.len() / 2;
    match values.len() {
        0 if images.iter().all(|i| i.value == Value::Missing) => Value::Missing,
        0 => Value::Undefined,
        n if n % 2 == 1 => Value::of(values[half]),
        _ => Value::of(f64::midpoint(values[half - 1], values[half])),
    }
}

/// A name as part of an id: letters, digits, `_`, `-` and `.`; it begins with a letter.
pub(crate) fn identifier(name: &str) -> String {
    let safe = |c: char| {
        if c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.') {
            c
        } else {
            '_'
        }
    };
    let text: String = name.chars().map(safe).collect();
    if text.starts_with(|c: char| c.is_ascii_alphabetic()) {
        text
    } else {
        format!("c{text}")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use image_io::table::Column;

    fn sites(names: &[&str]) -> Vec<Site> {
        let site = |name: &&str| Site {
            name: (*name).to_owned(),
            well: name.split('-').next().unwrap().parse().unwrap(),
            failed: None,
        };
        names.iter().map(site).collect()
    }

    #[test]
    fn values_outliers_and_gaps() {
        let mut sites = sites(&["A01-0000", "A01-0001", "A01-0002", "B02-0000"]);
        sites[3].failed = Some("damaged".to_owned());
        let names = ["A01-0001", "A01-0000", "A01-0002"]
            .map(str::to_owned)
            .to_vec();
        let images = Table {
            columns: vec![
                Column::text("site_name", names),
                Column::float("x", vec![2.0, 1.0, f64::NAN]),
                Column::int("is_outlier", vec![0, 1, 0]),
                Column::text(
                    "outlier_type",
                    [
                        "manual: -1; heuristic: none",
                        "manual: 1; heuristic: too few cells",
                        "manual: 0; heuristic: none",
                    ]
                    .map(str::to_owned)
                    .to_vec(),
                ),
            ],
        };
        let tables = PlateTables {
            plate: "p",
            sites: &sites,
            images: Some(&images),
            wells: None,
            wells_name: "wells/default",
            format: None,
        };
        let map = tables.heat_map("x", Style::PerImage, Scale::default());
        let a = &map.wells[&"A01".parse().unwrap()];
        assert_eq!(a.value, Value::Number(2.0), "the outlier is left out");
        assert_eq!(a.images[0].value, Value::Number(1.0));
        assert_eq!(
            a.images[0].outlier.as_deref(),
            Some("marked by hand; too few cells")
        );
        assert_eq!(a.images[2].value, Value::Undefined);
        let b = &map.wells[&"B02".parse().unwrap()];
        assert_eq!(
            (b.value, b.images[0].value),
            (Value::Missing, Value::Missing)
        );
        assert_eq!(b.images[0].failed.as_deref(), Some("damaged"));
        assert!(map.notes.is_empty());
        assert_eq!(
            tables.outlier_images(),
            [(
                "A01-0000".to_owned(),
                "marked by hand; too few cells".to_owned()
            )]
        );
        let wells = tables.heat_map("x", Style::PerWell, Scale::default());
        assert_eq!(wells.notes, ["there is no well table"]);
        let absent = tables.heat_map("y", Style::PerImage, Scale::default());
        assert_eq!(absent.notes, ["the image table has no column \"y\""]);
        let named = tables.heat_map("outlier_type", Style::PerImage, Scale::default());
        assert_eq!(
            named.notes,
            ["\"outlier_type\" holds text, which has no colour"]
        );
    }

    #[test]
    fn ids_are_safe() {
        assert_eq!(identifier("IgG_q0.5 <x>"), "IgG_q0.5__x_");
        assert_eq!(identifier("0.5"), "c0.5");
    }
}
