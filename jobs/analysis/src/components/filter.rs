//! Filters that keep or drop whole objects, and renumbering.

use std::ops::RangeInclusive;

use ndarray::{Array2, ArrayView2};

use super::Connectivity;
use super::spans::Spans;
use crate::{Error, Result};

/// The number of pixels of each label: `sizes[label]`; index 0 is the background. Equal to `numpy.bincount`.
///
/// The result has `max label + 1` entries, so give it label images that are numbered densely.
#[must_use]
pub fn sizes(labels: ArrayView2<'_, u32>) -> Vec<u64> {
    let (spans, values) = Spans::of_labels(labels);
    let max = values.iter().copied().max().unwrap_or(0);
    let mut out = vec![0; max as usize + 1];
    let mut foreground = 0;
    for (index, &label) in values.iter().enumerate() {
        let n = u64::from(spans.get(index).end - spans.get(index).start);
        out[label as usize] += n;
        foreground += n;
    }
    out[0] = labels.len() as u64 - foreground;
    out
}

/// Clears the connected components of a mask (y, x) that have `max_size` pixels or fewer.
///
/// Equal to `skimage.morphology.remove_small_objects(mask, max_size=…, connectivity=…)` of scikit-image 0.26.
#[must_use]
pub fn remove_small(
    mask: ArrayView2<'_, bool>,
    max_size: u64,
    connectivity: Connectivity,
) -> Array2<bool> {
    let spans = Spans::of_mask(mask);
    let (component, count) = spans.components(connectivity);
    let mut area = vec![0u64; count as usize + 1];
    for y in 0..spans.height() {
        for index in spans.row(y) {
            let span = spans.get(index);
            area[component[index] as usize] += u64::from(span.end - span.start);
        }
    }
    let mut out = mask.to_owned();
    for y in 0..spans.height() {
        for index in spans.row(y) {
            if area[component[index] as usize] <= max_size {
                let span = spans.get(index);
                out.slice_mut(ndarray::s![y, span.start as usize..span.end as usize])
                    .fill(false);
            }
        }
    }
    out
}

/// Clears the labels that have `max_size` pixels or fewer; the others keep their number.
///
/// Equal to `skimage.morphology.remove_small_objects` of an integer image.
#[must_use]
pub fn remove_small_labels(labels: ArrayView2<'_, u32>, max_size: u64) -> Array2<u32> {
    keep_areas(labels, max_size.saturating_add(1)..=u64::MAX)
}

/// Keeps the labels whose number of pixels is in `areas` (both ends included); they keep their number.
///
/// With [`diameter_to_area`] this is the "discard objects outside the diameter range" of CellProfiler's
/// IdentifyPrimaryObjects: `keep_areas(labels, diameter_to_area(min).ceil()..=diameter_to_area(max).floor())`.
#[must_use]
pub fn keep_areas(labels: ArrayView2<'_, u32>, areas: RangeInclusive<u64>) -> Array2<u32> {
    let (dense, original) = relabel_sequential(labels);
    let area = sizes(dense.view());
    let kept: Vec<u32> = original
        .iter()
        .zip(&area)
        .map(|(&label, area)| if areas.contains(area) { label } else { 0 })
        .collect();
    map_labels(&dense, &kept)
}

/// The area of a disk of this diameter, in the square of its unit.
#[must_use]
pub fn diameter_to_area(diameter: f64) -> f64 {
    std::f64::consts::PI * diameter * diameter / 4.0
}

/// Renumbers labels from 1 without gaps, in ascending order of the old labels.
///
/// Returns the new label image and the old label of each new one (`old[0] == 0`): the first and last results of
/// `skimage.segmentation.relabel_sequential`.
#[must_use]
pub fn relabel_sequential(labels: ArrayView2<'_, u32>) -> (Array2<u32>, Vec<u32>) {
    let (spans, values) = Spans::of_labels(labels);
    let mut old = values.clone();
    old.push(0);
    old.sort_unstable();
    old.dedup();
    let mut out = Array2::zeros(labels.dim());
    // Labels that are already dense need no search.
    if old.len() == 1 + old[old.len() - 1] as usize {
        spans.fill(&mut out, |span| values[span]);
    } else {
        spans.fill(&mut out, |span| {
            old.binary_search(&values[span]).map_or(0, |at| at as u32)
        });
    }
    (out, old)
}

/// Clears the regions that come within `buffer` pixels of the border (0: that touch it).
///
/// Equal to `skimage.segmentation.clear_border(labels, buffer_size=buffer)`: a label of several parts loses only the parts
/// (8-connected) that reach the border band. The others keep their number.
///
/// # Errors
/// [`Error::Parameter`] if `buffer` is not smaller than both sides of the plane.
pub fn clear_border(labels: ArrayView2<'_, u32>, buffer: usize) -> Result<Array2<u32>> {
    let (height, width) = labels.dim();
    if buffer >= height || buffer >= width {
        return Err(Error::Parameter {
            name: "buffer",
            value: buffer.to_string(),
            expected: "smaller than the height and the width of the plane",
        });
    }
    let (spans, values) = Spans::of_labels(labels);
    let same = |a: usize, b: usize| values[a] == values[b];
    let (region, count) = spans.components_where(Connectivity::Corners, same);
    let mut reaches_border = vec![false; count as usize + 1];
    for y in 0..height {
        for index in spans.row(y) {
            let (start, end) = (
                spans.get(index).start as usize,
                spans.get(index).end as usize,
            );
            if y <= buffer || y + buffer + 1 >= height || start <= buffer || end + buffer >= width {
                reaches_border[region[index] as usize] = true;
            }
        }
    }
    let mut out = Array2::zeros(labels.dim());
    spans.fill(&mut out, |span| {
        if reaches_border[region[span] as usize] {
            0
        } else {
            values[span]
        }
    });
    Ok(out)
}

/// `map[label]` for every pixel, span by span.
fn map_labels(labels: &Array2<u32>, map: &[u32]) -> Array2<u32> {
    let (spans, values) = Spans::of_labels(labels.view());
    let mut out = Array2::zeros(labels.dim());
    spans.fill(&mut out, |span| map[values[span] as usize]);
    out
}
