//! The distance transform on a device equals the one of `analysis` in every pixel.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use gpu_kernels::kernels::distance::{edt, edt_squared};
use gpu_kernels::{Error, Gpu, Options};
use ndarray::Array2;

fn same(gpu: &Gpu, mask: &Array2<bool>) {
    let expected = analysis::distance::edt_squared(mask.view()).unwrap();
    let found = edt_squared(gpu, mask.view()).unwrap();
    for ((at, found), expected) in found.indexed_iter().zip(&expected) {
        assert_eq!(found, expected, "{at:?} of {:?}", mask.dim());
    }
}

fn random(size: (usize, usize), foreground: u32, seed: u64) -> Array2<bool> {
    let mut dice = common::Dice::new(seed);
    Array2::from_shape_fn(size, |_| dice.below(1000) < foreground)
}

fn disk(side: usize) -> Array2<bool> {
    let middle = side as i64 / 2;
    Array2::from_shape_fn((side, side), |(y, x)| {
        (y as i64 - middle).pow(2) + (x as i64 - middle).pow(2) < middle * middle
    })
}

fn without(size: (usize, usize), hole: (usize, usize)) -> Array2<bool> {
    Array2::from_shape_fn(size, |at| at != hole)
}

#[test]
fn masks_of_all_sizes_and_densities() {
    let Some(gpu) = common::gpu() else { return };
    for size in common::SIZES {
        for foreground in [0, 30, 500, 900, 990, 999, 1000] {
            same(&gpu, &random(size, foreground, u64::from(foreground)));
        }
    }
}

#[test]
fn far_away_background() {
    let Some(gpu) = common::gpu() else { return };
    same(&gpu, &disk(401));
    for hole in [(0, 0), (299, 0), (0, 516), (299, 516), (150, 200)] {
        same(&gpu, &without((300, 517), hole));
    }
    // One line of background, and columns without any.
    same(
        &gpu,
        &Array2::from_shape_fn((70, 200), |(y, x)| y != 13 || x > 20),
    );
    same(
        &gpu,
        &Array2::from_shape_fn((70, 200), |(y, x)| x + y != 99),
    );
}

#[test]
fn long_planes() {
    let Some(gpu) = common::gpu() else { return };
    same(&gpu, &without((1, 46_340), (0, 0)));
    same(&gpu, &without((46_340, 1), (46_339, 0)));
    same(&gpu, &Array2::from_elem((2, 46_340), true));
    let long = Array2::from_elem((1, 46_341), true);
    assert!(matches!(
        edt_squared(&gpu, long.view()),
        Err(Error::Unsupported(_))
    ));
    same(&gpu, &Array2::from_elem((0, 5), true));
}

#[test]
fn the_distance_itself() {
    let Some(gpu) = common::gpu() else { return };
    let mask = random((65, 127), 980, 3);
    let expected = analysis::distance::edt(mask.view()).unwrap();
    assert_eq!(edt(&gpu, mask.view()).unwrap(), expected);
    // A view that is not in raster order.
    let expected = analysis::distance::edt(mask.t()).unwrap();
    assert_eq!(edt(&gpu, mask.t()).unwrap(), expected);
}

#[test]
fn a_cut_makes_no_difference() {
    for (memory, largest_binding) in [(1 << 30, 24_100), (100_000, u64::MAX)] {
        let options = Options {
            memory,
            largest_binding,
            ..Options::default()
        };
        let Some(gpu) = common::open(options) else {
            return;
        };
        same(&gpu, &disk(131));
        same(&gpu, &random((130, 257), 995, 8));
        same(&gpu, &without((200, 150), (199, 0)));
        same(&gpu, &Array2::from_elem((80, 90), true));
        same(&gpu, &Array2::from_elem((80, 90), false));
        for length in [2400, 3000, 3100, 6000] {
            same(&gpu, &without((1, length), (0, 1000)));
            same(&gpu, &without((length, 1), (1000, 0)));
        }
    }
}
