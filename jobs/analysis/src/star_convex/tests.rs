//! Against slow evaluations of the definitions.
#![allow(clippy::unwrap_used, clippy::float_cmp)]

use ndarray::{Array1, Array2, Array3, ArrayView2, ArrayView3, s};
use proptest::prelude::*;

use super::polygon::{Bounds, Corner, directions, whole_pixels};
use super::slabs::Slabs;
use super::{Candidates, Grid, Instances};

fn grid(cells: (usize, usize), border: usize) -> Grid {
    Grid {
        step: (2, 2),
        cells,
        image: (2 * cells.0, 2 * cells.1),
        border,
    }
}

fn candidates(
    prob: ArrayView2<'_, f32>,
    dist: ArrayView3<'_, f32>,
    grid: Grid,
    threshold: f32,
) -> Candidates {
    let mut found = Candidates::new(dist.dim().2).unwrap();
    found.collect(prob, dist, grid, (0, 0), threshold).unwrap();
    found
}

/// Blobs of random size, with rays that vary around the radius: many overlaps, some polygons cut to a line or a point.
fn scene() -> impl Strategy<Value = (Array2<f32>, Array3<f32>)> {
    (4usize..24, 4usize..24, 3usize..20).prop_flat_map(|(h, w, rays)| {
        let n = h * w;
        (
            // Few different probabilities, so that there are ties.
            prop::collection::vec((0u8..40).prop_map(|p| f32::from(p) / 40.0), n),
            prop::collection::vec((-2.0f32..4.0).prop_map(f32::exp2), n),
            prop::collection::vec(0.0f32..1.5, n * rays),
        )
            .prop_map(move |(prob, radius, mut dist)| {
                for (cell, rays) in dist.chunks_exact_mut(rays).enumerate() {
                    for d in rays {
                        *d *= radius[cell];
                    }
                }
                (
                    Array2::from_shape_vec((h, w), prob).unwrap(),
                    Array3::from_shape_vec((h, w, rays), dist).unwrap(),
                )
            })
    })
}

/// Every pair, every intersection, in order.
fn naive(found: &Candidates, threshold: f32) -> Vec<[u32; 2]> {
    let mut order: Vec<usize> = (0..found.len()).collect();
    order.sort_by(|&a, &b| found.prob[a].total_cmp(&found.prob[b])); // stable
    order.reverse();
    let directions = directions(found.rays);
    let polygon = |i: usize| {
        let (mut corners, mut slabs) = (Vec::new(), Slabs::default());
        let rays = &found.dist[i * found.rays..(i + 1) * found.rays];
        whole_pixels(found.points[i], rays, &directions, &mut corners);
        slabs.fill(&corners);
        (slabs, shoelace(&corners))
    };
    let mut kept: Vec<(usize, (Slabs, f64))> = Vec::new();
    for i in order {
        let this = polygon(i);
        let covered = kept.iter().any(|(_, other)| {
            other.0.intersection(&this.0) / (other.1.min(this.1) + 1e-10) > f64::from(threshold)
        });
        if !covered {
            kept.push((i, this));
        }
    }
    kept.into_iter().map(|(i, _)| found.points[i]).collect()
}

fn shoelace(corners: &[Corner]) -> f64 {
    let mut sum = 0;
    for (i, a) in corners.iter().enumerate() {
        let b = corners[(i + 1) % corners.len()];
        sum += i64::from(a[0]) * i64::from(b[1]) - i64::from(a[1]) * i64::from(b[0]);
    }
    sum.unsigned_abs() as f64 / 2.0
}

/// Winding number of a polygon around a point.
fn winding(corners: &[Corner], [x, y]: [f64; 2]) -> i32 {
    let mut winding = 0;
    for (i, a) in corners.iter().enumerate() {
        let (a, b) = (
            a.map(f64::from),
            corners[(i + 1) % corners.len()].map(f64::from),
        );
        let left = (b[0] - a[0]) * (y - a[1]) - (x - a[0]) * (b[1] - a[1]);
        if a[1] <= y && b[1] > y && left > 0.0 {
            winding += 1;
        } else if a[1] > y && b[1] <= y && left < 0.0 {
            winding -= 1;
        }
    }
    winding
}

