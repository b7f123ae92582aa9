//! One filter along one axis: `pass` of `pixel_features` in analysis.

use analysis::pixel_features::Region;
use bytemuck::{Pod, Zeroable};

use super::bank::{Bank, Sizes, Taps};
use crate::error::{Error, Result};
use crate::gpu::{Batch, Buffer, Gpu, Kernel};

const ROWS: Kernel = Kernel {
    name: "features rows",
    source: &[include_str!("line.wgsl"), include_str!("rows.wgsl")],
    entry: "main",
};

const ACROSS: Kernel = Kernel {
    name: "features across",
    source: &[include_str!("line.wgsl"), include_str!("across.wgsl")],
    entry: "main",
};

/// Largest radius of which a group of [`ROWS`] has the neighbours in its memory.
const MOST_IN_ROWS: usize = 128;

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Work {
    size: [u32; 4],
    source: [u32; 4],
    line: [i32; 4],
    taps: [u32; 4],
}

/// Values of a region on the device, channel after channel.
#[derive(Clone)]
pub(super) struct Block {
    pub buffer: Buffer,
    pub region: Region,
    pub channels: usize,
    /// The first value.
    pub first: usize,
}

/// The work on one region of an image. Buffers are used again within the batch, whose dispatches run one after the other.
pub(super) struct Passes<'a, 'g> {
    pub gpu: &'a Gpu,
    pub batch: &'a mut Batch<'g>,
    pub bank: &'a Bank,
    /// Size of the image (z, y, x).
    pub extent: [usize; 3],
    sizes: Sizes,
    free: Vec<Buffer>,
}

pub(super) fn word(value: usize) -> Result<u32> {
    u32::try_from(value).map_err(|_| Error::Unsupported("more than 2^32 values at once"))
}

fn signed(value: usize) -> Result<i32> {
    i32::try_from(value).map_err(|_| Error::Unsupported("more than 2^31 pixels along one axis"))
}

impl<'a, 'g> Passes<'a, 'g> {
    pub fn new(
        gpu: &'a Gpu,
        batch: &'a mut Batch<'g>,
        bank: &'a Bank,
        extent: [usize; 3],
        sizes: Sizes,
    ) -> Self {
        Self {
            gpu,
            batch,
            bank,
            extent,
            sizes,
            free: Vec::new(),
        }
    }

    /// A block with anything in it.
    pub fn block(&mut self, region: Region, channels: usize) -> Result<Block> {
        let words = channels * region.len();
        let Sizes {
            slices,
            presmooth,
            filters,
        } = self.sizes;
        let sizes = [slices, presmooth, filters].into_iter();
        let words = sizes.filter(|&s| s >= words).min().unwrap_or(words);
        let bytes = 4 * words as u64;
        let fitting = self.free.iter().enumerate();
        let fitting = fitting.filter(|(_, buffer)| buffer.bytes() >= bytes);
        let best = fitting.min_by_key(|(_, buffer)| buffer.bytes());
        let buffer = match best.map(|(index, _)| index) {
            Some(index) => self.free.swap_remove(index),
            None => self.gpu.scratch(bytes)?,
        };
        Ok(Block {
            buffer,
            region,
            channels,
            first: 0,
        })
    }

    /// Gives a block back that was made here.
    pub fn give(&mut self, block: Block) {
        self.free.push(block.buffer);
    }

    /// Filters a block along an axis (0 = z, 1 = y, 2 = x); gives the values of `out`, for which the block must hold all neighbours
    /// inside the image.
    pub fn pass(&mut self, source: &Block, axis: usize, taps: Taps, out: Region) -> Result<Block> {
        let result = self.block(out, source.channels)?;
        let held = source.region;
        let strides = [held.size[1] * held.size[2], held.size[2], 1];
        // Where the first value lies, but for its place along the axis.
        let beside = (0..3)
            .filter(|&a| a != axis)
            .map(|a| (out.start[a] - held.start[a]) * strides[a]);
        let first = source.first + beside.sum::<usize>();
        let [z, y, x] = out.size;
        let channels = source.channels;
        let result_stride = [y * x, x, 1][axis];
        let work = Work {
            size: [word(x)?, word(y)?, word(z)?, word(channels)?],
            source: [
                word(first)?,
                word(strides[1])?,
                word(strides[0])?,
                word(held.len())?,
            ],
            line: [
                signed(out.start[axis])?,
                signed(self.extent[axis])?,
                signed(held.start[axis])?,
                signed(held.end(axis) - 1)?,
            ],
            taps: [
                word(taps.first)?,
                word(taps.radius)?,
                word(strides[axis])?,
                word(result_stride)?,
            ],
        };
        let odd = ("ODD", f64::from(u8::from(taps.odd)));
        let buffers = [&self.bank.taps, &source.buffer, &result.buffer];
        if axis == 2 && taps.radius <= MOST_IN_ROWS {
            let groups = [x.div_ceil(256), y.div_ceil(4), z * channels];
            let groups = [word(groups[0])?, word(groups[1])?, word(groups[2])?];
            self.batch.dispatch(ROWS, &[odd], &work, &buffers, groups)?;
        } else {
            let mut threads = [x, y, z];
            threads[2 - axis] = threads[2 - axis].div_ceil(4);
            let groups = [
                word(threads[0].div_ceil(32))?,
                word(threads[1].div_ceil(8))?,
                word(threads[2] * channels)?,
            ];
            let constants = [odd, ("AXIS", axis as f64)];
            self.batch
                .dispatch(ACROSS, &constants, &work, &buffers, groups)?;
        }
        Ok(result)
    }

    /// The first smoothing of a scale, on a region with what its filters need around it.
    pub fn presmooth(
        &mut self,
        image: &Block,
        taps: Taps,
        halo: usize,
        flat: bool,
        region: Region,
    ) -> Result<Block> {
        let extent = self.extent;
        let grow = |region: Region, axis: usize, by: usize| {
            if axis == 0 && flat {
                region
            } else {
                region.grown(axis, by, extent)
            }
        };
        let out = (0..3).fold(region, |r, axis| grow(r, axis, halo));
        let before_z = grow(out, 0, taps.radius);
        let before_y = grow(before_z, 1, taps.radius);
        let along_x = self.pass(image, 2, taps, before_y)?;
        let along_y = self.pass(&along_x, 1, taps, before_z)?;
        self.give(along_x);
        if flat {
            return Ok(along_y);
        }
        let along_z = self.pass(&along_y, 0, taps, out)?;
        self.give(along_y);
        Ok(along_z)
    }
}
