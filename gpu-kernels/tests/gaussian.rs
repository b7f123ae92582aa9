//! Gaussians, against `analysis::gaussian` and, for derivatives, against scipy's formula in double precision.
#![allow(
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    clippy::cast_possible_truncation
)]

mod common;
#[path = "common/scipy.rs"]
mod scipy;

use analysis::gaussian::{self as reference, Mode, Smoothing};
use gpu_kernels::kernels::convert;
use gpu_kernels::kernels::gaussian::{Filter, Rows, derivative, on_device, smooth};
use gpu_kernels::{Error, Gpu, Options};
use ndarray::{Array2, ArrayView2, s};

const MODES: [Mode; 3] = [Mode::Nearest, Mode::Reflect, Mode::Mirror];

fn noise(shape: (usize, usize), offset: u32, range: u32) -> Array2<f32> {
    let mut dice = common::Dice::new(3);
    Array2::from_shape_simple_fn(shape, || (offset + dice.below(range)) as f32)
}

/// Within the tolerance of the kernels' module; the largest difference, of the range of the values and the weights' gain.
fn assert_near(
    plane: ArrayView2<'_, f32>,
    ours: &Array2<f32>,
    reference: &Array2<f32>,
    gain: f32,
    what: &str,
) -> f32 {
    assert_eq!(ours.dim(), reference.dim(), "{what}");
    let (low, high) = plane
        .iter()
        .fold((f32::MAX, f32::MIN), |(l, h), &v| (l.min(v), h.max(v)));
    let largest = low.abs().max(high.abs());
    let tolerance = gain * (1e-6 * (high - low) + largest.next_up() - largest);
    let mut worst = 0.0f32;
    for ((at, ours), reference) in ours.indexed_iter().zip(reference) {
        let off = (ours - reference).abs();
        assert!(
            off <= tolerance,
            "{what}: {ours} is not {reference} at {at:?}"
        );
        if high > low {
            worst = worst.max(off / (gain * (high - low)));
        }
    }
    worst
}

fn check(gpu: &Gpu, plane: ArrayView2<'_, f32>, how: &Smoothing) -> f32 {
    let what = format!("{how:?} {:?}", plane.dim());
    let ours = smooth(gpu, plane, how).unwrap();
    let expected = reference::smooth(plane, how).unwrap();
    assert_near(plane, &ours, &expected, 1.0, &what)
}

fn smoothing(sigma: [f64; 2], mode: Mode) -> Smoothing {
    Smoothing {
        sigma,
        truncate: 4.0,
        mode,
    }
}

#[test]
fn every_size_and_border() {
    let Some(gpu) = common::gpu() else { return };
    for shape in common::SIZES {
        let plane = noise(shape, 0, 65_536);
        for mode in MODES {
            for sigma in [
                [0.0, 0.0],
                [0.1, 1.0],
                [1.0, 0.0],
                [1.0, 1.0],
                [2.5, 0.7],
                [3.0, 9.0],
            ] {
                check(&gpu, plane.view(), &smoothing(sigma, mode));
            }
        }
        check(&gpu, plane.t(), &Smoothing::isotropic(1.6));
        check(
            &gpu,
            plane.slice(s![..;2, ..;-1]),
            &Smoothing::isotropic(1.6),
        );
    }
}

#[test]
fn kernels_longer_than_the_plane() {
    let Some(gpu) = common::gpu() else { return };
    for shape in [(1, 1), (5, 70), (90, 3), (130, 257)] {
        let plane = noise(shape, 0, 65_536);
        for mode in MODES {
            for sigma in [[50.0, 50.0], [33.0, 80.0]] {
                check(&gpu, plane.view(), &smoothing(sigma, mode));
            }
        }
    }
    let short = Smoothing {
        truncate: 1.3,
        ..Smoothing::isotropic(31.7)
    };
    check(&gpu, noise((65, 127), 0, 255).view(), &short);
}

