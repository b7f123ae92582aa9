//! Scale levels: `image_io::container::pyramid_levels`.
//!
//! Averages of 8- and 16-bit pixels, and all that is sampled, are exact; `u32` planes are always sampled, as there. The reference adds
//! floats in double precision; here what rounding takes from a sum is kept and counted at the end. The averages are equal, but for
//! those so near to the middle between two floats (about 2^-20 units, for small blocks) that either is right, and for blocks that
//! nearly cancel, whose averages lie within 2^-40 of the largest value. Floats whose block adds up to more than `f32` holds become
//! infinite, numbers below 2^-126 may become 0, and -0 may become 0.

pub mod on_device;
mod step;

pub(crate) use step::Step;
pub use step::{Level, MOST_AVERAGED};

use analysis::accelerator::{Plane, PlaneBuf};

use crate::error::{Error, Result};
use crate::gpu::Gpu;
use crate::kernels::convert::{self, Pixel, Values};
use crate::kernels::cut::{Needs, bands};

/// The levels below full resolution, each from the one above, `factors[k] / factors[k - 1]` times smaller: floor(n / f) pixels, at least
/// 1. Averages of blocks, or for `u32` and if `nearest` the pixels at floor((i + 0.5) * n / m).
///
/// All levels come from one upload and in one download, if the plane fits the device; otherwise level by level in bands.
///
/// # Errors
/// [`Error::Unsupported`] for an empty plane, and for averages of blocks of more than [`MOST_AVERAGED`] pixels along an axis; those of
/// the device.
pub fn levels(
    gpu: &Gpu,
    plane: Plane<'_>,
    factors: &[usize],
    nearest: bool,
) -> Result<Vec<PlaneBuf>> {
    let pixel = Pixel::of(&plane);
    let (height, width) = plane.dim();
    if height == 0 || width == 0 {
        return Err(Error::Unsupported("levels of an empty plane"));
    }
    let steps = step::steps((height, width), factors, pixel, nearest)?;
    let bytes = |(height, width): (usize, usize)| 4 * pixel.words(height * width) as u64;
    let full = bytes((height, width));
    let below: u64 = steps.iter().map(|step| bytes(step.below)).sum();
    // The levels, and all of them in one buffer.
    if full.max(below) <= gpu.largest_binding() && full + 2 * below <= gpu.memory() / 2 {
        at_once(gpu, plane, pixel, &steps)
    } else {
        one_by_one(gpu, plane, pixel, &steps)
    }
}

fn at_once(gpu: &Gpu, plane: Plane<'_>, pixel: Pixel, steps: &[Step]) -> Result<Vec<PlaneBuf>> {
    let source = convert::upload(gpu, plane)?;
    let mut batch = gpu.batch();
    let levels = on_device::chain(gpu, &mut batch, &source, pixel, steps)?;
    let words = levels.iter().map(|level| level.words(pixel)).sum();
    let all = gpu.words(words)?;
    let mut at = 0;
    for level in &levels {
        let bytes = 4 * level.words(pixel) as u64;
        batch.copy((&level.buffer, 0), (&all, at), bytes);
        at += bytes;
    }
    batch.submit()?;
    let all = gpu.download::<u32>(&all, words)?;
    let mut rest: &[u8] = bytemuck::cast_slice(&all);
    let planes = levels.iter().map(|level| {
        let (own, others) = rest.split_at(4 * level.words(pixel));
        rest = others;
        let mut values = Values::new(pixel);
        values.take(&own[..level.size.0 * level.size.1 * pixel.bytes()]);
        values.into_plane(level.size)
    });
    planes.collect()
}

fn one_by_one(gpu: &Gpu, plane: Plane<'_>, pixel: Pixel, steps: &[Step]) -> Result<Vec<PlaneBuf>> {
    let mut levels: Vec<PlaneBuf> = Vec::new();
    for step in steps {
        // A row of the result takes less than twice the factor of rows, also where the heights do not divide.
        let row = (2 * step.factor * step.above.1 * pixel.bytes()) as u64;
        let needs = Needs {
            halo: 0,
            width: 2 * step.factor * step.above.1,
            largest: row,
            all: 2 * row,
        };
        let mut values = Values::new(pixel);
        for band in bands(gpu, step.below.0, needs)? {
            let rows = step.source_rows(&band.out);
            let first = rows.start;
            // Views of ndarray have one lifetime each: what they are cut from cannot be put into one variable.
            let source = match levels.last() {
                Some(level) => convert::upload(gpu, convert::rows(&level.view(), rows))?,
                None => convert::upload(gpu, convert::rows(&plane, rows))?,
            };
            let mut batch = gpu.batch();
            let count = band.out.len() * step.below.1;
            let out = on_device::reduce(gpu, &mut batch, &source, pixel, step, first, band.out)?;
            batch.submit()?;
            values.fetch(gpu, &out, count)?;
        }
        levels.push(values.into_plane(step.below)?);
    }
    Ok(levels)
}
