//! Objects that are too small or too large.

use std::ops::RangeInclusive;

use ndarray::{Array2, ArrayView2};

use crate::components::{relabel_sequential, sizes};

/// 1 on the objects (y, x) whose number of pixels is outside `areas`, else 0: BatchLib's WriteCellSizeMasks. The background is
/// no object.
#[must_use]
pub fn size_mask(labels: ArrayView2<'_, u32>, areas: RangeInclusive<u64>) -> Array2<u32> {
    let (mut dense, _) = relabel_sequential(labels);
    let mut wrong: Vec<u32> = sizes(dense.view())
        .iter()
        .map(|area| u32::from(!areas.contains(area)))
        .collect();
    wrong[0] = 0;
    dense.mapv_inplace(|row| wrong[row as usize]);
    dense
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn objects_outside_the_range_are_marked() {
        let labels = array![
            [0, 0, 0, 0],
            [7, 7, 9, 0],
            [u32::MAX, u32::MAX, u32::MAX, 0]
        ];
        let wanted = array![[0, 0, 0, 0], [0, 0, 1, 0], [1, 1, 1, 0]];
        // The background has six pixels.
        assert_eq!(size_mask(labels.view(), 2..=2), wanted);
        assert!(size_mask(Array2::zeros((0, 0)).view(), 1..=2).is_empty());
    }
}
