//! Pixel classification: as on the CPU, by ilastik's own rule, and the same however an image is cut.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use analysis::pixel_classification::Classifier;
use analysis::pixel_features::{Feature, Scale, Selection};
use common::Dice;
use common::forests::{Shape, ensemble};
use gpu_kernels::kernels::classify::Loaded;
use gpu_kernels::kernels::features::Source;
use gpu_kernels::{Error, Options};
use ndarray::Array4;

type Size = (usize, usize, usize, usize);

fn cells((channels, z, y, x): Size, seed: u64) -> Array4<f32> {
    let mut dice = Dice::new(seed);
    Array4::from_shape_fn((channels, z, y, x), |(c, z, y, x)| {
        let wave = (y as f32 / 6.0 + c as f32).sin() * (x as f32 / 9.0 + z as f32).cos();
        (800.0 + 600.0 * wave + dice.below(200) as f32).round()
    })
}

/// A classifier whose thresholds lie between values that occur in the image.
fn classifier(image: &Array4<f32>, sigmas: &[f64], pure: bool, in_2d: bool) -> Classifier {
    let scales = sigmas.iter().map(|&sigma| {
        let features = Feature::ALL.into_iter();
        let tensor = sigma >= 0.5;
        let features = features.filter(|f| tensor || *f != Feature::StructureTensorEigenvalues);
        Scale {
            sigma,
            in_2d,
            features: features.collect(),
        }
    });
    let selection = Selection::new(Feature::ALL.to_vec(), scales.collect()).unwrap();
    let features = analysis::pixel_features::features(image.view(), &selection).unwrap();
    let columns = features.dim().0;
    let rows = features.len() / columns;
    let features = features.into_raw_vec_and_offset().0;
    let shape = Shape {
        columns,
        classes: 3,
        splits: 80,
        pure,
    };
    let threshold = |column: usize, dice: &mut Dice| {
        let value =
            |dice: &mut Dice| f64::from(features[column * rows + dice.below(rows as u32) as usize]);
        f64::midpoint(value(dice), value(dice))
    };
    let forests = ensemble(shape, &[10; 10], &mut Dice::new(7), threshold);
    // One label was never drawn.
    Classifier::new(selection, forests, vec![2, 0, 3], 4).unwrap()
}

/// ilastik's rule for results of different machines; gives the share of values that are equal.
fn assert_rule(got: &Array4<f32>, expected: &Array4<f32>) -> f64 {
    assert_eq!(got.dim(), expected.dim());
    let off = || got.iter().zip(expected).map(|(a, b)| (a - b).abs());
    let far = off().filter(|&d| d >= 0.015).count();
    assert!(
        (far as f64) < 0.001 * got.len() as f64,
        "{far} of {}",
        got.len()
    );
    let worst = off().fold(0f32, f32::max);
    assert!(worst < 0.15, "{worst}");
    let same = got
        .iter()
        .zip(expected)
        .filter(|(a, b)| a.to_bits() == b.to_bits());
    same.count() as f64 / got.len() as f64
}

#[test]
fn images_and_volumes() {
    let Some(gpu) = common::gpu() else { return };
    let all = [0.3, 0.7, 1.0, 1.6, 3.5, 5.0, 10.0];
    let cases: [(Size, &[f64], bool, bool); 4] = [
        ((1, 1, 130, 257), &all, true, true),
        ((2, 1, 67, 45), &[0.7, 5.0], false, true),
        ((1, 9, 20, 33), &[0.7, 1.6], true, false),
        ((1, 3, 20, 33), &[1.0, 3.5], false, true),
    ];
    for (size, sigmas, pure, in_2d) in cases {
        let image = cells(size, 3);
        let classifier = classifier(&image, sigmas, pure, in_2d);
        let loaded = Loaded::new(&gpu, &classifier).unwrap();
        let got = loaded.probabilities(&gpu, image.view()).unwrap();
        let expected = classifier.probabilities(image.view()).unwrap();
        let same = assert_rule(&got, &expected);
        eprintln!("{size:?}: {:.4} % of the values are equal", 100.0 * same);
        loaded
            .run(&gpu, &Source::whole(&gpu, image.view()).unwrap())
            .unwrap();
    }
}

