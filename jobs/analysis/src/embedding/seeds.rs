//! Peaks of the score.

use ndarray::ArrayView2;
use rayon::prelude::*;

/// Pixels (y, x) in raster order whose score is above `threshold` and the highest within `reach` pixels along both axes; of
/// equals the first in raster order is the highest (`max_pool2d` with indices of PyTorch).
pub(super) fn peaks(
    score: ArrayView2<'_, f32>,
    reach: usize,
    threshold: f32,
) -> Vec<(usize, usize)> {
    let (height, width) = score.dim();
    let is_peak = |y: usize, x: usize, value: f32| {
        let columns = x.saturating_sub(reach)..(x + reach + 1).min(width);
        (y.saturating_sub(reach)..(y + reach + 1).min(height)).all(|row| {
            columns.clone().all(|column| {
                let other = score[[row, column]];
                if (row, column) < (y, x) {
                    other < value || other.is_nan()
                } else {
                    other <= value || other.is_nan()
                }
            })
        })
    };
    (0..height)
        .into_par_iter()
        .flat_map_iter(|y| {
            (0..width).filter_map(move |x| {
                let value = score[[y, x]];
                (value > threshold && is_peak(y, x, value)).then_some((y, x))
            })
        })
        .collect()
}
