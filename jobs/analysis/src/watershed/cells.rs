//! Cells grown from nuclei over a map of boundaries, with the background as one more object: BatchLib's SeededWatershed.

use ndarray::{Array2, ArrayView2, Zip};

use super::{same_shape, watershed};
use crate::components::Connectivity;
use crate::gaussian::gaussian;
use crate::histogram::min_max;
use crate::morphology::{Element, Outside, binary_erosion, dilation};
use crate::{Error, Result};

/// Added to the range of the boundary map, so that a map without any contrast can be divided by it.
const EPSILON: f64 = 1e-6;

/// How [`grow_cells`] prepares the boundary map, the seeds and the mask.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Growth {
    /// The map is low where cells meet.
    pub invert: bool,
    /// Standard deviation of the Gaussian on the map, in pixels; 0 = none.
    pub sigma: f64,
    /// Seeds are dilated by a disk of this radius, in pixels; where two meet, the larger label wins.
    pub dilate_seeds: usize,
    /// What is outside the mask is background for certain only where a disk of this radius, in pixels, fits in.
    pub erode_mask: usize,
    /// Seeds count as foreground, whatever the mask says.
    pub ensure_seeds: bool,
}

impl Default for Growth {
    /// BatchLib's defaults.
    fn default() -> Self {
        Self {
            invert: false,
            sigma: 2.0,
            dilate_seeds: 0,
            erode_mask: 0,
            ensure_seeds: true,
        }
    }
}

/// Grows `seeds` (y, x; 0 = none) over `boundaries`, high where cells meet; cells keep the numbers of their seeds.
///
/// Where `mask` is given, the eroded complement of it is one more seed, so that cells end at the boundary to the
/// background that the map shows, not at that of the mask; what this seed reaches is 0.
///
/// BatchLib's SeededWatershed with scikit-image of its time, label for label: the map scaled to 0 to 1,
/// `skimage.filters.gaussian`, `skimage.morphology.{dilation, binary_erosion}` with a disk,
/// `skimage.segmentation.watershed`.
///
/// # Errors
/// [`Error::Shape`] if the planes differ in size; [`Error::Parameter`] if a radius is above 32,768 pixels, sigma is negative
/// or not a number, or a seed is larger than 4,294,967,293.
pub fn grow_cells(
    boundaries: ArrayView2<'_, f32>,
    seeds: ArrayView2<'_, u32>,
    mask: Option<ArrayView2<'_, bool>>,
    how: &Growth,
) -> Result<Array2<u32>> {
    same_shape(boundaries.dim(), seeds.dim())?;
    if boundaries.is_empty() {
        return Ok(Array2::zeros(boundaries.dim()));
    }
    let landscape = landscape(boundaries, how)?;
    let mut seeds = match how.dilate_seeds {
        0 => seeds.to_owned(),
        radius => dilation(seeds, radius)?,
    };
    let background = match mask {
        Some(mask) => {
            same_shape(boundaries.dim(), mask.dim())?;
            Some(add_background(&mut seeds, mask, how)?)
        }
        None => None,
    };
    let mut labels = watershed(landscape.view(), seeds.view(), None, Connectivity::Edges)?;
    if let Some(background) = background {
        labels.mapv_inplace(|label| if label == background { 0 } else { label });
    }
    Ok(labels)
}

/// The map scaled to 0 to 1, and smoothed.
fn landscape(boundaries: ArrayView2<'_, f32>, how: &Growth) -> Result<Array2<f32>> {
    let (low, high) = min_max(boundaries)?;
    // NumPy adds the two numbers in double precision, and divides in single.
    let range = (f64::from(high - low) + EPSILON) as f32;
    let scaled = boundaries.mapv(|value| {
        let scaled = (value - low) / range;
        if how.invert { 1.0 - scaled } else { scaled }
    });
    // A sigma of 0 leaves the map as it is.
    gaussian(scaled.view(), how.sigma)
}

