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
    let mut tables = vec![[0u32; TABLES]; bins];
    // Parts small enough for 32-bit counters.
    for part in values.chunks(1 << 30) {
        count(part, &edges, &mut tables);
        for (table, count) in tables.iter_mut().zip(&mut counts) {
            *count += table.iter().map(|&n| u64::from(n)).sum::<u64>();
            *table = [0; TABLES];
        }
    }
    let centers = edges
        .windows(2)
        .map(|pair| (pair[0] + pair[1]) / 2.0)
        .collect();
    Ok(Histogram {
        counts,
        centers: Centers::Floats(centers),
    })
}

/// Counters per bin that take turns, because adding to the one just written waits for that write.
const TABLES: usize = 4;
/// The unit in the last place of numbers from here on is 1.
const TWO_TO_23: f32 = (1 << 23) as f32;
/// Values whose bins are computed together.
const BLOCK: usize = 64;

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

/// Adds the bins of all values to the tables.
///
/// numpy computes a bin by arithmetic and then corrects it by the bin's edges, because rounding may put a value next to an
/// edge into the neighbour. Only values whose computed position is next to an edge can need that, so the arithmetic is
/// done in vectors, and only a block with such a value is corrected value by value.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn count(values: &[f32], edges: &[f32], tables: &mut [[u32; TABLES]]) {
    let binning = Binning::new(edges);
    let (blocks, rest) = values.as_chunks::<BLOCK>();
    for block in blocks {
        let (mut bins, doubtful) = binning.bins(block);
        if doubtful {
            binning.correct(block, edges, &mut bins);
        }
        for turns in bins.as_chunks::<TABLES>().0 {
            for (turn, &bin) in turns.iter().enumerate() {
                tables[bin as usize][turn] += 1;
            }
        }
    }
    for &value in rest {
        let mut bin = binning.bins(&[value]).0;
        binning.correct(&[value], edges, &mut bin);
        tables[bin[0] as usize][0] += 1;
    }
}

/// numpy's arithmetic.
#[derive(Clone, Copy)]
struct Binning {
    low: f32,
    range: f32,
    bins: f32,
    last: f32,
    /// A position this close to an edge, in bins, may be on its wrong side.
    margin: f32,
}

impl Binning {
    #[inline(always)]
    fn new(edges: &[f32]) -> Self {
        let (low, high) = (edges[0], edges[edges.len() - 1]);
        let (range, bins) = (high - low, (edges.len() - 1) as f32);
        // The position is rounded three times and the edge's offset three times, each by at most half a unit of at most
        // `bins`; and the edge itself, in units of the values.
        let margin = bins * f32::EPSILON * (4.0 + low.abs().max(high.abs()) / range);
        Self {
            low,
            range,
            bins,
            last: bins - 1.0,
            margin,
        }
    }

    /// The bin of each value by arithmetic alone, and whether one of them is close enough to an edge to be wrong.
    #[inline(always)]
    fn bins<const N: usize>(&self, values: &[f32; N]) -> ([u32; N], bool) {
        let mut found = [0; N];
        let mut doubtful = 0;
        for (found, &value) in found.iter_mut().zip(values) {
            let position = (value - self.low) / self.range * self.bins;
            let whole = position.trunc();
            let bin = if whole < self.last { whole } else { self.last };
            let fraction = position - bin;
            // The lower edge of the first bin and the upper edge of the last one are the exact extremes.
            let at_lower = (fraction < self.margin) & (bin > 0.0);
            let at_upper = (fraction > 1.0 - self.margin) & (bin < self.last);
            doubtful |= u32::from(at_lower | at_upper);
            // In this sum the last bits are the whole number; a cast would care for overflow, one value at a time.
            *found = (bin + TWO_TO_23).to_bits() & 0xFFFF;
        }
        (found, doubtful != 0)
    }

    /// numpy's correction by the edges.
    #[inline(never)]
    fn correct(&self, values: &[f32], edges: &[f32], bins: &mut [u32]) {
        for (bin, &value) in bins.iter_mut().zip(values) {
            let lowered = *bin - u32::from(value < edges[*bin as usize]);
            let up = value >= edges[lowered as usize + 1] && lowered != self.last as u32;
            *bin = lowered + u32::from(up);
        }
    }
}