#[test]
fn tolerances_are_kept_with_large_offsets() {
    let Some(gpu) = common::gpu() else { return };
    let shape = (300, 310);
    let mut worst = [0.0f32; 3];
    for sigma in [0.7, 1.0, 1.6, 3.5, 10.0, 50.0] {
        for (worst, plane) in worst.iter_mut().zip([
            noise(shape, 0, 65_536),
            noise(shape, 65_000, 536),
            noise(shape, 0, 65_536).mapv(|v| if v < 30_000.0 { 0.0 } else { 65_535.0 }),
        ]) {
            let off = check(&gpu, plane.view(), &Smoothing::isotropic(sigma));
            *worst = worst.max(off);
        }
    }
    eprintln!("of the range: {worst:?} (noise, noise on a large offset, black and white)");
}

#[test]
fn even_planes_stay_what_they_are() {
    let Some(gpu) = common::gpu() else { return };
    for value in [0.0, 65_535.0, 0.1, -3e7] {
        let plane = Array2::from_elem((65, 127), value);
        for sigma in [1.0, 50.0] {
            let ours = smooth(&gpu, plane.view(), &Smoothing::isotropic(sigma)).unwrap();
            assert_eq!(ours, plane, "{value} {sigma}");
            let flat = derivative(&gpu, plane.view(), &Smoothing::isotropic(sigma), [1, 0]);
            assert!(flat.unwrap().iter().all(|&v| v == 0.0), "{value} {sigma}");
        }
    }
}

#[test]
fn derivatives_are_those_of_scipy() {
    let Some(gpu) = common::gpu() else { return };
    let mut worst = 0.0f32;
    let orders = [[0, 1], [1, 0], [1, 1], [0, 2], [2, 0]];
    for shape in [(1, 1), (1, 7), (15, 17), (67, 90)] {
        for (plane, name) in [
            (noise(shape, 0, 65_536), "noise"),
            (noise(shape, 65_000, 536), "offset"),
        ] {
            for mode in MODES {
                for sigma in [[1.0, 1.0], [5.0, 2.3], [0.0, 1.0]] {
                    for order in orders {
                        let how = smoothing(sigma, mode);
                        let ours = derivative(&gpu, plane.view(), &how, order).unwrap();
                        let weights = [0, 1].map(|a| scipy::weights(sigma[a], order[a]));
                        let half = scipy::correlated(&plane, 0, &weights[0], mode);
                        let expected = scipy::correlated(&half, 1, &weights[1], mode);
                        let gain: f64 = weights
                            .iter()
                            .map(|w| w.iter().map(|w| w.abs()).sum::<f64>())
                            .product();
                        let what = format!("{name} {shape:?} {how:?} {order:?}");
                        let off = assert_near(plane.view(), &ours, &expected, gain as f32, &what);
                        worst = worst.max(if name == "noise" { off } else { 0.0 });
                    }
                }
            }
        }
    }
    eprintln!("derivatives of noise, of the range and the weights: {worst:?}");
}

#[test]
fn derivatives_have_scipys_numbers() {
    // scipy 1.17.1: a = ((np.arange(35).reshape(5, 7) * 7919) % 257).astype("f4"); the pixels [0, 0], [0, 6], [2, 3] and [4, 1] of
    // gaussian_filter(a, (1.5, 0.8), order=order, mode=mode).
    let numbers = [
        (
            Mode::Nearest,
            [0, 1],
            [49.523594, 49.736595, 7.7853961, -18.159052],
        ),
        (
            Mode::Nearest,
            [1, 0],
            [17.223541, -9.5313253, -5.3125057, 8.7250004],
        ),
        (
            Mode::Nearest,
            [0, 2],
            [38.997906, -39.756798, 2.1216247, -26.350628],
        ),
        (
            Mode::Reflect,
            [1, 1],
            [-5.4681687, -5.262157, -9.2583542, -2.0827157],
        ),
        (
            Mode::Reflect,
            [2, 0],
            [6.1632032, -5.87324, -8.517601, -9.7702541],
        ),
        (Mode::Mirror, [0, 1], [0.0, 0.0, 12.70239, 3.4319508]),
        (
            Mode::Mirror,
            [0, 2],
            [12.660343, -15.195186, 2.1410241, -31.00831],
        ),
        (
            Mode::Mirror,
            [2, 0],
            [-2.4950624, -2.9559946, -4.7157502, -11.391413],
        ),
    ];
    let Some(gpu) = common::gpu() else { return };
    let plane = Array2::from_shape_fn((5, 7), |(y, x)| (((7 * y + x) * 7919) % 257) as f32);
    for (mode, orders, expected) in numbers {
        let ours = derivative(&gpu, plane.view(), &smoothing([1.5, 0.8], mode), orders).unwrap();
        for (at, expected) in [[0, 0], [0, 6], [2, 3], [4, 1]].into_iter().zip(expected) {
            let off = f64::from(ours[at]) - expected;
            assert!(off.abs() < 1e-4, "{mode:?} {orders:?} {at:?}: {off}");
        }
    }
}

