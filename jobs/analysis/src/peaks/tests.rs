#![allow(clippy::unwrap_used)]

use ndarray::{Array2, array};
use proptest::prelude::*;

use super::*;
use crate::components::Connectivity;

fn plane(levels: u32) -> impl Strategy<Value = Array2<f32>> {
    (1usize..14, 1usize..18).prop_flat_map(move |(h, w)| {
        prop::collection::vec(0..levels, h * w)
            .prop_map(move |v| Array2::from_shape_fn((h, w), |(y, x)| v[y * w + x] as f32))
    })
}

/// Peaks of one label, straight from the definition.
fn naive(
    image: &Array2<f32>,
    label: impl Fn((usize, usize)) -> bool,
    distance: usize,
) -> Vec<(usize, usize)> {
    let lowest = image.iter().copied().fold(f32::INFINITY, f32::min);
    let near = |a: (usize, usize), b: (usize, usize)| a.0.abs_diff(b.0).max(a.1.abs_diff(b.1));
    let members: Vec<_> = image
        .indexed_iter()
        .map(|(at, _)| at)
        .filter(|&at| label(at))
        .collect();
    let is_max = |&at: &(usize, usize)| {
        members
            .iter()
            .all(|&o| near(at, o) > distance || image[o] <= image[at])
    };
    let mut peaks: Vec<_> = members.iter().copied().filter(is_max).collect();
    assert!(
        peaks.len() < members.len() || members.is_empty(),
        "flat labels are another test"
    );
    peaks.retain(|&at| image[at] > lowest);
    peaks.sort_by(|&a, &b| image[b].total_cmp(&image[a]));
    let mut kept: Vec<(usize, usize)> = Vec::new();
    for at in peaks {
        if kept
            .iter()
            .all(|&k| distance <= 1 || near(k, at) >= distance)
        {
            kept.push(at);
        }
    }
    kept
}

proptest! {
    #[test]
    fn peaks_are_those_of_the_definition(image in plane(12), distance in 1usize..5) {
        prop_assume!(image.iter().any(|&v| v != image[(0, 0)]));
        let highest_everywhere = |d: usize| image.indexed_iter().all(|((y, x), v)| image.indexed_iter()
            .all(|((oy, ox), o)| oy.abs_diff(y).max(ox.abs_diff(x)) > d || o <= v));
        prop_assume!(!highest_everywhere(distance));
        let options = PeakOptions { min_distance: distance, ..PeakOptions::default() };
        let got = peak_local_max(image.view(), None, options).unwrap();
        prop_assert_eq!(got, naive(&image, |_| true, distance));
    }

    #[test]
    fn each_label_is_searched_by_itself(image in plane(12), distance in 1usize..5) {
        let width = image.ncols();
        prop_assume!(width >= 4);
        let labels = Array2::from_shape_fn(image.dim(), |(_, x)| if x < width / 2 { 9 } else { 3 });
        let slope = Array2::from_shape_fn(image.dim(), |(y, x)| image[(y, x)] + 0.01 * (x + 5 * y) as f32);
        let options = PeakOptions { min_distance: distance, ..PeakOptions::default() };
        let got = peak_local_max(slope.view(), Some(labels.view()), options).unwrap();
        let mut expected = naive(&slope, |at| labels[at] == 3, distance);
        expected.extend(naive(&slope, |at| labels[at] == 9, distance));
        prop_assert_eq!(got, expected);
    }

    #[test]
    fn reconstruction_is_dilation_until_nothing_changes(mask in plane(9), drop in 0u32..6, at in 0usize..200) {
        let mut seed = mask.mapv(|v| (v - drop as f32).max(-1.0));
        let spot = at % seed.len();
        let (y, x) = (spot / seed.ncols(), spot % seed.ncols());
        seed[(y, x)] = mask[(y, x)];
        for connectivity in [Connectivity::Edges, Connectivity::Corners] {
            let mut expected = seed.clone();
            loop {
                let grown = Array2::from_shape_fn(mask.dim(), |(y, x)| {
                    let near = expected.indexed_iter().filter(|&((oy, ox), _)| {
                        let (dy, dx) = (oy.abs_diff(y), ox.abs_diff(x));
                        dy.max(dx) <= 1 && (connectivity == Connectivity::Corners || dy + dx <= 1)
                    });
                    near.map(|(_, &v)| v).fold(f32::MIN, f32::max).min(mask[(y, x)])
                });
                if grown == expected {
                    break;
                }
                expected = grown;
            }
            prop_assert_eq!(reconstruct_by_dilation(seed.view(), mask.view(), connectivity).unwrap(), expected);
        }
    }
}

