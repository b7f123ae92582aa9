//! Against slow evaluations of the definitions.
#![allow(clippy::unwrap_used, clippy::float_cmp)]

use std::collections::{BTreeMap, BTreeSet};

use ndarray::{Array2, Array3, array, s};
use proptest::prelude::*;

use super::{Classifier, Head, Layer, features, match_cells, sigmoid};
use crate::components::{Connectivity, label, relabel_sequential};
use crate::morphology::fill_holes;

/// Two displacements and one feature, one hidden layer.
fn head(weights: &[f32]) -> Head {
    let hidden = Array2::from_shape_fn((3, 3), |(i, j)| weights[3 * i + j]);
    let layers = vec![
        Layer {
            weight: hidden,
            bias: weights[9..12].to_vec(),
        },
        Layer {
            weight: Array2::from_shape_fn((1, 3), |(_, j)| weights[12 + j]),
            bias: vec![weights[15]],
        },
    ];
    Head {
        window: 8,
        peak_distance: 2,
        ..Head::new(Classifier::new(layers).unwrap())
    }
}

/// Pixels near the seed's place are its own: 1.5 - |dx| - |dy| decides.
fn near() -> Head {
    let weight = array![
        [1.0, 0.0, 0.0],
        [-1.0, 0.0, 0.0],
        [0.0, 1.0, 0.0],
        [0.0, -1.0, 0.0]
    ];
    let layers = vec![
        Layer {
            weight,
            bias: vec![0.0; 4],
        },
        Layer {
            weight: array![[-1.0, -1.0, -1.0, -1.0]],
            bias: vec![1.5],
        },
    ];
    Head::new(Classifier::new(layers).unwrap())
}

/// Each step of the definition in turn, over the whole plane.
fn naive(head: &Head, maps: &Array3<f32>) -> Array2<u32> {
    let (count, h, w) = maps.dim();
    let score = |y: usize, x: usize| maps[[count - 1, y, x]] / 15.0 + 0.5;
    let mut seeds = Vec::new();
    for (y, x) in (0..h).flat_map(|y| (0..w).map(move |x| (y, x))) {
        let reach = head.peak_distance;
        let mut first_highest = (y, x);
        let mut highest = f32::NEG_INFINITY;
        for row in y.saturating_sub(reach)..(y + reach + 1).min(h) {
            for column in x.saturating_sub(reach)..(x + reach + 1).min(w) {
                if score(row, column) > highest {
                    highest = score(row, column);
                    first_highest = (row, column);
                }
            }
        }
        if first_highest == (y, x) && highest > head.seed_threshold {
            seeds.push((y, x));
        }
    }
    let places = features(maps.slice(s![..count - 1, .., ..]));
    let masks: Vec<Array2<f32>> = seeds
        .iter()
        .map(|&seed| naive_mask(head, &places, seed))
        .collect();
    let mut objects: Vec<usize> = (0..seeds.len()).collect();
    // Join until nothing changes.
    let shared = |a: &Array2<f32>, b: &Array2<f32>| {
        let both = a
            .iter()
            .zip(b)
            .filter(|(a, b)| **a > 0.0 && **b > 0.0)
            .count();
        let size = |m: &Array2<f32>| m.iter().filter(|v| **v > 0.0).count();
        both as f32 / size(a).min(size(b)) as f32 > head.overlap_threshold
    };
    loop {
        let before = objects.clone();
        for i in 0..masks.len() {
            for j in 0..masks.len() {
                if i != j && shared(&masks[i], &masks[j]) {
                    let last = objects[i].max(objects[j]);
                    (objects[i], objects[j]) = (last, last);
                }
            }
        }
        if objects == before {
            break;
        }
    }
    let labels = Array2::from_shape_fn((h, w), |place| {
        let mut best = (0.0, 0);
        for (mask, object) in masks.iter().zip(&objects) {
            if mask[place] > best.0 {
                best = (mask[place], *object as u32 + 1);
            }
        }
        best.1
    });
    relabel_sequential(labels.view()).0
}