#[test]
fn results_do_not_depend_on_bands() {
    let Some(whole) = common::gpu() else { return };
    let bands = common::open(Options {
        largest_binding: 40 * 4 * 101,
        ..Options::default()
    })
    .unwrap();
    let scarce = common::open(Options {
        memory: 120 << 10,
        ..Options::default()
    })
    .unwrap();
    let plane = noise((211, 101), 500, 9000);
    for mode in MODES {
        for (sigma, orders) in [
            ([1.0, 2.0], [0, 0]),
            ([0.3, 1.0], [0, 1]),
            ([4.0, 50.0], [2, 0]),
        ] {
            let how = smoothing(sigma, mode);
            let one = derivative(&whole, plane.view(), &how, orders).unwrap();
            for few in [&bands, &scarce] {
                let many = derivative(few, plane.view(), &how, orders).unwrap();
                assert_eq!(one, many, "{how:?}");
            }
        }
    }
    assert!(bands.dispatches() > whole.dispatches());
    let refused = smooth(&bands, plane.view(), &Smoothing::isotropic(5.0));
    assert!(matches!(refused, Err(Error::OutOfMemory { .. })));
}

#[test]
fn filters_follow_each_other_without_a_download() {
    let Some(gpu) = common::gpu() else { return };
    let plane = noise((65, 127), 0, 4096);
    let how = Smoothing::isotropic(1.0);
    let filter = Filter::new(&gpu, &how, [0, 0]).unwrap();
    let source = convert::upload(&gpu, analysis::accelerator::Plane::F32(plane.view())).unwrap();
    let rows = Rows::all(plane.dim());
    let mut batch = gpu.batch();
    let once = on_device::filter(&gpu, &mut batch, &filter, &source, &rows).unwrap();
    let twice = on_device::filter(&gpu, &mut batch, &filter, &once, &rows).unwrap();
    batch.submit().unwrap();
    let ours = gpu.download::<f32>(&twice, plane.len()).unwrap();
    let once = smooth(&gpu, plane.view(), &how).unwrap();
    let expected = smooth(&gpu, once.view(), &how).unwrap();
    assert_eq!(ours, expected.into_raw_vec_and_offset().0);
}

#[test]
fn what_is_not_done_is_refused() {
    let Some(gpu) = common::gpu() else { return };
    let plane = Array2::zeros((4, 5));
    for (sigma, orders) in [
        (-1.0, [0, 0]),
        (f64::NAN, [0, 0]),
        (5e3, [0, 0]),
        (1.0, [3, 0]),
    ] {
        let refused = derivative(&gpu, plane.view(), &Smoothing::isotropic(sigma), orders);
        assert!(matches!(refused, Err(Error::Unsupported(_))), "{sigma}");
    }
    let empty = Array2::zeros((0, 5));
    assert_eq!(
        smooth(&gpu, empty.view(), &Smoothing::isotropic(1.0)).unwrap(),
        empty
    );
    let empty = Array2::zeros((5, 0));
    assert_eq!(
        smooth(&gpu, empty.view(), &Smoothing::isotropic(1.0)).unwrap(),
        empty
    );
}