/// Seeds the certain background with a label of its own, which is returned.
fn add_background(
    seeds: &mut Array2<u32>,
    mask: ArrayView2<'_, bool>,
    how: &Growth,
) -> Result<u32> {
    let largest = seeds.iter().copied().max().unwrap_or(0);
    // The watershed has a use for the largest number of all.
    let Some(label) = largest.checked_add(1).filter(|&label| label < u32::MAX) else {
        return Err(Error::Parameter {
            name: "seeds",
            value: largest.to_string(),
            expected: "below 4294967294",
        });
    };
    let outside = Zip::from(mask)
        .and(&*seeds)
        .map_collect(|&inside, &seed| !(inside || how.ensure_seeds && seed != 0));
    let certain = match how.erode_mask {
        0 => outside,
        radius => binary_erosion(outside.view(), Element::Disk(radius), Outside::Ignored)?,
    };
    Zip::from(seeds).and(&certain).for_each(|seed, &certain| {
        if certain {
            *seed = label;
        }
    });
    Ok(label)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use ndarray::array;

    use super::*;

    #[test]
    fn cells_end_where_the_map_says_not_where_the_mask_does() {
        // A ridge at column 5; the mask ends at column 3 already.
        let boundaries = Array2::from_shape_fn((3, 9), |(_, x)| f32::from(u8::from(x == 5)));
        let mask = Array2::from_shape_fn((3, 9), |(_, x)| x <= 3);
        let mut seeds = Array2::zeros((3, 9));
        seeds[[1, 1]] = 7;
        let how = Growth {
            sigma: 0.0,
            erode_mask: 3,
            ..Growth::default()
        };
        let cells = grow_cells(boundaries.view(), seeds.view(), Some(mask.view()), &how).unwrap();
        for (x, column) in cells.columns().into_iter().enumerate() {
            let inside = x <= 4;
            assert!(
                x == 5 || column.iter().all(|&label| label == 7 * u32::from(inside)),
                "column {x}: {column}"
            );
        }
    }

    #[test]
    fn a_seed_outside_the_mask_is_kept_if_asked() {
        let flat = Array2::zeros((1, 4));
        let seeds = array![[1, 0, 0, 0]];
        let nothing = Array2::from_elem((1, 4), false);
        let grow = |ensure_seeds| {
            let how = Growth {
                ensure_seeds,
                ..Growth::default()
            };
            grow_cells(flat.view(), seeds.view(), Some(nothing.view()), &how).unwrap()
        };
        assert_eq!(grow(true), array![[1, 0, 0, 0]]);
        assert_eq!(grow(false), array![[0, 0, 0, 0]]);
    }

    #[test]
    fn odd_inputs_have_a_result_or_a_reason() {
        let how = Growth::default();
        let empty = Array2::zeros((0, 3));
        let none = Array2::zeros((0, 3));
        assert!(
            grow_cells(empty.view(), none.view(), None, &how)
                .unwrap()
                .is_empty()
        );
        // No seeds: no cells, with and without a mask.
        let (flat, none) = (Array2::zeros((4, 5)), Array2::zeros((4, 5)));
        for mask in [None, Some(Array2::from_elem((4, 5), true))] {
            let mask = mask.as_ref().map(|m| m.view());
            let cells = grow_cells(flat.view(), none.view(), mask, &how).unwrap();
            assert!(cells.iter().all(|&label| label == 0));
        }
        let mut seeds = none.clone();
        seeds[[0, 0]] = u32::MAX - 1;
        let mask = Array2::from_elem((4, 5), true);
        let wrong = grow_cells(flat.view(), seeds.view(), Some(mask.view()), &how).unwrap_err();
        assert!(wrong.to_string().contains("seeds"), "{wrong}");
        assert!(grow_cells(flat.view(), Array2::zeros((5, 4)).view(), None, &how).is_err());
    }
}
