//! One filter along one axis, in ilastik's own arithmetic.
//!
//! The order of additions and where a product is fused with its addition decide the last bit, and the last bit decides which
//! branch of a tree is taken. *fastfilters* (with AVX and FMA) fuses everywhere along y and z; along x it does so only in the middle of
//! a line, in whole vectors. Here the same pixels are fused; on a processor without fused multiply-add nothing is.

use multiversion::multiversion;
use multiversion::target::target_cfg_f;
use rayon::prelude::*;

use super::kernel::Kernel;
use super::region::{Block, Buffers, Region, View, mirror};

/// Filters a block along an axis (0 = z, 1 = y, 2 = x); gives the values of `out`.
///
/// `source` must hold `out` and, along the axis, the kernel's radius more, as far as the volume of size `extent` reaches; beyond
/// its border it is mirrored.
pub(crate) fn pass(
    source: View<'_>,
    axis: usize,
    kernel: &Kernel,
    out: Region,
    extent: [usize; 3],
    buffers: &mut Buffers,
) -> Block {
    let mut values = buffers.take(out.len());
    if axis == 2 {
        let mut line = buffers.take(out.size[2] + 2 * kernel.radius());
        along_x(source, kernel, out, extent[2], &mut line, &mut values);
        buffers.give(line);
    } else {
        across(source, axis, kernel, out, extent[axis], &mut values);
    }
    Block {
        region: out,
        values,
    }
}

/// As [`pass`], on all threads of the current pool.
pub(crate) fn parallel_pass(
    source: View<'_>,
    axis: usize,
    kernel: &Kernel,
    out: Region,
    extent: [usize; 3],
) -> Block {
    let mut values = vec![0.0; out.len()];
    // Slices of a volume, rows of an image.
    let along = usize::from(out.size[0] == 1);
    let band = (1 << 16) / (out.len() / out.size[along]).max(1) + 1;
    let length = band * (out.len() / out.size[along]);
    values
        .par_chunks_mut(length)
        .enumerate()
        .for_each(|(index, values)| {
            let mut part = out;
            part.start[along] += index * band;
            part.size[along] = band.min(out.end(along) - part.start[along]);
            if axis == 2 {
                let mut line = vec![0.0; out.size[2] + 2 * kernel.radius()];
                along_x(source, kernel, part, extent[2], &mut line, values);
            } else {
                across(source, axis, kernel, part, extent[axis], values);
            }
        });
    Block {
        region: out,
        values,
    }
}

/// Values that are summed at a time: four of the widest vectors.
const LANES: usize = 64;

/// And at the end of a row.
const NARROW: usize = 8;

/// Where along a line of `length` pixels products are fused.
pub(crate) fn fused_range(length: usize, radius: usize) -> (usize, usize) {
    let first = (radius + 7) & !7;
    let vectors = (first + 31) & !31;
    let end = length.saturating_sub(radius) & !31;
    if end > vectors {
        (first, end)
    } else {
        (length, length)
    }
}

/// Right and left neighbours of an output row at each distance, the row itself first.
type Taps<'a> = Vec<(&'a [f32], &'a [f32])>;

#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx2+fma",
    "x86_64+avx2+fma"
))]
fn along_x(
    source: View<'_>,
    kernel: &Kernel,
    out: Region,
    length: usize,
    line: &mut [f32],
    values: &mut [f32],
) {
    let radius = kernel.radius();
    let width = out.size[2];
    let first = source.region.start[2];
    let start = out.start[2].cast_signed() - radius.cast_signed();
    // Of the padded line, what lies inside the image is copied, the rest mirrored.
    let before = start.min(0).unsigned_abs();
    let after = (out.end(2) + radius).saturating_sub(length);
    let inside = line.len() - before - after;
    let from = (start + before.cast_signed()).cast_unsigned() - first;
    let (fuse_from, fuse_to) = fused_range(length, radius);
    let within = |x: usize| x.clamp(out.start[2], out.end(2)) - out.start[2];
    let (fuse_from, fuse_to) = (within(fuse_from), within(fuse_to));
    let rows =
        (out.start[0]..out.end(0)).flat_map(|z| (out.start[1]..out.end(1)).map(move |y| (z, y)));
    for ((z, y), result) in rows.zip(values.chunks_exact_mut(width)) {
        let row = source.row(z, y);
        line[before..before + inside].copy_from_slice(&row[from..from + inside]);
        for i in (0..before).chain(line.len() - after..line.len()) {
            line[i] = row[mirror(start + i.cast_signed(), length) - first];
        }
        let mut taps = Taps::with_capacity(radius + 1);
        for (from, to, fused) in [
            (0, fuse_from, false),
            (fuse_from, fuse_to, true),
            (fuse_to, width, false),
        ] {
            if from < to {
                taps.clear();
                let (from, to) = (from + radius, to + radius);
                taps.extend(
                    (0..=radius).map(|k| (&line[from + k..to + k], &line[from - k..to - k])),
                );
                let result = &mut result[from - radius..to - radius];
                if fused && target_cfg_f!(target_feature = "fma") {
                    weigh::<true>(&taps, kernel, result);
                } else {
                    weigh::<false>(&taps, kernel, result);
                }
            }
        }
    }
}

