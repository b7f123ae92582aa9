#![allow(clippy::unwrap_used)]

use ndarray::{Array3, Array4};
use proptest::prelude::*;

use super::*;
use crate::Error;

fn image(shape: (usize, usize, usize, usize), seed: u64) -> Array4<f32> {
    let mut state = seed | 1;
    Array4::from_shape_simple_fn(shape, || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / 1e3
    })
}

fn selection(sigmas: &[(f64, bool)]) -> Selection {
    let scales = sigmas
        .iter()
        .map(|&(sigma, in_2d)| Scale {
            sigma,
            in_2d,
            features: Feature::ALL
                .into_iter()
                .filter(|f| sigma >= 0.5 || *f != Feature::StructureTensorEigenvalues)
                .collect(),
        })
        .collect();
    Selection::new(Feature::ALL.to_vec(), scales).unwrap()
}

fn bits(values: &Array4<f32>) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn tiles_do_not_change_a_bit_of_an_image(
        size in (19usize..90, 19usize..300),
        tile in (1usize..40, 1usize..200),
        smoothed in 64usize..100_000,
        channels in 1usize..3,
        seed: u64,
    ) {
        let image = image((channels, 1, size.0, size.1), seed);
        let selection = selection(&[(0.3, true), (1.0, true), (5.0, false)]);
        let whole = Cut { smoothed: usize::MAX, tile: [1, size.0, size.1] };
        let cut = Cut { smoothed, tile: [1, tile.0, tile.1] };
        let expected = features_cut(image.view(), &selection, whole).unwrap();
        let got = features_cut(image.view(), &selection, cut).unwrap();
        prop_assert_eq!(bits(&got), bits(&expected));
    }

    #[test]
    fn tiles_do_not_change_a_bit_of_a_volume(
        size in (7usize..20, 7usize..30, 7usize..80),
        tile in (1usize..12, 1usize..20, 1usize..70),
        smoothed in 64usize..30_000,
        seed: u64,
    ) {
        let image = image((1, size.0, size.1, size.2), seed);
        let selection = selection(&[(0.7, false), (1.0, true), (1.6, false)]);
        let whole = Cut { smoothed: usize::MAX, tile: [size.0, size.1, size.2] };
        let cut = Cut { smoothed, tile: [tile.0, tile.1, tile.2] };
        let expected = features_cut(image.view(), &selection, whole).unwrap();
        let got = features_cut(image.view(), &selection, cut).unwrap();
        prop_assert_eq!(bits(&got), bits(&expected));
    }
}

