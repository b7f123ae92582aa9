//! Components that a device labels equal those of `analysis`, numbers included.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use analysis::components::Connectivity::{self, Corners, Edges};
use gpu_kernels::kernels::components::{self, label, label_regions};
use gpu_kernels::kernels::distance;
use gpu_kernels::kernels::mask::{Mask, upload};
use gpu_kernels::kernels::prefix_sum;
use gpu_kernels::{Gpu, Options};
use ndarray::Array2;

const BOTH: [Connectivity; 2] = [Edges, Corners];

fn same(gpu: &Gpu, mask: &Array2<bool>) {
    for connectivity in BOTH {
        let expected = analysis::components::label(mask.view(), connectivity);
        let found = label(gpu, mask.view(), connectivity).unwrap();
        assert_eq!(found.1, expected.1, "{connectivity:?} of {:?}", mask.dim());
        assert!(
            found.0 == expected.0,
            "{connectivity:?} of {:?}",
            mask.dim()
        );
    }
}

fn same_regions(gpu: &Gpu, labels: &Array2<u32>) {
    for connectivity in BOTH {
        let expected = analysis::components::label_regions(labels.view(), connectivity);
        let found = label_regions(gpu, labels.view(), connectivity).unwrap();
        assert!(found == expected, "{connectivity:?} of {:?}", labels.dim());
    }
}

fn random(size: (usize, usize), foreground: u32, seed: u64) -> Array2<bool> {
    let mut dice = common::Dice::new(seed);
    Array2::from_shape_fn(size, |_| dice.below(1000) < foreground)
}

/// One line that winds inwards.
fn spiral(height: usize, width: usize) -> Array2<bool> {
    let mut plane = Array2::from_elem((height, width), false);
    let (mut top, mut left, mut bottom, mut right) = (0, 0, height - 1, width - 1);
    let mut start = 0;
    while top + 1 < bottom && left + 1 < right {
        (start..=right).for_each(|x| plane[(top, x)] = true);
        (top..=bottom).for_each(|y| plane[(y, right)] = true);
        (left..=right).for_each(|x| plane[(bottom, x)] = true);
        (top + 2..=bottom).for_each(|y| plane[(y, left)] = true);
        start = left;
        (top, left, bottom, right) = (top + 2, left + 2, bottom - 2, right - 2);
    }
    plane
}

/// One line to and fro, or up and down.
fn snake(height: usize, width: usize) -> Array2<bool> {
    Array2::from_shape_fn((height, width), |(y, x)| {
        y % 2 == 0 || x == if y % 4 == 1 { width - 1 } else { 0 }
    })
}

fn worst_cases() -> Vec<Array2<bool>> {
    let mut all = vec![
        spiral(130, 257),
        spiral(257, 130),
        snake(65, 300),
        snake(300, 65).reversed_axes(),
        // Combs: components that meet at the very end.
        Array2::from_shape_fn((100, 301), |(y, x)| x % 2 == 0 || y == 99),
        Array2::from_shape_fn((101, 300), |(y, x)| y % 2 == 0 || x == 299),
        Array2::from_shape_fn((100, 300), |(y, x)| (x + y) % 2 == 0),
        Array2::from_shape_fn((100, 300), |(y, x)| (x + y) % 3 == 0),
        Array2::from_shape_fn((100, 300), |(y, x)| (x + 100 - y) % 3 == 0),
        Array2::from_elem((100, 600), true),
        Array2::from_elem((100, 600), false),
    ];
    let turned: Vec<_> = all
        .iter()
        .map(|plane| plane.slice(ndarray::s![..;-1, ..;-1]).to_owned())
        .collect();
    all.extend(turned);
    all
}

#[test]
fn masks_of_all_sizes_and_densities() {
    let Some(gpu) = common::gpu() else { return };
    for size in common::SIZES {
        for foreground in [0, 100, 400, 593, 700, 950, 1000] {
            same(&gpu, &random(size, foreground, u64::from(foreground)));
        }
    }
    same(&gpu, &random((400, 900), 550, 5));
    same(&gpu, &Array2::from_elem((0, 4), true));
    // More rows than a device takes groups along an axis.
    same(&gpu, &random((70_000, 2), 800, 6));
}

