#![allow(clippy::unwrap_used)]

use ndarray::{Array2, array};
use proptest::prelude::*;

use super::*;

/// One entry of the queue: value, age, (y, x).
type Entry = (f64, u32, (usize, usize));

/// A binary heap in its plainest form.
#[derive(Default)]
struct PlainHeap(Vec<Entry>);

impl PlainHeap {
    fn less(&self, a: usize, b: usize) -> bool {
        let (a, b) = (&self.0[a], &self.0[b]);
        (a.0, a.1) < (b.0, b.1)
    }

    fn push(&mut self, entry: Entry) {
        self.0.push(entry);
        let mut at = self.0.len() - 1;
        while at > 0 && self.less(at, (at - 1) / 2) {
            self.0.swap(at, (at - 1) / 2);
            at = (at - 1) / 2;
        }
    }

    fn pop(&mut self) -> Option<Entry> {
        if self.0.is_empty() {
            return None;
        }
        let first = self.0.swap_remove(0);
        let mut at = 0;
        loop {
            let mut least = at;
            for child in [2 * at + 1, 2 * at + 2] {
                if child < self.0.len() && self.less(child, least) {
                    least = child;
                }
            }
            if least == at {
                return Some(first);
            }
            self.0.swap(at, least);
            at = least;
        }
    }
}

/// The definition, written down without any thought of speed.
fn naive(
    landscape: &Array2<f64>,
    markers: &Array2<u32>,
    mask: &Array2<bool>,
    connectivity: Connectivity,
) -> Array2<u32> {
    let (height, width) = landscape.dim();
    let mut out =
        Array2::from_shape_fn((height, width), |at| if mask[at] { markers[at] } else { 0 });
    let mut steps = vec![(-1, 0), (0, -1), (0, 1), (1, 0)];
    if connectivity == Connectivity::Corners {
        steps.extend([(-1, -1), (-1, 1), (1, -1), (1, 1)]);
    }
    let mut heap = PlainHeap::default();
    for (at, &label) in out.indexed_iter() {
        if label != 0 {
            heap.push((landscape[at], 0, at));
        }
    }
    let mut age = 0;
    while let Some((value, _, (y, x))) = heap.pop() {
        for &(dy, dx) in &steps {
            let (ny, nx) = (y as isize + dy, x as isize + dx);
            if ny < 0 || nx < 0 || ny >= height as isize || nx >= width as isize {
                continue;
            }
            let to = (ny as usize, nx as usize);
            if mask[to] && out[to] == 0 {
                out[to] = out[(y, x)];
                age += 1;
                heap.push((landscape[to].max(value), age, to));
            }
        }
    }
    out
}

type Case = (Array2<f64>, Array2<u32>, Array2<bool>);

fn case(levels: u32, marker_in: u32) -> impl Strategy<Value = Case> {
    (1usize..14, 1usize..18).prop_flat_map(move |(h, w)| {
        let pixel = (0..levels, 0..marker_in, 1u32..6, 0u32..8);
        prop::collection::vec(pixel, h * w).prop_map(move |pixels| {
            let at = |(y, x): (usize, usize)| pixels[y * w + x];
            (
                Array2::from_shape_fn((h, w), |p| f64::from(at(p).0)),
                Array2::from_shape_fn((h, w), |p| if at(p).1 == 0 { at(p).2 } else { 0 }),
                Array2::from_shape_fn((h, w), |p| at(p).3 != 0),
            )
        })
    })
}

fn check((landscape, markers, mask): Case) -> Result<(), TestCaseError> {
    let everywhere = mask.mapv(|_| true);
    let single = landscape.mapv(|v| v as f32);
    for connectivity in [Connectivity::Edges, Connectivity::Corners] {
        let expected = naive(&landscape, &markers, &mask, connectivity);
        let got = watershed(
            landscape.view(),
            markers.view(),
            Some(mask.view()),
            connectivity,
        )
        .unwrap();
        prop_assert_eq!(&got, &expected);
        let got = watershed(
            single.view(),
            markers.view(),
            Some(mask.view()),
            connectivity,
        )
        .unwrap();
        prop_assert_eq!(&got, &expected);
        let expected = naive(&landscape, &markers, &everywhere, connectivity);
        prop_assert_eq!(
            watershed(landscape.view(), markers.view(), None, connectivity).unwrap(),
            expected
        );
    }
    Ok(())
}

