//! Comparing tables.

use analysis::measure::{Intensity, Measurements, Selection, Shape};
use serde_json::Value;

/// Everything that the reference tables have.
pub fn everything() -> Selection {
    use Intensity::{CentroidWeighted, Max, Mean, Median, Min, Quantile, Std, Sum};
    Selection {
        shapes: Shape::ALL.to_vec(),
        intensities: vec![
            Mean,
            Max,
            Min,
            Std,
            Median,
            Sum,
            Quantile(0.25),
            CentroidWeighted,
        ],
    }
}

/// Checks that the columns are those of the reference, and their numbers equal to 1e-6. Below that, axes and eccentricity of
/// straight lines are rounding errors of the reference.
pub fn compare(found: &Measurements, expected: &Value, name: &str) {
    let expected = expected.as_object().unwrap();
    let mut ours: Vec<&str> = found
        .columns
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    let mut theirs: Vec<&str> = expected.keys().map(String::as_str).collect();
    ours.sort_unstable();
    theirs.sort_unstable();
    assert_eq!(ours, theirs, "{name}");
    for (column, values) in expected {
        let values: Vec<f64> = values
            .as_str()
            .unwrap()
            .split(' ')
            .map(|v| v.parse().unwrap())
            .collect();
        let column_found = found.column(column).unwrap();
        assert_eq!(column_found.len(), values.len(), "{name}, {column}");
        for (row, expected) in values.into_iter().enumerate() {
            let got = column_found.get(row).unwrap();
            let close = (got - expected).abs() <= 1e-6 * expected.abs().max(1.0);
            let round = column == "orientation" && is_round(found, row);
            assert!(
                close || round,
                "{name}, {column}, row {row}: {got}, but {expected} expected"
            );
        }
    }
}

/// Whether both axes are equally long, so that the orientation is whatever rounding makes it.
fn is_round(found: &Measurements, row: usize) -> bool {
    let axis = |name| found.column(name).unwrap().get(row).unwrap();
    let (major, minor) = (axis("axis_major_length"), axis("axis_minor_length"));
    major - minor <= 1e-9 * major
}
