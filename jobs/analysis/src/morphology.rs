//! Mathematical morphology of masks and grey planes.
//!
//! Masks: `scipy.ndimage.binary_{erosion, dilation, opening, closing, fill_holes}` and
//! `skimage.morphology.{binary_*, remove_small_objects, remove_small_holes}`; grey planes:
//! `skimage.morphology.{erosion, dilation, opening, closing, white_tophat}` with a disk. All equal exactly.

// A view is a pointer and two pairs of numbers: ndarray passes it by value.
#![allow(clippy::needless_pass_by_value)]

mod binary;
mod bits;
mod grey;
mod objects;

pub use binary::{
    Element, Outside, binary_closing, binary_dilation, binary_erosion, binary_opening,
};
pub use grey::{GreyPixel, closing, dilation, erosion, opening, white_tophat};
pub use objects::{SizeLimit, fill_holes, remove_small_holes, remove_small_objects};

/// The largest accepted radius of a disk, in pixels.
const MAX_RADIUS: usize = 1 << 15;

/// The rows of `skimage.morphology.disk(radius)`: for each half width from 0 to the radius, the distances from the centre
/// row (0 and up) of the rows that are that wide.
fn disk_rows(radius: usize) -> crate::Result<Vec<Vec<usize>>> {
    if radius > MAX_RADIUS {
        return Err(crate::Error::Parameter {
            name: "radius",
            value: radius.to_string(),
            expected: "at most 32768 pixels",
        });
    }
    let mut rows = vec![Vec::new(); radius + 1];
    for away in 0..=radius {
        rows[(radius * radius - away * away).isqrt()].push(away);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::disk_rows;

    #[test]
    fn disk_is_that_of_scikit_image() {
        assert_eq!(disk_rows(0).unwrap(), [[0]]);
        // disk(1) is the cross of 3x3, disk(2) has rows of half width 0, 1, 2, 1, 0.
        assert_eq!(disk_rows(1).unwrap(), [[1], [0]]);
        assert_eq!(disk_rows(2).unwrap(), [[2], [1], [0]]);
        let area = |radius| -> usize {
            let rows = disk_rows(radius).unwrap();
            let row_area = |(half, rows): (usize, &Vec<usize>)| {
                (2 * half + 1)
                    * rows
                        .iter()
                        .map(|&away| if away == 0 { 1 } else { 2 })
                        .sum::<usize>()
            };
            rows.iter().enumerate().map(row_area).sum()
        };
        // np.sum(disk(r)) of scikit-image.
        assert_eq!([3, 5, 20].map(area), [29, 81, 1257]);
        assert!(disk_rows(1 << 20).is_err());
    }
}
