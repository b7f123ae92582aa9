//! The features of ilastik's pixel classification: as on the CPU, within the tolerance that the module states.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use analysis::pixel_features::{Feature, Region, Scale, Selection};
use common::Dice;
use gpu_kernels::kernels::features::{Bank, EIGENVALUES_3D, FILTERS, Source, features};
use gpu_kernels::{Error, Gpu};
use ndarray::{Array4, Axis};

const SIGMAS: [f64; 7] = [0.3, 0.7, 1.0, 1.6, 3.5, 5.0, 10.0];

fn scale(sigma: f64, in_2d: bool) -> Scale {
    let tensor = sigma >= 0.5;
    let features = Feature::ALL.into_iter();
    let features = features.filter(|f| tensor || *f != Feature::StructureTensorEigenvalues);
    Scale {
        sigma,
        in_2d,
        features: features.collect(),
    }
}

fn selection(scales: &[(f64, bool)]) -> Selection {
    let scales = scales.iter().map(|&(sigma, in_2d)| scale(sigma, in_2d));
    Selection::new(Feature::ALL.to_vec(), scales.collect()).unwrap()
}

fn all(sigmas: &[f64]) -> Selection {
    selection(&sigmas.iter().map(|&s| (s, true)).collect::<Vec<_>>())
}

/// Blobs, an edge and noise, up to 65,535.
fn cells(shape: (usize, usize, usize, usize), seed: u64) -> Array4<f32> {
    let mut dice = Dice::new(seed);
    Array4::from_shape_fn(shape, |(c, z, y, x)| {
        let wave = (y as f32 / 7.0 + c as f32).sin() * (x as f32 / 11.0 + z as f32 / 5.0).cos();
        let edge = if x > y + 20 { 9000.0 } else { 0.0 };
        (20_000.0 + 15_000.0 * wave + edge + dice.below(4000) as f32).round()
    })
}

/// The largest difference in each column, relative to its largest value. Columns of 3 x 3 eigenvalues come second.
fn assert_close(gpu: &Gpu, image: &Array4<f32>, selection: &Selection) -> [f32; 2] {
    let got = features(gpu, image.view(), selection).unwrap();
    let expected = analysis::pixel_features::features(image.view(), selection).unwrap();
    assert_eq!(got.dim(), expected.dim());
    let (channels, z, ..) = image.dim();
    let input = image.iter().fold(0f32, |m, v| m.max(v.abs()));
    let mut worst = [0f32; 2];
    let (mut eigenvalues, mut far) = (0, 0);
    for column in selection.columns(channels, z == 1) {
        // The columns of a feature cancel each other's values.
        let columns = column.first..column.first + column.count;
        let largest = columns
            .clone()
            .flat_map(|i| expected.index_axis(Axis(0), i).to_owned())
            .fold(0f32, |m, v| m.max(v.abs()));
        // What rounding leaves of an image without any structure.
        let noise = match column.feature {
            Feature::StructureTensorEigenvalues => input * input * 1e-7,
            _ => input,
        };
        let (which, tolerance) = if column.count == 3 {
            (1, EIGENVALUES_3D)
        } else {
            (0, FILTERS)
        };
        let range = largest.max(noise);
        for i in columns {
            let (got, expected) = (got.index_axis(Axis(0), i), expected.index_axis(Axis(0), i));
            for (g, e) in got.iter().zip(&expected) {
                let off = if range > 0.0 {
                    (g - e).abs() / range
                } else {
                    (g - e).abs()
                };
                assert!(off <= tolerance, "{column:?}: {g} {e}, {off} of {range}");
                worst[which] = worst[which].max(off);
                eigenvalues += which;
                far += which * usize::from(off > 1e-4);
            }
        }
    }
    assert!(far * 100 <= eigenvalues, "{far} of {eigenvalues} are off");
    worst
}

#[test]
fn images_of_odd_sizes() {
    let Some(gpu) = common::gpu() else { return };
    let mut worst = 0f32;
    // 36 is the smallest that a sigma of 10 takes.
    for (channels, height, width) in [(1, 36, 36), (3, 37, 133), (2, 64, 288), (1, 101, 257)] {
        let image = cells((channels, 1, height, width), height as u64);
        let off = assert_close(&gpu, &image, &all(&SIGMAS));
        worst = worst.max(off[0]);
    }
    for (sigma, height, width) in [
        (0.1, 2, 2),
        (0.2, 2, 9),
        (0.3, 3, 4),
        (0.7, 4, 40),
        (1.0, 5, 5),
        (1.6, 70, 7),
    ] {
        let image = cells((2, 1, height, width), 5);
        worst = worst.max(assert_close(&gpu, &image, &all(&[sigma]))[0]);
    }
    eprintln!("2-D: {worst:e}");
}

