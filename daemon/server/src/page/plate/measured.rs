//! What was measured on a plate, as its page shows it: the columns that there are, and the values of one of them.

use std::path::Path;
use std::time::Duration;

use plate::WellName;
use serde::Deserialize;
use viewer::{Ask, HeatMapForm, TableFormat};

use crate::app::App;
use crate::problem::Problem;

/// A results folder that does not answer must not keep the page waiting.
const PATIENCE: Duration = Duration::from_secs(3);

/// Steps of the colour scale in `scale.css`.
const STEPS: f64 = 32.0;

/// A table of the plate with its columns of numbers.
pub(crate) struct Columns {
    pub table: String,
    pub columns: Vec<String>,
}

#[derive(Deserialize)]
struct Contents {
    tables: Vec<NamedTable>,
}

#[derive(Deserialize)]
struct NamedTable {
    name: String,
}

#[derive(Deserialize)]
struct Head {
    columns: Vec<Column>,
}

#[derive(Deserialize)]
struct Column {
    name: String,
    #[serde(rename = "type")]
    kind: String,
}

/// The value of a column in each well.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Values {
    pub column: String,
    pub values_are: String,
    range: [f64; 2],
    colors: String,
    pub notes: Vec<String>,
    wells: Vec<WellValue>,
}

#[derive(Clone, Debug, Deserialize)]
struct WellValue {
    well: String,
    value: Option<f64>,
    is_missing: bool,
    images: usize,
    outlier: Option<String>,
}

/// What a cell shows of a value.
pub(crate) struct Shade {
    pub class: String,
    pub text: String,
    pub label: String,
}

pub(super) async fn ask(app: &App, path: &Path, ask: Ask) -> Result<Vec<u8>, Problem> {
    let asked = app.published(path.to_owned(), ask, None);
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(answer) => Ok(answer?
            .1
            .map(|answer| answer.bytes.clone())
            .unwrap_or_default()),
        Err(_) => Err(Problem::unavailable(
            "not_readable_now",
            "the results folder does not answer",
        )
        .with_remedy("check that it is mounted and its server is up")),
    }
}

pub(super) fn read<'b, T: Deserialize<'b>>(bytes: &'b [u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|error| Problem::internal(error.to_string()))
}

/// Names of the plate's tables.
pub(crate) async fn tables(app: &App, path: &Path) -> Result<Vec<String>, Problem> {
    let bytes = ask(app, path, Ask::Contents).await?;
    let contents: Contents = read(&bytes)?;
    Ok(contents
        .tables
        .into_iter()
        .map(|table| table.name)
        .collect())
}

/// The columns that can be shown, those of wells first.
pub(crate) async fn columns(
    app: &App,
    path: &Path,
    tables: &[String],
) -> Result<Vec<Columns>, Problem> {
    let mut found = Vec::new();
    for level in ["wells/", "images/"] {
        for table in tables.iter().filter(|table| table.starts_with(level)) {
            let head = Ask::Table {
                name: table.clone(),
                columns: Vec::new(),
                sort: None,
                descending: false,
                from: 0,
                limit: 0,
                format: TableFormat::Json,
            };
            let bytes = ask(app, path, head).await?;
            let head: Head = read(&bytes)?;
            let numbers = head
                .columns
                .into_iter()
                .filter(|column| column.kind != "text");
            found.push(Columns {
                table: table.clone(),
                columns: numbers.map(|column| column.name).collect(),
            });
        }
    }
    Ok(found)
}

/// What is shown where nobody chose: a score, else the first column that was measured.
pub(crate) fn usual(columns: &[Columns]) -> Option<(String, String)> {
    let all = || {
        columns
            .iter()
            .flat_map(|of| of.columns.iter().map(move |column| (&of.table, column)))
    };
    let is_about_images = |column: &str| {
        ["is_outlier", "n_images", "n_failed_images", "site"]
            .iter()
            .any(|name| column.ends_with(name))
    };
    all()
        .find(|(_, column)| *column == "score")
        .or_else(|| all().find(|(_, column)| !is_about_images(column)))
        .map(|(table, column)| (table.clone(), column.clone()))
}

/// The values of a column.
pub(crate) async fn values(
    app: &App,
    plate: queue::PlateRow,
    path: &Path,
    shown: (String, String),
    range: Option<(f64, f64)>,
) -> Result<Values, Problem> {
    let question = app
        .blocking(move |inner| {
            crate::api::heat_map_question(inner, &plate, shown, range, HeatMapForm::Json)
        })
        .await?;
    read(&ask(app, path, question).await?)
}

impl Values {
    /// The ends of the colours.
    pub(crate) fn ends(&self) -> (String, String) {
        (short(self.range[0]), short(self.range[1]))
    }

    /// Classes of the colours of the legend, from low to high.
    pub(crate) fn legend(&self) -> Vec<String> {
        (0..16)
            .map(|step| format!("{}{}", self.letter(), step * 2 + 1))
            .collect()
    }

    fn letter(&self) -> char {
        if self.colors == "diverging" { 'd' } else { 'v' }
    }

    fn class(&self, value: f64) -> String {
        let [low, high] = self.range;
        let share = if high > low {
            (value - low) / (high - low)
        } else {
            0.5
        };
        let step = (share * STEPS).floor().clamp(0.0, STEPS - 1.0);
        format!("{}{step}", self.letter())
    }

