//! Greedy non-maximum suppression.

use std::cell::RefCell;

use ndarray::Array2;
use rayon::prelude::*;

use super::neighbours::Neighbours;
use super::polygon::{Bounds, Corner, directions, whole_pixels};
use super::slabs::Slabs;
use super::{Candidates, Instances};

/// Fewer exact intersections than this are done faster on one thread.
const WORTH_SHARING: usize = 64;

/// A margin for decisions from bounds: what lies nearer to the threshold is computed.
const MARGIN: f64 = 1e-6;

impl Candidates {
    /// Keeps a candidate unless one of higher probability that is kept covers it: area(intersection) / min(area, area) above
    /// `threshold`. Greedy, from the most probable on.
    #[must_use]
    pub fn suppress(&self, threshold: f32) -> Instances {
        let order = self.by_probability();
        let directions = directions(self.rays);
        let polygons = Polygons {
            candidates: self,
            order: &order,
            directions: &directions,
        };
        let bounds: Vec<Bounds> = (0..order.len())
            .into_par_iter()
            .map_init(Vec::new, |corners, rank| {
                polygons.corners(rank, corners);
                Bounds::of(polygons.point(rank), corners)
            })
            .collect();
        let kept = greedy(&polygons, &bounds, f64::from(threshold));
        self.select(kept.into_iter().map(|rank| order[rank as usize] as usize))
    }

    /// Indices of the candidates, the most probable first; of equals the last in raster order first, which is what reversing
    /// a stable ascending sort gives, and what does not depend on the order of tiles.
    fn by_probability(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.len() as u32).collect();
        order.par_sort_unstable_by(|&a, &b| {
            let (a, b) = (a as usize, b as usize);
            self.prob[b]
                .total_cmp(&self.prob[a])
                .then(self.points[b].cmp(&self.points[a]))
        });
        order
    }

    fn select(&self, kept: impl Iterator<Item = usize>) -> Instances {
        let (mut points, mut probabilities, mut distances) = (Vec::new(), Vec::new(), Vec::new());
        for index in kept {
            points.push(self.points[index]);
            probabilities.push(self.prob[index]);
            distances.extend_from_slice(self.rays_of(index));
        }
        Instances {
            distances: Array2::from_shape_vec((points.len(), self.rays), distances)
                .expect("as many rays for each point"),
            points,
            probabilities,
        }
    }

    fn rays_of(&self, index: usize) -> &[f32] {
        &self.dist[index * self.rays..(index + 1) * self.rays]
    }
}

/// The candidates' polygons by rank. Corners are made again when they are needed: they are larger than the rays.
struct Polygons<'a> {
    candidates: &'a Candidates,
    order: &'a [u32],
    directions: &'a [[f32; 2]],
}

impl Polygons<'_> {
    fn point(&self, rank: usize) -> [u32; 2] {
        self.candidates.points[self.order[rank] as usize]
    }

    fn corners(&self, rank: usize, out: &mut Vec<Corner>) {
        let rays = self.candidates.rays_of(self.order[rank] as usize);
        whole_pixels(self.point(rank), rays, self.directions, out);
    }
}

fn greedy(polygons: &Polygons<'_>, bounds: &[Bounds], threshold: f64) -> Vec<u32> {
    let mut neighbours = Neighbours::of(bounds);
    let mut suppressed = vec![false; bounds.len()];
    let mut kept = Vec::new();
    let (mut winner, mut corners) = (Slabs::default(), Vec::new());
    let (mut covered, mut unclear) = (Vec::new(), Vec::new());
    for rank in 0..bounds.len() {
        if suppressed[rank] {
            continue;
        }
        kept.push(rank as u32);
        covered.clear();
        unclear.clear();
        let decided = |other: u32| other as usize <= rank || suppressed[other as usize];
        neighbours.visit(&bounds[rank], bounds, decided, |other| {
            match by_bounds(&bounds[rank], &bounds[other as usize], threshold) {
                Some(true) => covered.push(other),
                Some(false) => {}
                None => unclear.push(other),
            }
        });
        if !unclear.is_empty() {
            polygons.corners(rank, &mut corners);
            winner.fill(&corners);
            let covers = |other: &u32| {
                let smaller = bounds[rank].area.min(bounds[*other as usize].area) + 1e-10;
                intersection(&winner, polygons, *other as usize) / smaller > threshold
            };
            if unclear.len() < WORTH_SHARING {
                covered.extend(unclear.iter().copied().filter(covers));
            } else {
                covered.par_extend(unclear.par_iter().copied().filter(covers));
            }
        }
        for &other in &covered {
            suppressed[other as usize] = true;
        }
    }
    kept
}

/// Whether a pair overlaps above the threshold, if boxes and octagons tell.
fn by_bounds(a: &Bounds, b: &Bounds, threshold: f64) -> Option<bool> {
    let limit = threshold * (a.area.min(b.area) + 1e-10);
    if a.common_box(b) < limit * (1.0 - MARGIN) {
        return Some(false);
    }
    // What both cover is at least what exceeds a region in which both lie.
    let at_least = a.area + b.area - a.octagon_around(b);
    (a.in_order && b.in_order && at_least > limit * (1.0 + MARGIN)).then_some(true)
}

fn intersection(winner: &Slabs, polygons: &Polygons<'_>, other: usize) -> f64 {
    thread_local! {
        static SCRATCH: RefCell<(Slabs, Vec<Corner>)> = RefCell::default();
    }
    SCRATCH.with_borrow_mut(|(slabs, corners)| {
        polygons.corners(other, corners);
        slabs.fill(corners);
        winner.intersection(slabs)
    })
}
