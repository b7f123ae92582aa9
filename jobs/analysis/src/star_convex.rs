//! Star-convex objects from a probability and radial distances for each grid cell: the post-processing of StarDist 2D.
//!
//! A network gives, for every cell of a grid over the image, the probability that the cell lies in an object and the
//! distances from the cell to the object's border along rays at equal angles. [`Candidates`] are the cells above a
//! threshold, [`Candidates::suppress`] keeps the best one of those that overlap (greedy non-maximum suppression), and
//! [`Instances::label_image`] paints them.
//!
//! Reproduces `StarDist2D.predict_instances` of stardist 0.9 after the network: `non_maximum_suppression_sparse`,
//! `dist_to_coord` and `polygons_to_label`. Points, coordinates and painted pixels are equal bit for bit. For the
//! suppression StarDist cuts the corners of polygons to whole pixels and intersects them with a library that also rounds
//! the corners of the intersection; here the same whole-pixel polygons are intersected exactly, so a pair whose overlap is
//! within that rounding of the threshold can be decided otherwise. Equal probabilities are ordered as a stable sort would
//! (the later cell in raster order first); numpy's default sort leaves their order open.
//!
//! The result does not depend on the number of threads, nor on the order in which tiles are collected.

// A view is a pointer and a few numbers: ndarray passes it by value.
#![allow(clippy::needless_pass_by_value)]

mod candidates;
mod draw;
mod neighbours;
mod overlap;
mod polygon;
mod slabs;
mod suppress;

pub use candidates::{Candidates, Grid};

use ndarray::{Array2, ArrayView1};

/// Distances beyond this (in pixels) cannot come from a sound network; they are refused.
pub const LONGEST_RAY: f32 = 32_768.0;

/// The objects that suppression keeps, the most probable first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Instances {
    /// Centre (y, x) of each object in pixels.
    pub points: Vec<[u32; 2]>,
    /// Probability of each object, descending.
    pub probabilities: Vec<f32>,
    /// Distances in pixels: (object, ray). Ray `k` of `n` points along (y, x) = (sin, cos)(2 pi k / n).
    pub distances: Array2<f32>,
}

impl Instances {
    /// The number of objects.
    #[must_use]
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Whether there is no object.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// Corners of one object's polygon as (y, x) in pixels: `dist_to_coord`, exactly.
    ///
    /// # Panics
    /// When there is no such object.
    #[must_use]
    pub fn polygon(&self, object: usize) -> Vec<[f32; 2]> {
        self.scaled_polygon(object, 1.0)
    }

    /// As [`Self::polygon`], in an image `factor` times as large: for objects that were found in a rescaled image.
    fn scaled_polygon(&self, object: usize, factor: f64) -> Vec<[f32; 2]> {
        let rays: ArrayView1<'_, f32> = self.distances.row(object);
        polygon::corners(self.points[object], rays.iter().copied(), factor)
    }

    /// Paints the objects into a plane of (height, width): label 1 is the most probable object, and where objects overlap
    /// the more probable one wins. `polygons_to_label` with the pixel rule of `skimage.draw.polygon`, exactly.
    #[must_use]
    pub fn label_image(&self, shape: (usize, usize)) -> Array2<u32> {
        draw::label_image(self, shape, 1.0)
    }

    /// As [`Self::label_image`], of polygons `factor` times as large: `predict_instances(…, scale=1 / factor)` of StarDist,
    /// which looks for objects in a rescaled image and paints their polygons into the original one.
    #[must_use]
    pub fn scaled_label_image(&self, shape: (usize, usize), factor: f64) -> Array2<u32> {
        draw::label_image(self, shape, factor)
    }
}

#[cfg(test)]
mod tests;
