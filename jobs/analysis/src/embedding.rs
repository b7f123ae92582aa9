//! Objects from an embedding of pixels and a small pixel classifier: the post-processing of InstanSeg.
//!
//! A network gives, for each pixel, a displacement towards its object's place, features of the object's extent, and a score
//! that is high in the middle of objects. Peaks of the score are seeds; for each seed a classifier (a small multilayer
//! perceptron) decides which pixels near it share its place, [`Head::objects`]. Where a network finds nuclei and cells,
//! [`match_cells`] gives a nucleus and its cell the same number.
//!
//! Reproduces the post-processing in the released TorchScript files of InstanSeg 0.1.1 (`InstanSeg_Torchscript.forward`
//! after the network, and `resolve_cell_and_nucleus_boundaries`). The classifier's sums are single precision like those of
//! PyTorch but not in the same order: a pixel whose probability is within about 1e-6 of the threshold can fall on the other
//! side of it.

// A view is a pointer and a few numbers: ndarray passes it by value.
#![allow(clippy::needless_pass_by_value)]

mod cells;
mod classifier;
mod merge;
mod seeds;
mod window;

pub use cells::match_cells;
pub use classifier::{Classifier, Layer};

use ndarray::{Array2, Array3, ArrayView3, Axis, s};
use rayon::prelude::*;

use crate::components::relabel_sequential;
use crate::{Error, Result};
use merge::Mask;
use window::Window;

/// How the maps of a network are read. The default is that of InstanSeg's released networks.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// Decides whether a pixel belongs to a seed, from (dx, dy) between their places and the pixel's features.
    pub classifier: Classifier,
    /// A pixel is a seed if its score is above this and the highest in its neighbourhood.
    pub seed_threshold: f32,
    /// Reach of that neighbourhood in pixels: 5 means 11 x 11 pixels.
    pub peak_distance: usize,
    /// Pixels with this probability or more belong to an object.
    pub mask_threshold: f32,
    /// Side of the window around a seed in which its pixels are looked for.
    pub window: usize,
    /// Seeds are of one object if what their masks share is more than this part of the smaller mask.
    pub overlap_threshold: f32,
    /// Objects of fewer pixels are dropped.
    pub min_size: u64,
}

/// Displacements are (sigmoid - 0.5) times this, in units of four pixels.
const REACH: f32 = 8.0;
/// Four pixels are one unit of the embedding.
const UNITS_PER_PIXEL: f64 = 64.0 / 256.0;
/// Scores were trained as (distance to the border, 0 to 1, - 0.5) times this.
const SCORE_RANGE: f32 = 15.0;

/// Masks of so many seeds are held with their probabilities at a time.
const BATCH: usize = 256;

impl Head {
    /// The settings of InstanSeg's released networks.
    #[must_use]
    pub const fn new(classifier: Classifier) -> Self {
        Self {
            classifier,
            seed_threshold: 0.7,
            peak_distance: 5,
            mask_threshold: 0.53,
            window: 64,
            overlap_threshold: 0.3,
            min_size: 0,
        }
    }

    /// The number of maps that one kind of object takes: two of displacement, the features, and the score.
    #[must_use]
    pub fn maps(&self) -> usize {
        self.classifier.inputs() + 1
    }

    /// The label image of one kind of object.
    ///
    /// `maps` is (map, y, x): displacement in x and in y, features, score. Labels are numbered from 1 without gaps.
    ///
    /// # Errors
    /// [`Error::Parameter`] when the number of maps is not [`Self::maps`], or `window` is 0.
    pub fn objects(&self, maps: ArrayView3<'_, f32>) -> Result<Array2<u32>> {
        let (count, height, width) = maps.dim();
        if count != self.maps() {
            return Err(Error::Parameter {
                name: "maps",
                value: count.to_string(),
                expected: "two of displacement, one for each further input of the classifier, and the score",
            });
        }
        if self.window == 0 {
            return Err(Error::Parameter {
                name: "window",
                value: "0".to_owned(),
                expected: "at least 1",
            });
        }
        let score = maps
            .index_axis(Axis(0), count - 1)
            .mapv(|v| v / SCORE_RANGE + 0.5);
        let seeds = seeds::peaks(score.view(), self.peak_distance, self.seed_threshold);
        let features = features(maps.slice(s![..count - 1, .., ..]));
        let mut best = Array2::<f32>::zeros((height, width));
        let mut labels = Array2::<u32>::zeros((height, width));
        let mut masks: Vec<Mask> = Vec::with_capacity(seeds.len());
        for batch in seeds.chunks(BATCH) {
            let found: Vec<Window> = batch
                .par_iter()
                .map(|&seed| Window::around(self, features.view(), seed))
                .collect();
            for window in &found {
                masks.push(Mask::of(window));
                window.paint(masks.len() as u32, &mut best, &mut labels);
            }
        }
        let objects = merge::same_objects(&masks, self.overlap_threshold);
        labels.mapv_inplace(|seed| match seed {
            0 => 0,
            seed => objects[seed as usize - 1],
        });
        let kept = match self.min_size {
            0 | 1 => labels,
            size => crate::components::remove_small_labels(labels.view(), size - 1),
        };
        Ok(relabel_sequential(kept.view()).0)
    }
}

/// The places of all pixels in the embedding, and their features as they are: (feature, y, x).
fn features(maps: ArrayView3<'_, f32>) -> Array3<f32> {
    let mut out = maps.to_owned();
    let (_, height, width) = maps.dim();
    let (xs, ys) = (axis(width), axis(height));
    for (map, along_x) in [(0, true), (1, false)] {
        let mut plane = out.index_axis_mut(Axis(0), map);
        for ((y, x), value) in plane.indexed_iter_mut() {
            let place = if along_x { xs[x] } else { ys[y] };
            *value = (sigmoid(*value) - 0.5) * REACH + place;
        }
    }
    out
}

/// `torch.linspace(0, n * 64 / 256, n)`: from both ends towards the middle.
fn axis(n: usize) -> Vec<f32> {
    let end = (n as f64 * UNITS_PER_PIXEL) as f32;
    let step = end / (n.max(2) - 1) as f32;
    (0..n)
        .map(|i| {
            if i < n / 2 || n == 1 {
                step * i as f32
            } else {
                end - step * (n - 1 - i) as f32
            }
        })
        .collect()
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests;
