//! The kernels of a scale, for those who run its filters elsewhere than here.

use super::filters::Filters;
use super::kernel::{FILTER_REACH, Kernel, Order, PRESMOOTH_REACH};
use super::selection::Scale;

/// Every kernel of a scale. All run along x first, then y, then z where the scale is in 3-D.
#[derive(Clone, Debug)]
pub struct ScaleKernels {
    /// The smoothing that comes before all filters.
    pub presmooth: Kernel,
    /// The Gaussian of the filters, its first and its second derivative; all of the same radius.
    pub own: [Kernel; 3],
    /// The narrower Gaussian of the difference of Gaussians.
    pub narrow: Kernel,
    /// Inside the structure tensor: a Gaussian and its first derivative, of the same radius.
    pub inner: [Kernel; 2],
    /// Values that the scale's features need of the smoothed image around a tile, on each side.
    pub halo: usize,
}

impl Scale {
    /// The kernels of this scale.
    #[must_use]
    pub fn kernels(&self) -> ScaleKernels {
        let (first, sigma) = self.sigmas();
        let kernel = |sigma, order| Kernel::new(sigma, order, FILTER_REACH);
        ScaleKernels {
            presmooth: Kernel::new(first, Order::Smooth, PRESMOOTH_REACH),
            own: Order::ALL.map(|order| kernel(sigma, order)),
            narrow: kernel(0.66 * sigma, Order::Smooth),
            inner: [Order::Smooth, Order::First].map(|order| kernel(0.5 * sigma, order)),
            halo: Filters::halo(self),
        }
    }
}
