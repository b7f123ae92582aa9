//! Levels of what is on the device already: each function adds its work to a batch and gives the buffers that will hold the result.

use std::ops::Range;

use bytemuck::{Pod, Zeroable};

use super::step::steps;
use super::{Level, Step};
use crate::error::{Error, Result};
use crate::gpu::{Batch, Buffer, Gpu, Kernel};
use crate::kernels::convert::{PACKED, Pixel};
use crate::kernels::cut::{self, switch};

const THREADS: usize = 256;

const REDUCE: Kernel = Kernel {
    name: "pyramid.reduce",
    source: &[PACKED, include_str!("reduce.wgsl")],
    entry: "main",
};

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Parameters {
    height: u32,
    width: u32,
    out_height: u32,
    out_width: u32,
    factor: u32,
    source_row: u32,
    out_row: u32,
    out_rows: u32,
    words: u32,
    zero: u32,
    unused: [u32; 2],
}

/// [`super::levels`] of packed pixels of a plane of (rows, columns).
///
/// # Errors
/// As [`super::levels`].
pub fn levels(
    gpu: &Gpu,
    batch: &mut Batch<'_>,
    (packed, pixel): (&Buffer, Pixel),
    size: (usize, usize),
    factors: &[usize],
    nearest: bool,
) -> Result<Vec<Level>> {
    if size.0 == 0 || size.1 == 0 {
        return Err(Error::Unsupported("levels of an empty plane"));
    }
    chain(
        gpu,
        batch,
        packed,
        pixel,
        &steps(size, factors, pixel, nearest)?,
    )
}

pub(super) fn chain(
    gpu: &Gpu,
    batch: &mut Batch<'_>,
    packed: &Buffer,
    pixel: Pixel,
    steps: &[Step],
) -> Result<Vec<Level>> {
    let mut levels: Vec<Level> = Vec::new();
    for step in steps {
        let above = levels.last().map_or(packed, |level| &level.buffer);
        let buffer = reduce(gpu, batch, above, pixel, step, 0, 0..step.below.0)?;
        levels.push(Level {
            size: step.below,
            buffer,
        });
    }
    Ok(levels)
}

/// Some rows of the level below, from packed rows of the one above of which the first is `source_row`.
pub(super) fn reduce(
    gpu: &Gpu,
    batch: &mut Batch<'_>,
    source: &Buffer,
    pixel: Pixel,
    step: &Step,
    source_row: usize,
    out: Range<usize>,
) -> Result<Buffer> {
    let words = pixel.words(out.len() * step.below.1);
    let reduced = gpu.words(words)?;
    // Kernels count the pixels of both levels in 32 bits.
    cut::size(step.above.0 * step.above.1)?;
    let parameters = Parameters {
        height: cut::size(step.above.0)?,
        width: cut::size(step.above.1)?,
        out_height: cut::size(step.below.0)?,
        out_width: cut::size(step.below.1)?,
        factor: cut::size(step.factor)?,
        source_row: cut::size(source_row)?,
        out_row: cut::size(out.start)?,
        out_rows: cut::size(out.len())?,
        words: cut::size(words)?,
        zero: 0,
        unused: [0; 2],
    };
    batch.dispatch(
        REDUCE,
        &[
            pixel.bits(),
            switch("SAMPLED", step.sampled),
            switch("FLOAT", pixel == Pixel::F32),
        ],
        &parameters,
        &[source, &reduced],
        cut::groups(words, THREADS),
    )?;
    Ok(reduced)
}