#[test]
fn higher_peaks_come_first_and_equal_ones_in_raster_order() {
    let image = array![
        [0.0, 5.0, 0.0, 0.0, 9.0],
        [0.0; 5],
        [0.0; 5],
        [5.0, 0.0, 0.0, 5.0, 0.0]
    ];
    let all = peak_local_max(image.view(), None, PeakOptions::default()).unwrap();
    assert_eq!(all, [(0, 4), (0, 1), (3, 0), (3, 3)]);
    // Equal peaks exactly min_distance apart both stay.
    let equal = array![[5.0f32, 0.0, 0.0, 5.0, 0.0, 5.0]];
    let options = PeakOptions {
        min_distance: 3,
        ..PeakOptions::default()
    };
    assert_eq!(
        peak_local_max(equal.view(), None, options).unwrap(),
        [(0, 0), (0, 3)]
    );
    let options = PeakOptions {
        num_peaks: Some(2),
        exclude_border: 0,
        ..PeakOptions::default()
    };
    assert_eq!(
        peak_local_max(image.view(), None, options).unwrap(),
        [(0, 4), (0, 1)]
    );
    let options = PeakOptions {
        threshold_rel: Some(0.6),
        ..PeakOptions::default()
    };
    assert_eq!(
        peak_local_max(image.view(), None, options).unwrap(),
        [(0, 4)]
    );
    let options = PeakOptions {
        exclude_border: 1,
        ..PeakOptions::default()
    };
    assert!(
        peak_local_max(image.view(), None, options)
            .unwrap()
            .is_empty()
    );
}

#[test]
fn a_flat_label_has_peaks_only_where_no_cross_fits() {
    let mut labels = Array2::<u32>::zeros((6, 9));
    labels.slice_mut(ndarray::s![1..4, 1..4]).fill(1); // a square: a cross fits, but leaves its corners
    labels[(2, 7)] = 2; // a single pixel
    let image = labels.mapv(|l| if l == 0 { 0.0 } else { 4.0 });
    let peaks = peak_local_max(image.view(), Some(labels.view()), PeakOptions::default()).unwrap();
    assert_eq!(peaks, [(1, 1), (1, 3), (3, 1), (3, 3), (2, 7)]);
    assert!(
        peak_local_max(image.mapv(|_| 1.0).view(), None, PeakOptions::default())
            .unwrap()
            .is_empty()
    );
}

#[test]
fn low_maxima_are_no_h_maxima() {
    let image = array![[0.0, 3.0, 1.0, 9.0, 0.0, 2.0, 0.0]];
    let at = |h| {
        h_maxima(image.view(), h)
            .unwrap()
            .into_iter()
            .collect::<Vec<bool>>()
    };
    assert_eq!(at(1.0), [false, true, false, true, false, true, false]);
    assert_eq!(at(2.5), [false, false, false, true, false, false, false]);
    assert_eq!(at(10.0), [false; 7]);
    assert!(h_maxima(image.view(), 0.0).is_err());
    assert!(h_maxima(image.view(), f64::NAN).is_err());
}

#[test]
fn planes_that_do_not_fit_are_refused() {
    let image = Array2::<f64>::zeros((2, 3));
    assert!(
        peak_local_max(
            image.view(),
            Some(Array2::zeros((3, 2)).view()),
            PeakOptions::default()
        )
        .is_err()
    );
    let above = image.mapv(|v| v + 1.0);
    assert!(reconstruct_by_dilation(above.view(), image.view(), Connectivity::Edges).is_err());
    assert!(
        reconstruct_by_dilation(
            Array2::zeros((1, 1)).view(),
            image.view(),
            Connectivity::Edges
        )
        .is_err()
    );
    let none = Array2::<f64>::zeros((0, 4));
    assert!(
        peak_local_max(none.view(), None, PeakOptions::default())
            .unwrap()
            .is_empty()
    );
    assert_eq!(h_maxima(none.view(), 1.0).unwrap().len(), 0);
}
