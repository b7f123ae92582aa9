//! Large kernels: lines are filtered eight at a time, interleaved, so that every load is one aligned vector and the
//! window of a line stays in the L1 cache. Along y the eight lines are neighbouring columns, along x neighbouring rows.

use multiversion::multiversion;

use super::bands::for_each_band;
use super::{Mode, Sample};

/// Lines filtered together: one 512-bit vector of doubles.
const LANES: usize = 8;
/// Positions summed together, so that the additions of one do not wait for those of another.
const UNROLL: usize = 4;

/// Eight interleaved values, on the boundary of a cache line.
#[doc(hidden)]
#[derive(Clone, Copy, Default)]
#[repr(align(64))]
pub struct Lane([f64; LANES]);

/// Filters eight interleaved lines; implemented per type because runtime dispatch takes no generics.
pub trait SmoothLanes: Sized {
    #[doc(hidden)]
    fn tile(padded: &[Lane], weights: &[f64], out: &mut [[Self; LANES]]);
}

impl SmoothLanes for f32 {
    fn tile(padded: &[Lane], weights: &[f64], out: &mut [[Self; LANES]]) {
        tile_f32(padded, weights, out);
    }
}

impl SmoothLanes for f64 {
    fn tile(padded: &[Lane], weights: &[f64], out: &mut [[Self; LANES]]) {
        tile_f64(padded, weights, out);
    }
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
    let height = source.len() / width;
    // Between the axes the plane is kept as tiles of eight columns, each a contiguous band that one thread can write.
    let mut columns = vec![[T::default(); LANES]; width.div_ceil(LANES) * height];
    for_each_band(&mut columns, height, |tile, band| {
        let left = tile * LANES;
        let lanes = LANES.min(width - left);
        let padded = padded(height, y_weights.len() - 1, mode, |y| {
            let mut lane = Lane::default();
            for (to, from) in lane.0.iter_mut().zip(&source[y * width + left..][..lanes]) {
                *to = from.widen();
            }
            lane
        });
        T::tile(&padded, y_weights, band);
    });
    for_each_band(out, LANES * width, |tile, band| {
        let top = tile * LANES;
        let lanes = band.len() / width;
        let padded = padded(width, x_weights.len() - 1, mode, |x| {
            let column = &columns[x / LANES * height..][..height];
            let mut lane = Lane::default();
            for (to, from) in lane.0.iter_mut().zip(&column[top..top + lanes]) {
                *to = from[x % LANES].widen();
            }
            lane
        });
        let mut rows = vec![[T::default(); LANES]; width];
        T::tile(&padded, x_weights, &mut rows);
        for (lane, row) in band.chunks_exact_mut(width).enumerate() {
            for (to, from) in row.iter_mut().zip(&rows) {
                *to = from[lane];
            }
        }
    });
}

/// The `len` interleaved values that `value_at` gives, with what stands beyond both borders.
fn padded(len: usize, radius: usize, mode: Mode, value_at: impl Fn(usize) -> Lane) -> Vec<Lane> {
    let mut line = vec![Lane::default(); len + 2 * radius];
    for (at, lane) in line[radius..radius + len].iter_mut().enumerate() {
        *lane = value_at(at);
    }
    for beyond in (0..radius).chain(radius + len..2 * radius + len) {
        line[beyond] =
            line[radius + mode.resolve(beyond.cast_signed() - radius.cast_signed(), len)];
    }
    line
}

// No fused multiply-add in the targets: scipy rounds the product and the sum.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn tile_f32(padded: &[Lane], weights: &[f64], out: &mut [[f32; LANES]]) {
    tile(padded, weights, out);
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn tile_f64(padded: &[Lane], weights: &[f64], out: &mut [[f64; LANES]]) {
    tile(padded, weights, out);
}

#[inline(always)]
fn tile<T: Sample>(padded: &[Lane], weights: &[f64], out: &mut [[T; LANES]]) {
    let mut groups = out.chunks_exact_mut(UNROLL);
    let mut at = 0;
    for group in &mut groups {
        positions::<UNROLL, T>(&padded[at..], weights, group);
        at += UNROLL;
    }
    for one in groups.into_remainder().chunks_exact_mut(1) {
        positions::<1, T>(&padded[at..], weights, one);
        at += 1;
    }
}

/// Sums `U` neighbouring positions of eight lines in scipy's order: the centre, then the pairs from the outermost inwards.
#[inline(always)]
fn positions<const U: usize, T: Sample>(window: &[Lane], weights: &[f64], out: &mut [[T; LANES]]) {
    let radius = weights.len() - 1;
    let mut sums = [[0.0; LANES]; U];
    for (sum, value) in sums.iter_mut().zip(&window[radius..radius + U]) {
        for (sum, value) in sum.iter_mut().zip(value.0) {
            *sum = value * weights[0];
        }
    }
    let outwards = weights[1..].iter().rev();
    let lefts = window.windows(U);
    let rights = window[..2 * radius + U].windows(U).rev();
    for ((weight, left), right) in outwards.zip(lefts).zip(rights) {
        for ((sum, left), right) in sums.iter_mut().zip(left).zip(right) {
            for ((sum, left), right) in sum.iter_mut().zip(left.0).zip(right.0) {
                *sum += (left + right) * weight;
            }
        }
    }
    for (to, sum) in out.iter_mut().zip(sums) {
        for (to, sum) in to.iter_mut().zip(sum) {
            *to = T::narrow(sum);
        }
    }
}
