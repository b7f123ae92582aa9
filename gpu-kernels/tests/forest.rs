//! Random forests: the device answers bit for bit as the CPU does, given the same features.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use analysis::forest::{Ensemble, Forest, Node, Tree};
use common::Dice;
use common::forests::{Shape, ensemble};
use gpu_kernels::kernels::forest::{MOST_CLASSES, Packed, probabilities};
use gpu_kernels::{Error, Gpu};

fn assert_equal(gpu: &Gpu, forests: &Ensemble, features: &[f32], rows: usize) {
    let packed = Packed::new(gpu, forests).unwrap();
    let got = probabilities(gpu, &packed, features, rows).unwrap();
    let expected = forests.probabilities(features, rows);
    assert_eq!(got.len(), expected.len());
    for (i, (got, expected)) in got.iter().zip(&expected).enumerate() {
        let place = (i / rows, i % rows);
        assert_eq!(
            got.to_bits(),
            expected.to_bits(),
            "{got} {expected} {place:?}"
        );
    }
}

/// Values that are often equal to a threshold, and some that are special.
fn value(dice: &mut Dice) -> f32 {
    match dice.below(300) {
        0 => f32::INFINITY,
        1 => f32::NEG_INFINITY,
        2 => -0.0,
        3 => 1e-40,
        4 => -1e-42,
        _ => (f64::from(dice.below(1000)) / 999.0 - 0.3) as f32,
    }
}

fn threshold(_: usize, dice: &mut Dice) -> f64 {
    match dice.below(40) {
        0 => 0.0,
        1 => -0.0,
        2 => 1e-40,
        3 => 1e-310,
        4 => -1e-42,
        _ => f64::from(dice.below(1000)) / 999.0 - 0.3 + 1e-12 * f64::from(dice.below(3)),
    }
}

#[test]
fn forests_answer_as_on_the_cpu() {
    let Some(gpu) = common::gpu() else { return };
    let mut dice = Dice::new(1);
    // Columns, classes, splits, forests, rows: also more columns than a group's memory holds.
    let cases: [(usize, usize, u32, &[usize], usize); 7] = [
        (1, 1, 0, &[1], 1),
        (5, 2, 60, &[10; 10], 1000),
        (49, 3, 300, &[7, 3, 11], 777),
        (5, 2, 900, &[100], 64),
        (75, 5, 50, &[9, 9], 65),
        (700, 2, 200, &[13], 300),
        (4, MOST_CLASSES, 100, &[6, 5], 129),
    ];
    for pure in [true, false] {
        for (columns, classes, splits, sizes, rows) in cases {
            let shape = Shape {
                columns,
                classes,
                splits,
                pure,
            };
            let forests = ensemble(shape, sizes, &mut dice, threshold);
            let features: Vec<f32> = (0..columns * rows).map(|_| value(&mut dice)).collect();
            assert_equal(&gpu, &forests, &features, rows);
        }
    }
}

#[test]
fn samples_that_are_no_numbers_belong_to_no_class() {
    let Some(gpu) = common::gpu() else { return };
    let mut dice = Dice::new(2);
    for pure in [true, false] {
        let shape = Shape {
            columns: 6,
            classes: 3,
            splits: 40,
            pure,
        };
        let forests = ensemble(shape, &[4, 5], &mut dice, threshold);
        let rows = 200;
        let mut features: Vec<f32> = (0..6 * rows).map(|_| value(&mut dice)).collect();
        for row in 0..rows / 2 {
            let column = dice.below(6) as usize;
            let sign = dice.below(2) << 31;
            features[column * rows + row] =
                f32::from_bits(sign | 0x7f80_0001 | dice.below(1 << 22));
        }
        assert_equal(&gpu, &forests, &features, rows);
    }
}

#[test]
fn what_the_kernel_does_not_do_is_said() {
    let Some(gpu) = common::gpu() else { return };
    let leaf = |probabilities: &[f64]| {
        Tree::new(vec![Node::Leaf {
            weight: 2.0,
            probabilities: probabilities.to_vec(),
        }])
        .unwrap()
    };
    let packed = |tree: Tree, classes, weighted| {
        let forest = Forest::new(vec![tree], 3, classes, weighted).unwrap();
        Packed::new(&gpu, &Ensemble::new(vec![forest]).unwrap())
    };
    let unsupported = |packed: gpu_kernels::Result<Packed>| {
        matches!(packed.map(|_| ()), Err(Error::Unsupported(_)))
    };
    assert!(unsupported(packed(leaf(&[0.5, 0.5]), 2, true)));
    assert!(unsupported(packed(leaf(&[0.5, 0.4]), 2, false)));
    let many = vec![1.0 / 40.0; 40];
    assert!(unsupported(packed(leaf(&many), 40, false)));
    let good = packed(leaf(&[0.5, 0.5]), 2, false).unwrap();
    assert!(probabilities(&gpu, &good, &[0.0; 4], 1).is_err());
    assert_eq!(probabilities(&gpu, &good, &[], 0).unwrap(), [] as [f32; 0]);
}
