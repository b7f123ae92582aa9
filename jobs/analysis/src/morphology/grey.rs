//! Erosion, dilation, opening, closing and white top hat of grey planes with a disk.
//!
//! A disk is a stack of rows. Each input row is reduced over a window that grows pixel by pixel, and at each width joined
//! to the output rows where the disk has that width: about 4 vector operations per pixel and radius, for any disk.
//!
//! scikit-image reflects the plane at the border by default. For a disk that is the same as ignoring what lies beyond: a
//! reflected pixel is always nearer to the centre than the place it fills, so it is in the disk already.

use std::borrow::Cow;

use multiversion::multiversion;
use ndarray::{Array2, ArrayView2, Zip};

use super::disk_rows;
use crate::Result;
use crate::gaussian::bands::{for_each_band, rows_per_band};
use crate::gaussian::shaped;
use crate::histogram::pixels;

/// A pixel type that grey morphology works on: `u8`, `u16`, `u32` (labels: the larger one wins) or `f32` (NaNs are ignored).
pub trait GreyPixel: Copy + Send + Sync + std::ops::Sub<Output = Self> + 'static {
    #[doc(hidden)]
    fn extreme(job: &Job<'_, Self>, first: usize, out: &mut [Self]);
}

/// What every band of one plane shares.
#[doc(hidden)]
pub struct Job<'a, T> {
    source: &'a [T],
    width: usize,
    disk: &'a [Vec<usize>],
    extreme: Extreme,
}

/// Which value of the neighbourhood is wanted.
#[derive(Clone, Copy, Debug)]
enum Extreme {
    Smallest,
    Largest,
}

/// The smallest value within `radius` pixels: `skimage.morphology.erosion(plane, disk(radius))`, exactly.
///
/// # Errors
/// [`crate::Error::Parameter`] for more than 32,768 pixels radius; the same for the other operations.
pub fn erosion<T: GreyPixel>(plane: ArrayView2<'_, T>, radius: usize) -> Result<Array2<T>> {
    apply(plane, radius, &[Extreme::Smallest])
}

/// The largest value within `radius` pixels: `skimage.morphology.dilation(plane, disk(radius))`, exactly.
///
/// # Errors
/// As [`erosion`].
pub fn dilation<T: GreyPixel>(plane: ArrayView2<'_, T>, radius: usize) -> Result<Array2<T>> {
    apply(plane, radius, &[Extreme::Largest])
}

/// Erosion, then dilation: `skimage.morphology.opening(plane, disk(radius))`, exactly.
///
/// # Errors
/// As [`erosion`].
pub fn opening<T: GreyPixel>(plane: ArrayView2<'_, T>, radius: usize) -> Result<Array2<T>> {
    apply(plane, radius, &[Extreme::Smallest, Extreme::Largest])
}

/// Dilation, then erosion: `skimage.morphology.closing(plane, disk(radius))`, exactly.
///
/// # Errors
/// As [`erosion`].
pub fn closing<T: GreyPixel>(plane: ArrayView2<'_, T>, radius: usize) -> Result<Array2<T>> {
    apply(plane, radius, &[Extreme::Largest, Extreme::Smallest])
}

/// What opening removes, the bright spots smaller than the disk: `skimage.morphology.white_tophat(plane, disk(radius))`,
/// exactly.
///
/// # Errors
/// As [`erosion`].
pub fn white_tophat<T: GreyPixel>(plane: ArrayView2<'_, T>, radius: usize) -> Result<Array2<T>> {
    let mut opened = opening(plane, radius)?;
    Zip::from(&mut opened)
        .and(plane)
        .for_each(|opened, &pixel| *opened = pixel - *opened);
    Ok(opened)
}

/// Takes these extremes over the disk one after the other.
fn apply<T: GreyPixel>(
    plane: ArrayView2<'_, T>,
    radius: usize,
    extremes: &[Extreme],
) -> Result<Array2<T>> {
    let disk = disk_rows(radius)?;
    let (height, width) = plane.dim();
    let mut source = pixels(&plane);
    if !source.is_empty() {
        let rows = rows_per_band(height, width, radius);
        for &extreme in extremes {
            // A pixel is in its own neighbourhood, so the input is where to start from.
            let mut out = source.to_vec();
            let job = Job {
                source: &source,
                width,
                disk: &disk,
                extreme,
            };
            for_each_band(&mut out, rows * width, |index, band| {
                T::extreme(&job, index * rows, band);
            });
            source = Cow::Owned(out);
        }
    }
    Ok(shaped((height, width), source.into_owned()))
}