fn corners() -> impl Strategy<Value = Vec<Corner>> {
    prop::collection::vec([-9i32..10, -9i32..10], 3..12)
}

/// The rule of `skimage.measure`'s point in polygon test, as it is written there; true for inside, corners and edges.
fn in_polygon(corners: &[[f32; 2]], y: usize, x: usize) -> bool {
    let at = |c: [f32; 2]| [f64::from(c[1]) - x as f64, f64::from(c[0]) - y as f64];
    let (mut to_left, mut to_right) = (0, 0);
    let [mut x1, mut y1] = at(corners[corners.len() - 1]);
    for &corner in corners {
        let [x0, y0] = at(corner);
        if x0.abs() < 1e-12 && y0.abs() < 1e-12 {
            return true;
        }
        let side = (x0 * y1 - x1 * y0) / (y1 - y0);
        if (y0 > 0.0) != (y1 > 0.0) && side > 0.0 {
            to_right += 1;
        }
        if (y0 < 0.0) != (y1 < 0.0) && side < 0.0 {
            to_left += 1;
        }
        [x1, y1] = [x0, y0];
    }
    to_right % 2 != to_left % 2 || to_right % 2 == 1
}

fn naive_labels(instances: &Instances, shape: (usize, usize)) -> Array2<u32> {
    let mut order: Vec<usize> = (0..instances.len()).collect();
    order.sort_by(|&a, &b| instances.probabilities[a].total_cmp(&instances.probabilities[b]));
    let mut labels = Array2::zeros(shape);
    for object in order {
        let corners = instances.polygon(object);
        for ((y, x), label) in labels.indexed_iter_mut() {
            if in_polygon(&corners, y, x) {
                *label = object as u32 + 1;
            }
        }
    }
    labels
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    #[test]
    fn suppression_is_the_naive_one(
        (prob, dist) in scene(),
        threshold in prop::sample::select(vec![0.0f32, 0.1, 0.3, 0.5, 0.9, 1.0]),
        border in 0usize..3,
    ) {
        let found = candidates(prob.view(), dist.view(), grid(prob.dim(), border), 0.2);
        prop_assert_eq!(found.suppress(threshold).points, naive(&found, threshold));
    }

    #[test]
    fn intersection_is_the_area_of_what_both_cover(a in corners(), b in corners()) {
        const FINE: usize = 24;
        let (mut one, mut two) = (Slabs::default(), Slabs::default());
        one.fill(&a);
        two.fill(&b);
        let mut inside = 0;
        for y in 0..20 * FINE {
            for x in 0..20 * FINE {
                let place = |v: usize| (v as f64 + 0.5) / FINE as f64 - 10.0;
                let point = [place(x), place(y)];
                inside += usize::from(winding(&a, point) != 0 && winding(&b, point) != 0);
            }
        }
        let sampled = inside as f64 / (FINE * FINE) as f64;
        let area = one.intersection(&two);
        // A border misplaces at most about half of the samples' squares that it touches.
        let borders: f64 = [&a, &b].iter().map(|p| perimeter(p)).sum();
        prop_assert!((area - sampled).abs() < 0.5 * borders / FINE as f64 + 0.05, "{area} {sampled}");
        prop_assert!((area - two.intersection(&one)).abs() < 1e-9);
    }

    #[test]
    fn a_polygon_meets_itself_in_its_own_area(
        rays in prop::collection::vec(3.0f32..20.0, 32),
        y in 20u32..400,
        x in 20u32..400,
    ) {
        let mut corners = Vec::new();
        whole_pixels([y, x], &rays, &directions(32), &mut corners);
        let mut slabs = Slabs::default();
        slabs.fill(&corners);
        let bounds = Bounds::of([y, x], &corners);
        prop_assert_eq!(bounds.area, shoelace(&corners));
        if bounds.in_order {
            prop_assert!((slabs.intersection(&slabs) - bounds.area).abs() < 1e-9 * bounds.area);
        }
    }

    #[test]
    fn painting_follows_the_rule_of_scikit_image(
        (prob, dist) in scene(),
        round in prop::sample::select(vec![0.0f32, 1.0, 2.0]),
    ) {
        // Whole and half distances put corners and crossings on pixels.
        let dist = dist.mapv(|d| if round > 0.0 { (d * round).round() / round } else { d });
        let found = candidates(prob.view(), dist.view(), grid(prob.dim(), 0), 0.5);
        let kept = found.suppress(0.6);
        for shape in [(2 * prob.nrows(), 2 * prob.ncols()), (5, 7)] {
            prop_assert_eq!(kept.label_image(shape), naive_labels(&kept, shape));
        }
    }

    #[test]
    fn tiles_give_what_the_whole_gives((prob, dist) in scene(), cut in 1usize..8) {
        let grid = grid(prob.dim(), 2);
        let whole = candidates(prob.view(), dist.view(), grid, 0.2);
        let mut tiled = Candidates::new(dist.dim().2).unwrap();
        let starts = |n: usize| (0..n).step_by(cut).rev();
        for y in starts(prob.nrows()) {
            for x in starts(prob.ncols()) {
                let (ys, xs) = (y..(y + cut).min(prob.nrows()), x..(x + cut).min(prob.ncols()));
                let prob = prob.slice(s![ys.clone(), xs.clone()]);
                tiled.collect(prob, dist.slice(s![ys, xs, ..]), grid, (y, x), 0.2).unwrap();
            }
        }
        prop_assert_eq!(tiled.suppress(0.4), whole.suppress(0.4));
    }

    #[test]
    fn threads_do_not_change_the_result((prob, dist) in scene()) {
        let found = candidates(prob.view(), dist.view(), grid(prob.dim(), 0), 0.0);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let alone = pool.install(|| found.suppress(0.3));
        prop_assert_eq!(found.suppress(0.3), alone);
    }
}

