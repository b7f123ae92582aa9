//! What a device measures of objects equals what `analysis` measures.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]
// A view is a pointer and two pairs of numbers: ndarray passes it by value.
#![allow(clippy::needless_pass_by_value)]

mod common;

use std::collections::BTreeMap;

use analysis::accelerator::Plane;
use analysis::components::Connectivity;
use analysis::measure::{Intensity, Measurements, Selection, Shape};
use gpu_kernels::kernels::components;
use gpu_kernels::kernels::mask::{Mask, upload};
use gpu_kernels::kernels::objects::{self, Band, Kind, Object, ObjectStatistics, measure};
use gpu_kernels::{Error, Gpu, Options};
use ndarray::{Array2, ArrayView2};

const QUANTILES: [f64; 5] = [0.0, 0.1, 0.5, 0.77, 1.0];

fn reference(labels: &Array2<u32>, plane: ArrayView2<'_, f32>) -> Measurements {
    let mut intensities = vec![
        Intensity::Sum,
        Intensity::Mean,
        Intensity::Std,
        Intensity::Min,
        Intensity::Max,
        Intensity::CentroidWeighted,
    ];
    intensities.extend(QUANTILES.map(Intensity::Quantile));
    let selection = Selection {
        shapes: vec![Shape::Area, Shape::Bbox, Shape::Centroid],
        intensities,
    };
    analysis::measure::objects(labels.view(), &[("c", plane)], &selection).unwrap()
}

fn close(found: f64, expected: f64, tolerance: f64, what: &str) {
    let equal = found == expected || found.is_nan() && expected.is_nan();
    let near = (found - expected).abs() <= tolerance;
    assert!(equal || near, "{what}: {found} is not {expected}");
}

/// Compares with `analysis`, which sees the values as single precision.
fn same(gpu: &Gpu, labels: &Array2<u32>, plane: Plane<'_>) -> ObjectStatistics {
    let singles = match plane {
        Plane::U8(p) => p.mapv(f32::from),
        Plane::U16(p) => p.mapv(f32::from),
        Plane::U32(p) => p.mapv(|v| v as f32),
        Plane::F32(p) => p.to_owned(),
    };
    let expected = reference(labels, singles.view());
    let found = measure(gpu, labels.view(), plane, &QUANTILES).unwrap();
    let of_labels: Vec<u32> = found.objects.iter().map(|o| o.label).collect();
    assert_eq!(of_labels, expected.labels);
    for (row, object) in found.objects.iter().enumerate() {
        let column = |name: &str| expected.column(name).unwrap().get(row).unwrap();
        let exact = |name: &str, value: f64| close(value, column(name), 0.0, name);
        exact("area", object.count.into());
        exact("bbox_min_y", object.top.into());
        exact("bbox_min_x", object.left.into());
        exact("bbox_max_y", object.bottom.into());
        exact("bbox_max_x", object.right.into());
        exact("centroid_y", object.centroid()[0]);
        exact("centroid_x", object.centroid()[1]);
        exact("c_min", object.min);
        exact("c_max", object.max);
        for (q, value) in QUANTILES.iter().zip(&found.quantiles[row]) {
            exact(&format!("c_quantile_{q}"), *value);
        }
        let magnitude = object.min.abs().max(object.max.abs());
        // Half a step, and the rounding of the sums of `analysis`.
        let each = if matches!(plane, Plane::F32(_)) {
            magnitude * (0.5f64.powi(31) + 1e-12)
        } else {
            magnitude * 1e-15
        };
        let near = |name: &str, value: f64, tolerance: f64| {
            close(value, column(name), tolerance, name);
        };
        near("c_sum", object.sum(), each * f64::from(object.count));
        near("c_mean", object.mean(), each);
        near("c_std", object.std(), each + magnitude * 1e-7_f64.powi(2));
        let weighted = object.centroid_weighted();
        // Around a sum of nearly 0 the centre is anywhere.
        let relative = each / object.mean().abs() * 2.0 + 1e-12;
        let across = f64::from(object.right.max(object.bottom)) * magnitude / object.mean().abs();
        near(
            "c_centroid_weighted_y",
            weighted[0],
            relative * (weighted[0].abs() + across),
        );
        near(
            "c_centroid_weighted_x",
            weighted[1],
            relative * (weighted[1].abs() + across),
        );
    }
    found
}

