//! Labels of any size become numbers without gaps.

use ndarray::{Array2, ArrayView2};

/// Labels up to this are looked up in a table, whatever the number of objects.
const DENSE: u32 = 1 << 20;

/// The labels, ascending, and the label image (y, x) with the place in that list, from 1, instead of each label. 0 stays 0.
pub(super) fn numbers(labels: ArrayView2<'_, u32>) -> (Vec<u32>, Array2<u32>) {
    let mut known = Vec::new();
    let mut last = 0;
    for &label in labels {
        if label != last && label != 0 {
            known.push(label);
        }
        last = label;
    }
    known.sort_unstable();
    known.dedup();
    let number = |label: u32| known.binary_search(&label).map_or(0, |at| at as u32 + 1);
    let max = known.last().copied().unwrap_or(0);
    let numbers = if max <= DENSE {
        let mut table = vec![0; max as usize + 1];
        for (number, &label) in (1..).zip(&known) {
            table[label as usize] = number;
        }
        labels.mapv(|label| table[label as usize])
    } else {
        let mut run = (0, 0);
        labels.mapv(|label| {
            if label != run.0 {
                run = (label, number(label));
            }
            run.1
        })
    };
    (known, numbers)
}