    /// How a well is shown; `None` where it has no value and why is told by its state.
    pub(crate) fn shade(&self, well: &str) -> Option<Shade> {
        let found = self.wells.iter().find(|value| value.well == well)?;
        if found.is_missing {
            return None;
        }
        let mut label = match found.value {
            Some(value) => format!("{well}: {} {}", self.column, precise(value)),
            None => format!("{well}: {} is not a number", self.column),
        };
        if found.images > 0 {
            let s = if found.images == 1 { "" } else { "s" };
            label.push_str(&format!(", median of {} image{s}", found.images));
        }
        if let Some(why) = &found.outlier {
            label.push_str(&format!(", outlier: {why}"));
        }
        Some(Shade {
            class: found
                .value
                .map_or_else(|| "t-none".to_owned(), |value| self.class(value)),
            text: match (found.value, &found.outlier) {
                (None, _) => "?".to_owned(),
                (Some(value), None) => short(value),
                (Some(value), Some(_)) => format!("{}*", short(value)),
            },
            label,
        })
    }

    /// The median over a row or column of wells.
    pub(crate) fn margin(&self, what: &str, is_in: impl Fn(WellName) -> bool) -> Option<Shade> {
        let mut values: Vec<f64> = self
            .wells
            .iter()
            .filter(|value| value.outlier.is_none() && value.well.parse().is_ok_and(&is_in))
            .filter_map(|value| value.value)
            .collect();
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let median = match values.len() {
            0 => return None,
            n if n % 2 == 1 => values[middle],
            _ => f64::midpoint(values[middle - 1], values[middle]),
        };
        Some(Shade {
            class: self.class(median),
            text: short(median),
            label: format!(
                "{what}: median {} of {} wells",
                precise(median),
                values.len()
            ),
        })
    }
}

/// At most four characters where that is possible: what fits into a cell.
fn short(value: f64) -> String {
    let size = value.abs();
    match size {
        _ if value == 0.0 => "0".to_owned(),
        1e6.. => format!("{:.0e}", value),
        1e4.. => format!("{:.0}k", value / 1e3),
        1e3.. => format!("{:.1}k", value / 1e3),
        100.0.. => format!("{value:.0}"),
        10.0.. => trimmed(&format!("{value:.1}")),
        0.01.. => trimmed(&format!("{value:.2}")),
        _ => format!("{value:.0e}"),
    }
}

/// Five digits.
fn precise(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 || (1e-4..1e7).contains(&size) {
        let digits = (4.0 - size.max(1e-4).log10().floor()).clamp(0.0, 8.0);
        return trimmed(&format!("{value:.*}", digits as usize));
    }
    format!("{value:.4e}")
}

fn trimmed(text: &str) -> String {
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn some() -> Values {
        serde_json::from_value(serde_json::json!({
            "table": "wells/default", "column": "x", "values_are": "wells/default", "range": [0.0, 10.0],
            "colors": "viridis", "notes": [],
            "wells": [
                { "well": "A01", "value": 0.0, "is_missing": false, "images": 0, "outlier": null },
                { "well": "A02", "value": 10.0, "is_missing": false, "images": 3, "outlier": null },
                { "well": "B01", "value": 99.0, "is_missing": false, "images": 0, "outlier": "too few cells" },
                { "well": "B02", "value": null, "is_missing": false, "images": 0, "outlier": null },
                { "well": "B03", "value": null, "is_missing": true, "images": 0, "outlier": null },
            ],
        }))
        .unwrap()
    }

    #[test]
    fn values_have_colours_and_words() {
        let values = some();
        let shade = |well| values.shade(well).map(|s| (s.class, s.text, s.label));
        let is =
            |class: &str, text: &str, label: &str| Some((class.into(), text.into(), label.into()));
        assert_eq!(shade("A01"), is("v0", "0", "A01: x 0"));
        assert_eq!(
            shade("A02"),
            is("v31", "10", "A02: x 10, median of 3 images")
        );
        assert_eq!(
            shade("B01"),
            is("v31", "99*", "B01: x 99, outlier: too few cells")
        );
        assert_eq!(shade("B02"), is("t-none", "?", "B02: x is not a number"));
        assert_eq!(shade("B03"), None, "its state says why");
        assert_eq!(shade("C01"), None);
    }

    #[test]
    fn margins_are_medians_without_outliers() {
        let values = some();
        let row = values.margin("row A", |well| well.row() == 0).unwrap();
        assert_eq!(
            (row.text.as_str(), row.label.as_str()),
            ("5", "row A: median 5 of 2 wells")
        );
        assert!(values.margin("row B", |well| well.row() == 1).is_none());
    }

    #[test]
    fn numbers_are_short_in_cells() {
        for (value, text) in [
            (0.0, "0"),
            (0.5, "0.5"),
            (-0.123, "-0.12"),
            (12.345, "12.3"),
            (345.6, "346"),
            (1234.5, "1.2k"),
            (56_789.0, "57k"),
            (1.5e7, "2e7"),
            (0.000_12, "1e-4"),
        ] {
            assert_eq!(short(value), text);
        }
        assert_eq!(precise(12.345_678), "12.346");
        assert_eq!(precise(123_456.7), "123457");
        assert_eq!(precise(1e-9), "1.0000e-9");
    }

    #[test]
    fn scores_are_shown_first() {
        let of = |table: &str, columns: &[&str]| Columns {
            table: table.into(),
            columns: columns.iter().map(|&c| c.into()).collect(),
        };
        let measured = [
            of("wells/default", &["n_images", "area"]),
            of("images/default", &["score"]),
        ];
        assert_eq!(
            usual(&measured),
            Some(("images/default".into(), "score".into()))
        );
        assert_eq!(
            usual(&measured[..1]),
            Some(("wells/default".into(), "area".into()))
        );
        assert_eq!(usual(&[]), None);
    }
}
