//! Splitting touching objects: seeds at the maxima of a distance or intensity plane, then a watershed of its negative.

use std::ops::Neg;

use ndarray::{Array2, ArrayView2};

use super::{Level, watershed};
use crate::Result;
use crate::components::{Connectivity, label};
use crate::peaks::{PeakOptions, h_maxima, peak_local_max};

/// How [`declump`] finds one seed an object.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Seeding {
    /// The maxima of each part of the mask that are the highest within `min_distance` pixels in y and x.
    Peaks {
        /// In pixels.
        min_distance: usize,
    },
    /// The regional maxima that rise by at least `h`, in the unit of the plane, above the pass to a higher one.
    HMaxima {
        /// Above 0.
        h: f64,
    },
}

/// Splits `mask` (y, x) into objects, one for each maximum of `plane`. Returns the label image.
///
/// With the smoothed distance to the background as the plane it splits by shape, with the smoothed intensity by intensity.
/// With [`Seeding::Peaks`] this is `watershed(-plane, markers, mask=mask)` of scikit-image with markers numbered in the
/// order of `peak_local_max(plane, min_distance=…, labels=label(mask), exclude_border=False)`; with [`Seeding::HMaxima`]
/// the markers are `label(h_maxima(plane, h))`. Identical for the same plane.
///
/// # Errors
/// [`crate::Error::Shape`] if the planes differ in size; [`crate::Error::Parameter`] if `h` is not above 0.
pub fn declump<T: Level + Neg<Output = T>>(
    mask: ArrayView2<'_, bool>,
    plane: ArrayView2<'_, T>,
    seeding: Seeding,
) -> Result<Array2<u32>> {
    let markers = match seeding {
        Seeding::Peaks { min_distance } => {
            let (parts, _) = label(mask, Connectivity::Corners);
            let options = PeakOptions {
                min_distance,
                ..PeakOptions::default()
            };
            place_markers(
                &peak_local_max(plane, Some(parts.view()), options)?,
                mask.dim(),
            )
        }
        Seeding::HMaxima { h } => label(h_maxima(plane, h)?.view(), Connectivity::Corners).0,
    };
    watershed(
        plane.mapv(|v| -v).view(),
        markers.view(),
        Some(mask),
        Connectivity::Edges,
    )
}

/// A marker image with 1, 2, … at the given (y, x).
#[must_use]
pub fn place_markers(peaks: &[(usize, usize)], shape: (usize, usize)) -> Array2<u32> {
    let mut markers = Array2::zeros(shape);
    for (&at, label) in peaks.iter().zip(1..) {
        markers[at] = label;
    }
    markers
}