/// Sums of any integers, the slow way.
fn exact(labels: &Array2<u32>, plane: ArrayView2<'_, u32>, found: &[Object]) {
    let mut sums = BTreeMap::<u32, [u128; 9]>::new();
    for (((y, x), &label), &v) in labels.indexed_iter().zip(plane) {
        let (x, y, v) = (x as u128, y as u128, u128::from(v));
        if label != 0 {
            let terms = [x, y, x * x, x * y, y * y, v, v * v, v * x, v * y];
            for (sum, term) in sums.entry(label).or_default().iter_mut().zip(terms) {
                *sum += term;
            }
        }
    }
    assert_eq!(found.len(), sums.len());
    for (object, (label, sums)) in found.iter().zip(sums) {
        assert_eq!(object.label, label);
        let [v, vx, vy] = [object.v, object.vx, object.vy].map(|sum| sum as u128);
        let positions = [object.x, object.y, object.xx, object.xy, object.yy].map(u128::from);
        assert_eq!(positions, sums[..5]);
        assert_eq!([v, object.vv, vx, vy], sums[5..]);
    }
}

/// Blocks, some of which touch, with labels that have gaps.
fn blocks((height, width): (usize, usize), side: usize, seed: u64) -> Array2<u32> {
    let across = width.div_ceil(side);
    let mut dice = common::Dice::new(seed);
    let labels: Vec<u32> = (0..across * height.div_ceil(side))
        .map(|_| match dice.below(4) {
            0 => 0,
            1 => dice.below(30) + 1,
            2 => dice.below(90_000_000),
            _ => u32::MAX - dice.below(3),
        })
        .collect();
    Array2::from_shape_fn((height, width), |(y, x)| {
        labels[y / side * across + x / side]
    })
}

fn noise<T>(size: (usize, usize), seed: u64, of: impl Fn(u32) -> T) -> Array2<T> {
    let mut dice = common::Dice::new(seed);
    Array2::from_shape_fn(size, |_| of(dice.next() << 1 | dice.next() & 1))
}

fn single(bits: u32) -> f32 {
    (bits % 40_000) as f32 * 0.37 - 1000.0 + (bits >> 16) as f32 * 1e-5
}

#[test]
fn all_types_and_sizes() {
    let Some(gpu) = common::gpu() else { return };
    for size in common::SIZES {
        for side in [1, 9] {
            let labels = blocks(size, side, side as u64);
            let bytes = noise(size, 1, |bits| bits as u8);
            same(&gpu, &labels, Plane::U8(bytes.view()));
            let words = noise(size, 2, |bits| bits as u16);
            let found = same(&gpu, &labels, Plane::U16(words.view()));
            exact(&labels, words.mapv(u32::from).view(), &found.objects);
            let longs = noise(size, 3, |bits| bits);
            let found = measure(&gpu, labels.view(), Plane::U32(longs.view()), &[0.5]).unwrap();
            exact(&labels, longs.view(), &found.objects);
            let singles = noise(size, 4, single);
            same(&gpu, &labels, Plane::F32(singles.view()));
        }
    }
}

#[test]
fn one_object_that_is_everything_and_none() {
    let Some(gpu) = common::gpu() else { return };
    let size = (300, 500);
    let one = Array2::from_elem(size, u32::MAX);
    let full = Array2::from_elem(size, u32::MAX);
    let found = measure(&gpu, one.view(), Plane::U32(full.view()), &[0.3]).unwrap();
    exact(&one, full.view(), &found.objects);
    assert_eq!(found.objects[0].std(), 0.0);
    assert_eq!(found.quantiles, [[f64::from(u32::MAX)]]);
    let saturated = Array2::from_elem(size, u16::MAX);
    same(&gpu, &one, Plane::U16(saturated.view()));
    let none = Array2::zeros(size);
    let found = measure(&gpu, none.view(), Plane::U16(saturated.view()), &[0.5]).unwrap();
    assert_eq!(found, ObjectStatistics::default());
    let nothing = Array2::<u32>::zeros((0, 3));
    let found = measure(&gpu, nothing.view(), Plane::U32(nothing.view()), &[0.5]).unwrap();
    assert_eq!(found, ObjectStatistics::default());
    let other = measure(&gpu, none.view(), Plane::U32(nothing.view()), &[]);
    assert!(matches!(other, Err(Error::Unsupported(_))));
    let long = Array2::<u32>::zeros((1, 65_536));
    let other = measure(&gpu, long.view(), Plane::U32(long.view()), &[]);
    assert!(matches!(other, Err(Error::Unsupported(_))));
}

#[test]
fn positions_far_from_the_origin() {
    let Some(gpu) = common::gpu() else { return };
    for size in [(1, 65_535), (65_535, 1)] {
        let labels = noise(size, 9, |bits| bits % 3);
        let values = noise(size, 10, |bits| bits);
        let found = measure(&gpu, labels.view(), Plane::U32(values.view()), &[]).unwrap();
        exact(&labels, values.view(), &found.objects);
    }
}