fn perimeter(corners: &[Corner]) -> f64 {
    let next = corners.iter().cycle().skip(1);
    corners
        .iter()
        .zip(next)
        .map(|(a, b)| f64::from(a[0] - b[0]).hypot(f64::from(a[1] - b[1])))
        .sum()
}

/// A disk of this radius at each of some cells.
fn disks(cells: (usize, usize), at: &[((usize, usize), f32, f32)]) -> Candidates {
    let (mut prob, mut dist) = (
        Array2::zeros(cells),
        Array3::from_elem((cells.0, cells.1, 32), 1.0),
    );
    for &((y, x), p, radius) in at {
        prob[[y, x]] = p;
        dist.slice_mut(s![y, x, ..])
            .assign(&Array1::from_elem(32, radius));
    }
    candidates(prob.view(), dist.view(), grid(cells, 2), 0.5)
}

#[test]
fn images_without_objects() {
    for cells in [(0, 0), (0, 9), (1, 1), (3, 4), (4, 4), (20, 20)] {
        let empty = disks(cells, &[]);
        assert!(empty.is_empty(), "{cells:?}");
        let none = empty.suppress(0.5);
        assert!(none.is_empty() && none.distances.dim() == (0, 32));
        let shape = (2 * cells.0, 2 * cells.1);
        assert_eq!(none.label_image(shape), Array2::zeros(shape));
    }
    // A border that leaves nothing.
    let prob = Array2::ones((4, 4));
    let dist = Array3::ones((4, 4, 8));
    assert!(candidates(prob.view(), dist.view(), grid((4, 4), 2), 0.5).is_empty());
    assert_eq!(
        candidates(prob.view(), dist.view(), grid((4, 4), 1), 0.5).len(),
        4
    );
    // The threshold itself is not above the threshold, NaN never is.
    assert!(candidates(prob.view(), dist.view(), grid((4, 4), 0), 1.0).is_empty());
    let nan = Array2::from_elem((4, 4), f32::NAN);
    assert!(candidates(nan.view(), dist.view(), grid((4, 4), 0), 0.5).is_empty());
}

