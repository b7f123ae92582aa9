//! Planes at another size: images for networks that were trained at one magnification, and label images back.
//!
//! [`bilinear`] and [`nearest`] reproduce `torch.nn.functional.interpolate` (`mode="bilinear"` with a `scale_factor`, and
//! `mode="nearest"` with a `size`), which InstanSeg uses, [`zoom`] reproduces `scipy.ndimage.zoom(…, order=1)`, which StarDist
//! uses; to 1e-6 of the values' range, label images exactly. None of them smooths first: an image that shrinks to less than
//! half its size loses its finest structures to aliasing, as it does there.

// A view is a pointer and a few numbers: ndarray passes it by value.
#![allow(clippy::needless_pass_by_value)]

use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

use crate::{Error, Result};

/// Pixels of a rescaled plane: more is a mistake in the factor.
const MOST_PIXELS: f64 = (1u64 << 32) as f64;

/// A plane `factor` times as high and wide, rounded down but at least one pixel: pixel centres are kept aligned.
///
/// # Errors
/// [`Error::Parameter`] when `factor` is not a positive number or the result would have more than 2^32 pixels,
/// [`Error::Empty`] without pixels.
pub fn bilinear(plane: ArrayView2<'_, f32>, factor: f64) -> Result<Array2<f32>> {
    let (height, width) = checked(plane.dim(), factor)?;
    let size = |n: usize| ((n as f64 * factor) as usize).max(1);
    let weights = |out: usize, n: usize| -> Vec<Tap> {
        let back = (1.0 / factor) as f32;
        (0..out)
            .map(|i| Tap::at((back * (i as f32 + 0.5) - 0.5).max(0.0), n))
            .collect()
    };
    Ok(interpolate(
        plane,
        &weights(size(height), height),
        &weights(size(width), width),
    ))
}

/// A plane of about `factor` times the height and width (rounded, halves to even): the centres of the corner pixels are kept.
///
/// # Errors
/// See [`bilinear`].
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
        let step = n as f32 / out as f32;
        (0..out)
            .map(|i| ((i as f32 * step) as usize).min(n - 1))
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

    /// `F.interpolate(tensor, scale_factor=…, mode="bilinear")`, worked out by hand: the centre of output pixel i lies at
    /// (i + 0.5) / factor - 0.5.
    #[test]
    fn bilinear_keeps_pixel_centres() {
        let row = array![[0.0f32, 10.0, 20.0, 30.0]];
        close(&bilinear(row.view(), 0.5).unwrap(), &[5.0, 25.0]);
        let twice = bilinear(row.view(), 2.0).unwrap();
        assert_eq!(twice.dim(), (2, 8));
        close(
            &twice.slice(ndarray::s![1..2, ..]).to_owned(),
            &[0.0, 2.5, 7.5, 12.5, 17.5, 22.5, 27.5, 30.0],
        );
        close(
            &bilinear(row.view(), 0.75).unwrap(),
            &[10.0 / 6.0, 15.0, 170.0 / 6.0],
        );
        assert_eq!(bilinear(row.view(), 1.0).unwrap(), row);
        assert_eq!(bilinear(row.view(), 0.01).unwrap().dim(), (1, 1));
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
        assert_eq!(twice, array![[1, 1, 2], [1, 1, 2], [3, 3, 4], [3, 3, 4]]);
        // Pixel i of n comes from pixel floor(i * 3 / 2).
        assert_eq!(
            nearest(twice.view(), (2, 2)).unwrap(),
            array![[1, 1], [3, 3]]
        );
        assert_eq!(nearest(labels.view(), (0, 3)).unwrap().dim(), (0, 3));
    }

    #[test]
    fn bad_factors_are_errors() {
        let plane = Array2::<f32>::zeros((3, 3));
        for factor in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e9] {
            assert!(bilinear(plane.view(), factor).is_err(), "{factor}");
            assert!(zoom(plane.view(), factor).is_err(), "{factor}");
        }
        let empty = Array2::<f32>::zeros((0, 3));
        assert!(bilinear(empty.view(), 1.0).is_err());
        assert!(nearest(Array2::zeros((0, 3)).view(), (2, 2)).is_err());
    }
}
