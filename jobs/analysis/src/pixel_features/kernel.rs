//! The kernels of ilastik's filters: a Gaussian and its first two derivatives, cut off and normalised as *fastfilters* does.

use crate::{Error, Result};

/// Which derivative of the Gaussian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Order {
    /// The Gaussian itself.
    Smooth,
    /// Its first derivative.
    First,
    /// Its second derivative.
    Second,
}

impl Order {
    pub(crate) const ALL: [Self; 3] = [Self::Smooth, Self::First, Self::Second];
}

/// How many standard deviations the kernels of the first smoothing reach.
pub(crate) const PRESMOOTH_REACH: f32 = 3.5;

/// How many standard deviations the kernels of the filters reach.
pub(crate) const FILTER_REACH: f32 = 2.0;

/// Half a kernel: the centre and the taps to one side, outwards.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// Weight of the pixel itself, then of those at distance 1, 2, …
    pub taps: Vec<f32>,
    /// Left taps are the negatives of the right ones.
    pub odd: bool,
}

impl Kernel {
    /// Taps to each side.
    #[must_use]
    pub fn radius(&self) -> usize {
        self.taps.len() - 1
    }

    pub(crate) fn new(sigma: f64, order: Order, reach: f32) -> Self {
        let radius = radius(sigma, reach);
        let odd = order == Order::First;
        if radius == 0 {
            // Too narrow to be anything but the pixel itself.
            return Self {
                taps: vec![1.0],
                odd,
            };
        }
        let square = sigma * sigma;
        let norm = match order {
            Order::Smooth => 1.0 / ((2.0 * std::f64::consts::PI).sqrt() * sigma),
            _ => -1.0 / ((2.0 * std::f64::consts::PI).sqrt() * square * sigma),
        };
        let mut taps: Vec<f32> = (0..=radius)
            .map(|tap| {
                let x = tap as f64;
                let gauss = norm * (-(x * x) / (2.0 * square)).exp();
                // Rounded to single precision here, as there.
                (match order {
                    Order::Smooth => gauss,
                    Order::First => x * gauss,
                    Order::Second => (1.0 - (x / sigma) * (x / sigma)) * gauss,
                }) as f32
            })
            .collect();
        let sum = |taps: &[f32]| {
            f64::from(taps[0]) + 2.0 * taps[1..].iter().map(|&t| f64::from(t)).sum::<f64>()
        };
        if order == Order::Second {
            // A second derivative answers nothing to a constant.
            let mean = sum(&taps) / (2 * radius + 1) as f64;
            for tap in &mut taps {
                *tap = (f64::from(*tap) - mean) as f32;
            }
        }
        let whole = match order {
            Order::Smooth => sum(&taps),
            Order::First => moment(&taps, |x| 2.0 * x),
            Order::Second => moment(&taps, |x| x * x),
        };
        for tap in &mut taps {
            *tap = (f64::from(*tap) / whole) as f32;
        }
        if odd {
            taps[0] = 0.0;
        }
        Self { taps, odd }
    }
}

/// Sum of the taps to one side, weighted by a function of their distance.
fn moment(taps: &[f32], weight: impl Fn(f64) -> f64) -> f64 {
    taps.iter()
        .enumerate()
        .map(|(x, &tap)| f64::from(tap) * weight(x as f64))
        .sum()
}

/// Taps to each side of a kernel.
pub(crate) fn radius(sigma: f64, reach: f32) -> usize {
    (f64::from(reach) * sigma + 0.5).floor() as usize
}

/// Largest sigma that is accepted: kernels of some thousand taps.
const MOST_SIGMA: f64 = 1000.0;

/// Refuses what no project of ilastik holds.
pub(crate) fn check_sigma(sigma: f64) -> Result<()> {
    if sigma > 0.0 && sigma <= MOST_SIGMA {
        return Ok(());
    }
    Err(Error::Parameter {
        name: "sigma",
        value: sigma.to_string(),
        expected: "above 0 and at most 1000 pixels",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_taps(sigma: f64, order: Order, expected: &[f32]) {
        let kernel = Kernel::new(sigma, order, FILTER_REACH);
        assert_eq!(kernel.taps.len(), expected.len());
        for (got, wanted) in kernel.taps.iter().zip(expected) {
            assert!(
                (got - wanted).abs() <= 5e-8,
                "{:?} {expected:?}",
                kernel.taps
            );
        }
    }

    /// Printed from fastfilters.
    #[test]
    fn taps_are_those_of_fastfilters() {
        assert_taps(
            1.0,
            Order::Smooth,
            &[0.402_619_96, 0.244_201_33, 0.054_488_68],
        );
        assert_taps(1.0, Order::First, &[0.0, 0.264_197_92, 0.117_901_05]);
        assert_taps(
            1.0,
            Order::Second,
            &[-0.531_123_7, 0.020_749_1, 0.244_812_7],
        );
        assert_taps(0.66, Order::Smooth, &[0.611_754_9, 0.194_122_55]);
        assert_taps(0.5, Order::First, &[0.0, 0.5]);
        assert_taps(0.7, Order::Second, &[-2.0, 1.0]);
        assert_taps(0.198, Order::Smooth, &[1.0]);
    }

    #[test]
    fn radii_are_those_of_the_windows() {
        let presmooth = |sigma: f64| {
            let first: f64 = if sigma > 1.0 {
                (sigma * sigma - 1.0).sqrt()
            } else {
                sigma
            };
            radius(first, PRESMOOTH_REACH)
        };
        let radii: Vec<usize> = [0.3, 0.7, 1.0, 1.6, 3.5, 5.0, 10.0, 15.0]
            .map(presmooth)
            .to_vec();
        assert_eq!(radii, [1, 2, 4, 4, 12, 17, 35, 52]);
    }
}
