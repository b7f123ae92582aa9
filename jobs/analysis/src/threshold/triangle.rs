//! Triangle: the bin farthest below the line from the histogram's peak to the end of its longer tail.

use ndarray::ArrayView2;

use super::argmax;
use crate::Result;
use crate::histogram::{Pixel, pixels};

const BINS: usize = 256;

/// The triangle threshold: `skimage.filters.threshold_triangle(plane)`, the same number. A constant plane gives its value.
///
/// # Errors
/// [`crate::Error::Empty`] without pixels; [`crate::Error::Parameter`] when pixels are not finite or too close together.
pub fn triangle<T: Pixel>(plane: ArrayView2<'_, T>) -> Result<f64> {
    let pixels = pixels(&plane);
    let histogram = T::histogram(&pixels, BINS)?;
    let mut counts = histogram.counts.clone();
    let last = counts.len() - 1;
    let used = |&bin: &usize| counts[bin] > 0;
    let (low, high) = (
        (0..=last).find(used).unwrap_or(0),
        (0..=last).rfind(used).unwrap_or(last),
    );
    if low == high {
        return Ok(pixels[0].into());
    }
    let peak = argmax(counts.iter().map(|&count| count as f64)).unwrap_or(0);
    let flipped = peak - low < high - peak;
    let (low, peak) = if flipped {
        counts.reverse();
        (last - high, last - peak)
    } else {
        (low, peak)
    };
    let (height, width) = (counts[peak] as f64, (peak - low) as f64);
    let norm = (height * height + width * width).sqrt();
    let (height, width) = (height / norm, width / norm);
    let distance = counts[low..peak]
        .iter()
        .enumerate()
        .map(|(x, &count)| height * x as f64 - width * count as f64);
    // The width is not 0: the peak would be the low end, and then the tail is on the other side.
    let level = argmax(distance).unwrap_or(0) + low;
    Ok(histogram.center(if flipped { last - level } else { level }))
}
