//! BatchLib's flat field (its "barrel corrector").

use ndarray::{Array2, ArrayView2, Zip};

use super::{Raw, same_shape};
use crate::Result;

/// A channel's flat field: where the light is weak, and what the camera adds without light.
#[derive(Clone, Debug, PartialEq)]
pub struct FlatField {
    /// What each pixel is divided by (y, x).
    pub divisor: Array2<f32>,
    /// The camera's offset, in grey values.
    pub offset: f32,
}

impl FlatField {
    /// `((image - offset) / divisor) + offset` in single precision: BatchLib's `Preprocess`, exactly.
    ///
    /// # Errors
    /// [`crate::Error::Shape`] when the image and the divisor differ in size.
    pub fn correct<T: Raw>(&self, image: ArrayView2<'_, T>) -> Result<Array2<f32>> {
        same_shape(image.dim(), self.divisor.dim())?;
        let offset = self.offset;
        Ok(Zip::from(image)
            .and(&self.divisor)
            .map_collect(|&pixel, &divisor| {
                let pixel: f32 = pixel.into();
                (pixel - offset) / divisor + offset
            }))
    }
}