/// A second way to the same numbers: every filter as one sum over the mirrored neighbourhood, in double precision.
#[test]
fn filters_are_the_formulas() {
    let image = image((1, 1, 20, 23), 7);
    let plane = image.index_axis(ndarray::Axis(0), 0).mapv(f64::from);
    let got = features(image.view(), &selection(&[(1.6, true)])).unwrap();
    let gauss = |sigma: f64, reach: f64, order: usize| -> Vec<f64> {
        let r = (reach * sigma + 0.5).floor() as i32;
        let g: Vec<f64> = (-r..=r)
            .map(|x| (-f64::from(x * x) / (2.0 * sigma * sigma)).exp())
            .collect();
        let x = |i: usize| i as f64 - f64::from(r);
        match order {
            0 => {
                let sum: f64 = g.iter().sum();
                g.iter().map(|v| v / sum).collect()
            }
            1 => {
                let k: Vec<f64> = g.iter().enumerate().map(|(i, v)| x(i) * v).collect();
                let norm: f64 = k.iter().enumerate().map(|(i, v)| x(i) * v).sum();
                k.iter().map(|v| v / norm).collect()
            }
            _ => {
                let term = |i: usize| (x(i) * x(i) / (sigma * sigma) - 1.0) * g[i];
                let k: Vec<f64> = (0..g.len()).map(term).collect();
                let mean = k.iter().sum::<f64>() / k.len() as f64;
                let k: Vec<f64> = k.iter().map(|v| v - mean).collect();
                let norm: f64 = k
                    .iter()
                    .enumerate()
                    .map(|(i, v)| x(i) * x(i) * v / 2.0)
                    .sum();
                k.iter().map(|v| v / norm).collect()
            }
        }
    };
    let filtered = |plane: &Array3<f64>, ky: &[f64], kx: &[f64]| {
        let (_, h, w) = plane.dim();
        let at = |y: isize, x: isize| plane[[0, region::mirror(y, h), region::mirror(x, w)]];
        Array3::from_shape_fn((1, h, w), |(_, y, x)| {
            let mut sum = 0.0;
            for (i, a) in ky.iter().enumerate() {
                for (j, b) in kx.iter().enumerate() {
                    let dy = i.cast_signed() - (ky.len() / 2).cast_signed();
                    let dx = j.cast_signed() - (kx.len() / 2).cast_signed();
                    sum += a * b * at(y.cast_signed() + dy, x.cast_signed() + dx);
                }
            }
            sum
        })
    };
    let pre = gauss((1.6f64 * 1.6 - 1.0).sqrt(), 3.5, 0);
    let smoothed = filtered(&plane, &pre, &pre);
    let k = |order| gauss(1.0, 2.0, order);
    let derivative = |oy, ox| filtered(&smoothed, &k(oy), &k(ox));
    let close = |column: usize, expected: &Array3<f64>| {
        let got = got.index_axis(ndarray::Axis(0), column);
        let worst = (got.mapv(f64::from) - expected)
            .iter()
            .fold(0f64, |m, v| m.max(v.abs()));
        assert!(worst < 0.02, "column {column}: {worst}");
    };
    close(0, &derivative(0, 0));
    let (xx, yy, xy) = (derivative(0, 2), derivative(2, 0), derivative(1, 1));
    close(1, &(&xx + &yy));
    let gradient = derivative(0, 1).mapv(|v| v * v) + derivative(1, 0).mapv(|v| v * v);
    close(2, &gradient.mapv(f64::sqrt));
    let narrow = gauss(0.66, 2.0, 0);
    close(
        3,
        &(derivative(0, 0) - filtered(&smoothed, &narrow, &narrow)),
    );
    let inner = |o| gauss(0.5, 2.0, o);
    let gx = filtered(&smoothed, &inner(0), &inner(1));
    let gy = filtered(&smoothed, &inner(1), &inner(0));
    let eigen = |xx: &Array3<f64>, xy: &Array3<f64>, yy: &Array3<f64>, sign: f64| {
        let half = (xx - yy) * 0.5;
        let root = (&half * &half + xy * xy).mapv(f64::sqrt);
        (xx + yy) * 0.5 + root * sign
    };
    let product = |a: &Array3<f64>, b: &Array3<f64>| filtered(&(a * b), &k(0), &k(0));
    let (tx, txy, ty) = (product(&gx, &gx), product(&gx, &gy), product(&gy, &gy));
    for (column, sign) in [(4, 1.0), (5, -1.0)] {
        let expected = eigen(&tx, &txy, &ty, sign);
        let got = got.index_axis(ndarray::Axis(0), column);
        for (g, e) in got.iter().zip(&expected) {
            assert!((f64::from(*g) - e).abs() <= 1e-4 * e.abs() + 1.0, "{g} {e}");
        }
    }
    close(6, &eigen(&xx, &xy, &yy, 1.0));
    close(7, &eigen(&xx, &xy, &yy, -1.0));
}

#[test]
fn small_images_and_undefined_filters_are_refused() {
    let selection = selection(&[(10.0, true)]);
    let small = image((1, 1, 35, 100), 1);
    assert_eq!(
        features(small.view(), &selection),
        Err(Error::TooSmall {
            extent: [1, 35, 100],
            needed: 36,
            sigma: 10.0
        })
    );
    assert!(features(image((1, 1, 36, 36), 1).view(), &selection).is_ok());
    let scale = |sigma, feature| {
        Selection::new(
            Feature::ALL.to_vec(),
            vec![Scale {
                sigma,
                in_2d: true,
                features: vec![feature],
            }],
        )
    };
    assert!(scale(0.3, Feature::StructureTensorEigenvalues).is_err());
    assert!(scale(0.3, Feature::GaussianSmoothing).is_ok());
    assert!(scale(0.0, Feature::GaussianSmoothing).is_err());
    assert!(scale(f64::NAN, Feature::GaussianSmoothing).is_err());
    assert!(scale(1e9, Feature::GaussianSmoothing).is_err());
}