#[test]
fn masks_that_are_hard_to_join() {
    let Some(gpu) = common::gpu() else { return };
    for mask in worst_cases() {
        same(&gpu, &mask);
    }
    // What is right once may be luck: threads race.
    let mask = random((300, 700), 600, 2);
    for _ in 0..10 {
        same(&gpu, &mask);
    }
}

#[test]
fn regions_of_label_images() {
    let Some(gpu) = common::gpu() else { return };
    for size in common::SIZES {
        for values in [1, 2, 3, 10] {
            let mut dice = common::Dice::new(u64::from(values));
            let labels = Array2::from_shape_fn(size, |_| match dice.below(values + 1) {
                0 => 0,
                n => u32::MAX - 7 * n,
            });
            same_regions(&gpu, &labels);
        }
    }
    for mask in worst_cases() {
        same_regions(&gpu, &mask.mapv(|inside| if inside { 5 } else { u32::MAX }));
    }
}

#[test]
fn a_cut_makes_no_difference() {
    for (memory, largest_binding) in [(1 << 30, 32_000), (300_000, u64::MAX)] {
        let options = Options {
            memory,
            largest_binding,
            ..Options::default()
        };
        let Some(gpu) = common::open(options) else {
            return;
        };
        for mask in worst_cases().iter().step_by(3) {
            same(&gpu, mask);
            same_regions(&gpu, &mask.mapv(|inside| if inside { 5 } else { 9 }));
        }
        for foreground in [400, 593, 700] {
            same(&gpu, &random((200, 257), foreground, 1));
        }
    }
}

#[test]
fn a_chain_stays_on_the_device() {
    let Some(gpu) = common::gpu() else { return };
    let size = (130, 257);
    let mask = random(size, 700, 4);
    let (expected, _) = analysis::components::label(mask.view(), Edges);
    let pixels = upload(&gpu, mask.view()).unwrap();
    let labels = gpu.words(mask.len()).unwrap();
    let squares = gpu.words(mask.len()).unwrap();
    let mut batch = gpu.batch();
    let count =
        components::mask(&gpu, &mut batch, Mask::Bytes(&pixels), size, Edges, &labels).unwrap();
    // Labels are a mask.
    distance::squared(&gpu, &mut batch, Mask::Words(&labels), size, &squares).unwrap();
    let again = gpu.words(mask.len()).unwrap();
    components::mask(&gpu, &mut batch, Mask::Words(&squares), size, Edges, &again).unwrap();
    batch.submit().unwrap();
    assert_eq!(
        gpu.download::<u32>(&again, mask.len()).unwrap(),
        expected.as_slice().unwrap()
    );
    assert_eq!(
        gpu.download::<u32>(&count, 1).unwrap()[0],
        expected.iter().copied().max().unwrap()
    );
    let expected = analysis::distance::edt_squared(mask.view()).unwrap();
    assert_eq!(
        gpu.download::<u32>(&squares, mask.len()).unwrap(),
        expected.as_slice().unwrap()
    );
}

#[test]
fn prefix_sums() {
    let Some(gpu) = common::gpu() else { return };
    let mut dice = common::Dice::new(1);
    for count in [0usize, 1, 3, 1023, 1024, 1025, 5000, 1024 * 1024 + 7] {
        let values: Vec<u32> = (0..count).map(|_| dice.next() << 1).collect();
        let mut total = 0u32;
        let expected: Vec<u32> = values
            .iter()
            .map(|&value| {
                let before = total;
                total = total.wrapping_add(value);
                before
            })
            .collect();
        let buffer = gpu.upload(&values).unwrap();
        let mut batch = gpu.batch();
        let sum = prefix_sum::exclusive(&gpu, &mut batch, &buffer, count).unwrap();
        batch.submit().unwrap();
        assert_eq!(gpu.download::<u32>(&buffer, count).unwrap(), expected);
        assert_eq!(gpu.download::<u32>(&sum, 1).unwrap(), [total]);
    }
}
