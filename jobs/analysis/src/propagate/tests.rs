#![allow(clippy::unwrap_used)]

use ndarray::{Array2, array};
use proptest::prelude::*;

use super::*;

/// The step's cost, straight from the definition.
fn cost(image: &Array2<f32>, a: (usize, usize), b: (usize, usize), regularisation: f64) -> f64 {
    let (height, width) = image.dim();
    let at = |p: (usize, usize), dy: isize, dx: isize| {
        let y = (p.0 as isize + dy).clamp(0, height as isize - 1);
        let x = (p.1 as isize + dx).clamp(0, width as isize - 1);
        f64::from(image[(y as usize, x as usize)])
    };
    let offsets = (-1..=1).flat_map(|dy| (-1..=1).map(move |dx| (dy, dx)));
    let difference: f64 = offsets
        .map(|(dy, dx)| (at(a, dy, dx) - at(b, dy, dx)).abs())
        .sum();
    let hops = (a.0.abs_diff(b.0) + a.1.abs_diff(b.1)) as f64;
    (difference * difference + hops * regularisation * regularisation).sqrt()
}

/// The distance of each pixel from the nearest seed pixel of one label: relaxed until nothing changes.
fn distances(
    image: &Array2<f32>,
    seed: &Array2<bool>,
    mask: &Array2<bool>,
    regularisation: f64,
) -> Array2<f64> {
    let (height, width) = image.dim();
    let mut out = Array2::from_shape_fn(image.dim(), |at| {
        if seed[at] && mask[at] {
            0.0
        } else {
            f64::INFINITY
        }
    });
    loop {
        let mut changed = false;
        for y in 0..height {
            for x in 0..width {
                for ny in y.saturating_sub(1)..(y + 2).min(height) {
                    for nx in x.saturating_sub(1)..(x + 2).min(width) {
                        let through = out[(ny, nx)] + cost(image, (y, x), (ny, nx), regularisation);
                        if mask[(y, x)] && through < out[(y, x)] {
                            out[(y, x)] = through;
                            changed = true;
                        }
                    }
                }
            }
        }
        if !changed {
            return out;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn each_pixel_belongs_to_its_nearest_seed(
        (height, width) in (1usize..9, 1usize..11),
        pixels in prop::collection::vec((0u32..200, 0u32..20, 0u32..7), 100),
        regularisation in prop::sample::select(vec![0.0, 0.01, 0.5, 30.0]),
    ) {
        let at = |(y, x): (usize, usize)| pixels[y * width + x];
        let image = Array2::from_shape_fn((height, width), |p| at(p).0 as f32 / 200.0);
        let seeds = Array2::from_shape_fn((height, width), |p| if at(p).1 < 3 { at(p).1 + 1 } else { 0 });
        let mask = Array2::from_shape_fn((height, width), |p| at(p).2 > 0);
        let got = propagate(image.view(), seeds.view(), Some(mask.view()), regularisation).unwrap();
        let of: Vec<_> = (1..=3).map(|l| distances(&image, &seeds.mapv(|s| s == l), &mask, regularisation)).collect();
        for (p, &label) in got.indexed_iter() {
            let nearest = of.iter().map(|d| d[p]).fold(f64::INFINITY, f64::min);
            if seeds[p] != 0 {
                prop_assert_eq!(label, seeds[p]);
            } else if nearest.is_infinite() {
                prop_assert_eq!(label, 0);
            } else {
                prop_assert!(label != 0);
                let own = of[label as usize - 1][p];
                prop_assert!(own <= nearest * (1.0 + 1e-12) + 1e-12, "{} but {}", own, nearest);
            }
        }
    }
}

#[test]
fn cells_stop_at_edges_of_the_image() {
    // A step at x = 3: the left seed owns its side although the right one is closer to x = 3.
    let image = Array2::from_shape_fn((5, 9), |(_, x)| if x < 4 { 1.0 } else { 0.0 });
    let mut seeds = Array2::zeros((5, 9));
    seeds[(2, 0)] = 7;
    seeds[(2, 5)] = 2;
    let got = propagate(image.view(), seeds.view(), None, 0.05).unwrap();
    assert!(
        got.indexed_iter()
            .all(|((_, x), &label)| x == 3 || x == 4 || label == if x < 3 { 7 } else { 2 }),
        "{got}"
    );
    // With a large regularisation only the way counts.
    let got = propagate(image.view(), seeds.view(), None, 1000.0).unwrap();
    assert_eq!((got[(2, 2)], got[(2, 3)]), (7, 2));
}

#[test]
fn seeds_outside_the_mask_stay_but_do_not_grow() {
    let image = Array2::<f32>::zeros((1, 6));
    let mask = array![[false, false, true, true, true, true]];
    let got = propagate(
        image.view(),
        array![[1, 0, 0, 0, 0, 5]].view(),
        Some(mask.view()),
        1.0,
    )
    .unwrap();
    assert_eq!(got, array![[1, 0, 5, 5, 5, 5]]);
}

#[test]
fn of_two_equal_ways_the_first_seed_wins() {
    let image = Array2::<f32>::zeros((1, 3));
    assert_eq!(
        propagate(image.view(), array![[9, 0, 2]].view(), None, 1.0).unwrap(),
        array![[9, 9, 2]]
    );
}

#[test]
fn distances_far_apart_need_no_more_memory() {
    // Steps differ by eight orders of magnitude: most are beyond the ring of the queue.
    let image = Array2::from_shape_fn((20, 20), |(y, x)| {
        if (y * 7 + x * 3) % 5 == 0 {
            1e6
        } else {
            (x % 3) as f32 * 0.01
        }
    });
    let mut seeds = Array2::zeros((20, 20));
    seeds[(0, 0)] = 1;
    seeds[(19, 19)] = 2;
    let mask = Array2::from_elem((20, 20), true);
    let got = propagate(image.view(), seeds.view(), None, 0.001).unwrap();
    let of: Vec<_> = (1..=2)
        .map(|l| distances(&image, &seeds.mapv(|s| s == l), &mask, 0.001))
        .collect();
    for (p, &label) in got.indexed_iter() {
        let (own, other) = (of[label as usize - 1][p], of[2 - label as usize][p]);
        assert!(own <= other * (1.0 + 1e-12), "{p:?}: {own} {other}");
    }
}

#[test]
fn arguments_that_make_no_sense_are_refused() {
    let image = Array2::<f32>::zeros((2, 3));
    let seeds = Array2::<u32>::zeros((2, 3));
    assert!(propagate(image.view(), Array2::zeros((3, 2)).view(), None, 1.0).is_err());
    assert!(
        propagate(
            image.view(),
            seeds.view(),
            Some(Array2::from_elem((3, 2), true).view()),
            1.0
        )
        .is_err()
    );
    for bad in [-1.0, f64::NAN, f64::INFINITY] {
        assert!(propagate(image.view(), seeds.view(), None, bad).is_err());
    }
    assert_eq!(
        propagate(
            Array2::zeros((0, 3)).view(),
            Array2::zeros((0, 3)).view(),
            None,
            1.0
        )
        .unwrap()
        .len(),
        0
    );
}
