//! Value statistics of a plane: minimum and maximum, exact percentiles, histograms.
//!
//! Reproduces `np.percentile` (linear) of numpy 2.4, `np.histogram` and `skimage.exposure.histogram(…,
//! source_range='image')` exactly, bit for bit: thresholds are chosen by comparing sums over these bins.

// A view is a pointer and two pairs of numbers: ndarray passes it by value.
#![allow(clippy::needless_pass_by_value)]

mod bins;
mod count;
mod extremes;
mod percentile;
pub(crate) mod select;

pub use bins::{Centers, Histogram, histogram, histogram_with_bins};
pub use extremes::min_max;
pub(crate) use percentile::Position;
pub use percentile::{percentile, percentiles};

use std::borrow::Cow;

use ndarray::ArrayView2;

/// A pixel type whose values can be counted and ranked: `u8`, `u16` or `f32`.
pub trait Pixel: Copy + PartialOrd + Default + Send + Sync + 'static + Into<f64> {
    #[doc(hidden)]
    fn extremes(pixels: &[Self]) -> Option<(Self, Self)>;
    #[doc(hidden)]
    fn histogram(pixels: &[Self], bins: usize) -> crate::Result<Histogram>;
    /// The values of these ascending ranks in sorted order; NaN sorts last.
    #[doc(hidden)]
    fn ranked(pixels: &[Self], ranks: &[usize]) -> Vec<Self>;
    /// numpy's interpolation between neighbours in its own precision: (wide: the percentile came from a list).
    #[doc(hidden)]
    fn interpolate(low: Self, high: Self, fraction: f64, wide: bool) -> f64;
}

/// The pixels in raster order, copied only when the view is not contiguous.
pub(crate) fn pixels<'a, T: Clone>(view: &'a ArrayView2<'_, T>) -> Cow<'a, [T]> {
    match view.as_slice() {
        Some(slice) => Cow::Borrowed(slice),
        None => Cow::Owned(view.iter().cloned().collect()),
    }
}
