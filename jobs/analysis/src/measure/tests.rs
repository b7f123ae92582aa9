#![allow(clippy::unwrap_used)]

use ndarray::{Array2, array};
use proptest::prelude::*;

use super::*;

fn number(table: &Measurements, column: &str, row: usize) -> f64 {
    table
        .column(column)
        .unwrap_or_else(|| panic!("no column {column}"))
        .get(row)
        .unwrap()
}

fn everything() -> Selection {
    use Intensity::{CentroidWeighted, Max, Mean, Median, Min, Quantile, Std, Sum};
    Selection {
        shapes: Shape::ALL.to_vec(),
        intensities: vec![
            Mean,
            Max,
            Min,
            Std,
            Sum,
            Median,
            Quantile(0.25),
            CentroidWeighted,
        ],
    }
}

proptest! {
    #[test]
    fn sums_are_those_of_the_pixels(
        (height, width) in (1usize..12, 1usize..40),
        pixels in prop::collection::vec((0u32..6, -50i32..2000), 12 * 40),
        factor in prop::sample::select(vec![1u32, 3, 400_000_000]),
    ) {
        let labels = Array2::from_shape_fn((height, width), |(y, x)| (pixels[y * 40 + x].0 / 2) * factor);
        let plane = Array2::from_shape_fn((height, width), |(y, x)| pixels[y * 40 + x].1 as f32 / 8.0);
        let table = objects(labels.view(), &[("dna", plane.view())], &everything()).unwrap();
        let mut present: Vec<u32> = labels.iter().copied().filter(|&l| l != 0).collect();
        present.sort_unstable();
        present.dedup();
        prop_assert_eq!(&table.labels, &present);
        for (row, &label) in present.iter().enumerate() {
            let at: Vec<_> = labels.indexed_iter().filter(|(_, l)| **l == label).map(|(p, _)| p).collect();
            let n = at.len() as f64;
            let mean_of = |f: &dyn Fn((usize, usize)) -> f64| at.iter().map(|&p| f(p)).sum::<f64>() / n;
            let value = |p| f64::from(plane[p]);
            let (cy, cx) = (mean_of(&|p| p.0 as f64), mean_of(&|p| p.1 as f64));
            let mean = mean_of(&value);
            let variance = mean_of(&|p| (value(p) - mean).powi(2));
            let mut sorted: Vec<f64> = at.iter().map(|&p| value(p)).collect();
            sorted.sort_by(f64::total_cmp);
            let middle = f64::midpoint(sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
            let total = mean * n;
            // The axes follow from the variances: a² + b² = 16 (var y + var x).
            let spread = mean_of(&|p| (p.0 as f64 - cy).powi(2) + (p.1 as f64 - cx).powi(2));
            let axes = number(&table, "axis_major_length", row).powi(2) + number(&table, "axis_minor_length", row).powi(2);
            let mut expected = vec![
                ("label_id", f64::from(label)), ("area", n), ("centroid_y", cy), ("centroid_x", cx),
                ("bbox_min_y", at.iter().map(|p| p.0).min().unwrap() as f64),
                ("bbox_max_y", at.iter().map(|p| p.0).max().unwrap() as f64 + 1.0),
                ("bbox_min_x", at.iter().map(|p| p.1).min().unwrap() as f64),
                ("bbox_max_x", at.iter().map(|p| p.1).max().unwrap() as f64 + 1.0),
                ("dna_mean", mean), ("dna_sum", total), ("dna_std", variance.sqrt()), ("dna_median", middle),
                ("dna_min", sorted[0]), ("dna_max", sorted[sorted.len() - 1]),
            ];
            if total.abs() > 1.0 {
                expected.push(("dna_centroid_weighted_y", mean_of(&|p| value(p) * p.0 as f64) * n / total));
                expected.push(("dna_centroid_weighted_x", mean_of(&|p| value(p) * p.1 as f64) * n / total));
            }
            for (column, expected) in expected {
                let got = number(&table, column, row);
                prop_assert!((got - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{}: {} {}", column, got, expected);
            }
            prop_assert!((axes - 16.0 * spread).abs() <= 1e-9 * spread.max(1.0));
        }
    }
}

#[test]
fn a_square_ring_is_measured_by_hand() {
    let labels = array![
        [0, 0, 0, 0, 0, 0],
        [0, 3, 3, 3, 0, 0],
        [0, 3, 0, 3, 0, 0],
        [0, 3, 3, 3, 0, 8],
        [0, 0, 0, 0, 0, 0],
    ];
    let table = objects(labels.view(), &[], &everything()).unwrap();
    assert_eq!(table.labels, [3, 8]);
    assert_eq!(table.column("area"), Some(&ColumnValues::Int(vec![8, 1])));
    assert_eq!(
        table.column("area_convex"),
        Some(&ColumnValues::Int(vec![9, 1]))
    );
    assert_eq!(
        table.column("euler_number"),
        Some(&ColumnValues::Int(vec![0, 1]))
    );
    assert_eq!(
        table.column("bbox_max_x"),
        Some(&ColumnValues::Int(vec![4, 6]))
    );
    assert_eq!(
        (
            number(&table, "centroid_y", 0),
            number(&table, "centroid_x", 0)
        ),
        (2.0, 2.0)
    );
    assert_eq!(number(&table, "perimeter", 0), 8.0);
    assert_eq!(number(&table, "perimeter", 1), 0.0);
    assert_eq!(number(&table, "eccentricity", 0), 0.0);
    assert_eq!(number(&table, "solidity", 0), 8.0 / 9.0);
    // The middles of two opposite edges: 3 apart in one axis, 2 in the other.
    assert!((number(&table, "feret_diameter_max", 0) - 13f64.sqrt()).abs() < 1e-12);
    assert!(
        (number(&table, "equivalent_diameter", 1) - (4.0 / std::f64::consts::PI).sqrt()).abs()
            < 1e-15
    );
}

#[test]
fn a_diagonal_points_where_scikit_image_says() {
    let labels = Array2::from_shape_fn((9, 9), |(y, x)| u32::from(x == y));
    let falling = objects(labels.view(), &[], &everything()).unwrap();
    assert!((number(&falling, "orientation", 0) - std::f64::consts::FRAC_PI_4).abs() < 1e-12);
    assert_eq!(number(&falling, "axis_minor_length", 0), 0.0);
    assert_eq!(number(&falling, "eccentricity", 0), 1.0);
    let rising = objects(labels.slice(ndarray::s![.., ..;-1]), &[], &everything()).unwrap();
    assert!((number(&rising, "orientation", 0) + std::f64::consts::FRAC_PI_4).abs() < 1e-12);
}

#[test]
fn no_objects_give_an_empty_table_with_all_columns() {
    let labels = Array2::<u32>::zeros((4, 5));
    let plane = Array2::<f32>::zeros((4, 5));
    let table = objects(
        labels.view(),
        &[("a", plane.view()), ("b", plane.view())],
        &everything(),
    )
    .unwrap();
    assert!(table.labels.is_empty());
    assert_eq!(table.columns.len(), 1 + 18 + 2 * 9);
    assert!(table.columns.iter().all(|(_, values)| values.is_empty()));
    let none = objects(Array2::zeros((0, 0)).view(), &[], &Selection::default()).unwrap();
    assert!(none.labels.is_empty());
}

#[test]
fn a_large_offset_does_not_swallow_the_spread() {
    let labels = Array2::ones((1, 4));
    let plane = array![[1_000_000.0f32, 1_000_001.0, 1_000_002.0, 1_000_003.0]];
    let table = objects(labels.view(), &[("a", plane.view())], &everything()).unwrap();
    assert!((number(&table, "a_std", 0) - 1.25f64.sqrt()).abs() < 1e-12);
    assert_eq!(number(&table, "a_quantile_0.25", 0), 1_000_000.75);
}

#[test]
fn not_a_number_does_not_hide() {
    let plane = array![[1.0f32, f32::NAN, 3.0]];
    let table = objects(
        Array2::ones((1, 3)).view(),
        &[("a", plane.view())],
        &everything(),
    )
    .unwrap();
    for column in ["a_mean", "a_sum", "a_std", "a_median"] {
        assert!(number(&table, column, 0).is_nan(), "{column}");
    }
    assert_eq!(
        (number(&table, "a_min", 0), number(&table, "a_max", 0)),
        (1.0, 3.0)
    );
}

#[test]
fn names_are_read_and_written() {
    for shape in Shape::ALL {
        assert_eq!(shape.to_string().parse::<Shape>().unwrap(), shape);
    }
    for intensity in everything().intensities {
        assert_eq!(
            intensity.to_string().parse::<Intensity>().unwrap(),
            intensity
        );
    }
    assert!("roundness".parse::<Shape>().is_err());
    assert!("quantile_1.5".parse::<Intensity>().is_err());
}

#[test]
fn channels_must_fit_and_differ_in_name() {
    let labels = Array2::<u32>::ones((2, 2));
    let (good, bad) = (Array2::<f32>::zeros((2, 2)), Array2::<f32>::zeros((2, 3)));
    assert!(objects(labels.view(), &[("a", bad.view())], &Selection::default()).is_err());
    assert!(
        objects(
            labels.view(),
            &[("a", good.view()), ("a", good.view())],
            &Selection::default()
        )
        .is_err()
    );
}
