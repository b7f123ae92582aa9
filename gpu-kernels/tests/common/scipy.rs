//! scipy's Gaussian filters in double precision, as its formulas say.
#![allow(clippy::cast_possible_truncation)]

use analysis::gaussian::Mode;
use ndarray::{Array2, Axis};

/// scipy's `_gaussian_kernel1d` from left to right, for a correlation.
pub fn weights(sigma: f64, order: u8) -> Vec<f64> {
    if sigma <= 1e-15 {
        return vec![1.0];
    }
    let radius = (4.0 * sigma + 0.5) as i64;
    let taps = -radius..=radius;
    let phi: Vec<f64> = taps
        .clone()
        .map(|x| (-0.5 / (sigma * sigma) * (x * x) as f64).exp())
        .collect();
    let sum: f64 = phi.iter().sum();
    let variance = sigma * sigma;
    let weights = taps.zip(phi).map(|(x, phi)| {
        let x = -x as f64;
        let q = match order {
            0 => 1.0,
            1 => -x / variance,
            _ => x * x / (variance * variance) - 1.0 / variance,
        };
        q * phi / sum
    });
    weights.collect()
}

/// The index whose value stands at `index`, found by walking.
fn inside(mode: Mode, index: i64, length: i64) -> usize {
    let mut at = index;
    while !(0..length).contains(&at) {
        at = match mode {
            Mode::Nearest => at.clamp(0, length - 1),
            Mode::Reflect if at < 0 => -1 - at,
            Mode::Reflect => 2 * length - 1 - at,
            Mode::Mirror if length == 1 => 0,
            Mode::Mirror if at < 0 => -at,
            Mode::Mirror => 2 * length - 2 - at,
        };
    }
    at as usize
}

/// Along one axis, rounded as scipy rounds each axis of a plane of `float32`.
pub fn correlated(plane: &Array2<f32>, axis: usize, weights: &[f64], mode: Mode) -> Array2<f32> {
    let mut out = plane.clone();
    let radius = (weights.len() / 2) as i64;
    for (from, mut to) in plane
        .lanes(Axis(axis))
        .into_iter()
        .zip(out.lanes_mut(Axis(axis)))
    {
        let length = from.len() as i64;
        let padded: Vec<f64> = (-radius..length + radius)
            .map(|at| f64::from(from[inside(mode, at, length)]))
            .collect();
        for (to, window) in to.iter_mut().zip(padded.windows(weights.len())) {
            *to = window.iter().zip(weights).map(|(v, w)| v * w).sum::<f64>() as f32;
        }
    }
    out
}
