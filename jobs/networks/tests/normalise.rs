//! Normalisation against NumPy's numbers.
#![allow(missing_docs, clippy::unwrap_used, clippy::excessive_precision)]

use ndarray::{Array2, Array3, arr2};
use networks::normalise::{Numbers, Scope, Step, Steps, percentile_values, percentiles};

fn two_channels() -> Array3<f32> {
    Array3::from_shape_fn((2, 3, 4), |(c, y, x)| {
        ((c * 5 + y * 4 + x * x) % 11) as f32 * (c + 1) as f32
    })
}

#[test]
fn percentiles_are_numpys() {
    // numpy.percentile([[0, 1, 4, 9], [4, 5, 8, 2], [8, 9, 1, 6]], q)
    let plane = arr2(&[
        [0.0, 1.0, 4.0, 9.0],
        [4.0, 5.0, 8.0, 2.0],
        [8.0, 9.0, 1.0, 6.0],
    ]);
    let at = |q| percentile_values(plane.view(), q, 100.0).unwrap().0;
    for (q, expected) in [
        (0.0, 0.0),
        (1.0, 0.11),
        (50.0, 4.5),
        (75.0, 8.0),
        (99.8, 9.0),
        (30.0, 2.6),
        (100.0, 9.0),
    ] {
        assert!((at(q) - expected).abs() < 1e-12, "{q}: {}", at(q));
    }
    let scaled = percentiles(plane.view(), 30.0, 75.0, 0.6, None).unwrap();
    assert!((scaled[[0, 3]] - (9.0 - 2.6) / 6.0).abs() < 1e-6);
    let clipped = percentiles(plane.view(), 30.0, 75.0, 0.6, Some((0.0, 1.0))).unwrap();
    assert_eq!((clipped[[0, 0]], clipped[[0, 3]]), (0.0, 1.0));
    assert!(percentiles(plane.view(), -1.0, 50.0, 0.0, None).is_err());
    assert!(percentiles(Array2::zeros((0, 4)).view(), 1.0, 50.0, 0.0, None).is_err());
}

#[test]
fn steps_do_what_their_names_say() {
    let apply = |step: Step| {
        let mut image = two_channels();
        step.apply(&mut image).map(|()| image)
    };
    let raw = two_channels();
    let flat = |image: &Array3<f32>, c: usize| -> Vec<f64> {
        image
            .index_axis(ndarray::Axis(0), c)
            .iter()
            .map(|v| f64::from(*v))
            .collect()
    };
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    let deviation =
        |v: &[f64]| (v.iter().map(|x| (x - mean(v)).powi(2)).sum::<f64>() / v.len() as f64).sqrt();
    let each = apply(Step::Standardise {
        eps: 1e-6,
        scope: Scope::Channel,
    })
    .unwrap();
    for c in 0..2 {
        assert!(
            mean(&flat(&each, c)).abs() < 1e-6 && (deviation(&flat(&each, c)) - 1.0).abs() < 1e-6
        );
    }
    let all = apply(Step::ZeroMeanUnitVariance {
        eps: 0.0,
        scope: Scope::All,
    })
    .unwrap();
    let together: Vec<f64> = [flat(&all, 0), flat(&all, 1)].concat();
    assert!(mean(&together).abs() < 1e-6 && (deviation(&together) - 1.0).abs() < 1e-6);
    assert!(mean(&flat(&all, 0)) < -0.1);
    let range = apply(Step::ScaleRange {
        min_percentile: 0.0,
        max_percentile: 100.0,
        eps: 0.0,
        scope: Scope::Channel,
    })
    .unwrap();
    assert_eq!(
        (
            range.iter().copied().fold(1.0, f32::min),
            range.iter().copied().fold(0.0, f32::max)
        ),
        (0.0, 1.0)
    );
    let linear = apply(Step::ScaleLinear {
        gain: Numbers::Each(vec![2.0, 3.0]),
        offset: Numbers::One(1.0),
    })
    .unwrap();
    assert_eq!(linear[[1, 2, 3]], raw[[1, 2, 3]] * 3.0 + 1.0);
    let fixed = apply(Step::FixedZeroMeanUnitVariance {
        mean: Numbers::One(3.0),
        std: Numbers::Each(vec![2.0, 4.0]),
    })
    .unwrap();
    assert_eq!(fixed[[1, 0, 1]], (raw[[1, 0, 1]] - 3.0) / 4.0);
    let soft = apply(Step::Softmax).unwrap();
    assert!((soft[[0, 1, 1]] + soft[[1, 1, 1]] - 1.0).abs() < 1e-6);
    let sigmoid = apply(Step::Sigmoid).unwrap();
    assert!(
        (f64::from(sigmoid[[0, 0, 1]]) - 1.0 / (1.0 + (-f64::from(raw[[0, 0, 1]])).exp())).abs()
            < 1e-7
    );
    // One number too few, and a division by nothing.
    assert!(
        apply(Step::ScaleLinear {
            gain: Numbers::Each(vec![2.0]),
            offset: Numbers::One(1.0)
        })
        .is_err()
    );
    assert!(
        apply(Step::FixedZeroMeanUnitVariance {
            mean: Numbers::One(0.0),
            std: Numbers::One(0.0)
        })
        .is_err()
    );
    let mut flat_image = Array3::from_elem((1, 2, 2), 3.0);
    assert!(
        Step::ZeroMeanUnitVariance {
            eps: 0.0,
            scope: Scope::All
        }
        .apply(&mut flat_image)
        .is_err()
    );
    Step::Standardise {
        eps: 1e-6,
        scope: Scope::All,
    }
    .apply(&mut flat_image)
    .unwrap();
    assert!(flat_image.iter().all(|v| *v == 0.0));
}

#[test]
fn steps_are_written_as_names_tables_and_lists() {
    let read = |text: &str| serde_json::from_str::<Steps>(text).map(|s| s.0);
    assert_eq!(read("\"sigmoid\"").unwrap(), [Step::Sigmoid]);
    let percentile =
        read(r#"{"name": "percentile", "min_percentile": 1, "max_percentile": 99.8}"#).unwrap();
    assert_eq!(
        percentile,
        [Step::ScaleRange {
            min_percentile: 1.0,
            max_percentile: 99.8,
            eps: 1e-6,
            scope: Scope::Channel
        }]
    );
    assert_eq!(
        read(r#"["min_max", {"name": "clip", "min": 0, "max": 1}]"#)
            .unwrap()
            .len(),
        2
    );
    // Written out and read back, as the workflow's canonical parameters are.
    let written = serde_json::to_string(&Steps(percentile.clone())).unwrap();
    assert_eq!(read(&written).unwrap(), percentile);
    assert!(
        read("\"percentiles\"")
            .unwrap_err()
            .to_string()
            .contains("percentile")
    );
    assert!(
        read("3")
            .unwrap_err()
            .to_string()
            .contains("the name of a step")
    );
}
