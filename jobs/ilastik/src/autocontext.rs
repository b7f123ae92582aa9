//! What the second stage of Autocontext sees.

use image_io::PixelType;
use ndarray::{Array4, ArrayView4, Axis, concatenate};

/// The raw channels and then the first stage's probabilities, brought into the range of the raw type: axes (channel, z, y, x).
///
/// ilastik stores the probabilities in the raw image's type: of whole numbers, p times the type's maximum, cut off; of floating-point
/// numbers, p itself.
///
/// # Errors
/// In words, for signed whole numbers, for which ilastik's conversion overflows.
pub(crate) fn stacked(
    raw: ArrayView4<'_, f32>,
    probabilities: ArrayView4<'_, f32>,
    pixel_type: PixelType,
) -> Result<Array4<f32>, String> {
    let maximum = match pixel_type {
        PixelType::F32 | PixelType::F64 => None,
        PixelType::U8 => Some(f32::from(u8::MAX)),
        PixelType::U16 => Some(f32::from(u16::MAX)),
        PixelType::U32 => Some(u32::MAX as f32),
        PixelType::U64 => Some(u64::MAX as f32),
        signed => {
            return Err(format!(
                "Autocontext of {} images is not defined",
                signed.name()
            ));
        }
    };
    let scaled = match maximum {
        Some(maximum) => probabilities.mapv(|p| (p * maximum).trunc()),
        None => probabilities.to_owned(),
    };
    concatenate(Axis(0), &[raw, scaled.view()]).map_err(|e| e.to_string())
}
