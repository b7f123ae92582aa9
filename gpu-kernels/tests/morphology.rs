//! Grey morphology, against `analysis::morphology`.
#![allow(
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    clippy::cast_possible_truncation
)]

mod common;
#[path = "common/planes.rs"]
mod planes;

use analysis::accelerator::{GreyFilter, Plane, PlaneBuf};
use analysis::morphology::{self as reference, GreyPixel};
use gpu_kernels::kernels::convert::{self, Pixel};
use gpu_kernels::kernels::morphology::{Disk, MOST_RADIUS, grey, on_device};
use gpu_kernels::{Error, Gpu};
use ndarray::{Array2, ArrayView2, array};
use planes::{FILLS, Fill, PIXELS, assert_same, plane};

const FILTERS: [GreyFilter; 5] = [
    GreyFilter::Erosion,
    GreyFilter::Dilation,
    GreyFilter::Opening,
    GreyFilter::Closing,
    GreyFilter::WhiteTophat,
];

fn filtered<T: GreyPixel>(
    filter: GreyFilter,
    plane: ArrayView2<'_, T>,
    radius: usize,
) -> Array2<T> {
    let run = match filter {
        GreyFilter::Erosion => reference::erosion,
        GreyFilter::Dilation => reference::dilation,
        GreyFilter::Opening => reference::opening,
        GreyFilter::Closing => reference::closing,
        GreyFilter::WhiteTophat => reference::white_tophat,
    };
    run(plane, radius).unwrap()
}

fn on_cpu(filter: GreyFilter, radius: usize, plane: Plane<'_>) -> PlaneBuf {
    match plane {
        Plane::U8(a) => PlaneBuf::U8(filtered(filter, a, radius)),
        Plane::U16(a) => PlaneBuf::U16(filtered(filter, a, radius)),
        Plane::U32(a) => PlaneBuf::U32(filtered(filter, a, radius)),
        Plane::F32(a) => PlaneBuf::F32(filtered(filter, a, radius)),
    }
}

fn check(gpu: &Gpu, filter: GreyFilter, radius: usize, plane: Plane<'_>) {
    let what = format!(
        "{filter:?} {radius} {:?} {:?}",
        Pixel::of(&plane),
        plane.dim()
    );
    let ours = grey(gpu, filter, radius, plane).unwrap();
    assert_same(&ours, &on_cpu(filter, radius, plane), &what);
}

#[test]
fn every_type_filter_and_size() {
    let Some(gpu) = common::gpu() else { return };
    for shape in common::SIZES {
        for pixel in PIXELS {
            for filter in FILTERS {
                let plane = plane(pixel, shape, Fill::Random, 2);
                for radius in [1, 5] {
                    check(&gpu, filter, radius, plane.view());
                }
                check(&gpu, filter, 4, planes::transposed(&plane));
            }
        }
    }
}

#[test]
fn every_small_radius_and_those_around_a_window() {
    let Some(gpu) = common::gpu() else { return };
    let plane = plane(Pixel::U16, (61, 83), Fill::Random, 4);
    for radius in (0..=17).chain([24, 31, 32, 33, 40]) {
        check(&gpu, GreyFilter::Opening, radius, plane.view());
        check(&gpu, GreyFilter::Dilation, radius, plane.view());
    }
}

#[test]
fn large_radii_also_larger_than_the_plane() {
    let Some(gpu) = common::gpu() else { return };
    for pixel in [Pixel::U8, Pixel::F32] {
        for (shape, radii) in [
            ((130, 257), [64, 100].as_slice()),
            ((9, 300), &[100, 299, 300, 301]),
            ((300, 9), &[100, 299, 300, 301]),
            ((1, 1), &[1, 1000]),
            ((7, 5), &[6, MOST_RADIUS]),
        ] {
            let plane = plane(pixel, shape, Fill::Random, 6);
            for &radius in radii {
                check(&gpu, GreyFilter::Erosion, radius, plane.view());
                check(&gpu, GreyFilter::WhiteTophat, radius, plane.view());
            }
        }
    }
}

#[test]
fn even_planes_stay_what_they_are() {
    let Some(gpu) = common::gpu() else { return };
    for pixel in PIXELS {
        for fill in FILLS {
            let plane = plane(pixel, (33, 64), fill, 8);
            for filter in FILTERS {
                check(&gpu, filter, 7, plane.view());
            }
        }
    }
}

