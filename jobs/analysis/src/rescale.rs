//! Planes at another size: images for networks that were trained at one magnification, and label images back.
//!
//! [`resize`] and [`nearest`] reproduce `skimage.transform.resize` of scikit-image 0.26 with `order=1` and `order=0`, [`zoom`]
//! reproduces `scipy.ndimage.zoom(…, order=1)`, which StarDist uses; images to 1e-5 of the values' range, label images exactly.

// A view is a pointer and a few numbers: ndarray passes it by value.
#![allow(clippy::needless_pass_by_value)]

use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

use crate::gaussian::{Mode, Smoothing, smooth};
use crate::{Error, Result};

/// Pixels of a rescaled plane: more is a mistake in the factor.
const MOST_PIXELS: f64 = (1u64 << 32) as f64;

/// A plane of about `factor` times the height and width (rounded, halves to even), at least one pixel: the borders are kept. What
/// shrinks is smoothed first by a Gaussian of half the pixels that are lost, so that fine structures do not become others.
///
/// `skimage.transform.rescale(plane, factor, order=1, preserve_range=True)`.
///
/// # Errors
/// [`Error::Parameter`] when `factor` is not a positive number or the result would have more than 2^32 pixels,
/// [`Error::Empty`] without pixels.
pub fn resize(plane: ArrayView2<'_, f32>, factor: f64) -> Result<Array2<f32>> {
    let (height, width) = checked(plane.dim(), factor)?;
    let size = |n: usize| ((n as f64 * factor).round_ties_even() as usize).max(1);
    let step = [
        height as f64 / size(height) as f64,
        width as f64 / size(width) as f64,
    ];
    let sigma = step.map(|s| ((s - 1.0) / 2.0).max(0.0));
    let smooth = smooth(
        plane,
        &Smoothing {
            sigma,
            truncate: 4.0,
            mode: Mode::Mirror,
        },
    )?;
    let taps = |n: usize, step: f64| -> Vec<Tap> {
        let last = (n - 1) as f64;
        (0..size(n))
            .map(|i| {
                let place = (step * (i as f64 + 0.5) - 0.5).abs();
                // Beyond the last pixel's centre the plane is mirrored there.
                Tap::at(place.min(2.0 * last - place).max(0.0) as f32, n)
            })
            .collect()
    };
    Ok(interpolate(
        smooth.view(),
        &taps(height, step[0]),
        &taps(width, step[1]),
    ))
}

/// A plane of about `factor` times the height and width (rounded, halves to even): the centres of the corner pixels are kept.
///
/// # Errors
/// See [`resize`].
pub fn zoom(plane: ArrayView2<'_, f32>, factor: f64) -> Result<Array2<f32>> {
    let (height, width) = checked(plane.dim(), factor)?;
    let size = |n: usize| ((n as f64 * factor).round_ties_even() as usize).max(1);
    let weights = |out: usize, n: usize| -> Vec<Tap> {
        let step = if out > 1 {
            (n - 1) as f64 / (out - 1) as f64
        } else {
            1.0
        };
        (0..out)
            .map(|i| Tap::at((step * i as f64) as f32, n))
            .collect()
    };
    Ok(interpolate(
        plane,
        &weights(size(height), height),
        &weights(size(width), width),
    ))
}

/// A label image at the size (height, width), each pixel copied.
///
/// # Errors
/// [`Error::Empty`] when `labels` has no pixels and `shape` has.
pub fn nearest(labels: ArrayView2<'_, u32>, shape: (usize, usize)) -> Result<Array2<u32>> {
    if labels.is_empty() && shape.0 * shape.1 > 0 {
        return Err(Error::Empty("a rescaled plane"));
    }
    let places = |out: usize, n: usize| -> Vec<usize> {
        let step = n as f64 / out as f64;
        (0..out)
            .map(|i| (((i as f64 + 0.5) * step) as usize).min(n - 1))
            .collect()
    };
    let (ys, xs) = (
        places(shape.0, labels.nrows()),
        places(shape.1, labels.ncols()),
    );
    Ok(Array2::from_shape_fn(shape, |(y, x)| {
        labels[[ys[y], xs[x]]]
    }))
}

fn checked((height, width): (usize, usize), factor: f64) -> Result<(usize, usize)> {
    if height == 0 || width == 0 {
        return Err(Error::Empty("a rescaled plane"));
    }
    let pixels = (height as f64 * factor).max(1.0) * (width as f64 * factor).max(1.0);
    if factor > 0.0 && pixels <= MOST_PIXELS {
        Ok((height, width))
    } else {
        Err(Error::Parameter {
            name: "scale",
            value: factor.to_string(),
            expected: "a positive number that leaves the image below 2^32 pixels",
        })
    }
}

/// Two neighbours along one axis and the part of the second.
#[derive(Clone, Copy)]
struct Tap {
    low: usize,
    high: usize,
    part: f32,
}

