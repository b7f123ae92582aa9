//! Maxima of a minimum height.

use ndarray::{Array2, ArrayView2, Zip};

use super::reconstruct::reconstruct_by_dilation;
use crate::components::Connectivity;
use crate::watershed::Level;
use crate::{Error, Result};

/// The pixels of the regional maxima of `image` (y, x) that rise by at least `h` above the highest pass to a higher
/// maximum, and of the highest maxima themselves.
///
/// Equal to `skimage.morphology.h_maxima(image, h)` of scikit-image 0.26 for an image of the same type (3x3
/// neighbourhood), with its tolerance for rounding. Nothing if `h` is above the range of the image.
///
/// # Errors
/// [`Error::Parameter`] if `h` is not above 0.
pub fn h_maxima<T: Level>(image: ArrayView2<'_, T>, h: f64) -> Result<Array2<bool>> {
    if h.is_nan() || h <= 0.0 {
        return Err(Error::Parameter {
            name: "h",
            value: h.to_string(),
            expected: "above 0",
        });
    }
    let mut lowest_highest: Option<(T, T)> = None;
    for &v in image {
        let (low, high) = lowest_highest.unwrap_or((v, v));
        lowest_highest = Some((
            if v < low { v } else { low },
            if v > high { v } else { high },
        ));
    }
    let none = Array2::from_elem(image.dim(), false);
    let Some((low, high)) = lowest_highest else {
        return Ok(none);
    };
    let height = T::from_f64(h);
    if height > high - low {
        return Ok(none);
    }
    // Subtracting a little more than h keeps a pixel that is h above its surroundings from being lost to rounding.
    let shifted = image.mapv(|v| v - height - v.rounding());
    let reconstructed = reconstruct_by_dilation(shifted.view(), image, Connectivity::Corners)?;
    let mut maxima = none;
    Zip::from(&mut maxima)
        .and(image)
        .and(&reconstructed)
        .for_each(|out, &v, &r| *out = v - r >= height);
    Ok(maxima)
}