#[test]
fn images_without_structure() {
    let Some(gpu) = common::gpu() else { return };
    let image = cells((1, 1, 60, 50), 5);
    let classifier = classifier(&image, &[0.3, 1.0, 3.5], true, true);
    let loaded = Loaded::new(&gpu, &classifier).unwrap();
    for value in [0.0, 65_535.0] {
        let image = Array4::from_elem((1, 1, 60, 50), value);
        let got = loaded.probabilities(&gpu, image.view()).unwrap();
        assert_rule(&got, &classifier.probabilities(image.view()).unwrap());
    }
}

/// A value that is not a number belongs to no class, nor does what it is smoothed into.
#[test]
fn pixels_that_are_no_numbers() {
    let Some(gpu) = common::gpu() else { return };
    let mut image = cells((1, 1, 60, 90), 5);
    let classifier = classifier(&image, &[0.7, 3.5], true, true);
    image[[0, 0, 30, 20]] = f32::NAN;
    image[[0, 0, 10, 70]] = f32::INFINITY;
    let loaded = Loaded::new(&gpu, &classifier).unwrap();
    let got = loaded.probabilities(&gpu, image.view()).unwrap();
    assert_rule(&got, &classifier.probabilities(image.view()).unwrap());
}

/// Small bindings, little memory: the same bits, from more dispatches.
#[test]
fn cuts_do_not_change_a_bit() {
    let Some(gpu) = common::gpu() else { return };
    let cases: [(Size, &[f64], bool, u64); 2] = [
        ((2, 1, 90, 140), &[0.7, 3.5], true, 5),
        ((1, 8, 14, 40), &[0.7, 1.6], false, 2),
    ];
    for (size, sigmas, in_2d, parts) in cases {
        let image = cells(size, 4);
        let classifier = classifier(&image, sigmas, true, in_2d);
        let loaded = Loaded::new(&gpu, &classifier).unwrap();
        let whole = loaded.probabilities(&gpu, image.view()).unwrap();
        let once = gpu.dispatches();
        let columns = 4 * (size.1 * size.2 * size.3 * classifier.forests().columns()) as u64;
        let mut limits = vec![Options {
            largest_binding: columns / parts,
            ..Options::default()
        }];
        if in_2d {
            limits.push(Options {
                memory: columns,
                ..Options::default()
            });
        }
        for options in limits {
            let small = common::open(options).unwrap();
            let loaded = Loaded::new(&small, &classifier).unwrap();
            let cut = loaded.probabilities(&small, image.view()).unwrap();
            assert!(small.dispatches() > once, "it was not cut");
            assert!(cut == whole, "the cut changed values");
        }
    }
}

/// Somebody else has most of the memory: regions get smaller when they do not fit.
#[test]
fn memory_that_others_have_is_done_without() {
    let options = Options {
        memory: 8 << 20,
        ..Options::default()
    };
    let Some(gpu) = common::open(options) else {
        return;
    };
    let image = cells((1, 1, 100, 150), 4);
    let classifier = classifier(&image, &[0.7, 1.6], true, true);
    let loaded = Loaded::new(&gpu, &classifier).unwrap();
    let whole = loaded.probabilities(&gpu, image.view()).unwrap();
    let once = gpu.dispatches();
    let others = gpu.scratch(15 << 19).unwrap();
    let cut = loaded.probabilities(&gpu, image.view()).unwrap();
    assert!(gpu.dispatches() > 2 * once, "it was not cut");
    assert!(cut == whole, "the cut changed values");
    drop(others);
    let mut others = Vec::new();
    for bytes in (10..23).rev().map(|bits| 1 << bits) {
        while let Ok(buffer) = gpu.scratch(bytes) {
            others.push(buffer);
        }
    }
    let full = loaded.probabilities(&gpu, image.view());
    assert!(matches!(full, Err(Error::OutOfMemory { .. })), "{full:?}");
    drop(others);
    assert!(loaded.probabilities(&gpu, image.view()).unwrap() == whole);
}

#[test]
fn images_of_another_kind_are_refused() {
    let Some(gpu) = common::gpu() else { return };
    let image = cells((1, 1, 40, 40), 6);
    let classifier = classifier(&image, &[1.0, 5.0], true, true);
    let loaded = Loaded::new(&gpu, &classifier).unwrap();
    for size in [(2, 1, 40, 40), (1, 1, 18, 40), (0, 1, 40, 40)] {
        let refused = loaded.probabilities(&gpu, cells(size, 6).view());
        assert!(matches!(refused, Err(Error::Unsupported(_))), "{refused:?}");
    }
}
