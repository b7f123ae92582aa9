//! The kernels of a selection on the device.

use analysis::pixel_features::{Kernel, Region, ScaleKernels, Selection};

use super::source::Source;
use crate::error::Result;
use crate::gpu::{Buffer, Gpu};

/// The kernels of all scales of a selection, copied to the device once.
pub struct Bank {
    pub(super) selection: Selection,
    pub(super) taps: Buffer,
    pub(super) scales: Vec<Scale>,
}

/// Where a kernel's taps lie.
#[derive(Clone, Copy)]
pub(super) struct Taps {
    pub first: usize,
    pub radius: usize,
    pub odd: bool,
}

/// A scale's kernels.
pub(super) struct Scale {
    pub kernels: ScaleKernels,
    pub presmooth: Taps,
    pub own: [Taps; 3],
    pub narrow: Taps,
    pub inner: [Taps; 2],
    pub in_2d: bool,
    /// Whether any feature is wanted.
    pub used: bool,
}

/// Blocks that the filters of a volume hold at a time.
const VOLUME_BLOCKS: usize = 25;

/// Words of the blocks between an image and its columns; 0 for those of which there are none. Every scale takes the largest scale's, so
/// that they are used again.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sizes {
    /// Smoothed slices of all channels.
    pub slices: usize,
    /// In 3-D: of one channel, smoothed along one axis or two.
    pub presmooth: usize,
    /// In 3-D: whatever the filters take and give.
    pub filters: usize,
}

/// Words that a region takes on the device.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::kernels) struct Need {
    /// All together.
    pub total: usize,
    /// The largest buffer.
    pub largest: usize,
}

impl Need {
    fn add(&mut self, words: usize, times: usize) {
        self.total += words * times;
        self.largest = self.largest.max(words);
    }
}

impl Bank {
    /// Copies the kernels of a selection to the device.
    ///
    /// # Errors
    /// [`crate::Error::OutOfMemory`].
    pub fn new(gpu: &Gpu, selection: &Selection) -> Result<Self> {
        let mut values = Vec::new();
        let mut put = |kernel: &Kernel| {
            let first = values.len();
            values.extend_from_slice(&kernel.taps);
            Taps {
                first,
                radius: kernel.radius(),
                odd: kernel.odd,
            }
        };
        let scales = selection.scales().iter().map(|scale| {
            let kernels = scale.kernels();
            Scale {
                presmooth: put(&kernels.presmooth),
                own: [0, 1, 2].map(|order| put(&kernels.own[order])),
                narrow: put(&kernels.narrow),
                inner: [0, 1].map(|order| put(&kernels.inner[order])),
                kernels,
                in_2d: scale.in_2d,
                used: !scale.features.is_empty(),
            }
        });
        let scales = scales.collect();
        Ok(Self {
            selection: selection.clone(),
            taps: gpu.upload(&values)?,
            scales,
        })
    }

    /// The selection.
    #[must_use]
    pub const fn selection(&self) -> &Selection {
        &self.selection
    }

    /// What the features of a region need of an image of that extent (z, y, x).
    #[must_use]
    pub fn around(&self, region: Region, extent: [usize; 3]) -> Region {
        let flat = extent[0] == 1;
        let mut around = region;
        for scale in self.scales.iter().filter(|s| s.used) {
            let by = scale.presmooth.radius + scale.kernels.halo;
            let first = usize::from(flat || scale.in_2d);
            for axis in first..3 {
                let grown = region.grown(axis, by, extent);
                let end = around.end(axis).max(grown.end(axis));
                around.start[axis] = around.start[axis].min(grown.start[axis]);
                around.size[axis] = end - around.start[axis];
            }
        }
        around
    }

    /// The blocks between an image and the columns of a region.
    pub(super) fn sizes(&self, channels: usize, extent: [usize; 3], region: Region) -> Sizes {
        let flat = extent[0] == 1;
        let mut sizes = Sizes::default();
        for scale in self.scales.iter().filter(|s| s.used) {
            let first = usize::from(flat || scale.in_2d);
            let grown = |region: Region, by: usize| {
                (first..3).fold(region, |r, axis| r.grown(axis, by, extent))
            };
            let smoothed = grown(region, scale.kernels.halo);
            // Along x nothing more is needed after the first pass.
            let before = (first..2).fold(smoothed, |r, axis| {
                r.grown(axis, scale.presmooth.radius, extent)
            });
            if first == 1 {
                sizes.slices = sizes.slices.max(channels * before.len());
            } else {
                sizes.presmooth = sizes.presmooth.max(before.len());
                sizes.filters = sizes.filters.max(smoothed.len());
            }
        }
        sizes
    }

    /// What the features of a region take on the device, with the part of the image that they need.
    pub(in crate::kernels) fn need(
        &self,
        channels: usize,
        extent: [usize; 3],
        region: Region,
    ) -> Need {
        let width = self.selection.width(channels, extent[0] == 1);
        let sizes = self.sizes(channels, extent, region);
        let mut need = Need::default();
        need.add(channels * self.around(region, extent).len(), 1);
        need.add(width * region.len(), 1);
        need.add(sizes.slices, 2);
        need.add(sizes.presmooth, 2);
        need.add(sizes.filters, VOLUME_BLOCKS);
        need
    }
}

impl Source {
    /// Whether all is there that a bank needs for a region.
    pub(super) fn holds(&self, bank: &Bank, region: Region) -> bool {
        let needed = bank.around(region, self.extent);
        (0..3).all(|axis| {
            self.held.start[axis] <= needed.start[axis] && needed.end(axis) <= self.held.end(axis)
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use analysis::pixel_features::{Feature, Scale};
    use ndarray::Array4;

    use super::*;
    use crate::gpu::Options;

    /// Scales of different halos share their blocks, and no more memory is taken than was asked for.
    #[test]
    fn a_region_takes_no_more_than_it_says() {
        let scale = |sigma, in_2d| Scale {
            sigma,
            in_2d,
            features: Feature::ALL.to_vec(),
        };
        let scales = vec![scale(0.7, false), scale(1.6, false), scale(3.5, true)];
        let selection = Selection::new(Feature::ALL.to_vec(), scales).unwrap();
        let Ok(gpu) = Gpu::open("llvmpipe", Options::default()) else {
            return;
        };
        for extent in [[1, 64, 80], [9, 24, 40]] {
            let [z, y, x] = extent;
            let image = Array4::ones((2, z, y, x));
            let region = Region {
                start: [0, 4, 4],
                size: [z, 16, 20],
            };
            let bank = Bank::new(&gpu, &selection).unwrap();
            let need = 4 * bank.need(2, extent, region).total as u64;
            let options = Options {
                // Buffers are rounded up by an eighth.
                memory: need + need / 8 + 4096,
                ..Options::default()
            };
            let small = Gpu::open("llvmpipe", options).unwrap();
            let bank = Bank::new(&small, &selection).unwrap();
            let around = bank.around(region, extent);
            let source = Source::part(&small, image.view(), around).unwrap();
            let mut batch = small.batch();
            bank.compute(&small, &mut batch, &source, region).unwrap();
        }
    }
}
