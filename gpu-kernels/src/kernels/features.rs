//! The features of ilastik's pixel classification.
//!
//! Reproduces [`analysis::pixel_features::features`]: the same kernels, the same mirrored borders, the same order of additions and
//! fused products. Drivers may fuse more (software Vulkan: nothing), and need not divide or take roots exactly, so that values differ
//! in the last places: by at most [`FILTERS`] of the largest value, 2 x 2 eigenvalues included. The closed form of 3 x 3 eigenvalues amplifies that where
//! they are nearly equal (an error of 1e-7 becomes one of its square or cube root): 99 % of them differ by less than 1e-4 of the
//! largest value, all by at most [`EIGENVALUES_3D`].
//!
//! In 2-D a scale takes three dispatches for all channels: the first smoothing along x and along y, and one kernel that writes all of
//! the scale's columns from a smoothed tile in a group's memory. In 3-D each filter is a pass along each axis. No value depends on
//! how an image is cut into regions.

// A view is a pointer and a few numbers: ndarray passes it by value.
#![allow(clippy::needless_pass_by_value)]

mod bank;
mod pass;
mod plane;
mod source;
mod volume;

pub use bank::Bank;
pub(super) use bank::Need;
pub use source::Source;

use analysis::pixel_features::{Column, Region, Selection};
use ndarray::{Array4, ArrayView4};

use crate::error::{Error, Result};
use crate::gpu::{Batch, Buffer, Gpu};
use pass::{Block, Passes};

/// How far a value may differ from that of the CPU, relative to the largest value of its column (of its feature, scale and channel
/// for eigenvalues); where an image has no structure, to the image's own largest value.
pub const FILTERS: f32 = 1e-5;

/// The same for eigenvalues of 3 x 3 matrices, whose closed form cancels.
pub const EIGENVALUES_3D: f32 = 1e-2;

impl Bank {
    /// Adds the features of a region of an image to a batch. The columns come one after the other, each of as many values as the
    /// region has voxels (z, y, x), in the order of [`Selection::columns`].
    ///
    /// # Errors
    /// [`Error::Unsupported`] for an image that is too small for the kernels ([`Selection::check_extent`]) or does not hold what the
    /// region needs ([`Self::around`]); [`Error::OutOfMemory`]; as [`Batch::dispatch`].
    pub fn compute(
        &self,
        gpu: &Gpu,
        batch: &mut Batch<'_>,
        image: &Source,
        region: Region,
    ) -> Result<Buffer> {
        check(&self.selection, image.extent)?;
        if region.is_empty() || !image.holds(self, region) {
            return Err(Error::Unsupported("a region beyond the image's part"));
        }
        let (channels, flat) = (image.channels, image.flat());
        let width = self.selection.width(channels, flat);
        pass::word(width * region.len())?;
        let columns = gpu.words(width * region.len())?;
        let all = self.selection.columns(channels, flat);
        let sizes = self.sizes(channels, image.extent, region);
        let mut passes = Passes::new(gpu, batch, self, image.extent, sizes);
        let block = |first: usize, channels: usize| Block {
            buffer: image.values.clone(),
            region: image.held,
            channels,
            first: first * image.held.len(),
        };
        for (index, scale) in self.scales.iter().enumerate().filter(|(_, s)| s.used) {
            let flat = flat || scale.in_2d;
            // In 2-D all channels at once.
            let rounds = if flat { 1 } else { channels };
            for channel in 0..rounds {
                let source = block(channel, channels / rounds);
                let halo = scale.kernels.halo;
                let smoothed = passes.presmooth(&source, scale.presmooth, halo, flat, region)?;
                let wanted = all
                    .iter()
                    .filter(|c| c.scale == index && c.channel == channel);
                let wanted: Vec<Column> = wanted.copied().collect();
                if flat {
                    passes.plane(&smoothed, scale, &wanted, region, &columns)?;
                } else {
                    passes.volume(&smoothed, scale, &wanted, region, &columns)?;
                }
                passes.give(smoothed);
            }
        }
        Ok(columns)
    }
}

/// Refuses what analysis would refuse.
pub(super) fn check(selection: &Selection, extent: [usize; 3]) -> Result<()> {
    selection
        .check_extent(extent)
        .map_err(|_| Error::Unsupported("an image that is smaller than the kernels"))
}

/// All features of an image, as [`analysis::pixel_features::features`]: `image` has axes (channel, z, y, x), the result
/// (column, z, y, x). The image and all of its columns must fit on the device at once.
///
/// # Errors
/// As [`Bank::compute`].
pub fn features(
    gpu: &Gpu,
    image: ArrayView4<'_, f32>,
    selection: &Selection,
) -> Result<Array4<f32>> {
    let (channels, z, y, x) = image.dim();
    check(selection, [z, y, x])?;
    let width = selection.width(channels, z == 1);
    let bank = Bank::new(gpu, selection)?;
    let source = Source::whole(gpu, image)?;
    let mut batch = gpu.batch();
    let columns = bank.compute(gpu, &mut batch, &source, Region::whole([z, y, x]))?;
    batch.submit()?;
    let values = gpu.download(&columns, width * z * y * x)?;
    Array4::from_shape_vec((width, z, y, x), values)
        .map_err(|_| Error::Unsupported("an image of that shape"))
}
