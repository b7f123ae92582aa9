//! Quality control: which cells, images and wells an analysis leaves out. Reproduces BatchLib's `CellLevelQC`, `ImageLevelQC`
//! and `WellLevelQC`.

mod cells;
mod images;
mod tagged;
mod wells;

pub(super) use cells::CELLS;
pub(super) use images::IMAGES;
pub(super) use wells::WELLS;

use std::collections::BTreeMap;

use image_io::table::Table;

use super::cells::{numbers, texts};
use crate::error::Failure;

/// What a quality table says of its rows: whether each is an outlier and why, by site or well.
pub(super) fn verdicts(
    table: &Table,
    name: &str,
    key: &str,
) -> Result<BTreeMap<String, (bool, String)>, Failure> {
    let keys = texts(table, name, key)?;
    let outlier = numbers(table, name, "is_outlier")?;
    let reasons = texts(table, name, "outlier_type")?;
    Ok(keys
        .into_iter()
        .zip(outlier.into_iter().zip(reasons))
        .map(|(key, (outlier, reason))| (key, (outlier > 0.5, reason)))
        .collect())
}
