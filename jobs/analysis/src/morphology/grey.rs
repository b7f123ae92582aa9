//! Erosion, dilation, opening, closing and white top hat of grey planes with a disk.
//!
//! A disk is a stack of rows. Each input row is reduced over a window that grows pixel by pixel, and at each width joined
//! to the output rows where the disk has that width: about 4 vector operations per pixel and radius, for any disk.
//!
//! scikit-image reflects the plane at the border by default. For a disk that is the same as ignoring what lies beyond: a
//! reflected pixel is always nearer to the centre than the place it fills, so it is in the disk already.

use multiversion::multiversion;
use ndarray::{Array2, ArrayView2, Zip};

use super::disk_rows;
use crate::Result;
use crate::gaussian::bands::{for_each_band, rows_per_band};
use crate::gaussian::shaped;
use crate::histogram::pixels;

/// A pixel type that grey morphology works on: `u8`, `u16` or `f32` (without NaN).
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
    /// Whether the largest value of the neighbourhood is wanted, or the smallest.
    largest: bool,
}

/// The smallest value within `radius` pixels: `skimage.morphology.erosion(plane, disk(radius))`, exactly.
///
/// # Errors
/// [`crate::Error::Parameter`] for more than 32,768 pixels radius; the same for the other operations.
pub fn erosion<T: GreyPixel>(plane: ArrayView2<'_, T>, radius: usize) -> Result<Array2<T>> {
    extreme(plane, radius, false)
}

/// The largest value within `radius` pixels: `skimage.morphology.dilation(plane, disk(radius))`, exactly.
///
/// # Errors
/// As [`erosion`].
pub fn dilation<T: GreyPixel>(plane: ArrayView2<'_, T>, radius: usize) -> Result<Array2<T>> {
    extreme(plane, radius, true)
}

/// Erosion, then dilation: `skimage.morphology.opening(plane, disk(radius))`, exactly.
///
/// # Errors
/// As [`erosion`].
pub fn opening<T: GreyPixel>(plane: ArrayView2<'_, T>, radius: usize) -> Result<Array2<T>> {
    dilation(erosion(plane, radius)?.view(), radius)
}

/// Dilation, then erosion: `skimage.morphology.closing(plane, disk(radius))`, exactly.
///
/// # Errors
/// As [`erosion`].
pub fn closing<T: GreyPixel>(plane: ArrayView2<'_, T>, radius: usize) -> Result<Array2<T>> {
    erosion(dilation(plane, radius)?.view(), radius)
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

fn extreme<T: GreyPixel>(
    plane: ArrayView2<'_, T>,
    radius: usize,
    largest: bool,
) -> Result<Array2<T>> {
    let disk = disk_rows(radius)?;
    let (height, width) = plane.dim();
    let source = pixels(&plane);
    let mut out = source.to_vec();
    if out.is_empty() {
        return Ok(shaped((height, width), out));
    }
    let job = Job {
        source: &source,
        width,
        disk: &disk,
        largest,
    };
    let rows = rows_per_band(height, width, radius);
    for_each_band(&mut out, rows * width, |index, band| {
        T::extreme(&job, index * rows, band);
    });
    Ok(shaped((height, width), out))
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
            // Comparisons instead of `f32::min`, which has to care for NaN.
            if job.largest {
                band(job, first, out, $smallest, |a, b| if a > b { a } else { b });
            } else {
                band(job, first, out, $largest, |a, b| if a < b { a } else { b });
            }
        }
    };
}

grey_pixel!(u8, extreme_u8, u8::MIN, u8::MAX);
grey_pixel!(u16, extreme_u16, u16::MIN, u16::MAX);
grey_pixel!(f32, extreme_f32, f32::NEG_INFINITY, f32::INFINITY);

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
    let mut padded = vec![neutral; width + 2 * radius];
    let mut wide = vec![neutral; width];
    for y in first.saturating_sub(radius)..height.min(first + rows + radius) {
        let row = &source[y * width..(y + 1) * width];
        padded[radius..radius + width].copy_from_slice(row);
        wide.copy_from_slice(row);
        for (half_width, disk_rows) in disk.iter().enumerate() {
            if half_width > 0 {
                let left = &padded[radius - half_width..][..width];
                let right = &padded[radius + half_width..][..width];
                for (wide, (&left, &right)) in wide.iter_mut().zip(left.iter().zip(right)) {
                    *wide = join(*wide, join(left, right));
                }
            }
            for &away in disk_rows {
                let above = y.checked_sub(away);
                let below = (away > 0).then_some(y + away);
                for reached in above.into_iter().chain(below) {
                    let Some(reached) =
                        reached.checked_sub(first).filter(|&reached| reached < rows)
                    else {
                        continue;
                    };
                    let reached = &mut out[reached * width..(reached + 1) * width];
                    for (out, &wide) in reached.iter_mut().zip(&wide) {
                        *out = join(*out, wide);
                    }
                }
            }
        }
    }
}
