//! The edges of objects, and objects without their edges.

use ndarray::{Array2, ArrayView2, Zip};

use crate::Result;
use crate::morphology::{Element, Outside, binary_dilation};

/// True where the labels (y, x) on both sides of a pixel differ, along y or along x: BatchLib's `seg_to_edges`, a central
/// difference that is not 0. At the border the pixel itself stands for the one beyond.
///
/// Edges are two pixels wide, one on each side; a line of one pixel between two parts of one object is none.
#[must_use]
pub fn edges(labels: ArrayView2<'_, u32>) -> Array2<bool> {
    let (height, width) = labels.dim();
    Array2::from_shape_fn((height, width), |(y, x)| {
        labels[[y.saturating_sub(1), x]] != labels[[(y + 1).min(height - 1), x]]
            || labels[[y, x.saturating_sub(1)]] != labels[[y, (x + 1).min(width - 1)]]
    })
}

/// Clears all pixels within `radius` of an edge: BatchLib's ErodeSegmentation, which dilates [`edges`] by a disk of
/// `radius - 1`. With radius 0 nothing changes.
///
/// # Errors
/// [`crate::Error::Parameter`] for a radius of more than 32,769 pixels.
pub fn erode(labels: ArrayView2<'_, u32>, radius: usize) -> Result<Array2<u32>> {
    let mut out = labels.to_owned();
    let Some(beyond) = radius.checked_sub(1) else {
        return Ok(out);
    };
    let mut cleared = edges(labels);
    if beyond > 0 {
        cleared = binary_dilation(cleared.view(), Element::Disk(beyond), Outside::Ignored)?;
    }
    Zip::from(&mut out)
        .and(&cleared)
        .for_each(|label, &cleared| {
            if cleared {
                *label = 0;
            }
        });
    Ok(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use ndarray::array;

    use super::*;

    #[test]
    fn edges_are_central_differences() {
        let labels = array![[0, 0, 1, 1, 1, 2, 1]];
        // The 2 is one pixel wide: the labels on both of its sides are equal.
        let wanted = array![[false, true, true, false, true, false, true]];
        assert_eq!(edges(labels.view()), wanted);
        assert_eq!(edges(labels.t()), wanted.t());
        for shape in [(0, 0), (0, 4), (1, 1)] {
            assert!(edges(Array2::from_elem(shape, 3).view()).iter().all(|e| !e));
        }
    }

    #[test]
    fn each_pixel_of_radius_takes_one_from_the_rim() {
        let mut labels = Array2::zeros((15, 15));
        labels.slice_mut(ndarray::s![2..13, 2..13]).fill(9);
        assert_eq!(erode(labels.view(), 0).unwrap(), labels);
        for radius in 1..=6_usize {
            let left = erode(labels.view(), radius).unwrap();
            let side = 11_usize.saturating_sub(2 * radius);
            assert_eq!(left.iter().filter(|&&l| l == 9).count(), side * side);
        }
        assert!(erode(labels.view(), 1 << 20).is_err());
    }
}
