//! Li: the threshold of least cross entropy between the plane and its two-level version.

use ndarray::ArrayView2;

use crate::histogram::{Centers, Histogram, Pixel, pixels};
use crate::{Error, Result};

/// The iteration contracts; a plane that needs more steps than this does not exist, but a loop must end.
const MAX_STEPS: usize = 10_000;

/// A pixel type for which [`li`] is defined: `u8`, `u16` or `f32`.
pub trait Li: Pixel {
    #[doc(hidden)]
    fn li(pixels: &[Self]) -> Result<f64>;
}

/// Li's threshold, iterated from the mean: `skimage.filters.threshold_li(plane)`, to within 1e-6 of the plane's range.
///
/// Pixels that are not finite are left out, as there: NaNs alone give NaN, infinities of both signs alone 0. A constant
/// plane gives its value.
///
/// # Errors
/// [`Error::Empty`] without pixels.
pub fn li<T: Li>(plane: ArrayView2<'_, T>) -> Result<f64> {
    T::li(&pixels(&plane))
}

macro_rules! integer_li {
    ($type:ty) => {
        impl Li for $type {
            fn li(pixels: &[Self]) -> Result<f64> {
                of_integers(&Self::histogram(pixels, 0)?)
            }
        }
    };
}

integer_li!(u8);
integer_li!(u16);

impl Li for f32 {
    fn li(pixels: &[Self]) -> Result<f64> {
        if pixels.is_empty() {
            return Err(Error::Empty("a threshold"));
        }
        let mut keys: Vec<u32> = pixels
            .iter()
            .filter(|pixel| pixel.is_finite())
            .map(|&pixel| to_key(pixel))
            .collect();
        if keys.len() < pixels.len() {
            let infinite: Vec<Self> = pixels
                .iter()
                .copied()
                .filter(|pixel| pixel.is_infinite())
                .collect();
            match (keys.is_empty(), infinite.first()) {
                (true, None) => return Ok(f64::NAN),
                (true, Some(&first)) => {
                    let one_sided = infinite.iter().all(|&pixel| pixel == first);
                    return Ok(if one_sided { f64::from(first) } else { 0.0 });
                }
                _ => {}
            }
        }
        keys.sort_unstable();
        Ok(of_sorted(
            &keys.into_iter().map(from_key).collect::<Vec<_>>(),
        ))
    }
}

/// Maps floats to integers of the same order: those sort faster.
fn to_key(value: f32) -> u32 {
    // -0 and 0 are one value.
    let bits = (value + 0.0).to_bits();
    if bits >> 31 == 0 {
        bits | 1 << 31
    } else {
        !bits
    }
}

fn from_key(key: u32) -> f32 {
    f32::from_bits(if key >> 31 == 1 {
        key & !(1 << 31)
    } else {
        !key
    })
}

fn of_integers(histogram: &Histogram) -> Result<f64> {
    let Centers::Integers(first) = histogram.centers else {
        unreachable!("integer planes have integer bins");
    };
    if histogram.counts.len() == 1 {
        return Ok(f64::from(first));
    }
    // Counts and moments up to and including each value; values are measured from the smallest one.
    let mut sums = Vec::with_capacity(histogram.counts.len());
    let (mut count, mut moment) = (0.0, 0.0);
    for (value, &n) in histogram.counts.iter().enumerate() {
        count += n as f64;
        moment += n as f64 * value as f64;
        sums.push((count, moment));
    }
    let last = sums.len() - 1;
    // The largest value holds the brightest pixel, so the lower class ends before it.
    let split = |threshold: f64| sums[(threshold as usize).min(last - 1)];
    Ok(iterate(0.5, (count, moment), split) + f64::from(first))
}

fn of_sorted(values: &[f32]) -> f64 {
    let (smallest, largest) = (values[0], values[values.len() - 1]);
    if smallest == largest {
        return f64::from(smallest);
    }
    // scikit-image subtracts the minimum in single precision.
    let shifted = |value: f32| f64::from(value - smallest);
    let least_step = values
        .windows(2)
        .map(|pair| shifted(pair[1]) - shifted(pair[0]))
        .filter(|&step| step > 0.0)
        .fold(f64::INFINITY, f64::min);
    let mut moments = Vec::with_capacity(values.len());
    let mut moment = 0.0;
    for &value in values {
        moment += shifted(value);
        moments.push(moment);
    }
    let total = (values.len() as f64, moment);
    let split = |threshold: f64| {
        let lower = values
            .partition_point(|&value| shifted(value) <= threshold)
            .clamp(1, values.len() - 1);
        (lower as f64, moments[lower - 1])
    };
    iterate(least_step / 2.0, total, split) + f64::from(smallest)
}

/// Iterates to the fixed point; `split` gives the count and the moment of the values up to a threshold.
fn iterate(tolerance: f64, total: (f64, f64), split: impl Fn(f64) -> (f64, f64)) -> f64 {
    let mut next = total.1 / total.0;
    for _ in 0..MAX_STEPS {
        let current = next;
        let (count, moment) = split(current);
        let lower = moment / count;
        let upper = (total.1 - moment) / (total.0 - count);
        if lower == 0.0 {
            break;
        }
        next = (lower - upper) / (lower.ln() - upper.ln());
        if (next - current).abs() <= tolerance {
            break;
        }
    }
    next
}
