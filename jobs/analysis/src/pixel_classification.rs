//! ilastik's pixel classification: features, then a forest.

// A view is a pointer and a few numbers: ndarray passes it by value.
#![allow(clippy::needless_pass_by_value)]

use std::sync::atomic::{AtomicU64, Ordering};

use ndarray::{Array3, Array4, ArrayView4, Axis, s};

use crate::forest::Ensemble;
use crate::pixel_features::{Cut, Selection, for_each_tile, place};
use crate::{Error, Result};

/// A trained pixel classifier.
#[derive(Clone, Debug)]
pub struct Classifier {
    id: u64,
    selection: Selection,
    forests: Ensemble,
    /// Output channel of each class of the forests.
    channel_of_class: Vec<usize>,
    channels: usize,
}

impl Classifier {
    /// Puts a selection of features and forests together. Class `i` of the forests is channel `channel_of_class[i]` of `channels`;
    /// a channel of no class stays 0.
    ///
    /// # Errors
    /// [`Error::Parameter`] if there are not as many classes, or a channel does not exist.
    pub fn new(
        selection: Selection,
        forests: Ensemble,
        channel_of_class: Vec<usize>,
        channels: usize,
    ) -> Result<Self> {
        let fits = channel_of_class.len() == forests.classes()
            && channel_of_class.iter().all(|&c| c < channels);
        if !fits {
            return Err(Error::Parameter {
                name: "channel_of_class",
                value: format!("{channel_of_class:?}"),
                expected: "a channel for each class of the forests",
            });
        }
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Ok(Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            selection,
            forests,
            channel_of_class,
            channels,
        })
    }

    /// A number that no other classifier of this process has; a clone has it too.
    #[must_use]
    pub const fn id(&self) -> u64 {
        self.id
    }

    /// Output channel of each class of the forests.
    #[must_use]
    pub fn channel_of_class(&self) -> &[usize] {
        &self.channel_of_class
    }

    /// The features.
    #[must_use]
    pub const fn selection(&self) -> &Selection {
        &self.selection
    }

    /// The forests.
    #[must_use]
    pub const fn forests(&self) -> &Ensemble {
        &self.forests
    }

    /// Number of output channels: one a label.
    #[must_use]
    pub const fn channels(&self) -> usize {
        self.channels
    }

    /// Probability of each label in every voxel: axes (label, z, y, x), float32, 0 to 1.
    ///
    /// `image` has axes (channel, z, y, x). Reproduces ilastik's `Probabilities`; see [`crate::pixel_features`] and
    /// [`crate::forest`] for how exactly. Tiles are evaluated in parallel on the current rayon pool; besides the image and the result,
    /// at most some 300 MB are used, however large the image is.
    ///
    /// # Errors
    /// [`Error::TooSmall`], or [`Error::Parameter`] if the image's features are not those that the forests were trained with.
    pub fn probabilities(&self, image: ArrayView4<'_, f32>) -> Result<Array4<f32>> {
        let (channels, z, y, x) = image.dim();
        let width = self.selection.width(channels, z == 1);
        if width != self.forests.columns() {
            return Err(Error::Parameter {
                name: "image",
                value: format!("{channels} channels and {z} z-slices, which make {width} features"),
                expected: "an image of the kind that the classifier was trained with",
            });
        }
        let mut out = Array4::zeros((self.channels, z, y, x));
        for_each_tile(
            image,
            &self.selection,
            Cut::usual(z == 1),
            |features, rows| {
                let found = self.forests.probabilities(features, rows);
                let mut ordered = vec![0f32; self.channels * rows];
                for (class, &channel) in found.chunks_exact(rows).zip(&self.channel_of_class) {
                    ordered[channel * rows..(channel + 1) * rows].copy_from_slice(class);
                }
                ordered
            },
            |region, found| place(&mut out, region, &found),
        )?;
        Ok(out)
    }
}

/// The most probable label of every voxel, from 1; the first of several. Axes (z, y, x).
///
/// Reproduces ilastik's `Simple Segmentation`. More than 255 labels do not occur there.
#[must_use]
pub fn simple_segmentation(probabilities: ArrayView4<'_, f32>) -> Array3<u8> {
    probabilities.map_axis(Axis(0), |voxel| {
        let mut best = 0;
        for (label, &p) in voxel.iter().enumerate() {
            if p > voxel[best] {
                best = label;
            }
        }
        u8::try_from(best + 1).unwrap_or(u8::MAX)
    })
}

/// One less the distance between the two largest probabilities. Axes (z, y, x).
///
/// Reproduces ilastik's `Uncertainty`; of a single label it is 0.
#[must_use]
pub fn uncertainty(probabilities: ArrayView4<'_, f32>) -> Array3<f32> {
    if probabilities.len_of(Axis(0)) < 2 {
        return Array3::zeros(probabilities.slice(s![0, .., .., ..]).dim());
    }
    probabilities.map_axis(Axis(0), |voxel| {
        let (mut first, mut second) = (f32::NEG_INFINITY, f32::NEG_INFINITY);
        for &p in voxel {
            if p > first {
                (first, second) = (p, first);
            } else if p > second {
                second = p;
            }
        }
        1.0 - (first - second)
    })
}
