//! Rows of object tables as numbers by label: what the jobs of a screen read of each other.

use std::collections::BTreeMap;
use std::sync::Arc;

use image_io::table::{Table, Values};

use crate::error::Failure;

/// The channel of a feature table's name: `serum_IgG` of `cell_segmentation/serum_IgG`.
pub(super) fn channel_of(table: &str) -> &str {
    table.rsplit('/').next().unwrap_or(table)
}

/// A column as numbers.
pub(super) fn numbers(table: &Table, name: &str, column: &str) -> Result<Vec<f64>, Failure> {
    #[allow(clippy::cast_precision_loss)]
    match table.column(column).map(|c| &c.values) {
        Some(Values::Float(v)) => Ok(v.clone()),
        Some(Values::Int(v)) => Ok(v.iter().map(|&x| x as f64).collect()),
        Some(Values::Text(_)) => Err(missing(
            name,
            &format!("column `{column}` holds text, not numbers"),
        )),
        None => Err(missing(name, &format!("there is no column `{column}`"))),
    }
}

/// A column as text.
pub(super) fn texts(table: &Table, name: &str, column: &str) -> Result<Vec<String>, Failure> {
    match table.column(column).map(|c| &c.values) {
        Some(Values::Text(v)) => Ok(v.clone()),
        Some(Values::Int(v)) => Ok(v.iter().map(ToString::to_string).collect()),
        Some(Values::Float(v)) => Ok(v.iter().map(ToString::to_string).collect()),
        None => Err(missing(name, &format!("there is no column `{column}`"))),
    }
}

fn missing(table: &str, what: &str) -> Failure {
    Failure::permanent(
        "unfit-table",
        format!("table `{table}`: {what}"),
        "name the table of another job in the workflow",
    )
}

/// Labels and one numeric column of an object table.
pub(super) fn by_label(
    table: &Table,
    name: &str,
    column: &str,
) -> Result<BTreeMap<i64, f64>, Failure> {
    Ok(labels(table, name)?
        .into_iter()
        .zip(numbers(table, name, column)?)
        .collect())
}

/// The labels of an object table's rows, background included where it has a row.
pub(super) fn labels(table: &Table, name: &str) -> Result<Vec<i64>, Failure> {
    #[allow(clippy::cast_possible_truncation)]
    Ok(numbers(table, name, "label_id")?
        .into_iter()
        .map(|v| v as i64)
        .collect())
}

/// A number in the only row of a plate table, for example the background of a channel.
pub(super) fn single(table: &Arc<Table>, name: &str, column: &str) -> Result<f64, Failure> {
    numbers(table, name, column)?
        .first()
        .copied()
        .ok_or_else(|| missing(name, "it has no row"))
}

/// The full name of a plate table: a name with a slash is one already.
pub(super) fn at_level(level: &str, name: &str) -> String {
    if name.contains('/') {
        name.to_owned()
    } else {
        format!("{level}/{name}")
    }
}

/// A background that is not known makes every score of the plate unknown: better to say so than to call all cells healthy.
pub(super) fn known(value: f64, table: &str, column: &str) -> Result<f64, Failure> {
    if value.is_nan() {
        return Err(Failure::permanent(
            "no-background",
            format!(
                "`{column}` of plate table `{table}` is not known: no image of the plate shows background"
            ),
            "take the background from wells without cells, or give its value (background.reference)",
        ));
    }
    Ok(value)
}

/// Mean of what is no NaN; NaN where nothing else is there.
#[allow(clippy::cast_precision_loss)]
pub(super) fn mean_of_known(values: impl Iterator<Item = f64>) -> f64 {
    let known: Vec<f64> = values.filter(|v| !v.is_nan()).collect();
    known.iter().sum::<f64>() / known.len() as f64
}
