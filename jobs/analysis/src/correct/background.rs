//! Subtraction of a percentile as background, alone or in one go with the division by the illumination.

use multiversion::multiversion;
use ndarray::{Array2, ArrayView2};

use super::{Raw, same_shape};
use crate::Result;
use crate::gaussian::shaped;
use crate::histogram::select::{Census, Range, sample, tally, worth_sampling};
use crate::histogram::{Pixel, Position, percentile, pixels};

/// Pixels corrected at once: what is written is still in the L1 cache when it is counted.
const PART: usize = 4096;

/// A corrected plane.
#[derive(Clone, Debug, PartialEq)]
pub struct Corrected {
    /// The plane (y, x), 0 or more.
    pub plane: Array2<f32>,
    /// The background that was subtracted, in the plane's grey values.
    pub background: f32,
}

/// `max(plane - p, 0)`, where `p` is the `q`-th percentile (0 to 100) of the plane:
/// `np.maximum(plane - np.percentile(plane, q), 0)`, exactly.
///
/// # Errors
/// [`crate::Error::Parameter`] when `q` is outside 0 to 100, [`crate::Error::Empty`] without pixels.
pub fn subtract_background(mut plane: Array2<f32>, q: f64) -> Result<Corrected> {
    let background = percentile(plane.view(), q)? as f32;
    match plane.as_slice_memory_order_mut() {
        Some(pixels) => clamp_below(pixels, background),
        None => plane.mapv_inplace(|pixel| above(pixel, background)),
    }
    Ok(Corrected { plane, background })
}

/// Divides a raw image by the illumination function and subtracts the `q`-th percentile (0 to 100) of the result, with
/// negative values set to 0.
///
/// Equal to [`super::divide_by_illumination`] followed by [`subtract_background`], in half the passes over memory: it is
/// done to every channel of every image.
///
/// # Errors
/// [`crate::Error::Shape`] when the planes differ in size, [`crate::Error::Parameter`] when `q` is outside 0 to 100,
/// [`crate::Error::Empty`] without pixels.
pub fn correct<T: Raw>(
    image: ArrayView2<'_, T>,
    illumination: ArrayView2<'_, f32>,
    q: f64,
) -> Result<Corrected> {
    let shape = image.dim();
    same_shape(shape, illumination.dim())?;
    let len = image.len();
    if !worth_sampling(len) {
        return subtract_background(super::divide_by_illumination(image, illumination)?, q);
    }
    let position = Position::of(q, len)?;
    let (raw, by) = (pixels(&image), pixels(&illumination));
    // The corrected values are sampled before they are computed, so that one pass can both write and count them.
    let mut sample = sample(len, |index| Into::<f32>::into(raw[index]) / by[index]);
    let mut ranks = vec![position.low, position.high];
    ranks.dedup();
    let range = Range::around(&mut sample, &ranks, len);
    let mut out = vec![0.0; len];
    let mut census = Census::default();
    for ((out, raw), by) in out
        .chunks_mut(PART)
        .zip(raw.chunks(PART))
        .zip(by.chunks(PART))
    {
        T::divide(raw, by, out);
        census.add(tally(out, range.low, range.high));
    }
    let settled = if census.any_nan {
        None
    } else {
        census.settle(&out, &range, &ranks)
    };
    let values = settled.unwrap_or_else(|| f32::ranked(&out, &ranks));
    let (low, high) = (values[0], values[ranks.len() - 1]);
    let background = f32::interpolate(low, high, position.fraction, false) as f32;
    clamp_below(&mut out, background);
    Ok(Corrected {
        plane: shaped(shape, out),
        background,
    })
}

/// Not `f32::max`: a NaN stays a NaN, as in numpy.
#[inline(always)]
fn above(pixel: f32, background: f32) -> f32 {
    let difference = pixel - background;
    if difference < 0.0 { 0.0 } else { difference }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn clamp_below(pixels: &mut [f32], background: f32) {
    for pixel in pixels {
        *pixel = above(*pixel, background);
    }
}
