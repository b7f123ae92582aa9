//! Yen: the bin that maximises the entropic correlation of the two classes.

use ndarray::ArrayView2;

use super::argmax;
use crate::Result;
use crate::histogram::{Pixel, pixels};

const BINS: usize = 256;

/// Yen's threshold: `skimage.filters.threshold_yen(plane)`, the same number.
///
/// A constant integer plane gives its value; a constant `f32` plane gives, as scikit-image does, the centre of the first of
/// 256 bins around that value, so that all of it is foreground.
///
/// # Errors
/// [`crate::Error::Empty`] without pixels; [`crate::Error::Parameter`] when pixels are not finite or too close together.
pub fn yen<T: Pixel>(plane: ArrayView2<'_, T>) -> Result<f64> {
    let histogram = T::histogram(&pixels(&plane), BINS)?;
    if histogram.counts.len() == 1 {
        return Ok(histogram.center(0));
    }
    // Single precision throughout, as there; numpy adds up the total pairwise, which is exact below 2^24 pixels.
    let total = histogram
        .counts
        .iter()
        .map(|&count| count as f64)
        .sum::<f64>() as f32;
    let share: Vec<f32> = histogram
        .counts
        .iter()
        .map(|&count| count as f32 / total)
        .collect();
    let lower = running_sum(share.iter().copied());
    let lower_squared = running_sum(share.iter().map(|p| p * p));
    let mut upper_squared = running_sum(share.iter().rev().map(|p| p * p));
    upper_squared.reverse();
    let criterion = (0..share.len() - 1).map(|bin| {
        let spread = lower[bin] * (1.0 - lower[bin]);
        let value = 1.0 / (lower_squared[bin] * upper_squared[bin + 1]) * (spread * spread);
        f64::from(value.ln())
    });
    Ok(histogram.center(argmax(criterion).unwrap_or(0)))
}

fn running_sum(values: impl Iterator<Item = f32>) -> Vec<f32> {
    values
        .scan(0.0, |sum, value| {
            *sum += value;
            Some(*sum)
        })
        .collect()
}
