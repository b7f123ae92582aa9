//! Scale levels, against `image_io`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    clippy::cast_possible_truncation
)]

mod common;
#[path = "common/planes.rs"]
mod planes;

use analysis::accelerator::{Plane, PlaneBuf};
use gpu_kernels::kernels::convert::{self, Pixel};
use gpu_kernels::kernels::pyramid::{levels, on_device};
use gpu_kernels::{Error, Gpu};
use image_io::Pixels;
use image_io::container::pyramid_levels;
use ndarray::{Array2, array};
use planes::{FILLS, Fill, PIXELS, plane};

fn on_cpu(plane: Plane<'_>, factors: &[usize], nearest: bool) -> Vec<PlaneBuf> {
    let pixels = match plane {
        Plane::U8(a) => Pixels::U8(a.to_owned()),
        Plane::U16(a) => Pixels::U16(a.to_owned()),
        Plane::U32(a) => Pixels::U32(a.to_owned()),
        Plane::F32(a) => Pixels::F32(a.to_owned()),
    };
    let factors: Vec<u32> = factors.iter().map(|&f| f as u32).collect();
    let levels = pyramid_levels(&pixels, &factors, nearest);
    let levels = levels.into_iter().map(|level| match level {
        Pixels::U8(a) => PlaneBuf::U8(a),
        Pixels::U16(a) => PlaneBuf::U16(a),
        Pixels::U32(a) => PlaneBuf::U32(a),
        Pixels::F32(a) => PlaneBuf::F32(a),
        _ => panic!("another type"),
    });
    levels.collect()
}

/// Equal; floats as numbers.
fn assert_levels(ours: &[PlaneBuf], reference: &[PlaneBuf], what: &str) {
    assert_eq!(ours.len(), reference.len(), "{what}");
    for (level, (ours, reference)) in ours.iter().zip(reference).enumerate() {
        let (PlaneBuf::F32(a), PlaneBuf::F32(b)) = (ours, reference) else {
            assert!(
                ours == reference,
                "{what} {level}:\n{ours:?}\n{reference:?}"
            );
            continue;
        };
        assert_eq!(a.dim(), b.dim(), "{what} {level}");
        for ((at, a), b) in a.indexed_iter().zip(b) {
            let same = a == b || a.is_nan() && b.is_nan();
            assert!(same, "{what} {level}: {a:e} is not {b:e} at {at:?}");
        }
    }
}

fn check(gpu: &Gpu, plane: Plane<'_>, factors: &[usize], nearest: bool) {
    let what = format!("{:?} {factors:?} {nearest}", plane.dim());
    let ours = levels(gpu, plane, factors, nearest).unwrap();
    assert_levels(&ours, &on_cpu(plane, factors, nearest), &what);
}

const FACTORS: [&[usize]; 7] = [
    &[1, 2, 4, 8, 16],
    &[1, 3, 9],
    &[1, 4, 16],
    &[1, 2, 10],
    &[1, 1, 7],
    &[2, 4],
    &[1],
];

#[test]
fn every_size_type_and_step() {
    let Some(gpu) = common::gpu() else { return };
    for shape in common::SIZES {
        for pixel in PIXELS {
            let plane = plane(pixel, shape, Fill::Random, 21);
            for factors in FACTORS {
                for nearest in [false, true] {
                    check(&gpu, plane.view(), factors, nearest);
                }
            }
            check(&gpu, planes::transposed(&plane), &[1, 2, 6], false);
        }
    }
}

#[test]
fn even_planes_and_large_blocks() {
    let Some(gpu) = common::gpu() else { return };
    for pixel in PIXELS {
        for fill in FILLS {
            let plane = plane(pixel, (520, 300), fill, 22);
            for factors in [[1, 64].as_slice(), &[1, 2, 122], &[1, 17]] {
                check(&gpu, plane.view(), factors, false);
                check(&gpu, plane.view(), factors, true);
            }
        }
    }
}

