//! The tables that people read: scores of all serum channels side by side, with the backgrounds.

mod parameters;

use std::collections::BTreeMap;

use image_io::table::{Column, Table, Values};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cells::{at_level, channel_of, texts};
use crate::error::Failure;
use crate::graph::Scope;
use crate::kind::{KindInfo, PlateOperation, plate_kind, schema_of};
use crate::plate_context::PlateIo;
use crate::port::{Holds, Port};

/// Columns that are kept of every table: those whose names have one of these in them.
const KEPT: [&str; 9] = [
    "ratio_of_q0.5",
    "robust_z_score",
    "mad",
    "q0.5_of_cell",
    "ratio_of_mean",
    "mean_of_cell",
    "pvalue_of_mean",
    "is_outlier",
    "outlier_type",
];
/// Columns that are the same in all tables, and so are taken from the first.
const COMMON: [&str; 10] = [
    "score",
    "n_infected",
    "n_control",
    "n_cells",
    "n_outlier_cells",
    "fraction_infected",
    "cell_size_median_infected",
    "cell_size_mean_infected",
    "cell_size_median_control",
    "cell_size_mean_control",
];

/// Parameters of `tables.merge`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Merge {
    /// Serum channel whose table comes first and gives what is the same in all tables (`serum_IgG`). Not set, or not there: the first
    /// one that is named.
    reference: Option<String>,
    /// Columns that are kept beside BatchLib's: parts of their names.
    also: Vec<String>,
}

pub(super) static MERGE: KindInfo = KindInfo {
    name: "tables.merge",
    version: 1,
    scope: Scope::Plate,
    about: "One image table and one well table of all serum channels, with backgrounds and the parameters of the analysis (BatchLib MergeAnalysisTables)",
    inputs: &[
        Port::many(
            "images",
            Holds::PlateTables,
            "image tables of analyse.cell_level",
        ),
        Port::many(
            "wells",
            Holds::PlateTables,
            "well tables of analyse.cell_level",
        ),
        Port::one(
            "backgrounds",
            Holds::PlateTables,
            "an output of background.extract",
        )
        .optional(),
    ],
    outputs: &[
        Port::one(
            "tables",
            Holds::PlateTables,
            "images/<name> and wells/<name>; PlateViewer shows `default`",
        ),
        Port::one(
            "parameters",
            Holds::PlateTables,
            "the parameters that the scores depend on, one row; BatchLib calls it `plate/analysis_parameter`",
        )
        .optional(),
    ],
    schema: schema_of::<Merge>,
    compile: plate_kind::<Merge>,
};

impl PlateOperation for Merge {
    fn run(&self, io: &mut PlateIo<'_>) -> Result<(), Failure> {
        let output = io.output("tables").unwrap_or("default").to_owned();
        for (level, keys) in [
            ("images", ["image_name", "site_name"].as_slice()),
            ("wells", ["well_name"].as_slice()),
        ] {
            let merged = self.merged(io, level, keys)?;
            io.put_table(&at_level(level, &output), merged);
        }
        if let Some(name) = io.output("parameters").map(|n| at_level("plate", n)) {
            let table = parameters::table(io);
            io.put_table(&name, table);
        }
        Ok(())
    }

    fn batchlib(&self) -> Option<&'static str> {
        Some("MergeAnalysisTables")
    }
}

impl Merge {
    fn merged(&self, io: &PlateIo<'_>, level: &str, keys: &[&str]) -> Result<Table, Failure> {
        let key = keys[keys.len() - 1];
        let mut columns: Vec<Column> = Vec::new();
        let mut order: Vec<String> = Vec::new();
        let mut tables = io.names(level);
        // The reference first, the others as they are.
        tables.sort_by_key(|name| self.reference.as_deref() != Some(channel_of(name)));
        for (index, name) in tables.iter().enumerate() {
            let full = at_level(level, name);
            let table = io.plate_table(&full)?;
            let rows = texts(&table, &full, key)?;
            if index == 0 {
                order.clone_from(&rows);
                let of_keys = keys.iter().filter_map(|key| table.column(key).cloned());
                columns.extend(of_keys);
            }
            let prefix = channel_of(name);
            let prefix = prefix.strip_prefix("serum_").unwrap_or(prefix);
            for column in &table.columns {
                let Some(renamed) = self.renamed(&column.name, prefix, index == 0) else {
                    continue;
                };
                let mut column = sorted(column, &rows, &order);
                column.visible = !renamed.contains("sum");
                column.name = renamed;
                columns.push(column);
            }
        }
        if let Some(name) = io.names("backgrounds").first() {
            let full = at_level(level, name);
            let table = io.plate_table(&full)?;
            let rows = texts(&table, &full, key)?;
            for column in &table.columns {
                let is_value = column.name.ends_with("_median") || column.name.ends_with("_mad");
                if is_value {
                    let short = column.name.strip_prefix("serum_").unwrap_or(&column.name);
                    let mut column = sorted(column, &rows, &order);
                    column.name = format!("background_{short}");
                    columns.push(column);
                }
            }
        }
        for column in &mut columns {
            column.visible &= column.name != "image_name";
        }
        Ok(Table { columns })
    }

    /// The name of a column in the merged table; `None` drops it.
    fn renamed(&self, name: &str, prefix: &str, reference: bool) -> Option<String> {
        if COMMON.contains(&name) {
            return reference.then(|| name.to_owned());
        }
        let kept = KEPT.iter().any(|part| name.contains(part));
        let asked = self.also.iter().any(|part| name.contains(part.as_str()));
        if !(kept || asked) {
            return None;
        }
        let short = name.replace("_of_cell", "");
        if let Some(rest) = short.strip_prefix("serum_") {
            return Some(format!("{prefix}_{rest}"));
        }
        if short.starts_with("marker_") {
            // The marker is the same whatever the serum.
            return reference.then_some(short);
        }
        Some(format!("{prefix}_{short}"))
    }
}

/// A column with its rows in the order of another table; rows that it lacks are NaN or empty.
pub(super) fn sorted(column: &Column, rows: &[String], order: &[String]) -> Column {
    if rows == order {
        return column.clone();
    }
    let at: BTreeMap<&str, usize> = rows.iter().map(String::as_str).zip(0..).collect();
    let places: Vec<Option<usize>> = order.iter().map(|k| at.get(k.as_str()).copied()).collect();
    #[allow(clippy::cast_precision_loss)]
    let values = match &column.values {
        Values::Int(v) if places.iter().all(Option::is_some) => {
            Values::Int(places.iter().flatten().map(|&p| v[p]).collect())
        }
        Values::Int(v) => {
            let value = |p: &Option<usize>| p.map_or(f64::NAN, |p| v[p] as f64);
            Values::Float(places.iter().map(value).collect())
        }
        Values::Float(v) => {
            let value = |p: &Option<usize>| p.map_or(f64::NAN, |p| v[p]);
            Values::Float(places.iter().map(value).collect())
        }
        Values::Text(v) => {
            let value = |p: &Option<usize>| p.map_or_else(String::new, |p| v[p].clone());
            Values::Text(places.iter().map(value).collect())
        }
    };
    Column {
        name: column.name.clone(),
        values,
        visible: column.visible,
    }
}
