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

/// Li's threshold, iterated from the mean: `skimage.filters.threshold_li(plane)`, to within 1e-6 of the plane's range
/// (for `f32` planes the result is an `f32` value, as there).
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
        sort(&mut keys);
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

/// Sorts by three rounds of counting: the keys are too many for comparisons, and this is most of the work.
fn sort(keys: &mut Vec<u32>) {
    const BITS: u32 = 11;
    let mut sorted = vec![0; keys.len()];
    for shift in [0, BITS, 2 * BITS] {
        let digit = |key: u32| (key >> shift) as usize % (1 << BITS);
        let mut starts = [0usize; 1 << BITS];
        for &key in &*keys {
            starts[digit(key)] += 1;
        }
        let mut start = 0;
        for count in &mut starts {
            start += std::mem::replace(count, start);
        }
        for &key in &*keys {
            let place = &mut starts[digit(key)];
            sorted[*place] = key;
            *place += 1;
        }
        std::mem::swap(keys, &mut sorted);
    }
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
    f64::from(iterate(least_step / 2.0, total, split) as f32 + smallest)
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::li;
    use ndarray::{Array2, array};

    #[test]
    fn leaves_out_what_is_not_finite() {
        let (inf, nan) = (f32::INFINITY, f32::NAN);
        // Values of threshold_li of scikit-image 0.26.
        for (plane, expected) in [
            (array![[1.0, nan, 3.0]], 2.0),
            (array![[1.0, inf, 3.0]], 2.0),
            (array![[inf, inf]], f64::INFINITY),
            (array![[inf, -inf]], 0.0),
            (array![[7.5, 7.5]], 7.5),
        ] {
            assert_eq!(li(plane.view()).unwrap(), expected, "{plane}");
        }
        assert!(li(array![[nan, nan]].view()).unwrap().is_nan());
        assert!(li(Array2::<u8>::zeros((0, 0)).view()).is_err());
    }
}