macro_rules! grey_pixel {
    ($type:ty, $kernel:ident, $smallest:expr, $largest:expr) => {
        impl GreyPixel for $type {
            fn extreme(job: &Job<'_, Self>, first: usize, out: &mut [Self]) {
                $kernel(job, first, out);
            }
        }

        #[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
        fn $kernel(job: &Job<'_, $type>, first: usize, out: &mut [$type]) {
            match job.extreme {
                Extreme::Smallest => band(job, first, out, $largest, |a, b| a.min(b)),
                Extreme::Largest => band(job, first, out, $smallest, |a, b| a.max(b)),
            }
        }
    };
}

grey_pixel!(u8, extreme_u8, u8::MIN, u8::MAX);
grey_pixel!(u16, extreme_u16, u16::MIN, u16::MAX);
grey_pixel!(u32, extreme_u32, u32::MIN, u32::MAX);
grey_pixel!(f32, extreme_f32, f32::NEG_INFINITY, f32::INFINITY);

/// Bytes of output rows that are worked on at once: they should stay in the L1 cache with the input.
const TILE_BYTES: usize = 16 << 10;

/// The rows `first..` of the result; `out` holds the same rows of the input. `neutral` changes nothing under `join`.
#[inline(always)]
fn band<T: Copy>(
    job: &Job<'_, T>,
    first: usize,
    out: &mut [T],
    neutral: T,
    join: impl Fn(T, T) -> T + Copy,
) {
    let Job {
        source,
        width,
        disk,
        ..
    } = *job;
    let radius = disk.len() - 1;
    let (height, rows) = (source.len() / width, out.len() / width);
    // Whole cache lines, so that neighbouring tiles share none.
    let tile = (TILE_BYTES / (2 * radius + 1) / size_of::<T>())
        .max(1)
        .next_multiple_of(64)
        .min(width);
    let mut padded = vec![neutral; tile + 2 * radius];
    let mut wide = vec![neutral; tile];
    for x in (0..width).step_by(tile) {
        let tile = tile.min(width - x);
        for y in first.saturating_sub(radius)..height.min(first + rows + radius) {
            let row = &source[y * width..(y + 1) * width];
            let from = x.saturating_sub(radius);
            let seen = &row[from..width.min(x + tile + radius)];
            padded.fill(neutral);
            padded[from + radius - x..][..seen.len()].copy_from_slice(seen);
            let wide = &mut wide[..tile];
            wide.copy_from_slice(&row[x..x + tile]);
            for (half_width, disk_rows) in disk.iter().enumerate() {
                if half_width > 0 {
                    let left = &padded[radius - half_width..][..tile];
                    let right = &padded[radius + half_width..][..tile];
                    join_into(wide, left, join);
                    join_into(wide, right, join);
                }
                for &away in disk_rows {
                    let above = y.checked_sub(away);
                    let below = (away > 0).then_some(y + away);
                    for reached in above.into_iter().chain(below) {
                        let Some(reached) = reached.checked_sub(first).filter(|&at| at < rows)
                        else {
                            continue;
                        };
                        let reached = &mut out[reached * width + x..][..tile];
                        join_into(reached, wide, join);
                    }
                }
            }
        }
    }
}

/// Joins each value with its counterpart; whole blocks are computed before they are stored, which lets the compiler use
/// vectors without having to know that the slices do not overlap.
#[inline(always)]
fn join_into<T: Copy>(to: &mut [T], from: &[T], join: impl Fn(T, T) -> T) {
    // Shorter loops are unrolled before they are turned into vectors, and then the compiler finds fewer of them.
    const BLOCK: usize = 64;
    let (to_blocks, to_rest) = to.as_chunks_mut::<BLOCK>();
    let (from_blocks, from_rest) = from.as_chunks::<BLOCK>();
    for (to, from) in to_blocks.iter_mut().zip(from_blocks) {
        let mut block = *to;
        for (value, &other) in block.iter_mut().zip(from) {
            *value = join(*value, other);
        }
        *to = block;
    }
    for (to, &from) in to_rest.iter_mut().zip(from_rest) {
        *to = join(*to, from);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{dilation, erosion};
    use ndarray::array;

    #[test]
    fn a_disk_far_larger_than_the_plane_reaches_everything() {
        let plane = array![[3.0f32, -1.0, 2.0], [0.5, 7.0, 4.0]];
        for radius in [2047, 2048, 32_768] {
            assert!(
                erosion(plane.view(), radius)
                    .unwrap()
                    .iter()
                    .all(|&v| v == -1.0)
            );
            assert!(
                dilation(plane.view(), radius)
                    .unwrap()
                    .iter()
                    .all(|&v| v == 7.0)
            );
        }
    }
}
