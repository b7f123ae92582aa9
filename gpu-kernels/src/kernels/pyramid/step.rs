//! From one level to the next.

use std::ops::Range;

use crate::error::{Error, Result};
use crate::gpu::Buffer;
use crate::kernels::convert::Pixel;

/// Pixels along an axis of the largest block that is averaged. A block is one thread's work, which software devices limit (llvmpipe ends a
/// kernel's loops after 65,535 rounds in all), and sums and numbers of pixels must fit.
pub const MOST_AVERAGED: usize = 64;

/// A level on the device.
#[derive(Clone)]
pub struct Level {
    /// Height and width.
    pub size: (usize, usize),
    /// Its packed pixels.
    pub buffer: Buffer,
}

impl Level {
    /// Words of 4 bytes that its pixels take.
    #[must_use]
    pub const fn words(&self, pixel: Pixel) -> usize {
        pixel.words(self.size.0 * self.size.1)
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// Heights and widths of the two levels.
    pub above: (usize, usize),
    pub below: (usize, usize),
    pub factor: usize,
    /// Whether pixels are taken instead of averaged.
    pub sampled: bool,
}

/// The steps from a plane of this size.
pub(crate) fn steps(
    size: (usize, usize),
    factors: &[usize],
    pixel: Pixel,
    nearest: bool,
) -> Result<Vec<Step>> {
    let sampled = nearest || pixel == Pixel::U32;
    let mut above = size;
    let steps = factors.windows(2).map(|pair| {
        let factor = (pair[1] / pair[0].max(1)).max(1);
        if !sampled && factor > MOST_AVERAGED {
            return Err(Error::Unsupported("averages of such large blocks"));
        }
        let step = Step {
            above,
            below: (reduced(above.0, factor), reduced(above.1, factor)),
            factor,
            sampled,
        };
        above = step.below;
        Ok(step)
    });
    steps.collect()
}

const fn reduced(n: usize, factor: usize) -> usize {
    if n < factor { 1 } else { n / factor }
}

impl Step {
    /// The rows of the level above that these rows come from.
    pub fn source_rows(&self, out: &Range<usize>) -> Range<usize> {
        let (n, m) = (self.above.0, self.below.0);
        if self.sampled {
            let nearest = |i: usize| ((2 * i + 1) * n / (2 * m)).min(n - 1);
            nearest(out.start)..nearest(out.end.max(1) - 1) + 1
        } else {
            out.start * self.factor..(out.end * self.factor).min(n)
        }
    }
}
