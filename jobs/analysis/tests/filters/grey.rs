//! Grey morphology against its definition, on small random planes.

use std::fmt::Debug;

use analysis::morphology::{GreyPixel, closing, dilation, erosion, opening, white_tophat};
use ndarray::Array2;

use crate::images::Random;

/// With sides of one pixel, and some that are no multiple of anything.
const SHAPES: [(usize, usize); 8] = [
    (1, 1),
    (1, 2),
    (2, 1),
    (1, 37),
    (29, 1),
    (3, 3),
    (13, 17),
    (8, 65),
];

/// What `pick` leaves of all pixels of the disk that lie inside the plane, one after the other.
fn naive<T: Copy>(plane: &Array2<T>, radius: usize, pick: impl Fn(T, T) -> T) -> Array2<T> {
    let (height, width) = plane.dim();
    Array2::from_shape_fn((height, width), |(y, x)| {
        let mut picked = plane[[y, x]];
        for v in y.saturating_sub(radius)..height.min(y + radius + 1) {
            for u in x.saturating_sub(radius)..width.min(x + radius + 1) {
                if v.abs_diff(y).pow(2) + u.abs_diff(x).pow(2) <= radius * radius {
                    picked = pick(picked, plane[[v, u]]);
                }
            }
        }
        picked
    })
}

fn check<T: GreyPixel + PartialOrd + Debug>(of: impl Fn(u64) -> T) {
    let smaller = |a: T, b: T| if a < b { a } else { b };
    let larger = |a: T, b: T| if a > b { a } else { b };
    for (seed, shape) in (1..).zip(SHAPES) {
        let mut random = Random::new(seed);
        // Few values: many neighbours are equal. Many values: none are.
        for limit in [4, 1 << 16] {
            let plane = Array2::from_shape_simple_fn(shape, || of(random.next(limit)));
            for radius in 0..=6 {
                let what = format!("{shape:?}, radius {radius}");
                let eroded = naive(&plane, radius, smaller);
                let dilated = naive(&plane, radius, larger);
                assert_eq!(erosion(plane.view(), radius).unwrap(), eroded, "{what}");
                assert_eq!(dilation(plane.view(), radius).unwrap(), dilated, "{what}");
                let opened = opening(plane.view(), radius).unwrap();
                assert_eq!(opened, naive(&eroded, radius, larger), "{what}");
                let closed = closing(plane.view(), radius).unwrap();
                assert_eq!(closed, naive(&dilated, radius, smaller), "{what}");
                // What is opened has nothing left to open, and nothing was added.
                assert_eq!(opening(opened.view(), radius).unwrap(), opened, "{what}");
                let tophat = white_tophat(plane.view(), radius).unwrap();
                for ((at, &pixel), &opened) in plane.indexed_iter().zip(&opened) {
                    assert!(opened <= pixel, "{what}: {at:?}");
                    assert_eq!(tophat[at], pixel - opened, "{what}: {at:?}");
                }
            }
        }
    }
}

#[test]
fn filters_are_extremes_over_a_disk() {
    check(|v| v as u8);
    check(|v| v as u16);
    check(|v| v as u32 * 65_537);
    check(|v| v as f32 - 1000.0);
}
