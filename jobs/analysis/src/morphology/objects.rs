//! Operations on whole objects and holes of a mask.

use ndarray::{Array2, ArrayView2};

use crate::components::{Connectivity, remove_small, spans::Spans};

/// Which objects are small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SizeLimit {
    /// Those of this many pixels or fewer: `max_size` of scikit-image since 0.26.
    AtMost(u64),
    /// Those of fewer pixels than this: `min_size` of scikit-image before 0.26 (0.26 itself takes that for `max_size`).
    Below(u64),
}

impl SizeLimit {
    /// The largest size that is small; 0 when nothing is.
    const fn largest(self) -> u64 {
        match self {
            Self::AtMost(size) => size,
            Self::Below(size) => size.saturating_sub(1),
        }
    }
}

/// Clears the small connected components: `skimage.morphology.remove_small_objects(mask, …)` of a mask, whose default
/// connectivity is [`Connectivity::Edges`].
#[must_use]
pub fn remove_small_objects(
    mask: ArrayView2<'_, bool>,
    small: SizeLimit,
    connectivity: Connectivity,
) -> Array2<bool> {
    remove_small(mask, small.largest(), connectivity)
}

/// Fills the small connected components of the background: `skimage.morphology.remove_small_holes(mask, …)`.
///
/// Background at the border counts as a hole like any other, as there.
#[must_use]
pub fn remove_small_holes(
    mask: ArrayView2<'_, bool>,
    small: SizeLimit,
    connectivity: Connectivity,
) -> Array2<bool> {
    let background = mask.mapv(|inside| !inside);
    let mut filled = remove_small(background.view(), small.largest(), connectivity);
    filled.mapv_inplace(|outside| !outside);
    filled
}

/// Fills the holes: background that is not connected, edge to edge, to the border of the plane.
///
/// Exactly `scipy.ndimage.binary_fill_holes(mask)`.
#[must_use]
pub fn fill_holes(mask: ArrayView2<'_, bool>) -> Array2<bool> {
    let (height, width) = mask.dim();
    let background = Spans::of_mask(mask.mapv(|inside| !inside).view());
    let (component, count) = background.components(Connectivity::Edges);
    let mut open = vec![false; count as usize + 1];
    for y in 0..height {
        for index in background.row(y) {
            let span = background.get(index);
            let at_border =
                y == 0 || y + 1 == height || span.start == 0 || span.end as usize == width;
            open[component[index] as usize] |= at_border;
        }
    }
    let mut filled = mask.as_standard_layout().into_owned();
    let Some(pixels) = filled.as_slice_mut() else {
        unreachable!("the standard layout is contiguous");
    };
    for y in 0..height {
        for index in background.row(y) {
            if !open[component[index] as usize] {
                let span = background.get(index);
                pixels[y * width + span.start as usize..y * width + span.end as usize].fill(true);
            }
        }
    }
    filled
}
