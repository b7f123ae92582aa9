//! Percentiles with linear interpolation, as numpy computes them.

use ndarray::ArrayView2;

use super::{Histogram, Pixel, bins, count, extremes, pixels, select};
use crate::{Error, Result};

/// The `q`-th percentile (0 to 100) of a plane: `np.percentile(plane, q)` with a single number `q`, exactly.
///
/// For `f32` numpy interpolates in single precision then; the result is an `f32` value. NaN if any pixel is NaN.
///
/// # Errors
/// [`Error::Parameter`] when `q` is outside 0 to 100, [`Error::Empty`] without pixels.
pub fn percentile<T: Pixel>(plane: ArrayView2<'_, T>, q: f64) -> Result<f64> {
    Ok(of_pixels(&pixels(&plane), &[q], false)?[0])
}

/// Several percentiles at once: `np.percentile(plane, qs)` with a list `qs`, exactly (numpy interpolates in double
/// precision then). All are NaN if any pixel is NaN.
///
/// # Errors
/// [`Error::Parameter`] when one of `qs` is outside 0 to 100, [`Error::Empty`] without pixels.
pub fn percentiles<T: Pixel>(plane: ArrayView2<'_, T>, qs: &[f64]) -> Result<Vec<f64>> {
    of_pixels(&pixels(&plane), qs, true)
}

fn of_pixels<T: Pixel>(pixels: &[T], qs: &[f64], wide: bool) -> Result<Vec<f64>> {
    let positions = qs
        .iter()
        .map(|&q| Position::of(q, pixels.len()))
        .collect::<Result<Vec<_>>>()?;
    let mut ranks: Vec<usize> = positions
        .iter()
        .flat_map(|position| [position.low, position.high])
        .collect();
    ranks.sort_unstable();
    ranks.dedup();
    let values = T::ranked(pixels, &ranks);
    let value = |rank: usize| values[ranks.partition_point(|&other| other < rank)];
    Ok(positions
        .iter()
        .map(|position| {
            T::interpolate(
                value(position.low),
                value(position.high),
                position.fraction,
                wide,
            )
        })
        .collect())
}

/// Where a percentile lies in sorted order: between two ranks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Position {
    pub low: usize,
    pub high: usize,
    pub fraction: f64,
}

impl Position {
    /// numpy's "virtual index" of percentile `q` among `len` values.
    pub fn of(q: f64, len: usize) -> Result<Self> {
        if !(0.0..=100.0).contains(&q) {
            return Err(Error::Parameter {
                name: "percentile",
                value: q.to_string(),
                expected: "0 to 100",
            });
        }
        let Some(last) = len.checked_sub(1) else {
            return Err(Error::Empty("a percentile"));
        };
        let index = last as f64 * (q / 100.0);
        if index >= last as f64 {
            // numpy takes the last value here, and its fraction against the index -1 does not matter: both are equal.
            return Ok(Self {
                low: last,
                high: last,
                fraction: 0.0,
            });
        }
        let low = index.floor();
        Ok(Self {
            low: low as usize,
            high: low as usize + 1,
            fraction: index - low,
        })
    }
}

/// numpy's `_lerp`: from the nearer end, so that it is exact at both.
macro_rules! lerp {
    ($low:expr, $high:expr, $fraction:expr, $type:ty) => {{
        let (low, high, fraction): (_, _, f64) = ($low, $high, $fraction);
        let step = high - low;
        if fraction >= 0.5 {
            high - step * ((1.0 - fraction) as $type)
        } else {
            low + step * (fraction as $type)
        }
    }};
}

/// The values of these ascending ranks, from the counts of each value from `first` on.
fn ranked_counts(counts: &[u64], ranks: &[usize], mut found: impl FnMut(usize)) {
    let mut values = counts.iter().scan(0u64, |sum, count| {
        *sum += count;
        Some(*sum)
    });
    let (mut value, mut up_to) = (0, values.next().unwrap_or(0));
    for &rank in ranks {
        while up_to <= rank as u64 {
            value += 1;
            match values.next() {
                Some(sum) => up_to = sum,
                None => unreachable!("rank {rank} of {up_to} counted values"),
            }
        }
        found(value);
    }
}

impl Pixel for u8 {
    fn extremes(pixels: &[Self]) -> Option<(Self, Self)> {
        extremes::of_u8(pixels)
    }

    fn histogram(pixels: &[Self], _bins: usize) -> Result<Histogram> {
        bins::of_u8(pixels)
    }

    fn ranked(pixels: &[Self], ranks: &[usize]) -> Vec<Self> {
        let mut values = Vec::with_capacity(ranks.len());
        ranked_counts(&count::bytes(pixels), ranks, |value| {
            values.push(value as Self);
        });
        values
    }

    fn interpolate(low: Self, high: Self, fraction: f64, _wide: bool) -> f64 {
        lerp!(f64::from(low), f64::from(high), fraction, f64)
    }
}

impl Pixel for u16 {
    fn extremes(pixels: &[Self]) -> Option<(Self, Self)> {
        extremes::of_u16(pixels)
    }

    fn histogram(pixels: &[Self], _bins: usize) -> Result<Histogram> {
        bins::of_u16(pixels)
    }

    fn ranked(pixels: &[Self], ranks: &[usize]) -> Vec<Self> {
        let Some((first, last)) = extremes::of_u16(pixels) else {
            return Vec::new();
        };
        let mut values = Vec::with_capacity(ranks.len());
        ranked_counts(&count::words(pixels, first, last), ranks, |value| {
            values.push(first + value as Self);
        });
        values
    }

    fn interpolate(low: Self, high: Self, fraction: f64, _wide: bool) -> f64 {
        lerp!(f64::from(low), f64::from(high), fraction, f64)
    }
}

impl Pixel for f32 {
    fn extremes(pixels: &[Self]) -> Option<(Self, Self)> {
        extremes::of_f32(pixels)
    }

    fn histogram(pixels: &[Self], bins: usize) -> Result<Histogram> {
        bins::of_f32(pixels, bins)
    }

    fn ranked(pixels: &[Self], ranks: &[usize]) -> Vec<Self> {
        select::ranked(pixels, ranks)
    }

    fn interpolate(low: Self, high: Self, fraction: f64, wide: bool) -> f64 {
        if wide {
            // The difference is taken before numpy widens it.
            let step = f64::from(high - low);
            if fraction >= 0.5 {
                f64::from(high) - step * (1.0 - fraction)
            } else {
                f64::from(low) + step * fraction
            }
        } else {
            f64::from(lerp!(low, high, fraction, Self))
        }
    }
}
