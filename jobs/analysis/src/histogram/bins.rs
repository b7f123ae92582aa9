//! Histograms over the range of a plane's values.

use multiversion::multiversion;
use ndarray::ArrayView2;

use super::{Pixel, count, extremes, pixels};
use crate::{Error, Result};

/// scikit-image's default number of bins.
const DEFAULT_BINS: usize = 256;

/// How many pixels fall into each bin, and where the bins lie.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    /// Pixels per bin.
    pub counts: Vec<u64>,
    /// The centres of the bins.
    pub centers: Centers,
}

/// The centres of a histogram's bins.
#[derive(Clone, Debug, PartialEq)]
pub enum Centers {
    /// One bin per integer, the first being this one.
    Integers(u16),
    /// Bins of equal width, computed in single precision as numpy does.
    Floats(Vec<f32>),
}

impl Histogram {
    /// The centre of a bin.
    #[must_use]
    pub fn center(&self, bin: usize) -> f64 {
        match &self.centers {
            Centers::Integers(first) => f64::from(*first) + bin as f64,
            Centers::Floats(centers) => f64::from(centers[bin]),
        }
    }
}

/// The histogram over the range of the plane's own values: `skimage.exposure.histogram(plane, source_range='image')`.
///
/// One bin per integer for integer planes, 256 bins of equal width for `f32`; counts and centres are equal to numpy's.
///
/// # Errors
/// [`Error::Empty`] without pixels; [`Error::Parameter`] when `f32` pixels are not finite or too close together for 256
/// different bins.
pub fn histogram<T: Pixel>(plane: ArrayView2<'_, T>) -> Result<Histogram> {
    T::histogram(&pixels(&plane), DEFAULT_BINS)
}

/// As [`histogram`] of an `f32` plane, with another number of bins: `np.histogram(plane, bins)`.
///
/// # Errors
/// As [`histogram`]; also [`Error::Parameter`] for no bins or more than 65,536.
pub fn histogram_with_bins(plane: ArrayView2<'_, f32>, bins: usize) -> Result<Histogram> {
    of_f32(&pixels(&plane), bins)
}

pub(super) fn of_u8(values: &[u8]) -> Result<Histogram> {
    let counts = count::bytes(values);
    let used = |&bin: &usize| counts[bin] > 0;
    let (Some(first), Some(last)) = ((0..256).find(used), (0..256).rfind(used)) else {
        return Err(Error::Empty("a histogram"));
    };
    Ok(Histogram {
        counts: counts[first..=last].to_vec(),
        centers: Centers::Integers(first as u16),
    })
}

pub(super) fn of_u16(values: &[u16]) -> Result<Histogram> {
    let (first, last) = extremes::of_u16(values).ok_or(Error::Empty("a histogram"))?;
    Ok(Histogram {
        counts: count::words(values, first, last),
        centers: Centers::Integers(first),
    })
}

pub(super) fn of_f32(values: &[f32], bins: usize) -> Result<Histogram> {
    if !(1..=1 << 16).contains(&bins) {
        return Err(Error::Parameter {
            name: "bins",
            value: bins.to_string(),
            expected: "1 to 65536",
        });
    }
    let (low, high) = extremes::of_f32(values).ok_or(Error::Empty("a histogram"))?;
    if !(high - low).is_finite() {
        return Err(Error::Parameter {
            name: "plane",
            value: format!("a plane with values from {low} to {high}"),
            expected: "finite everywhere: repair or mask the pixels that are not",
        });
    }
    let (low, high) = if low == high {
        (low - 0.5, high + 0.5)
    } else {
        (low, high)
    };
    let edges = linspace(low, high, bins);
    if edges.windows(2).any(|pair| pair[0] >= pair[1]) {
        return Err(Error::Parameter {
            name: "bins",
            value: bins.to_string(),
            expected: "fewer than the distinct single-precision numbers in the plane's range",
        });
    }
    let mut counts = vec![0u64; bins];
    // Parts small enough for 32-bit counters, with a buffer that stays in the L1 cache.
    let mut guesses = [0u16; PART];
    let mut tables = vec![[0u32; 4]; bins];
    for (index, part) in values.chunks(PART).enumerate() {
        count_part(part, &edges, &mut guesses, &mut tables);
        if index % (1 << 18) == (1 << 18) - 1 {
            drain(&mut tables, &mut counts);
        }
    }
    drain(&mut tables, &mut counts);
    let centers = edges
        .windows(2)
        .map(|pair| (pair[0] + pair[1]) / 2.0)
        .collect();
    Ok(Histogram {
        counts,
        centers: Centers::Floats(centers),
    })
}

/// Values binned at once.
const PART: usize = 1024;

fn drain(tables: &mut [[u32; 4]], counts: &mut [u64]) {
    for (table, count) in tables.iter_mut().zip(counts) {
        *count += table.iter().map(|&n| u64::from(n)).sum::<u64>();
        *table = [0; 4];
    }
}

/// `np.linspace(low, high, bins + 1)` in single precision.
fn linspace(low: f32, high: f32, bins: usize) -> Vec<f32> {
    let range = high - low;
    let step = range / bins as f32;
    let mut edges: Vec<f32> = (0..=bins)
        .map(|i| {
            let i = i as f32;
            // numpy's way around a step that underflows.
            let offset = if step == 0.0 {
                i / bins as f32 * range
            } else {
                i * step
            };
            offset + low
        })
        .collect();
    edges[bins] = high;
    edges
}

/// Adds the bins of a part to the tables.
///
/// numpy computes a bin by arithmetic and then corrects it by the bin's edges, because rounding may put a value next to an
/// edge into the neighbour. Only values whose computed position is next to an edge can need that, so the arithmetic is
/// done for all in vectors and the rare part that has such a value is corrected value by value.
fn count_part(part: &[f32], edges: &[f32], guesses: &mut [u16; PART], tables: &mut [[u32; 4]]) {
    let bins = tables.len();
    let guesses = &mut guesses[..part.len()];
    if guess(part, edges[0], edges[bins], bins, guesses) {
        for (guess, &value) in guesses.iter_mut().zip(part) {
            let bin = usize::from(*guess).min(bins - 1);
            let bin = bin - usize::from(value < edges[bin]);
            let up = value >= edges[bin + 1] && bin != bins - 1;
            *guess = (bin + usize::from(up)) as u16;
        }
    }
    let (groups, rest) = guesses.as_chunks::<4>();
    for group in groups {
        for (turn, &bin) in group.iter().enumerate() {
            tables[usize::from(bin)][turn] += 1;
        }
    }
    for &bin in rest {
        tables[usize::from(bin)][0] += 1;
    }
}

/// The bin of each value by arithmetic alone, and whether one of them is close enough to an edge to be wrong.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn guess(values: &[f32], low: f32, high: f32, bins: usize, guesses: &mut [u16]) -> bool {
    // Four roundings of at most half a unit in the last place each, relative to the position; doubled.
    let margin = bins as f32 * f32::EPSILON * 4.0;
    let (range, bins) = (high - low, bins as f32);
    let last = bins - 1.0;
    let mut doubtful = 0u32;
    for (guess, &value) in guesses.iter_mut().zip(values) {
        let position = (value - low) / range * bins;
        let bin = position.trunc().min(last);
        let fraction = position - bin;
        // The lower edge of the first bin and the upper edge of the last one are the exact extremes.
        let at_lower = (fraction < margin) & (bin > 0.0);
        let at_upper = (fraction > 1.0 - margin) & (bin < last);
        doubtful |= u32::from(at_lower | at_upper);
        *guess = bin as u16;
    }
    doubtful != 0
}
