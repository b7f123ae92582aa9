//! Otsu: the bin that maximises the variance between the two classes.

use ndarray::ArrayView2;

use super::{argmax, constant};
use crate::histogram::{Centers, Histogram, Pixel, pixels};
use crate::{Error, Result};

/// scikit-image's default number of bins (integer planes have one bin per value).
const BINS: usize = 256;

/// Otsu's threshold: `skimage.filters.threshold_otsu(plane)`, the same number. A constant plane gives its value.
///
/// # Errors
/// [`Error::Empty`] without pixels; [`Error::Parameter`] when pixels are not finite (except for a constant plane), or too
/// close together for 256 different bins.
pub fn otsu<T: Pixel>(plane: ArrayView2<'_, T>) -> Result<f64> {
    let pixels = pixels(&plane);
    if let Some(value) = constant(&pixels) {
        return Ok(value.into());
    }
    let histogram = T::histogram(&pixels, BINS)?;
    otsu_of_histogram(&histogram).ok_or(Error::Empty("a threshold"))
}

/// Otsu's threshold of a histogram, in the precision of its centres; `None` for fewer than two bins.
///
/// The pixels of several planes can share a threshold by adding their histograms first.
#[must_use]
pub fn otsu_of_histogram(histogram: &Histogram) -> Option<f64> {
    let bin = match &histogram.centers {
        Centers::Integers(_) => {
            // numpy: float32 counts times int64 centres are double precision; the counts' sums stay single.
            let moments: Vec<f64> = histogram
                .counts
                .iter()
                .enumerate()
                .map(|(bin, &count)| f64::from(count as f32) * histogram.center(bin))
                .collect();
            split_f64(&single(&histogram.counts), &moments)
        }
        Centers::Floats(centers) => {
            let counts = single(&histogram.counts);
            let moments: Vec<f32> = counts
                .iter()
                .zip(centers)
                .map(|(count, center)| count * center)
                .collect();
            split_f32(&counts, &moments)
        }
    };
    bin.map(|bin| histogram.center(bin))
}

/// scikit-image counts in single precision.
fn single(counts: &[u64]) -> Vec<f32> {
    counts.iter().map(|&count| count as f32).collect()
}

/// The sums of a sequence up to and including each element, in the given order and the elements' precision.
macro_rules! running_sum {
    ($values:expr) => {
        $values
            .scan(0.0, |sum, value| {
                *sum += value;
                Some(*sum)
            })
            .collect::<Vec<_>>()
    };
}

/// The last bin of the lower class.
macro_rules! split {
    ($name:ident, $type:ty) => {
        fn $name(counts: &[f32], moments: &[$type]) -> Option<usize> {
            let last = counts.len().checked_sub(1)?;
            let weight_up = running_sum!(counts.iter().copied());
            let mut weight_down = running_sum!(counts.iter().rev().copied());
            let moment_up = running_sum!(moments.iter().copied());
            let mut moment_down = running_sum!(moments.iter().rev().copied());
            weight_down.reverse();
            moment_down.reverse();
            argmax((0..last).map(|bin| {
                let mean_up = moment_up[bin] / <$type>::from(weight_up[bin]);
                let mean_down = moment_down[bin + 1] / <$type>::from(weight_down[bin + 1]);
                let distance = mean_up - mean_down;
                // The product of the weights is rounded to single precision before it is widened, as in numpy.
                let variance =
                    <$type>::from(weight_up[bin] * weight_down[bin + 1]) * (distance * distance);
                f64::from(variance)
            }))
        }
    };
}

split!(split_f32, f32);
split!(split_f64, f64);