#[test]
fn floats_that_cancel_and_those_that_are_none() {
    let Some(gpu) = common::gpu() else { return };
    let cancelling = array![
        [1e8f32, 1.0, 3e7, 0.1],
        [-1e8, 0.25, -3e7, 0.7],
        [16_777_216.0, 1.0, 1e10, 1e-3],
        [1.0, -16_777_216.0, -1e10, 1e4],
        [f32::INFINITY, 1.0, f32::NAN, 2.0],
        [1.0, 2.0, 1.0, 2.0],
        [f32::INFINITY, f32::NEG_INFINITY, -0.0, -0.0],
        [1.0, 2.0, -0.0, -0.0],
    ];
    check(&gpu, Plane::F32(cancelling.view()), &[1, 2], false);
    // Numbers of very different sizes.
    let mut dice = common::Dice::new(5);
    let wild = Array2::from_shape_simple_fn((128, 256), || {
        (f64::from(dice.below(2001)) - 1000.0) as f32 * 1.37f32.powi(dice.below(60) as i32)
    });
    check(&gpu, Plane::F32(wild.view()), &[1, 2, 4, 8], false);
    check(&gpu, Plane::F32(wild.view()), &[1, 4], false);
}

#[test]
fn a_plane_larger_than_a_binding_is_reduced_in_bands() {
    let Some(gpu) = common::open(planes::narrow(16 << 10)) else {
        return;
    };
    for pixel in PIXELS {
        let plane = plane(pixel, (307, 301), Fill::Random, 23);
        for factors in [[1, 2, 6], [1, 4, 8], [1, 3, 9]] {
            for nearest in [false, true] {
                check(&gpu, plane.view(), &factors, nearest);
            }
        }
    }
    let wide = plane(Pixel::F32, (64, 4000), Fill::Random, 24);
    let refused = levels(&gpu, wide.view(), &[1, 2], false);
    assert!(matches!(refused, Err(Error::OutOfMemory { .. })));
}

#[test]
fn a_plane_larger_than_the_memory_is_reduced_in_bands() {
    let Some(gpu) = common::open(planes::scarce(100 << 10)) else {
        return;
    };
    for pixel in PIXELS {
        let plane = plane(pixel, (307, 301), Fill::Random, 23);
        check(&gpu, plane.view(), &[1, 2, 6], false);
        check(&gpu, plane.view(), &[1, 2, 6], true);
    }
}

#[test]
fn levels_stay_on_the_device() {
    let Some(gpu) = common::gpu() else { return };
    let size = (65, 127);
    let plane = plane(Pixel::U16, size, Fill::Random, 25);
    let packed = convert::upload(&gpu, plane.view()).unwrap();
    let mut batch = gpu.batch();
    let factors = [1, 2, 4];
    let levels = on_device::levels(
        &gpu,
        &mut batch,
        (&packed, Pixel::U16),
        size,
        &factors,
        false,
    )
    .unwrap();
    batch.submit().unwrap();
    let downloaded: Vec<PlaneBuf> = levels
        .iter()
        .map(|level| convert::download(&gpu, &level.buffer, Pixel::U16, level.size).unwrap())
        .collect();
    assert_levels(
        &downloaded,
        &on_cpu(plane.view(), &factors, false),
        "device",
    );
}

#[test]
fn what_is_not_done_is_refused() {
    let Some(gpu) = common::gpu() else { return };
    let empty = plane(Pixel::U8, (0, 4), Fill::Zero, 0);
    let refused = levels(&gpu, empty.view(), &[1, 2], false);
    assert!(matches!(refused, Err(Error::Unsupported(_))));
    let plane = plane(Pixel::U16, (4, 4), Fill::Zero, 0);
    let refused = levels(&gpu, plane.view(), &[1, 65], false);
    assert!(matches!(refused, Err(Error::Unsupported(_))));
    assert_eq!(levels(&gpu, plane.view(), &[1, 65], true).unwrap().len(), 1);
}