proptest! {
    #[test]
    fn plateaus_are_split_as_the_definition_says(case in case(3, 10)) {
        check(case)?;
    }

    #[test]
    fn slopes_are_split_as_the_definition_says(case in case(60, 10)) {
        check(case)?;
    }

    #[test]
    fn markers_of_several_pixels_are_no_different(case in case(1000, 2)) {
        check(case)?;
    }
}

/// Pixel values from a generator that every language can repeat.
fn noise(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    }
}

#[test]
fn large_components_are_split_as_the_definition_says() {
    for (seed, levels) in [(1, 1 << 30), (2, 5000), (3, 40), (4, 1 << 20)] {
        let mut next = noise(seed);
        let landscape = Array2::from_shape_fn((90, 110), |_| (next() % levels) as f64 / 64.0);
        let markers = Array2::from_shape_fn((90, 110), |_| {
            if next().is_multiple_of(60) {
                (next() % 90) as u32
            } else {
                0
            }
        });
        let mask = Array2::from_elem((90, 110), true);
        for connectivity in [Connectivity::Edges, Connectivity::Corners] {
            let expected = naive(&landscape, &markers, &mask, connectivity);
            assert_eq!(
                watershed(landscape.view(), markers.view(), None, connectivity).unwrap(),
                expected,
                "{seed}"
            );
        }
    }
}

#[test]
fn nearby_doubles_that_are_one_float_are_told_apart() {
    let landscape = array![[0.0, 1.0 + 2e-16, 1.0, 0.5]];
    let markers = array![[1, 0, 0, 2]];
    let got = watershed(landscape.view(), markers.view(), None, Connectivity::Edges).unwrap();
    assert_eq!(got, array![[1, 1, 2, 2]]);
}

#[test]
fn both_zeros_are_one_level() {
    // The left marker was first, so the middle is its own, whatever the sign of its zero.
    for middle in [0.0f32, -0.0] {
        let landscape = array![[0.0f32, middle, -0.0]];
        let got = watershed(
            landscape.view(),
            array![[4, 0, 9]].view(),
            None,
            Connectivity::Edges,
        )
        .unwrap();
        assert_eq!(got, array![[4, 4, 9]]);
    }
}

#[test]
fn markers_outside_the_mask_do_not_count() {
    let landscape = Array2::<f32>::zeros((1, 5));
    let mask = array![[false, true, true, false, true]];
    let got = watershed(
        landscape.view(),
        array![[3, 0, 5, 0, 0]].view(),
        Some(mask.view()),
        Connectivity::Edges,
    )
    .unwrap();
    assert_eq!(got, array![[0, 5, 5, 0, 0]]);
}

#[test]
fn planes_that_do_not_fit_are_refused() {
    let landscape = Array2::<f32>::zeros((2, 3));
    let markers = Array2::<u32>::zeros((3, 2));
    let error = watershed(landscape.view(), markers.view(), None, Connectivity::Edges).unwrap_err();
    assert_eq!(
        error,
        Error::Shape {
            left: (2, 3),
            right: (3, 2)
        }
    );
    let mask = Array2::from_elem((2, 2), true);
    assert!(
        watershed(
            landscape.view(),
            landscape.mapv(|_| 0).view(),
            Some(mask.view()),
            Connectivity::Edges
        )
        .is_err()
    );
    let reserved = array![[u32::MAX, 0, 0], [0, 0, 1]];
    assert!(watershed(landscape.view(), reserved.view(), None, Connectivity::Edges).is_err());
}

#[test]
fn two_disks_that_touch_become_two_objects() {
    let inside =
        |y: usize, x: usize, cx: f32| ((y as f32 - 12.0).powi(2) + (x as f32 - cx).powi(2)).sqrt();
    let depth = |y, x| (8.5 - inside(y, x, 12.0)).max(8.5 - inside(y, x, 26.0));
    let plane = Array2::from_shape_fn((25, 40), |(y, x)| depth(y, x).max(0.0));
    let mask = plane.mapv(|v| v > 0.0);
    for seeding in [
        Seeding::Peaks { min_distance: 4 },
        Seeding::HMaxima { h: 0.5 },
    ] {
        let labels = declump(mask.view(), plane.view(), seeding).unwrap();
        assert_eq!(labels.iter().max(), Some(&2));
        assert_eq!((labels[(12, 12)], labels[(12, 26)]), (1, 2));
        assert!(labels.indexed_iter().all(|(at, &l)| (l != 0) == mask[at]));
    }
    assert!(declump(mask.view(), plane.view(), Seeding::HMaxima { h: 0.0 }).is_err());
}