#[test]
fn singles_of_very_different_size() {
    let Some(gpu) = common::gpu() else { return };
    let size = (65, 127);
    let labels = blocks(size, 9, 3);
    // From denormal to nearly infinite, both signs.
    let wild = noise(size, 5, |bits| {
        let v = f32::from_bits(bits);
        if v.is_finite() { v } else { 0.0 }
    });
    same(&gpu, &labels, Plane::F32(wild.view()));
    let tiny = noise(size, 6, |bits| f32::from_bits(bits % 0x0100_0000));
    same(&gpu, &labels, Plane::F32(tiny.view()));
    // Small deviations from a large value: nothing is rounded.
    let near = noise(size, 7, |bits| 1e6 + (bits % 64) as f32 / 16.0);
    for (object, found) in same(&gpu, &labels, Plane::F32(near.view()))
        .objects
        .iter()
        .zip(
            near.indexed_iter()
                .fold(BTreeMap::<u32, Vec<f64>>::new(), |mut all, (at, &v)| {
                    all.entry(labels[at]).or_default().push(f64::from(v) - 1e6);
                    all
                })
                .into_iter()
                .filter(|(label, _)| *label != 0),
        )
    {
        let (label, values) = found;
        assert_eq!(object.label, label);
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let std = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
        close(object.std(), std, std * 1e-12, "std");
        close(object.mean(), 1e6 + mean, 1e-9, "mean");
    }
}

#[test]
fn what_is_no_number() {
    let Some(gpu) = common::gpu() else { return };
    let labels = blocks((33, 64), 4, 12);
    let plane = noise((33, 64), 13, |bits| match bits % 97 {
        0 => f32::NAN,
        1 => f32::INFINITY,
        2 => f32::NEG_INFINITY,
        3 => -f32::NAN,
        _ => single(bits),
    });
    same(&gpu, &labels, Plane::F32(plane.view()));
    let labels = Array2::from_elem((3, 5), 4);
    for value in [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.0] {
        let plane = Array2::from_elem((3, 5), value);
        same(&gpu, &labels, Plane::F32(plane.view()));
    }
}

#[test]
fn a_cut_makes_no_difference() {
    let Some(whole) = common::gpu() else { return };
    let size = (130, 257);
    let labels = blocks(size, 6, 20);
    let words = noise(size, 21, |bits| bits as u16);
    let singles = noise(size, 22, single);
    for (memory, largest_binding) in [(1 << 30, 100_000), (400_000, u64::MAX)] {
        let options = Options {
            memory,
            largest_binding,
            ..Options::default()
        };
        let Some(gpu) = common::open(options) else {
            return;
        };
        for plane in [Plane::U16(words.view()), Plane::F32(singles.view())] {
            let cut = measure(&gpu, labels.view(), plane, &[0.5, 0.9]).unwrap();
            let expected = measure(&whole, labels.view(), plane, &[0.5, 0.9]).unwrap();
            assert!(cut.objects.len() > 150);
            assert_eq!(cut, expected);
        }
    }
}

#[test]
fn a_chain_stays_on_the_device() {
    let Some(gpu) = common::gpu() else { return };
    let size = (130, 257);
    let mut dice = common::Dice::new(7);
    let foreground = Array2::from_shape_fn(size, |_| dice.below(10) < 6);
    let values = noise(size, 8, |bits| bits as u16);
    let pixels = upload(&gpu, foreground.view()).unwrap();
    let plane = gpu.upload(values.as_slice().unwrap()).unwrap();
    let labels = gpu.words(values.len()).unwrap();
    let (expected, count) = analysis::components::label(foreground.view(), Connectivity::Edges);
    let mut batch = gpu.batch();
    let mask = Mask::Bytes(&pixels);
    components::mask(&gpu, &mut batch, mask, size, Connectivity::Edges, &labels).unwrap();
    let band = Band {
        labels: &labels,
        plane: &plane,
        kind: Kind::U16,
        size,
        first_row: 0,
    };
    let (extents, sums) = objects::accumulate(&gpu, &mut batch, &band, count as usize).unwrap();
    batch.submit().unwrap();
    let found = objects::read(&gpu, Kind::U16, count as usize, &extents, &sums).unwrap();
    let expected = measure(&gpu, expected.view(), Plane::U16(values.view()), &[]).unwrap();
    assert_eq!(found, expected.objects);
}
