//! Bands of rows that were labelled one by one, put together.

use analysis::components::Connectivity;
use ndarray::{Array2, ArrayView2, Axis, Slice, Zip};

/// Joins the labels of the rows on both sides of each seam and numbers all anew.
///
/// `labels` (y, x) are numbered from 1 over all bands in the order of the first pixel, as if every band ended all components;
/// `seams` are the first rows of the second band and of those after it; `same` tells whether two pixels (y, x) of foreground
/// belong together if they touch.
pub(super) fn join(
    labels: &mut Array2<u32>,
    count: u32,
    seams: impl Iterator<Item = usize>,
    connectivity: Connectivity,
    same: impl Fn((usize, usize), (usize, usize)) -> bool,
) -> u32 {
    let width = labels.ncols();
    let reach = usize::from(connectivity == Connectivity::Corners);
    let mut parents: Vec<u32> = (0..=count).collect();
    for y in seams {
        for x in 0..width {
            let here = labels[(y, x)];
            if here == 0 {
                continue;
            }
            for above in x.saturating_sub(reach)..width.min(x + reach + 1) {
                let other = labels[(y - 1, above)];
                if other != 0 && same((y - 1, above), (y, x)) {
                    unite(&mut parents, other, here);
                }
            }
        }
    }
    // A root is the lowest label of its component, so that its first pixel is the component's, and it is met first.
    let mut next = 0;
    for label in 1..parents.len() {
        let parent = parents[label] as usize;
        parents[label] = if parent == label {
            next += 1;
            next
        } else {
            parents[parent]
        };
    }
    labels.mapv_inplace(|label| parents[label as usize]);
    next
}

fn unite(parents: &mut [u32], a: u32, b: u32) {
    let (a, b) = (root(parents, a), root(parents, b));
    parents[a.max(b) as usize] = a.min(b);
}

fn root(parents: &mut [u32], mut label: u32) -> u32 {
    while parents[label as usize] != label {
        let farther = parents[parents[label as usize] as usize];
        parents[label as usize] = farther;
        label = farther;
    }
    label
}

/// Puts a band, numbered from 1, into the rows from `start` on; its labels come after the first `count`.
pub(super) fn append(
    labels: &mut Array2<u32>,
    start: usize,
    band: ArrayView2<'_, u32>,
    count: u32,
) {
    let rows = Slice::from(start..start + band.nrows());
    Zip::from(labels.slice_axis_mut(Axis(0), rows))
        .and(band)
        .for_each(|out, &label| *out = if label == 0 { 0 } else { label + count });
}
