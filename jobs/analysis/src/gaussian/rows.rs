//! Small kernels, row by row: each output row is filtered along y from the input rows around it into a row buffer, and
//! from there along x. The plane between the two axes never goes through memory.

use multiversion::multiversion;

use super::bands::{for_each_band, rows_per_band};
use super::{Mode, Sample};

/// Rows filtered together along y.
const GROUP: usize = 4;

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
    let line = width + 2 * x_radius;
    let mut padded = vec![0.0; GROUP * line];
    let mut around = Vec::with_capacity(2 * y_radius + GROUP);
    for (index, out_rows) in out.chunks_mut(GROUP * width).enumerate() {
        let y = (first + index * GROUP).cast_signed();
        let rows = out_rows.len() / width;
        around.clear();
        around.extend(
            (-y_radius.cast_signed()..(y_radius + rows).cast_signed()).map(|dy| row(y + dy)),
        );
        let done = match y_radius {
            4 if rows == GROUP => group::<12, T>(&around, y_weights, &mut padded[x_radius..], line),
            6 if rows == GROUP => group::<16, T>(&around, y_weights, &mut padded[x_radius..], line),
            8 if rows == GROUP => group::<20, T>(&around, y_weights, &mut padded[x_radius..], line),
            _ => 0,
        };
        let padded_rows = padded
            .chunks_exact_mut(line)
            .zip(out_rows.chunks_exact_mut(width));
        for (row, (padded, out_row)) in padded_rows.enumerate() {
            let inside = &mut padded[x_radius..x_radius + width];
            filter(|tap| around[row + tap], y_weights, inside, done, round::<T>);
            pad(padded, x_radius, mode);
            filter(
                |tap| &padded[tap..tap + width],
                x_weights,
                out_row,
                0,
                T::narrow,
            );
        }
    }
}

/// What becomes of a sum that goes through an array of `T`.
#[inline(always)]
fn round<T: Sample>(sum: f64) -> f64 {
    T::narrow(sum).widen()
}

/// Filters [`GROUP`] rows along y at once, for a kernel known in advance: `lines` are the `LINES` = 2 * radius + [`GROUP`]
/// input rows, each of which is loaded once for all. Does whole blocks of columns only, and returns where it stopped.
#[inline(always)]
fn group<const LINES: usize, T: Sample>(
    lines: &[&[T]],
    weights: &[f64],
    out: &mut [f64],
    out_stride: usize,
) -> usize {
    const BLOCK: usize = 8;
    let radius = (LINES - GROUP) / 2;
    let (Ok(lines), Some(weights)) = (<&[&[T]; LINES]>::try_from(lines), weights.get(..=radius))
    else {
        return 0;
    };
    let done = lines[0].len() / BLOCK * BLOCK;
    for x in (0..done).step_by(BLOCK) {
        let mut values = [[0.0; BLOCK]; LINES];
        for (values, line) in values.iter_mut().zip(lines) {
            for (value, pixel) in values.iter_mut().zip(&line[x..x + BLOCK]) {
                *value = pixel.widen();
            }
        }
        for row in 0..GROUP {
            let centre = row + radius;
            let mut sums = [0.0; BLOCK];
            for (sum, value) in sums.iter_mut().zip(values[centre]) {
                *sum = value * weights[0];
            }
            for away in (1..=radius).rev() {
                let pair = values[centre - away].iter().zip(&values[centre + away]);
                for (sum, (above, below)) in sums.iter_mut().zip(pair) {
                    *sum += (above + below) * weights[away];
                }
            }
            for (out, sum) in out[row * out_stride + x..][..BLOCK].iter_mut().zip(sums) {
                *out = round::<T>(sum);
            }
        }
    }
    done
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

/// The weighted sum of the lines of all taps (`line(0)` is the first, each as long as `out`) at every position from `start`.
#[inline(always)]
fn filter<'a, S: Sample + 'a, T>(
    line: impl Fn(usize) -> &'a [S] + Copy,
    weights: &[f64],
    out: &mut [T],
    start: usize,
    store: impl Fn(f64) -> T + Copy,
) {
    let done = blocks::<8, 4, S, T>(line, weights, out, start, store);
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