impl Tap {
    fn at(place: f32, n: usize) -> Self {
        let low = (place as usize).min(n - 1);
        Self {
            low,
            high: (low + 1).min(n - 1),
            part: (place - low as f32).clamp(0.0, 1.0),
        }
    }
}

fn interpolate(plane: ArrayView2<'_, f32>, ys: &[Tap], xs: &[Tap]) -> Array2<f32> {
    let plane = plane.as_standard_layout();
    let mut out = Array2::zeros((ys.len(), xs.len()));
    let pixels = out
        .as_slice_mut()
        .expect("a new array is in standard layout");
    pixels
        .par_chunks_mut(xs.len())
        .zip(ys)
        .for_each(|(row, y)| {
            let (top, bottom) = (plane.row(y.low), plane.row(y.high));
            for (value, x) in row.iter_mut().zip(xs) {
                let mix = |row: &ndarray::ArrayView1<'_, f32>| {
                    (1.0 - x.part) * row[x.low] + x.part * row[x.high]
                };
                *value = (1.0 - y.part) * mix(&top) + y.part * mix(&bottom);
            }
        });
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::float_cmp)]

    use super::*;
    use ndarray::array;

    fn close(found: &Array2<f32>, expected: &[f32]) {
        let found = found.as_slice().unwrap();
        assert_eq!(found.len(), expected.len());
        for (a, b) in found.iter().zip(expected) {
            assert!((a - b).abs() < 1e-6, "{found:?}");
        }
    }

    /// Values of `skimage.transform.rescale(plane, factor, order=1, preserve_range=True)`.
    #[test]
    fn resize_keeps_borders() {
        let plane = array![
            [0.0f32, 10.0, 20.0, 31.0, 42.0],
            [5.0, 7.0, 50.0, 3.0, 1.0],
            [9.0, 2.0, 4.0, 6.0, 90.0],
        ];
        let check = |factor: f64, shape: (usize, usize), expected: &[f32]| {
            let found = resize(plane.view(), factor).unwrap();
            assert_eq!(found.dim(), shape, "{factor}");
            for (a, b) in found.iter().zip(expected) {
                assert!((a - b).abs() < 2e-4, "{factor}: {found:?}");
            }
        };
        check(0.5, (2, 2), &[10.182, 26.7229, 6.7995, 25.5425]);
        check(
            0.6,
            (2, 3),
            &[4.0708, 27.272, 29.0849, 6.4089, 15.2719, 46.2528],
        );
        let larger = [
            2.3125, 4.5625, 10.5078, 19.3359, 24.9219, 27.2656, 32.7734, 35.1172, 4.0625, 5.3125,
            10.0391, 29.1797, 30.8594, 15.0781, 15.1172, 15.8359, 6.2422, 5.8984, 6.8516, 24.1172,
            23.8047, 5.9141, 21.1406, 28.7031, 7.3984, 5.9297, 3.0703, 7.5234, 8.4609, 5.8828,
            46.8281, 65.1406,
        ];
        check(1.5, (4, 8), &larger);
        assert_eq!(resize(plane.view(), 1.0).unwrap(), plane);
        assert_eq!(resize(plane.view(), 0.01).unwrap().dim(), (1, 1));
    }

    /// `scipy.ndimage.zoom([[0, 10, 20, 30]], …, order=1)`.
    #[test]
    fn zoom_keeps_corners() {
        let row = array![[0.0f32, 10.0, 20.0, 30.0]];
        close(&zoom(row.view(), 0.5).unwrap(), &[0.0, 30.0]);
        close(&zoom(row.view(), 0.75).unwrap(), &[0.0, 15.0, 30.0]);
        let column = row.t().to_owned();
        let larger = zoom(column.view(), 1.75).unwrap();
        assert_eq!(larger.dim(), (7, 2));
        close(
            &larger.slice(ndarray::s![.., ..1]).to_owned(),
            &[0.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0],
        );
    }

    #[test]
    fn labels_are_copied() {
        let labels = array![[1, 2], [3, 4]];
        let twice = nearest(labels.view(), (4, 3)).unwrap();
        // Pixel i of 3 comes from pixel floor((i + 0.5) * 2 / 3).
        assert_eq!(twice, array![[1, 2, 2], [1, 2, 2], [3, 4, 4], [3, 4, 4]]);
        assert_eq!(nearest(twice.view(), (2, 2)).unwrap(), labels);
        assert_eq!(nearest(labels.view(), (0, 3)).unwrap().dim(), (0, 3));
    }

    #[test]
    fn bad_factors_are_errors() {
        let plane = Array2::<f32>::zeros((3, 3));
        for factor in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e9] {
            assert!(resize(plane.view(), factor).is_err(), "{factor}");
            assert!(zoom(plane.view(), factor).is_err(), "{factor}");
        }
        let empty = Array2::<f32>::zeros((0, 3));
        assert!(resize(empty.view(), 1.0).is_err());
        assert!(nearest(Array2::zeros((0, 3)).view(), (2, 2)).is_err());
    }
}
