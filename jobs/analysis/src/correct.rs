//! Corrections of raw images: flat field, plate-wise illumination function, background.
//!
//! All arithmetic is in single precision and in the order of the originals, so results are equal to theirs bit for bit.

// A view is a pointer and two pairs of numbers: ndarray passes it by value.
#![allow(clippy::needless_pass_by_value)]

mod background;
mod flat_field;
mod illumination;

pub use background::{Corrected, correct, subtract_background};
pub use flat_field::FlatField;
pub use illumination::{IlluminationSum, divide_by_illumination};

use crate::{Error, Result};

/// A pixel type of raw images; the conversion to single precision is exact.
pub trait Raw: Copy + Send + Sync + 'static + Into<f32> + Into<f64> {
    #[doc(hidden)]
    fn divide(pixels: &[Self], by: &[f32], out: &mut [f32]);
    #[doc(hidden)]
    fn add(pixels: &[Self], to: &mut [f64]);
}

/// Both planes must have the same (height, width).
fn same_shape(left: (usize, usize), right: (usize, usize)) -> Result<()> {
    if left == right {
        Ok(())
    } else {
        Err(Error::Shape { left, right })
    }
}