/// Some features at some scales, in an order that is not ilastik's usual one.
#[test]
fn columns_in_any_order() {
    let Some(gpu) = common::gpu() else { return };
    let order: Vec<Feature> = Feature::ALL.into_iter().rev().collect();
    let some = |sigma, in_2d, features: &[usize]| Scale {
        sigma,
        in_2d,
        features: features.iter().map(|&i| Feature::ALL[i]).collect(),
    };
    let scales = vec![
        some(0.7, true, &[4, 0]),
        some(1.0, false, &[]),
        some(1.6, false, &[3, 5]),
        some(3.5, true, &[1, 2]),
    ];
    let selection = Selection::new(order, scales).unwrap();
    for size in [(3, 1, 30, 41), (2, 7, 14, 15)] {
        assert_close(&gpu, &cells(size, 6), &selection);
    }
}

#[test]
fn images_without_structure() {
    let Some(gpu) = common::gpu() else { return };
    let selection = all(&SIGMAS);
    let mut images = vec![cells((1, 1, 40, 70), 1); 5];
    images[0].fill(0.0);
    images[1].fill(65_535.0);
    images[2].fill(777.0);
    images[3].fill(0.0);
    images[3][[0, 0, 20, 30]] = 65_535.0;
    images[4].fill(0.0);
    images[4][[0, 0, 0, 69]] = 1.0;
    for (index, image) in images.iter().enumerate() {
        let off = assert_close(&gpu, image, &selection);
        eprintln!("{index}: {off:?}");
    }
}

#[test]
fn long_kernels() {
    let Some(gpu) = common::gpu() else { return };
    let smooth = |sigma| Scale {
        sigma,
        in_2d: true,
        features: vec![
            Feature::GaussianSmoothing,
            Feature::HessianOfGaussianEigenvalues,
        ],
    };
    for (sigma, height, width) in [
        (15.0, 54, 90),
        (36.7, 130, 131),
        (40.0, 141, 150),
        (150.0, 526, 530),
    ] {
        let selection = Selection::new(Feature::ALL.to_vec(), vec![smooth(sigma)]).unwrap();
        let off = assert_close(&gpu, &cells((1, 1, height, width), 3), &selection);
        eprintln!("sigma {sigma}: {off:?}");
    }
}

#[test]
fn volumes() {
    let Some(gpu) = common::gpu() else { return };
    let mut worst = [0f32; 2];
    let mixed = [
        (0.3, false),
        (0.7, false),
        (1.0, true),
        (1.6, false),
        (3.5, true),
    ];
    for (channels, depth, height, width) in [(1, 7, 14, 37), (2, 9, 21, 16)] {
        let image = cells((channels, depth, height, width), 9);
        let off = assert_close(&gpu, &image, &selection(&mixed));
        worst = [worst[0].max(off[0]), worst[1].max(off[1])];
    }
    // Slices only: fewer than any filter along z would need.
    let image = cells((2, 2, 30, 40), 4);
    worst[0] = worst[0].max(assert_close(&gpu, &image, &all(&[1.0, 5.0]))[0]);
    let mut impulse = Array4::zeros((1, 8, 9, 10));
    impulse[[0, 4, 4, 4]] = 65_535.0;
    let off = assert_close(&gpu, &impulse, &selection(&[(1.0, false), (1.6, false)]));
    worst = [worst[0].max(off[0]), worst[1].max(off[1])];
    for value in [0.0, 65_535.0] {
        let off = assert_close(
            &gpu,
            &Array4::from_elem((1, 8, 8, 9), value),
            &selection(&[(1.6, false)]),
        );
        eprintln!("constant {value}: {off:?}");
    }
    eprintln!("volumes: {worst:?}");
}

#[test]
fn regions_do_not_change_a_bit() {
    let Some(gpu) = common::gpu() else { return };
    let cases = [
        (
            (2, 1, 61, 150),
            selection(&[(0.7, true), (3.5, true)]),
            [1, 17, 49],
        ),
        (
            (1, 9, 14, 26),
            selection(&[(0.7, false), (1.0, true), (1.6, false)]),
            [5, 14, 13],
        ),
    ];
    for (shape, selection, size) in cases {
        let image = cells(shape, 8);
        let whole = features(&gpu, image.view(), &selection).unwrap();
        let bank = Bank::new(&gpu, &selection).unwrap();
        let extent = [shape.1, shape.2, shape.3];
        for region in Region::whole(extent).tiles(size) {
            let part = Source::part(&gpu, image.view(), bank.around(region, extent)).unwrap();
            let mut batch = gpu.batch();
            let columns = bank.compute(&gpu, &mut batch, &part, region).unwrap();
            batch.submit().unwrap();
            let got: Vec<f32> = gpu
                .download(&columns, whole.dim().0 * region.len())
                .unwrap();
            let [z, y, x] = [0, 1, 2].map(|axis| region.start[axis]..region.end(axis));
            let expected = whole.slice(ndarray::s![.., z, y, x]);
            for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
                assert_eq!(got.to_bits(), expected.to_bits(), "{region:?} {i}");
            }
        }
    }
}

#[test]
fn small_images_are_refused() {
    let Some(gpu) = common::gpu() else { return };
    let image = cells((1, 1, 35, 100), 1);
    let refused = features(&gpu, image.view(), &all(&[10.0]));
    assert!(matches!(refused, Err(Error::Unsupported(_))), "{refused:?}");
}
