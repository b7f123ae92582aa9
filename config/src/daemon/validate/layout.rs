//! Whether a layout describes a plate.

use crate::daemon::Layout;
use crate::problem::Problem;

/// Checks `[root.layout]`.
pub(super) fn check_layout(key: &str, layout: &Layout, found: &mut Vec<Problem>) {
    let wells_or_grid = "give either `wells`, or `rows` and `columns`";
    match (layout.wells.is_empty(), layout.rows, layout.columns) {
        (false, None, None) | (true, Some(_), Some(_)) => {}
        (false, ..) => found.push(
            Problem::error(
                format!("{key}.wells"),
                "`wells` and `rows`/`columns` say the same thing twice",
            )
            .remedy(wells_or_grid),
        ),
        (true, None, None) => {
            found.push(Problem::error(key, "the layout names no wells").remedy(wells_or_grid));
        }
        (true, ..) => found.push(
            Problem::error(key, "`rows` and `columns` belong together").remedy(wells_or_grid),
        ),
    }
    for (i, well) in layout.wells.iter().enumerate() {
        let split = well
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(well.len());
        let (row, column) = well.split_at(split);
        let fits = matches!(row.len(), 1..=2)
            && row.bytes().all(|b| b.is_ascii_alphabetic())
            && column.len() <= 3
            && column.parse::<u32>().is_ok_and(|c| c > 0);
        if !fits {
            found.push(
                Problem::error(
                    format!("{key}.wells[{i}]"),
                    format!("`{well}` is not a well"),
                )
                .remedy("write a row letter and a column, such as `A01`"),
            );
        } else if layout.wells[..i].iter().any(|other| same_well(other, well)) {
            found.push(
                Problem::error(
                    format!("{key}.wells[{i}]"),
                    format!("`{well}` is listed twice"),
                )
                .remedy("take one of them out"),
            );
        }
    }
    for (name, value, most) in [
        ("rows", layout.rows, 702),
        ("columns", layout.columns, 999),
        ("sites", layout.sites, u32::MAX),
        ("channels", layout.channels, u32::MAX),
        ("z_slices", layout.z_slices, u32::MAX),
        ("timepoints", layout.timepoints, u32::MAX),
    ] {
        if let Some(n) = value.filter(|n| *n == 0 || *n > most) {
            found.push(
                Problem::error(
                    format!("{key}.{name}"),
                    format!("{n} is not a possible number of {name}"),
                )
                .remedy("count from 1, or leave it out if it varies"),
            );
        }
    }
}

/// `a1` and `A01` are the same well.
fn same_well(a: &str, b: &str) -> bool {
    let canonical = |well: &str| {
        let split = well
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(well.len());
        (
            well[..split].to_ascii_uppercase(),
            well[split..].trim_start_matches('0').to_owned(),
        )
    };
    canonical(a) == canonical(b)
}
