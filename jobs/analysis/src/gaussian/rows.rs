//! Small kernels, row by row: each output row is filtered along y from the input rows around it into a row buffer, and
//! from there along x. The plane between the two axes never goes through memory.

use multiversion::multiversion;

use super::bands::{for_each_band, rows_per_band};
use super::{Mode, Sample};

/// Filters the rows `first..` of a band; implemented per type because runtime dispatch takes no generics.
pub trait SmoothRows: Sized {
    #[doc(hidden)]
    fn band(job: &Job<'_, Self>, first: usize, out: &mut [Self]);
}

/// What every band of one plane shares.
#[doc(hidden)]
pub struct Job<'a, T> {
    source: &'a [T],
    width: usize,
    y_weights: &'a [f64],
    x_weights: &'a [f64],
    mode: Mode,
}

/// Filters `source` (rows of `width`) along y, then along x, into `out`.
pub(super) fn smooth<T: Sample>(
    source: &[T],
    width: usize,
    y_weights: &[f64],
    x_weights: &[f64],
    mode: Mode,
    out: &mut [T],
) {
    let job = Job {
        source,
        width,
        y_weights,
        x_weights,
        mode,
    };
    let rows = rows_per_band(source.len() / width, width, 1);
    for_each_band(out, rows * width, |index, band| {
        T::band(&job, index * rows, band);
    });
}

impl SmoothRows for f32 {
    fn band(job: &Job<'_, Self>, first: usize, out: &mut [Self]) {
        band_f32(job, first, out);
    }
}

impl SmoothRows for f64 {
    fn band(job: &Job<'_, Self>, first: usize, out: &mut [Self]) {
        band_f64(job, first, out);
    }
}

// No fused multiply-add in the targets: scipy rounds the product and the sum.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn band_f32(job: &Job<'_, f32>, first: usize, out: &mut [f32]) {
    band(job, first, out);
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn band_f64(job: &Job<'_, f64>, first: usize, out: &mut [f64]) {
    band(job, first, out);
}

#[inline(always)]
fn band<T: Sample>(job: &Job<'_, T>, first: usize, out: &mut [T]) {
    let Job {
        source,
        width,
        y_weights,
        x_weights,
        mode,
    } = *job;
    let height = source.len() / width;
    let (y_radius, x_radius) = (y_weights.len() - 1, x_weights.len() - 1);
    let row = |y: isize| {
        let y = mode.resolve(y, height);
        &source[y * width..(y + 1) * width]
    };
    let mut padded = vec![0.0; width + 2 * x_radius];
    let mut around = Vec::with_capacity(2 * y_radius + 1);
    for (index, out_row) in out.chunks_exact_mut(width).enumerate() {
        let y = (first + index).cast_signed();
        around.clear();
        around.extend((-y_radius.cast_signed()..=y_radius.cast_signed()).map(|dy| row(y + dy)));
        let centre = &mut padded[x_radius..x_radius + width];
        filter(
            |tap| around[tap],
            y_weights,
            centre,
            |sum| T::narrow(sum).widen(),
        );
        pad(&mut padded, x_radius, mode);
        filter(
            |tap| &padded[tap..tap + width],
            x_weights,
            out_row,
            T::narrow,
        );
    }
}

/// Fills what lies beyond the border on both sides of the row in the middle of `padded`.
#[inline(always)]
fn pad(padded: &mut [f64], radius: usize, mode: Mode) {
    let width = padded.len() - 2 * radius;
    for beyond in (0..radius).chain(radius + width..2 * radius + width) {
        let inside = mode.resolve(beyond.cast_signed() - radius.cast_signed(), width);
        padded[beyond] = padded[radius + inside];
    }
}

/// The weighted sum of the lines of all taps (`line(0)` is the first, each as long as `out`) at every position.
#[inline(always)]
fn filter<'a, S: Sample + 'a, T>(
    line: impl Fn(usize) -> &'a [S] + Copy,
    weights: &[f64],
    out: &mut [T],
    store: impl Fn(f64) -> T + Copy,
) {
    let done = blocks::<8, 4, S, T>(line, weights, out, 0, store);
    let done = blocks::<8, 1, S, T>(line, weights, out, done, store);
    blocks::<1, 1, S, T>(line, weights, out, done, store);
}

/// Does as many whole blocks of `U` times `B` positions as there are from `start`; returns where it stopped. The block's
/// sums stay in `U` registers while all taps are added, in scipy's order.
#[inline(always)]
fn blocks<'a, const B: usize, const U: usize, S: Sample + 'a, T>(
    line: impl Fn(usize) -> &'a [S],
    weights: &[f64],
    out: &mut [T],
    start: usize,
    store: impl Fn(f64) -> T,
) -> usize {
    let radius = weights.len() - 1;
    let mut at = start;
    for out_block in out[start..].chunks_exact_mut(B * U) {
        let block = |tap: usize| line(tap)[at..at + B * U].as_chunks::<B>().0;
        let mut sums = [[0.0; B]; U];
        for (sum, value) in sums.iter_mut().zip(block(radius)) {
            for (sum, value) in sum.iter_mut().zip(value) {
                *sum = value.widen() * weights[0];
            }
        }
        for (outside, &weight) in weights[1..].iter().rev().enumerate() {
            let pair = block(outside).iter().zip(block(2 * radius - outside));
            for (sum, (left, right)) in sums.iter_mut().zip(pair) {
                for (sum, (left, right)) in sum.iter_mut().zip(left.iter().zip(right)) {
                    *sum += (left.widen() + right.widen()) * weight;
                }
            }
        }
        for (value, sum) in out_block.iter_mut().zip(sums.as_flattened()) {
            *value = store(*sum);
        }
        at += B * U;
    }
    at
}