#[test]
fn a_plane_larger_than_a_binding_is_filtered_in_bands() {
    // 101 + 10 columns: 60 rows fit.
    let Some(gpu) = common::open(planes::narrow(60 * 4 * 111)) else {
        return;
    };
    for pixel in PIXELS {
        let plane = plane(pixel, (203, 101), Fill::Random, 9);
        for filter in FILTERS {
            check(&gpu, filter, 10, plane.view());
        }
    }
    let tall = plane(Pixel::U8, (203, 101), Fill::Random, 9);
    let refused = grey(&gpu, GreyFilter::Opening, 20, tall.view());
    assert!(matches!(refused, Err(Error::OutOfMemory { .. })));
}

#[test]
fn a_plane_larger_than_the_memory_is_filtered_in_bands() {
    let Some(gpu) = common::open(planes::scarce(300 << 10)) else {
        return;
    };
    for pixel in PIXELS {
        let plane = plane(pixel, (203, 101), Fill::Random, 9);
        check(&gpu, GreyFilter::WhiteTophat, 10, plane.view());
    }
}

#[test]
fn infinities_and_nans_are_taken_as_in_the_reference() {
    let Some(gpu) = common::gpu() else { return };
    let mut values = match plane(Pixel::F32, (40, 50), Fill::Random, 10) {
        PlaneBuf::F32(values) => values,
        _ => panic!("floats"),
    };
    let special = [
        f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        -f32::NAN,
        f32::MAX,
        1e-40,
    ];
    let mut dice = common::Dice::new(10);
    for at in 0..600 {
        let (y, x) = (dice.below(40) as usize, dice.below(50) as usize);
        values[[y, x]] = special[at % special.len()];
    }
    for filter in [
        GreyFilter::Erosion,
        GreyFilter::Dilation,
        GreyFilter::Opening,
        GreyFilter::Closing,
    ] {
        for radius in [2, 4] {
            check(&gpu, filter, radius, Plane::F32(values.view()));
        }
    }
    // Nothing but NaNs in the middle of numbers: they stay where no number reaches.
    let mut hole = Array2::from_elem((9, 9), 1.5f32);
    hole.slice_mut(ndarray::s![2..7, 2..7]).fill(f32::NAN);
    for filter in FILTERS {
        let PlaneBuf::F32(ours) = grey(&gpu, filter, 1, Plane::F32(hole.view())).unwrap() else {
            panic!("floats")
        };
        let cpu = filtered(filter, hole.view(), 1);
        let same = ours
            .iter()
            .zip(&cpu)
            .all(|(a, b)| a == b || a.is_nan() && b.is_nan());
        assert!(same, "{filter:?}\n{ours:?}\n{cpu:?}");
    }
    // Both zeros: equal as numbers.
    let zeros = array![[0.0f32, -0.0, 0.0], [-0.0, 0.0, -0.0]];
    let ours = grey(&gpu, GreyFilter::Closing, 1, Plane::F32(zeros.view())).unwrap();
    assert_eq!(
        ours,
        on_cpu(GreyFilter::Closing, 1, Plane::F32(zeros.view()))
    );
}

#[test]
fn filters_follow_each_other_without_a_download() {
    let Some(gpu) = common::gpu() else { return };
    let size = (65, 127);
    let plane = plane(Pixel::U16, size, Fill::Random, 12);
    let disk = Disk::new(&gpu, 3, size).unwrap();
    let packed = convert::upload(&gpu, plane.view()).unwrap();
    let mut batch = gpu.batch();
    let count = size.0 * size.1;
    let mut values =
        convert::on_device::widen(&gpu, &mut batch, &packed, Pixel::U16, count).unwrap();
    for filter in [GreyFilter::Erosion, GreyFilter::Closing] {
        values = on_device::grey(&gpu, &mut batch, filter, &disk, &values, Pixel::U16).unwrap();
    }
    let packed = convert::on_device::pack(&gpu, &mut batch, &values, Pixel::U16, 0, count).unwrap();
    batch.submit().unwrap();
    let ours = convert::download(&gpu, &packed, Pixel::U16, size).unwrap();
    let eroded = on_cpu(GreyFilter::Erosion, 3, plane.view());
    assert_same(
        &ours,
        &on_cpu(GreyFilter::Closing, 3, eroded.view()),
        "chain",
    );
}

#[test]
fn what_is_not_done_is_refused() {
    let Some(gpu) = common::gpu() else { return };
    let plane = plane(Pixel::U8, (3, 4), Fill::Zero, 0);
    let refused = grey(&gpu, GreyFilter::Erosion, MOST_RADIUS + 1, plane.view());
    assert!(matches!(refused, Err(Error::Unsupported(_))));
    for shape in [(0, 4), (4, 0)] {
        let empty = planes::plane(Pixel::U8, shape, Fill::Zero, 0);
        assert_eq!(
            grey(&gpu, GreyFilter::Erosion, 3, empty.view()).unwrap(),
            empty
        );
    }
}