fn naive_mask(head: &Head, places: &Array3<f32>, seed: (usize, usize)) -> Array2<f32> {
    let (_, h, w) = places.dim();
    let range = |centre: usize, n: usize| {
        let half = head.window / 2;
        if n <= head.window {
            0..n
        } else {
            let middle = centre.clamp(half, n - half);
            middle - half..middle + half
        }
    };
    let (rows, columns) = (range(seed.0, h), range(seed.1, w));
    let mut probability = Array2::zeros((h, w));
    for y in rows.clone() {
        for x in columns.clone() {
            let mut values = vec![
                places[[0, y, x]] - places[[0, seed.0, seed.1]],
                places[[1, y, x]] - places[[1, seed.0, seed.1]],
            ];
            values.extend((2..head.classifier.inputs()).map(|f| places[[f, y, x]]));
            head.classifier.logits(1, &mut values, &mut Vec::new());
            probability[[y, x]] = sigmoid(values[0]);
        }
    }
    let high = probability.mapv(|p| p >= head.mask_threshold);
    let (parts, _) = label(high.view(), Connectivity::Corners);
    let part = parts[seed];
    if part == 0 {
        return Array2::zeros((h, w));
    }
    let window = s![rows, columns];
    let object = parts.slice(window).mapv(|p| p == part);
    // A background pixel that reaches the border over a corner is no hole.
    let background = object.mapv(|o| !o);
    let (outside, _) = label(background.view(), Connectivity::Corners);
    let (n, m) = object.dim();
    let at_border: BTreeSet<u32> = outside
        .indexed_iter()
        .filter(|((y, x), part)| **part != 0 && (*y == 0 || *x == 0 || *y + 1 == n || *x + 1 == m))
        .map(|(_, part)| *part)
        .collect();
    let mut out = Array2::zeros((h, w));
    for ((y, x), value) in out.slice_mut(window).indexed_iter_mut() {
        if object[[y, x]] {
            *value = probability.slice(window)[[y, x]];
        } else if !at_border.contains(&outside[[y, x]]) {
            *value = head.mask_threshold;
        }
    }
    out
}

