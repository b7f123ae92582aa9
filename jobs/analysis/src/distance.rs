//! The exact Euclidean distance to the nearest background pixel: `scipy.ndimage.distance_transform_edt`.

// A view is a pointer and two pairs of numbers: ndarray passes it by value.
#![allow(clippy::needless_pass_by_value)]

mod columns;
mod line;

use ndarray::{Array2, ArrayView2};

use crate::components::spans::Spans;
use crate::gaussian::bands::{for_each_band, rows_per_band};
use crate::gaussian::shaped;
use crate::{Error, Result};

/// Beyond this side the square of the longest distance does not fit into 32 bits.
const MAX_SIDE: usize = 46_340;

/// The distance in pixels from every pixel to the nearest `false` pixel of a (y, x) mask; 0 on the background.
///
/// Exactly `scipy.ndimage.distance_transform_edt(mask)`: squared distances are integers here as there, and the square root
/// of an integer is rounded once. Without any background pixel the distance is not defined; like scipy's, the result is
/// then the distance to the pixel above the first one, (-1, 0).
///
/// # Errors
/// [`Error::Parameter`] for a plane with a side of more than 46,340 pixels.
pub fn edt(mask: ArrayView2<'_, bool>) -> Result<Array2<f64>> {
    transform(mask, line::roots)
}

/// The square of [`edt`], as an exact integer.
///
/// # Errors
/// As [`edt`].
pub fn edt_squared(mask: ArrayView2<'_, bool>) -> Result<Array2<u32>> {
    transform(mask, |squares, out| out.copy_from_slice(squares))
}

/// Computes the squared distances row by row and stores them through `store`.
fn transform<T: Copy + Default + Send>(
    mask: ArrayView2<'_, bool>,
    store: impl Fn(&[u32], &mut [T]) + Send + Sync,
) -> Result<Array2<T>> {
    let (height, width) = mask.dim();
    if height.max(width) > MAX_SIDE {
        return Err(Error::Parameter {
            name: "mask",
            value: format!("a mask of {height} by {width} pixels"),
            expected: "at most 46340 pixels a side: cut it into tiles",
        });
    }
    if height == 0 || width == 0 {
        return Ok(Array2::default((height, width)));
    }
    let mask = mask.as_standard_layout();
    let Some(pixels) = mask.as_slice() else {
        unreachable!("the standard layout is contiguous");
    };
    let mut out = vec![T::default(); height * width];
    match columns::distances(pixels, width) {
        Some(columns) => {
            let foreground = Spans::of_mask(mask.view());
            let rows = rows_per_band(height, width, 0);
            for_each_band(&mut out, rows * width, |band, out| {
                let mut line = line::Line::new(width);
                for (index, out) in out.chunks_exact_mut(width).enumerate() {
                    let y = band * rows + index;
                    let spans = foreground.row(y).map(|index| {
                        let span = foreground.get(index);
                        span.start as usize..span.end as usize
                    });
                    let squares = line.squares(&columns[y * width..(y + 1) * width], spans.clone());
                    for span in spans {
                        store(&squares[span.clone()], &mut out[span]);
                    }
                }
            });
        }
        None => {
            let mut squares = vec![0; width];
            for (y, out) in out.chunks_exact_mut(width).enumerate() {
                for (x, square) in squares.iter_mut().enumerate() {
                    *square = ((y + 1) * (y + 1) + x * x) as u32;
                }
                store(&squares, out);
            }
        }
    }
    Ok(shaped((height, width), out))
}
