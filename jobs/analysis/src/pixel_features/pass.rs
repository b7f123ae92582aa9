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
    let parts = [
        (0, fuse_from, false),
        (fuse_from, fuse_to, target_cfg_f!(target_feature = "fma")),
        (fuse_to, width, false),
    ];
    for (row, result) in values.chunks_exact_mut(width).enumerate() {
        let (z, y) = (row / out.size[1], row % out.size[1]);
        let row = source.row(out.start[0] + z, out.start[1] + y);
        line[before..before + inside].copy_from_slice(&row[from..from + inside]);
        for i in (0..before).chain(line.len() - after..line.len()) {
            line[i] = row[mirror(start + i.cast_signed(), length) - first];
        }
        for &(from, to, fused) in &parts {
            if from < to {
                let size = to - from;
                let centre = from + radius;
                let neighbours = |k: usize| {
                    (
                        &line[centre + k..centre + k + size],
                        &line[centre - k..centre - k + size],
                    )
                };
                weigh(neighbours, kernel, fused, &mut result[from..to]);
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
    for (row, result) in values.chunks_exact_mut(width).enumerate() {
        let z = out.start[0] + row / out.size[1];
        let y = out.start[1] + row % out.size[1];
        let row = |offset: isize| {
            let at = |index: usize| mirror(index.cast_signed() + offset, length);
            let row = if axis == 0 {
                source.row(at(z), y)
            } else {
                source.row(z, at(y))
            };
            &row[from..from + width]
        };
        let neighbours = |k: usize| (row(k.cast_signed()), row(-k.cast_signed()));
        let fused = target_cfg_f!(target_feature = "fma");
        weigh(neighbours, kernel, fused, result);
    }
}

/// Weighs each value of a row with its neighbours; `neighbours(k)` are the rows at distance k to the right and to the left.
#[inline(always)]
fn weigh<'a>(
    neighbours: impl Fn(usize) -> (&'a [f32], &'a [f32]),
    kernel: &Kernel,
    fused: bool,
    result: &mut [f32],
) {
    // The kernels of the filters themselves are so narrow that their taps stay in registers.
    match (kernel.radius(), kernel.odd, fused) {
        (1, false, false) => sum::<false, false>(
            &std::array::from_fn::<_, 2, _>(neighbours),
            &kernel.taps,
            result,
        ),
        (1, false, true) => sum::<true, false>(
            &std::array::from_fn::<_, 2, _>(neighbours),
            &kernel.taps,
            result,
        ),
        (1, true, false) => sum::<false, true>(
            &std::array::from_fn::<_, 2, _>(neighbours),
            &kernel.taps,
            result,
        ),
        (1, true, true) => sum::<true, true>(
            &std::array::from_fn::<_, 2, _>(neighbours),
            &kernel.taps,
            result,
        ),
        (2, false, false) => sum::<false, false>(
            &std::array::from_fn::<_, 3, _>(neighbours),
            &kernel.taps,
            result,
        ),
        (2, false, true) => sum::<true, false>(
            &std::array::from_fn::<_, 3, _>(neighbours),
            &kernel.taps,
            result,
        ),
        (2, true, false) => sum::<false, true>(
            &std::array::from_fn::<_, 3, _>(neighbours),
            &kernel.taps,
            result,
        ),
        (2, true, true) => sum::<true, true>(
            &std::array::from_fn::<_, 3, _>(neighbours),
            &kernel.taps,
            result,
        ),
        (radius, odd, fused) => {
            let rows: Vec<_> = (0..=radius).map(neighbours).collect();
            match (odd, fused) {
                (false, false) => sum::<false, false>(&rows, &kernel.taps, result),
                (false, true) => sum::<true, false>(&rows, &kernel.taps, result),
                (true, false) => sum::<false, true>(&rows, &kernel.taps, result),
                (true, true) => sum::<true, true>(&rows, &kernel.taps, result),
            }
        }
    }
}

#[inline(always)]
fn sum<const FUSED: bool, const ODD: bool>(
    rows: &[(&[f32], &[f32])],
    weights: &[f32],
    result: &mut [f32],
) {
    let mut chunks = result.chunks_exact_mut(LANES);
    let mut at = 0;
    for chunk in &mut chunks {
        lanes::<FUSED, ODD, LANES>(rows, weights, at, chunk);
        at += LANES;
    }
    let mut chunks = chunks.into_remainder().chunks_exact_mut(NARROW);
    for chunk in &mut chunks {
        lanes::<FUSED, ODD, NARROW>(rows, weights, at, chunk);
        at += NARROW;
    }
    for value in chunks.into_remainder() {
        lanes::<FUSED, ODD, 1>(rows, weights, at, std::slice::from_mut(value));
        at += 1;
    }
}

#[inline(always)]
fn lanes<const FUSED: bool, const ODD: bool, const N: usize>(
    rows: &[(&[f32], &[f32])],
    weights: &[f32],
    at: usize,
    result: &mut [f32],
) {
    let mut sums = [0f32; N];
    let centre = &rows[0].0[at..at + N];
    for lane in 0..N {
        sums[lane] = weights[0] * centre[lane];
    }
    for (&(right, left), &weight) in rows.iter().zip(weights).skip(1) {
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
