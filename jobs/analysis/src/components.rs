//! Connected components of masks and label images, and filters of whole objects.
//!
//! Reproduces `skimage.measure.label` and `scipy.ndimage.label` (numbering included), `skimage.morphology.
//! remove_small_objects`, `skimage.segmentation.{clear_border, relabel_sequential}` of scikit-image 0.26; all exactly.

// Views are two words and a pointer: they are passed as slices are.
#![allow(clippy::needless_pass_by_value)]

mod filter;
pub(crate) mod spans;

pub use filter::{
    clear_border, diameter_to_area, keep_areas, relabel_sequential, remove_small,
    remove_small_labels, sizes,
};

use ndarray::{Array2, ArrayView2};

use crate::{Error, Result};
use spans::Spans;

/// Which pixels count as neighbours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Connectivity {
    /// The 4 pixels that share an edge: `connectivity=1` of scikit-image.
    #[default]
    Edges,
    /// The 8 pixels that share an edge or a corner: `connectivity=2` of scikit-image.
    Corners,
}

impl TryFrom<u8> for Connectivity {
    type Error = Error;

    fn try_from(hops: u8) -> Result<Self> {
        match hops {
            1 => Ok(Self::Edges),
            2 => Ok(Self::Corners),
            _ => Err(Error::Parameter {
                name: "connectivity",
                value: hops.to_string(),
                expected: "1 or 2",
            }),
        }
    }
}

/// Numbers the connected components of `mask` (y, x) from 1, in the order of their first pixel in raster order.
///
/// Returns the label image and the number of components. Equal to `skimage.measure.label(mask, connectivity=…)` and
/// `scipy.ndimage.label`, whose default connectivities are [`Connectivity::Corners`] and [`Connectivity::Edges`].
#[must_use]
pub fn label(mask: ArrayView2<'_, bool>, connectivity: Connectivity) -> (Array2<u32>, u32) {
    let spans = Spans::of_mask(mask);
    let (component, count) = spans.components(connectivity);
    let mut out = Array2::zeros(mask.dim());
    spans.fill(&mut out, |span| component[span]);
    (out, count)
}

/// Numbers the connected regions of equal, non-zero value of a label image (y, x): `skimage.measure.label` of integers.
///
/// Returns the new label image and the number of regions.
#[must_use]
pub fn label_regions(
    labels: ArrayView2<'_, u32>,
    connectivity: Connectivity,
) -> (Array2<u32>, u32) {
    let (spans, values) = Spans::of_labels(labels);
    let (component, count) = spans.components_where(connectivity, |a, b| values[a] == values[b]);
    let mut out = Array2::zeros(labels.dim());
    spans.fill(&mut out, |span| component[span]);
    (out, count)
}

#[cfg(test)]
mod tests;
