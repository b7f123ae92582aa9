//! Normalisation of a whole image before it is cut into tiles, and activation of what comes out.

mod step;

use ndarray::{Array2, ArrayView2, ArrayViewMut2};
use rayon::prelude::*;

pub use step::{Numbers, Scope, Step, Steps};

use crate::error::{Error, Result};

/// The values at two percentiles of a plane, by linear interpolation between the two nearest
/// (`numpy.percentile(image, [low, high])`, exact for images of integers; NaN counts as largest).
///
/// # Errors
/// A percentile outside 0 to 100, or an empty plane.
pub fn percentile_values(image: ArrayView2<'_, f32>, low: f64, high: f64) -> Result<(f64, f64)> {
    percentiles_of(image.iter().copied().collect(), low, high)
}

/// As [`percentile_values`], of any values.
fn percentiles_of(mut values: Vec<f32>, low: f64, high: f64) -> Result<(f64, f64)> {
    for (name, value) in [("low percentile", low), ("high percentile", high)] {
        if !(0.0..=100.0).contains(&value) {
            return Err(Error::Parameter {
                name,
                value: value.to_string(),
                expected: "between 0 and 100",
            });
        }
    }
    if values.is_empty() {
        return Err(Error::Parameter {
            name: "image",
            value: "empty".to_owned(),
            expected: "at least one pixel",
        });
    }
    Ok((at(&mut values, low), at(&mut values, high)))
}

/// One percentile; reorders the values.
fn at(values: &mut [f32], q: f64) -> f64 {
    let rank = q / 100.0 * (values.len() - 1) as f64;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let below = rank.floor() as usize;
    let fraction = rank - below as f64;
    let (_, &mut lower, above) = values.select_nth_unstable_by(below, f32::total_cmp);
    if fraction == 0.0 || above.is_empty() {
        return f64::from(lower);
    }
    let upper = above
        .iter()
        .copied()
        .min_by(f32::total_cmp)
        .unwrap_or(lower);
    let (lower, upper) = (f64::from(lower), f64::from(upper));
    lower + (upper - lower) * fraction
}

/// `(x - p_low) / (p_high - p_low + eps)`, limited to `clip` if given, in float32 (csbdeep's `normalize`, which StarDist uses
/// with 1, 99.8, 1e-20; InstanSeg's with 0.1, 99.9, 1e-6 and -2 to 3).
///
/// # Errors
/// See [`percentile_values`].
pub fn percentiles(
    image: ArrayView2<'_, f32>,
    low: f64,
    high: f64,
    eps: f64,
    clip: Option<(f32, f32)>,
) -> Result<Array2<f32>> {
    let (lower, upper) = percentile_values(image, low, high)?;
    #[allow(clippy::cast_possible_truncation)]
    let (lower, upper, eps) = (lower as f32, upper as f32, eps as f32);
    let divisor = upper - lower + eps;
    let scale = |v: f32| (v - lower) / divisor;
    Ok(match clip {
        Some((least, most)) => image.mapv(|v| scale(v).max(least).min(most)),
        None => image.mapv(scale),
    })
}

/// Mean and standard deviation (of the population) of several planes together, summed in float64.
fn mean_and_deviation(planes: &[ArrayViewMut2<'_, f32>]) -> (f64, f64) {
    let count: usize = planes.iter().map(|p| p.len()).sum();
    let sum_of = |f: &(dyn Fn(f64) -> f64 + Sync)| -> f64 {
        // Row by row, then in order: the same sum whatever the number of threads.
        planes
            .iter()
            .map(|plane| {
                let rows: Vec<f64> = (0..plane.nrows())
                    .into_par_iter()
                    .map(|y| plane.row(y).iter().map(|v| f(f64::from(*v))).sum())
                    .collect();
                rows.iter().sum::<f64>()
            })
            .sum()
    };
    let count = count.max(1) as f64;
    let mean = sum_of(&|v| v) / count;
    let variance = sum_of(&|v| (v - mean) * (v - mean)) / count;
    (mean, variance.sqrt())
}

fn for_each(plane: &mut ArrayViewMut2<'_, f32>, f: impl Fn(f32) -> f32 + Sync) {
    match plane.as_slice_mut() {
        Some(values) => values
            .par_chunks_mut(1 << 16)
            .for_each(|chunk| chunk.iter_mut().for_each(|v| *v = f(*v))),
        None => plane.mapv_inplace(f),
    }
}
