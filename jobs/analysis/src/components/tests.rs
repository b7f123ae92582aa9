#![allow(clippy::unwrap_used)]

use ndarray::{Array2, array};
use proptest::prelude::*;

use super::*;

/// Flood fill from each pixel in raster order: the definition.
fn naive(values: &Array2<u32>, connectivity: Connectivity) -> (Array2<u32>, u32) {
    let (height, width) = values.dim();
    let mut out = Array2::zeros((height, width));
    let mut count = 0;
    for y in 0..height {
        for x in 0..width {
            if values[(y, x)] == 0 || out[(y, x)] != 0 {
                continue;
            }
            count += 1;
            let mut stack = vec![(y, x)];
            out[(y, x)] = count;
            while let Some((y, x)) = stack.pop() {
                for ny in y.saturating_sub(1)..(y + 2).min(height) {
                    for nx in x.saturating_sub(1)..(x + 2).min(width) {
                        let straight = ny == y || nx == x;
                        if (straight || connectivity == Connectivity::Corners)
                            && out[(ny, nx)] == 0
                            && values[(ny, nx)] == values[(y, x)]
                        {
                            out[(ny, nx)] = count;
                            stack.push((ny, nx));
                        }
                    }
                }
            }
        }
    }
    (out, count)
}

fn plane(values: u32) -> impl Strategy<Value = Array2<u32>> {
    (0usize..12, 0usize..40).prop_flat_map(move |(h, w)| {
        prop::collection::vec(0..values, h * w)
            .prop_map(move |v| Array2::from_shape_vec((h, w), v).unwrap())
    })
}

proptest! {
    #[test]
    fn labels_are_those_of_a_flood_fill(values in plane(2)) {
        let mask = values.mapv(|v| v != 0);
        for connectivity in [Connectivity::Edges, Connectivity::Corners] {
            prop_assert_eq!(label(mask.view(), connectivity), naive(&values, connectivity));
        }
    }

    #[test]
    fn regions_are_those_of_a_flood_fill(values in plane(4)) {
        for connectivity in [Connectivity::Edges, Connectivity::Corners] {
            prop_assert_eq!(label_regions(values.view(), connectivity), naive(&values, connectivity));
        }
    }

    #[test]
    fn a_transposed_view_is_a_plane_as_any_other(values in plane(3)) {
        let copy = values.t().as_standard_layout().into_owned();
        prop_assert_eq!(label_regions(values.t(), Connectivity::Edges), label_regions(copy.view(), Connectivity::Edges));
        prop_assert_eq!(sizes(values.t()), sizes(values.view()));
    }

    #[test]
    fn small_components_and_only_those_go(values in plane(2), max_size in 0u64..9) {
        let mask = values.mapv(|v| v != 0);
        let kept = remove_small(mask.view(), max_size, Connectivity::Edges);
        let (labels, _) = label(mask.view(), Connectivity::Edges);
        let area = sizes(labels.view());
        prop_assert_eq!(kept, labels.mapv(|l| l != 0 && area[l as usize] > max_size));
        let by_label = remove_small_labels(labels.view(), max_size);
        prop_assert_eq!(by_label, labels.mapv(|l| if area[l as usize] > max_size { l } else { 0 }));
    }

    #[test]
    fn sequential_labels_keep_their_order(values in plane(5), factor in 1u32..1_000_000) {
        let sparse = values.mapv(|v| v * factor);
        let (dense, old) = relabel_sequential(sparse.view());
        prop_assert_eq!(dense.mapv(|l| old[l as usize]), sparse);
        prop_assert!(old.windows(2).all(|pair| pair[0] < pair[1]));
        let area = sizes(dense.view());
        prop_assert!(area.iter().skip(1).all(|&n| n > 0));
    }
}

#[test]
fn connectivity_is_counted_in_hops() {
    assert_eq!(Connectivity::try_from(1).unwrap(), Connectivity::Edges);
    assert_eq!(Connectivity::try_from(2).unwrap(), Connectivity::Corners);
    assert!(Connectivity::try_from(3).is_err());
    let diagonal = array![[true, false], [false, true]];
    assert_eq!(label(diagonal.view(), Connectivity::Edges).1, 2);
    assert_eq!(label(diagonal.view(), Connectivity::Corners).1, 1);
}

#[test]
fn areas_are_kept_between_both_ends() {
    let labels = array![[7, 7, 7, 0], [9, 9, 0, 4], [0, 0, 0, 0]];
    assert_eq!(
        keep_areas(labels.view(), 2..=2),
        array![[0, 0, 0, 0], [9, 9, 0, 0], [0, 0, 0, 0]]
    );
    assert_eq!(keep_areas(labels.view(), 1..=3), labels);
    assert!((diameter_to_area(2.0) - std::f64::consts::PI).abs() < 1e-15);
}

#[test]
fn a_label_of_two_parts_loses_the_part_at_the_border() {
    let labels = array![
        [1, 0, 0, 0, 0, 0],
        [1, 0, 2, 2, 0, 0],
        [0, 0, 0, 0, 3, 0],
        [0, 1, 0, 0, 0, 3],
        [0, 0, 0, 0, 0, 0],
    ];
    let cleared = clear_border(labels.view(), 0).unwrap();
    assert_eq!(
        cleared,
        array![
            [0, 0, 0, 0, 0, 0],
            [0, 0, 2, 2, 0, 0],
            [0, 0, 0, 0, 0, 0],
            [0, 1, 0, 0, 0, 0],
            [0, 0, 0, 0, 0, 0]
        ]
    );
    assert_eq!(
        clear_border(labels.view(), 1).unwrap(),
        Array2::<u32>::zeros((5, 6))
    );
    assert!(clear_border(labels.view(), 5).is_err());
}

#[test]
fn planes_without_pixels_have_no_components() {
    for shape in [(0, 0), (0, 5), (5, 0)] {
        assert_eq!(
            label(Array2::from_elem(shape, true).view(), Connectivity::Corners).1,
            0
        );
        assert_eq!(sizes(Array2::zeros(shape).view()), [0]);
    }
}
