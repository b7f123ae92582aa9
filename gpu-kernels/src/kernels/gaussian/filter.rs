//! A filter as the kernels take it.

use std::ops::Range;

use analysis::gaussian::{Mode, Smoothing, half_kernel};

use crate::error::{Error, Result};
use crate::gpu::{Buffer, Gpu};

/// The longest kernel, in pixels to each side of the centre.
pub const MOST_RADIUS: usize = 1 << 14;

/// scipy leaves an axis with a sigma up to this alone.
const SKIPPED_SIGMA: f64 = 1e-15;

/// Weights along both axes, on a device.
#[derive(Clone)]
pub struct Filter {
    /// Along (y, x).
    pub(super) axes: [Axis; 2],
    pub(super) mode: Mode,
}

#[derive(Clone)]
pub(super) struct Axis {
    pub radius: usize,
    /// The sum of the weights.
    pub total: f32,
    pub weights: Buffer,
    /// Whether it changes nothing.
    pub idle: bool,
}

/// Which rows of a plane a buffer has, and which rows of the result are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    /// Height and width of the plane, at whose border the border rule holds.
    pub plane: (usize, usize),
    /// The rows that are there.
    pub source: Range<usize>,
    /// The rows that are wanted: those of `source` reach [`Filter::halo`] rows further on both sides, or to the border.
    pub out: Range<usize>,
}

impl Rows {
    /// All of them.
    #[must_use]
    pub const fn all(plane: (usize, usize)) -> Self {
        Self {
            plane,
            source: 0..plane.0,
            out: 0..plane.0,
        }
    }
}

impl Filter {
    /// The weights of `scipy.ndimage.gaussian_filter` with these orders of the derivative (0, 1 or 2) along (y, x), computed in double
    /// precision and rounded.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for another order, for what is not a sigma, and for a kernel of more than [`MOST_RADIUS`] pixels to each
    /// side; those of the device.
    pub fn new(gpu: &Gpu, how: &Smoothing, orders: [u8; 2]) -> Result<Self> {
        let axis = |index: usize| -> Result<Axis> {
            let order = orders[index];
            let right = weights(how.sigma[index], how.truncate, order)?;
            // The first derivative weighs both sides against each other, the others weigh them alike.
            let sign = if order == 1 { -1.0 } else { 1.0 };
            let left = right[1..].iter().rev().map(|weight| sign * weight);
            let all: Vec<f32> = left
                .chain(right.iter().copied())
                .map(|weight| weight as f32)
                .collect();
            let total = right[0] + right[1..].iter().map(|w| w + sign * w).sum::<f64>();
            Ok(Axis {
                radius: right.len() - 1,
                total: total as f32,
                idle: all == [1.0],
                weights: gpu.upload(&all)?,
            })
        };
        Ok(Self {
            axes: [axis(0)?, axis(1)?],
            mode: how.mode,
        })
    }

    /// Rows above and below that a row of the result depends on.
    #[must_use]
    pub const fn halo(&self) -> usize {
        self.axes[0].radius
    }
}

/// The weight of the pixel itself and those of the pixels to its right (or below it).
fn weights(sigma: f64, truncate: f64, order: u8) -> Result<Vec<f64>> {
    let smooth = half_kernel(sigma, truncate)
        .map_err(|_| Error::Unsupported("a Gaussian with such a sigma"))?;
    if smooth.len() - 1 > MOST_RADIUS {
        return Err(Error::Unsupported("a Gaussian of more than 16,384 pixels"));
    }
    if order > 2 {
        return Err(Error::Unsupported("derivatives beyond the second one"));
    }
    if order == 0 || sigma <= SKIPPED_SIGMA {
        return Ok(smooth);
    }
    let variance = sigma * sigma;
    // scipy's polynomials before the Gaussian, for a correlation.
    let factor = |x: f64| match order {
        1 => x / variance,
        _ => (x * x / variance - 1.0) / variance,
    };
    let weights = smooth.iter().enumerate();
    Ok(weights
        .map(|(x, weight)| factor(x as f64) * weight)
        .collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::weights;

    #[test]
    fn derivatives_of_polynomials_are_theirs() {
        // Far from any truncation: the slope of x is 1, the second derivative of x^2 is 2.
        let first = weights(2.0, 8.0, 1).unwrap();
        let slope: f64 = (1..first.len()).map(|x| 2.0 * first[x] * x as f64).sum();
        assert!((slope - 1.0).abs() < 1e-12, "{slope}");
        let second = weights(2.0, 8.0, 2).unwrap();
        let bend: f64 = (1..second.len())
            .map(|x| 2.0 * second[x] * (x * x) as f64)
            .sum();
        assert!((bend - 2.0).abs() < 1e-10, "{bend}");
    }

    #[test]
    fn what_is_no_kernel_is_refused() {
        assert!(weights(-1.0, 4.0, 0).is_err());
        assert!(weights(5000.0, 4.0, 0).is_err());
        assert!(weights(1.0, 4.0, 3).is_err());
        assert_eq!(weights(0.0, 4.0, 2).unwrap(), [1.0]);
    }
}