#[test]
fn one_object() {
    let kept = disks((20, 20), &[((10, 9), 0.9, 5.0)]).suppress(0.5);
    assert_eq!(
        (kept.points.clone(), kept.probabilities.clone()),
        (vec![[20, 18]], vec![0.9])
    );
    let labels = kept.label_image((40, 40));
    let area = labels.iter().filter(|&&l| l == 1).count() as f64;
    // The 32-gon of radius 5 has 78.04 pixels.
    assert!((area - 78.0).abs() < 8.0, "{area}");
    assert_eq!(
        (labels[[20, 18]], labels[[20, 24]], labels[[26, 18]]),
        (1, 0, 0)
    );
}

#[test]
fn the_better_of_two_wins_and_paints_over_the_other() {
    let near = disks((30, 30), &[((10, 10), 0.7, 8.0), ((11, 10), 0.8, 8.0)]);
    assert_eq!(near.suppress(0.5).points, [[22, 20]]);
    let apart = disks((30, 30), &[((10, 10), 0.7, 8.0), ((16, 10), 0.8, 8.0)]).suppress(0.5);
    assert_eq!(apart.points, [[32, 20], [20, 20]]);
    let labels = apart.label_image((60, 60));
    assert_eq!(
        (labels[[26, 20]], labels[[20, 20]], labels[[32, 20]]),
        (1, 2, 1)
    );
}

#[test]
fn objects_of_a_rescaled_image_are_painted_into_the_original() {
    let found = disks((20, 20), &[((10, 9), 0.9, 5.0)]).suppress(0.5);
    let twice = found.scaled_label_image((80, 80), 2.0);
    let small = found.label_image((40, 40));
    let area = |labels: &Array2<u32>| labels.iter().filter(|&&l| l == 1).count() as f64;
    assert!((area(&twice) / area(&small) - 4.0).abs() < 0.3);
    assert_eq!(
        (twice[[40, 36]], twice[[40, 45]], twice[[40, 47]]),
        (1, 1, 0)
    );
}

#[test]
fn damaged_output_is_an_error() {
    let prob = Array2::ones((4, 4));
    for bad in [f32::NAN, f32::INFINITY, 1e9] {
        let dist = Array3::from_elem((4, 4, 8), bad);
        let mut found = Candidates::new(8).unwrap();
        let error = found.collect(prob.view(), dist.view(), grid((4, 4), 0), (0, 0), 0.5);
        assert!(error.unwrap_err().to_string().contains("`distance` is"));
    }
    // Small and negative distances are lifted, as StarDist does.
    let dist = Array3::from_elem((4, 4, 8), -3.0);
    let found = candidates(prob.view(), dist.view(), grid((4, 4), 0), 0.5);
    assert!(found.dist.iter().all(|&d| d == 1e-3));
    assert_eq!(found.suppress(0.5).len(), 16);

    let ok = Array3::ones((4, 4, 8));
    assert!(Candidates::new(2).is_err());
    let mut found = Candidates::new(8).unwrap();
    let mut collect = |prob: ArrayView2<'_, f32>, dist: ArrayView3<'_, f32>, grid, origin| {
        found.collect(prob, dist, grid, origin, 0.5).is_err()
    };
    assert!(collect(
        prob.slice(s![1.., ..]),
        ok.view(),
        grid((4, 4), 0),
        (0, 0)
    ));
    assert!(collect(
        prob.view(),
        ok.slice(s![.., .., 1..]),
        grid((4, 4), 0),
        (0, 0)
    ));
    assert!(collect(prob.view(), ok.view(), grid((4, 4), 0), (1, 0)));
    assert!(collect(
        prob.view(),
        ok.view(),
        grid((4, 4), 0),
        (usize::MAX, 0)
    ));
    let huge = Grid {
        step: (1 << 30, 2),
        ..grid((4, 4), 0)
    };
    assert!(collect(prob.view(), ok.view(), huge, (0, 0)));
    assert!(!collect(prob.view(), ok.view(), grid((4, 4), 0), (0, 0)));
}
