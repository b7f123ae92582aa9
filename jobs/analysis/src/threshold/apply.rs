//! From a plane and a threshold to a mask.

use multiversion::multiversion;
use ndarray::{Array2, ArrayView2};

use crate::gaussian::shaped;
use crate::histogram::pixels;
use crate::{Error, Result};

/// A pixel type that can be compared with a threshold.
pub trait Comparable: Copy + Send + Sync + 'static {
    #[doc(hidden)]
    fn above(pixels: &[Self], threshold: f64) -> Vec<bool>;
}

/// The pixels greater than a fixed threshold: `plane > threshold`. A NaN pixel or threshold gives background.
#[must_use]
pub fn above<T: Comparable>(plane: ArrayView2<'_, T>, threshold: f64) -> Array2<bool> {
    shaped(plane.dim(), T::above(&pixels(&plane), threshold))
}

/// The pixels greater than their own threshold: `plane > thresholds`, as for [`super::local`].
///
/// # Errors
/// [`Error::Shape`] when the planes differ in size.
pub fn above_plane<T: Comparable + PartialOrd>(
    plane: ArrayView2<'_, T>,
    thresholds: ArrayView2<'_, T>,
) -> Result<Array2<bool>> {
    if plane.dim() != thresholds.dim() {
        return Err(Error::Shape {
            left: plane.dim(),
            right: thresholds.dim(),
        });
    }
    let (pixels, thresholds) = (pixels(&plane), pixels(&thresholds));
    let mask = pixels
        .iter()
        .zip(thresholds.iter())
        .map(|(pixel, threshold)| pixel > threshold)
        .collect();
    Ok(shaped(plane.dim(), mask))
}

/// The largest single-precision number that is not above `threshold`: an `f32` exceeds both or neither.
fn floor_f32(threshold: f64) -> f32 {
    let nearest = threshold as f32;
    if f64::from(nearest) > threshold {
        nearest.next_down()
    } else {
        nearest
    }
}

impl Comparable for f32 {
    fn above(pixels: &[Self], threshold: f64) -> Vec<bool> {
        above_f32(pixels, floor_f32(threshold))
    }
}

impl Comparable for f64 {
    fn above(pixels: &[Self], threshold: f64) -> Vec<bool> {
        pixels.iter().map(|&pixel| pixel > threshold).collect()
    }
}

/// An integer exceeds a number if it exceeds the next integer below it.
macro_rules! integer_above {
    ($type:ty, $kernel:ident) => {
        impl Comparable for $type {
            fn above(pixels: &[Self], threshold: f64) -> Vec<bool> {
                if threshold < 0.0 {
                    vec![true; pixels.len()]
                } else if threshold.is_nan() {
                    vec![false; pixels.len()]
                } else {
                    // The cast saturates, and nothing exceeds the type's maximum.
                    $kernel(pixels, threshold as Self)
                }
            }
        }

        #[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
        fn $kernel(pixels: &[$type], threshold: $type) -> Vec<bool> {
            pixels.iter().map(|&pixel| pixel > threshold).collect()
        }
    };
}

integer_above!(u8, above_u8);
integer_above!(u16, above_u16);

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn above_f32(pixels: &[f32], threshold: f32) -> Vec<bool> {
    pixels.iter().map(|&pixel| pixel > threshold).collect()
}

#[cfg(test)]
mod tests {
    use super::above;
    use ndarray::array;

    #[test]
    fn compares_in_double_precision() {
        let plane = array![[0.1_f32, 0.2, f32::NAN, -1.0]];
        // 0.1 in single precision is a little more than 0.1.
        assert_eq!(above(plane.view(), 0.1), array![[true, true, false, false]]);
        assert_eq!(
            above(plane.view(), f64::from(0.1_f32)),
            array![[false, true, false, false]]
        );
        assert_eq!(above(plane.view(), f64::NAN), array![[false; 4]]);
    }

    #[test]
    fn integers_take_any_threshold() {
        let plane = array![[0_u8, 3, 4, 255]];
        for (threshold, expected) in [
            (3.0, [false, false, true, true]),
            (3.5, [false, false, true, true]),
            (-0.5, [true; 4]),
            (255.0, [false; 4]),
            (1e9, [false; 4]),
            (f64::NAN, [false; 4]),
        ] {
            assert_eq!(
                above(plane.view(), threshold),
                array![expected],
                "threshold {threshold}"
            );
        }
    }
}
