//! Thresholds: `skimage.filters.threshold_{otsu, li, triangle, yen, local}` of scikit-image 0.26, and their application.
//!
//! Foreground is what is greater than the threshold. Otsu, triangle and Yen choose a bin of the histogram with the same
//! arithmetic in the same precision as scikit-image, so they give the same number. Li iterates over sums that are exact
//! here and rounded to single precision there: equal to within 1e-6 of the plane's range.

// A view is a pointer and two pairs of numbers: ndarray passes it by value.
#![allow(clippy::needless_pass_by_value)]

mod apply;
mod li;
mod local;
mod otsu;
mod triangle;
mod two_levels;
mod yen;

pub use apply::{above, above_plane};
pub use li::{Li, li};
pub use local::{LocalMethod, local};
pub use otsu::{otsu, otsu_of_histogram};
pub use triangle::triangle;
pub use two_levels::{TwoLevels, two_levels};
pub use yen::yen;

/// The first position of the largest value; a NaN counts as larger than everything, as in `np.argmax`.
fn argmax(values: impl IntoIterator<Item = f64>) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for (at, value) in values.into_iter().enumerate() {
        if value.is_nan() {
            return Some(at);
        }
        if best.is_none_or(|(_, largest)| value > largest) {
            best = Some((at, value));
        }
    }
    best.map(|(at, _)| at)
}

/// The single value of a constant plane.
fn constant<T: PartialEq + Copy>(pixels: &[T]) -> Option<T> {
    let first = *pixels.first()?;
    pixels.iter().all(|&pixel| pixel == first).then_some(first)
}
