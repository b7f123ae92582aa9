//! Erosion, dilation, opening and closing of masks.

use ndarray::{Array2, ArrayView2};

use super::bits::Bits;
use super::disk_rows;
use crate::Result;

/// The structuring element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// A pixel and its four neighbours, applied this many times: scipy's default structure with `iterations`.
    Cross {
        /// How often; 0 changes nothing.
        iterations: usize,
    },
    /// `skimage.morphology.disk(radius)`: the pixels at most this far (in pixels, Euclidean) from the centre.
    Disk(usize),
}

/// What the pixels beyond the border are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outside {
    /// Background: scipy's default (`border_value=0`). Erosion, and with it closing, eats objects at the border.
    #[default]
    Background,
    /// Foreground: scipy's `border_value=1`.
    Foreground,
    /// Without influence: scikit-image's default.
    Ignored,
}

/// The pixels whose whole neighbourhood is foreground: `scipy.ndimage.binary_erosion`,
/// `skimage.morphology.binary_erosion`.
///
/// # Errors
/// [`crate::Error::Parameter`] for a disk of more than 32,768 pixels radius; the same for the other operations.
pub fn binary_erosion(
    mask: ArrayView2<'_, bool>,
    element: Element,
    outside: Outside,
) -> Result<Array2<bool>> {
    let background = Bits::pack(mask, true);
    Ok(dilate(background, element, outside == Outside::Background)?.unpack(true))
}

/// The pixels with any foreground in their neighbourhood: `scipy.ndimage.binary_dilation`,
/// `skimage.morphology.binary_dilation`.
///
/// # Errors
/// As [`binary_erosion`].
pub fn binary_dilation(
    mask: ArrayView2<'_, bool>,
    element: Element,
    outside: Outside,
) -> Result<Array2<bool>> {
    let foreground = Bits::pack(mask, false);
    Ok(dilate(foreground, element, outside == Outside::Foreground)?.unpack(false))
}

/// Erosion, then dilation: `scipy.ndimage.binary_opening`, `skimage.morphology.binary_opening`.
///
/// # Errors
/// As [`binary_erosion`].
pub fn binary_opening(
    mask: ArrayView2<'_, bool>,
    element: Element,
    outside: Outside,
) -> Result<Array2<bool>> {
    let background = Bits::pack(mask, true);
    let eroded = dilate(background, element, outside == Outside::Background)?.complement();
    Ok(dilate(eroded, element, outside == Outside::Foreground)?.unpack(false))
}

/// Dilation, then erosion: `scipy.ndimage.binary_closing`, `skimage.morphology.binary_closing`.
///
/// # Errors
/// As [`binary_erosion`].
pub fn binary_closing(
    mask: ArrayView2<'_, bool>,
    element: Element,
    outside: Outside,
) -> Result<Array2<bool>> {
    let foreground = Bits::pack(mask, false);
    let dilated = dilate(foreground, element, outside == Outside::Foreground)?.complement();
    Ok(dilate(dilated, element, outside == Outside::Background)?.unpack(true))
}

/// Dilation; an erosion is a dilation of the complement.
fn dilate(bits: Bits, element: Element, outside: bool) -> Result<Bits> {
    match element {
        Element::Disk(0) | Element::Cross { iterations: 0 } => Ok(bits),
        Element::Disk(radius) => Ok(dilate_disk(&bits, &disk_rows(radius)?, outside)),
        Element::Cross { iterations } => {
            let cross = disk_rows(1)?;
            // More iterations than this change nothing: the whole plane has been reached.
            let useful = iterations.min(bits.height() + bits.width());
            Ok((0..useful).fold(bits, |bits, _| dilate_disk(&bits, &cross, outside)))
        }
    }
}

/// Every row is widened pixel by pixel, and at each width joined to the rows where the disk has that width.
fn dilate_disk(bits: &Bits, disk: &[Vec<usize>], outside: bool) -> Bits {
    let height = bits.height();
    let radius = disk.len() - 1;
    let mut out = bits.cleared();
    let mut wide = Vec::new();
    for y in 0..height {
        wide.clear();
        wide.extend_from_slice(bits.row(y));
        for (half_width, rows) in disk.iter().enumerate() {
            if half_width > 0 {
                bits.widen_row(&mut wide, outside);
            }
            for &away in rows {
                let above = y.checked_sub(away);
                let below = (away > 0 && y + away < height).then_some(y + away);
                for reached in above.into_iter().chain(below) {
                    for (out, &wide) in out.row_mut(reached).iter_mut().zip(&wide) {
                        *out |= wide;
                    }
                }
            }
        }
    }
    if outside {
        // The rows beyond the border reach in with their whole width.
        for y in (0..height).filter(|&y| y < radius || y + radius >= height) {
            out.fill_row(y);
        }
    }
    out.clear_beyond();
    out
}
