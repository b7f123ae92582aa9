//! Seeds: local maxima with a minimum distance, and maxima of a minimum height.
//!
//! Reproduces `skimage.feature.peak_local_max`, `skimage.morphology.{h_maxima, reconstruction}` of scikit-image 0.26.

// Views are two words and a pointer: they are passed as slices are.
#![allow(clippy::needless_pass_by_value)]

mod candidates;
mod h_maxima;
mod reconstruct;

pub use h_maxima::h_maxima;
pub use reconstruct::reconstruct_by_dilation;

use ndarray::{Array2, ArrayView2, CowArray, Ix2, s};

use crate::components::relabel_sequential;
use crate::components::spans::Spans;
use crate::watershed::Level;
use crate::{Error, Result};
use candidates::Search;

/// What [`peak_local_max`] accepts as a peak.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PeakOptions {
    /// A peak is the highest pixel of the square that reaches this far in y and x; peaks of equal height are this far apart
    /// in y or x. 0: every pixel above the threshold.
    pub min_distance: usize,
    /// Peaks are above this. `None`: the minimum of the image.
    pub threshold_abs: Option<f64>,
    /// Peaks are also above this part of the maximum of the image.
    pub threshold_rel: Option<f64>,
    /// Peaks are not among the outermost this many rows and columns. (The default of scikit-image is `min_distance`.)
    pub exclude_border: usize,
    /// At most this many peaks in all, the highest.
    pub num_peaks: Option<usize>,
    /// At most this many peaks a label, the highest.
    pub num_peaks_per_label: Option<usize>,
}

impl Default for PeakOptions {
    fn default() -> Self {
        Self {
            min_distance: 1,
            threshold_abs: None,
            threshold_rel: None,
            exclude_border: 0,
            num_peaks: None,
            num_peaks_per_label: None,
        }
    }
}

/// A local maximum: its height and where it is.
#[derive(Clone, Copy, Debug)]
struct Peak<T> {
    value: T,
    y: u32,
    x: u32,
}

/// The (y, x) of the local maxima of `image`, each label of `labels` (0 = background) by itself.
///
/// Identical, order included, to `skimage.feature.peak_local_max(image, min_distance, threshold_abs, threshold_rel,
/// exclude_border, num_peaks, labels=labels, num_peaks_per_label=…)`: ordered by label, then from high to low, then in
/// raster order. A label in which every pixel is a maximum (it is flat) has no peak, unless no 3x3 cross fits into it
/// around a pixel. Without labels the whole image is searched, and a flat image has no peak.
///
/// # Errors
/// [`Error::Shape`] if `image` and `labels` differ in size.
pub fn peak_local_max<T: Level>(
    image: ArrayView2<'_, T>,
    labels: Option<ArrayView2<'_, u32>>,
    options: PeakOptions,
) -> Result<Vec<(usize, usize)>> {
    let (height, width) = image.dim();
    if let Some(labels) = labels
        && labels.dim() != image.dim()
    {
        return Err(Error::Shape {
            left: image.dim(),
            right: labels.dim(),
        });
    }
    if image.is_empty() {
        return Ok(Vec::new());
    }
    let image = image.as_standard_layout();
    let image = image.as_slice().expect("standard layout");
    let by_label = labels.is_some();
    let mut labels = match labels {
        // The border is taken off the labels themselves, so that it does not take part in the search.
        Some(labels) => without_border(labels, options.exclude_border),
        None => Array2::ones((height, width)).into(),
    };
    let (spans, mut values) = Spans::of_labels(labels.view());
    if values.iter().any(|&label| label as usize > spans.len()) {
        // Some numbers must be unused: number the labels anew, so that they can be counted in a list.
        labels = relabel_sequential(labels.view()).0.into();
        values = Spans::of_labels(labels.view()).1;
    }
    let labels = labels.as_standard_layout();
    let search = Search {
        image,
        labels: labels.as_slice().expect("standard layout"),
        shape: (height, width),
        options,
        threshold: threshold(image, options),
    };
    let mut peaks = Vec::new();
    for region in search.regions(&spans, &values) {
        let start = peaks.len();
        search.peaks(&region, by_label, &mut peaks);
        let limit = if by_label {
            options.num_peaks_per_label
        } else {
            options.num_peaks
        };
        select_highest(&mut peaks, start, options.min_distance, limit);
    }
    if let Some(limit) = options.num_peaks.filter(|&n| peaks.len() > n) {
        peaks.sort_by_key(|p| (p.y, p.x));
        select_highest(&mut peaks, 0, options.min_distance, Some(limit));
    }
    Ok(peaks.iter().map(|p| (p.y as usize, p.x as usize)).collect())
}

fn without_border(labels: ArrayView2<'_, u32>, border: usize) -> CowArray<'_, u32, Ix2> {
    if border == 0 {
        return labels.into();
    }
    let (height, width) = labels.dim();
    let mut inner = Array2::zeros((height, width));
    if 2 * border < height && 2 * border < width {
        let slice = s![border..height - border, border..width - border];
        inner.slice_mut(slice).assign(&labels.slice(slice));
    }
    inner.into()
}

fn threshold<T: Level>(image: &[T], options: PeakOptions) -> T {
    let absolute = options.threshold_abs.map(T::from_f64);
    let absolute = absolute.unwrap_or_else(|| extreme(image, |a, b| if b < a { b } else { a }));
    match options.threshold_rel {
        Some(part) => {
            let highest = extreme(image, |a, b| if b > a { b } else { a });
            let relative = T::from_f64(part * highest.to_f64());
            if relative > absolute {
                relative
            } else {
                absolute
            }
        }
        None => absolute,
    }
}

/// The best value of an image that is not empty, found in sixteen lanes.
fn extreme<T: Level>(image: &[T], best: impl Fn(T, T) -> T) -> T {
    let mut lanes = [image[0]; 16];
    let (chunks, rest) = image.as_chunks::<16>();
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane = best(*lane, value);
        }
    }
    let all = rest.iter().chain(&lanes).copied();
    all.fold(image[0], best)
}

/// Orders the peaks from `start` on (in raster order) from high to low, and drops those too close to a higher one.
fn select_highest<T: Level>(
    peaks: &mut Vec<Peak<T>>,
    start: usize,
    min_distance: usize,
    limit: Option<usize>,
) {
    let mut candidates = peaks.split_off(start);
    candidates.sort_by(|a, b| {
        b.value
            .partial_cmp(&a.value)
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    let limit = limit.unwrap_or(usize::MAX);
    for candidate in candidates {
        if peaks.len() - start >= limit {
            break;
        }
        let near = |p: &Peak<T>| {
            (p.y.abs_diff(candidate.y).max(p.x.abs_diff(candidate.x)) as usize) < min_distance
        };
        if min_distance <= 1 || !peaks[start..].iter().any(near) {
            peaks.push(candidate);
        }
    }
}

#[cfg(test)]
mod tests;