#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx2+fma",
    "x86_64+avx2+fma"
))]
fn across(
    source: View<'_>,
    axis: usize,
    kernel: &Kernel,
    out: Region,
    length: usize,
    values: &mut [f32],
) {
    let width = out.size[2];
    let from = out.start[2] - source.region.start[2];
    let rows =
        (out.start[0]..out.end(0)).flat_map(|z| (out.start[1]..out.end(1)).map(move |y| (z, y)));
    let mut taps = Taps::with_capacity(kernel.radius() + 1);
    for ((z, y), result) in rows.zip(values.chunks_exact_mut(width)) {
        let row = |offset: isize| {
            let at = |index: usize| mirror(index.cast_signed() + offset, length);
            let row = if axis == 0 {
                source.row(at(z), y)
            } else {
                source.row(z, at(y))
            };
            &row[from..from + width]
        };
        taps.clear();
        taps.extend((0..=kernel.radius().cast_signed()).map(|k| (row(k), row(-k))));
        if target_cfg_f!(target_feature = "fma") {
            weigh::<true>(&taps, kernel, result);
        } else {
            weigh::<false>(&taps, kernel, result);
        }
    }
}

#[inline(always)]
fn weigh<const FUSED: bool>(taps: &[(&[f32], &[f32])], kernel: &Kernel, result: &mut [f32]) {
    if kernel.odd {
        sum::<FUSED, true>(taps, &kernel.taps, result);
    } else {
        sum::<FUSED, false>(taps, &kernel.taps, result);
    }
}

#[inline(always)]
fn sum<const FUSED: bool, const ODD: bool>(
    taps: &[(&[f32], &[f32])],
    weights: &[f32],
    result: &mut [f32],
) {
    let mut chunks = result.chunks_exact_mut(LANES);
    let mut at = 0;
    for chunk in &mut chunks {
        lanes::<FUSED, ODD, LANES>(taps, weights, at, chunk);
        at += LANES;
    }
    let mut chunks = chunks.into_remainder().chunks_exact_mut(NARROW);
    for chunk in &mut chunks {
        lanes::<FUSED, ODD, NARROW>(taps, weights, at, chunk);
        at += NARROW;
    }
    for value in chunks.into_remainder() {
        lanes::<FUSED, ODD, 1>(taps, weights, at, std::slice::from_mut(value));
        at += 1;
    }
}

#[inline(always)]
fn lanes<const FUSED: bool, const ODD: bool, const N: usize>(
    taps: &[(&[f32], &[f32])],
    weights: &[f32],
    at: usize,
    result: &mut [f32],
) {
    let mut sums = [0f32; N];
    let centre = &taps[0].0[at..at + N];
    for lane in 0..N {
        sums[lane] = weights[0] * centre[lane];
    }
    for (&(right, left), &weight) in taps.iter().zip(weights).skip(1) {
        let (right, left) = (&right[at..at + N], &left[at..at + N]);
        for lane in 0..N {
            let pair = if ODD {
                right[lane] - left[lane]
            } else {
                right[lane] + left[lane]
            };
            sums[lane] = if FUSED {
                pair.mul_add(weight, sums[lane])
            } else {
                sums[lane] + weight * pair
            };
        }
    }
    result.copy_from_slice(&sums);
}
