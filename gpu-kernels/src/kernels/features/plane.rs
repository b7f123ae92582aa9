//! The filters of a scale in 2-D, all at once.

use analysis::pixel_features::{Column, Feature, Region};
use bytemuck::{Pod, Zeroable};

use super::bank::Scale;
use super::pass::{Block, Passes, word};
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Kernel};

const PLANE: Kernel = Kernel {
    name: "features plane",
    source: &[
        include_str!("../eigenvalues.wgsl"),
        include_str!("plane.wgsl"),
    ],
    entry: "main",
};

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Work {
    size: [u32; 4],
    first: [i32; 4],
    extent: [i32; 4],
    columns: [u32; 8],
    own: [[f32; 4]; 3],
    inner: [[f32; 4]; 2],
}

impl Passes<'_, '_> {
    /// Writes the features of a scale into their columns. `wanted` are the scale's columns of the first channel; those of the other
    /// channels follow them.
    pub fn plane(
        &mut self,
        smoothed: &Block,
        scale: &Scale,
        wanted: &[Column],
        region: Region,
        columns: &Buffer,
    ) -> Result<()> {
        let signed = |value: usize| {
            i32::try_from(value).map_err(|_| Error::Unsupported("more than 2^31 pixels"))
        };
        let kernels = &scale.kernels;
        let tap = |taps: &[f32], k: usize| taps.get(k).copied().unwrap_or(0.0);
        let [_, height, width] = self.extent;
        let held = smoothed.region;
        let [z, y, x] = region.size;
        let mut work = Work {
            size: [word(x)?, word(y)?, word(z)?, word(smoothed.channels)?],
            first: [
                signed(region.start[2])?,
                signed(region.start[1])?,
                signed(held.start[2])?,
                signed(held.start[1])?,
            ],
            extent: [
                signed(width)?,
                signed(height)?,
                signed(held.size[2])?,
                signed(held.size[1])?,
            ],
            columns: [0; 8],
            own: [0, 1, 2].map(|k| {
                let [smooth, first, second] = &kernels.own;
                let narrow = &kernels.narrow;
                [smooth, first, second, narrow].map(|kernel| tap(&kernel.taps, k))
            }),
            inner: [0, 1].map(|k| {
                let [smooth, first] = &kernels.inner;
                [tap(&smooth.taps, k), tap(&first.taps, k), 0.0, 0.0]
            }),
        };
        let mut bits = 0u32;
        for (index, feature) in Feature::ALL.iter().enumerate() {
            if let Some(column) = wanted.iter().find(|c| c.feature == *feature) {
                bits |= 1 << index;
                work.columns[index] = word(column.first)?;
            }
        }
        let constants = [
            ("WANTED", f64::from(bits)),
            ("OWN", scale.own[0].radius as f64),
            ("NARROW", scale.narrow.radius as f64),
        ];
        let groups = [
            word(x.div_ceil(32))?,
            word(y.div_ceil(8))?,
            word(z * smoothed.channels)?,
        ];
        let buffers = [&smoothed.buffer, columns];
        self.batch
            .dispatch(PLANE, &constants, &work, &buffers, groups)
    }
}