fn maps() -> impl Strategy<Value = Array3<f32>> {
    (1usize..18, 1usize..18).prop_flat_map(|(h, w)| {
        // Scores in steps, so that there are ties.
        let score = (-10i8..11).prop_map(|v| f32::from(v) / 2.0);
        let field = prop::collection::vec(-2.0f32..2.0, 3 * h * w);
        (field, prop::collection::vec(score, h * w)).prop_map(move |(mut field, score)| {
            field.extend(score);
            Array3::from_shape_vec((4, h, w), field).unwrap()
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn objects_are_those_of_the_definition(
        maps in maps(),
        weights in prop::collection::vec(-1.0f32..1.0, 16),
        overlap in prop::sample::select(vec![0.1f32, 0.3, 0.7]),
    ) {
        let head = Head { overlap_threshold: overlap, ..head(&weights) };
        prop_assert_eq!(head.objects(maps.view()).unwrap(), naive(&head, &maps));
    }

    #[test]
    fn a_nucleus_and_its_cell_have_one_number(
        nuclei in prop::collection::vec(0u32..5, 64),
        cells in prop::collection::vec(0u32..4, 64),
    ) {
        let plane = |v| Array2::from_shape_vec((8, 8), v).unwrap();
        let (nuclei, cells) = (plane(nuclei), plane(cells));
        let (n, c) = match_cells(nuclei.view(), cells.view()).unwrap();
        if n.iter().all(|&l| l == 0) {
            return Ok(());
        }
        let mut of: BTreeMap<u32, u32> = BTreeMap::new();
        for ((old, new), cell) in nuclei.iter().zip(&n).zip(&c) {
            prop_assert_eq!(*old == 0, *new == 0);
            if *old != 0 {
                prop_assert_eq!(*of.entry(*old).or_insert(*new), *new);
                prop_assert_eq!(cell, new);
            }
        }
        let numbers: BTreeSet<u32> = of.values().copied().collect();
        prop_assert_eq!(numbers.len(), of.len());
        prop_assert_eq!(numbers.last().copied().unwrap() as usize, of.len());
        for (old, new) in cells.iter().zip(&c) {
            prop_assert!(*old == 0 || *new != 0);
        }
    }
}

/// Pixels of a disk point to its centre; the score is highest there.
fn disk_maps(shape: (usize, usize), disks: &[(f32, f32, f32)]) -> Array3<f32> {
    let mut maps = Array3::zeros((4, shape.0, shape.1));
    maps.slice_mut(s![3, .., ..]).fill(-15.0);
    for &(cy, cx, radius) in disks {
        for y in 0..shape.0 {
            for x in 0..shape.1 {
                let (dy, dx) = (cy - y as f32, cx - x as f32);
                let distance = dy.hypot(dx);
                if distance < radius {
                    // The inverse of (sigmoid - 0.5) * 8 in units of four pixels.
                    let raw = |d: f32| {
                        let p = d / 4.0 / 8.0 + 0.5;
                        (p / (1.0 - p)).ln()
                    };
                    maps[[0, y, x]] = raw(dx);
                    maps[[1, y, x]] = raw(dy);
                    maps[[3, y, x]] = 15.0 * (0.5 - distance / radius);
                } else if maps[[3, y, x]] <= -15.0 {
                    // Background points away, by more than the classifier allows.
                    maps[[0, y, x]] = 9.0;
                    maps[[1, y, x]] = 9.0;
                }
            }
        }
    }
    maps
}

#[test]
fn disks_are_found_whole() {
    let maps = disk_maps((60, 80), &[(20.0, 20.0, 9.0), (40.0, 55.0, 12.0)]);
    let labels = near().objects(maps.view()).unwrap();
    for (place, found) in labels.indexed_iter() {
        let inside =
            |cy: f32, cx: f32, r: f32| (place.0 as f32 - cy).hypot(place.1 as f32 - cx) < r;
        let expected = u32::from(inside(20.0, 20.0, 9.0)) + 2 * u32::from(inside(40.0, 55.0, 12.0));
        assert_eq!(*found, expected, "{place:?}");
    }
    let larger = Head {
        min_size: 300,
        ..near()
    };
    let kept = larger.objects(maps.view()).unwrap();
    assert_eq!((kept[[20, 20]], kept[[40, 55]]), (0, 1));
}

#[test]
fn images_without_objects() {
    let head = near();
    for shape in [(0, 0), (0, 5), (1, 1), (1, 7), (20, 20)] {
        let maps = disk_maps(shape, &[]);
        assert_eq!(
            head.objects(maps.view()).unwrap(),
            Array2::zeros(shape),
            "{shape:?}"
        );
    }
    // Everything not a number: no object, no panic.
    let maps = Array3::from_elem((4, 9, 9), f32::NAN);
    assert_eq!(head.objects(maps.view()).unwrap(), Array2::zeros((9, 9)));
    // A seed that is not of its own object.
    let mut strict = head;
    strict.mask_threshold = 0.99;
    let maps = disk_maps((30, 30), &[(15.0, 15.0, 9.0)]);
    assert_eq!(
        strict.objects(maps.view()).unwrap(),
        Array2::zeros((30, 30))
    );
}

#[test]
fn one_small_image_is_one_object() {
    let maps = disk_maps((3, 3), &[(1.0, 1.0, 5.0)]);
    assert_eq!(near().objects(maps.view()).unwrap(), Array2::ones((3, 3)));
}

#[test]
fn holes_are_filled() {
    let mut maps = disk_maps((40, 40), &[(20.0, 20.0, 10.0)]);
    let whole = near().objects(maps.view()).unwrap();
    for map in 0..2 {
        maps[[map, 20, 25]] = 9.0;
    }
    assert_eq!(near().objects(maps.view()).unwrap(), whole);
    assert_eq!(
        fill_holes(whole.mapv(|l| l > 0).view()),
        whole.mapv(|l| l > 0)
    );
}

#[test]
fn cells_without_partner() {
    let nuclei = array![[1, 1, 0, 0, 2, 0, 0]];
    let cells = array![[1, 1, 1, 0, 0, 0, 2]];
    let (n, c) = match_cells(nuclei.view(), cells.view()).unwrap();
    assert_eq!(n, nuclei);
    // The second nucleus becomes a cell; the second cell is number 2 after the highest number in use.
    assert_eq!(c, array![[1, 1, 1, 0, 2, 0, 4]]);
    let none = Array2::zeros((1, 7));
    assert_eq!(
        match_cells(nuclei.view(), none.view()).unwrap(),
        (nuclei.clone(), nuclei.clone())
    );
    assert_eq!(
        match_cells(none.view(), cells.view()).unwrap(),
        (none.clone(), cells.clone())
    );
    assert!(match_cells(none.view(), array![[0]].view()).is_err());
}

#[test]
fn bad_classifiers_are_errors() {
    let layer = |outputs, inputs, biases| Layer {
        weight: Array2::zeros((outputs, inputs)),
        bias: vec![0.0; biases],
    };
    for (layers, says) in [
        (vec![], "without layers"),
        (vec![layer(1, 1, 1)], "1 inputs"),
        (vec![layer(5, 4, 4), layer(1, 5, 1)], "layer 1"),
        (vec![layer(5, 4, 5), layer(1, 4, 1)], "layer 2"),
        (vec![layer(5, 4, 5)], "5 outputs"),
        (
            vec![layer(2000, 4, 2000), layer(1, 2000, 1)],
            "2000 outputs",
        ),
    ] {
        let error = Classifier::new(layers).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
    let maps = Array3::zeros((7, 5, 5));
    assert!(
        near()
            .objects(maps.view())
            .unwrap_err()
            .to_string()
            .contains("maps")
    );
    let head = Head {
        window: 0,
        ..near()
    };
    assert!(head.objects(Array3::zeros((4, 5, 5)).view()).is_err());
}
