//! The Euclidean distance transform: `analysis::distance`, exactly.
//!
//! Squared distances are integers on the device; roots are taken on the CPU, in double precision, and rounded once.

// A view is a pointer and two pairs of numbers: ndarray passes it by value.
#![allow(clippy::needless_pass_by_value)]

mod device;

pub use device::{columns, rows, squared};

use ndarray::{Array2, ArrayView2, s};

use super::cut;
use super::mask::{self, Mask};
use crate::{Gpu, Result};

/// Bytes a pixel of all buffers together: mask, columns, squares, and the ends of pieces and the anchors, of which a plane of two
/// rows or two columns has one word a pixel.
const BYTES: u64 = 17;

/// The distance in pixels from every pixel to the nearest `false` pixel of a (y, x) mask: [`analysis::distance::edt`], bit for bit.
///
/// # Errors
/// As [`edt_squared`].
pub fn edt(gpu: &Gpu, mask: ArrayView2<'_, bool>) -> Result<Array2<f64>> {
    Ok(edt_squared(gpu, mask)?.mapv(|square| f64::from(square).sqrt()))
}

/// The square of [`edt`]: [`analysis::distance::edt_squared`], exactly.
///
/// A mask that the device cannot hold is cut: into strips of columns, then into bands of rows. The result is the same.
///
/// # Errors
/// [`Error::Unsupported`](crate::Error::Unsupported) for a side of more than 46,340 pixels, and the device's own.
pub fn edt_squared(gpu: &Gpu, mask: ArrayView2<'_, bool>) -> Result<Array2<u32>> {
    let size = mask.dim();
    device::check(size)?;
    if mask.is_empty() {
        return Ok(Array2::zeros(size));
    }
    // A single row has two ends of pieces a pixel.
    if size.0.max(2) * size.1 > cut::pixels(gpu, BYTES) {
        return in_pieces(gpu, mask);
    }
    let pixels = mask::upload(gpu, mask)?;
    let squares = gpu.words(mask.len())?;
    let mut batch = gpu.batch();
    squared(gpu, &mut batch, Mask::Bytes(&pixels), size, &squares)?;
    batch.submit()?;
    download(gpu, &squares, size)
}

/// Columns strip by strip, then rows band by band; what lies between is kept on the CPU.
fn in_pieces(gpu: &Gpu, mask: ArrayView2<'_, bool>) -> Result<Array2<u32>> {
    let (height, width) = mask.dim();
    let fit = cut::pixels(gpu, BYTES);
    let mut vertical = Array2::<u32>::zeros((height, width));
    let background = gpu.words(1)?;
    let mut batch = gpu.batch();
    batch.clear(&background);
    batch.submit()?;
    let strip = (fit / height.max(2)).clamp(1, width);
    for start in (0..width).step_by(strip) {
        let end = width.min(start + strip);
        let size = (height, end - start);
        let pixels = mask::upload(gpu, mask.slice(s![.., start..end]))?;
        let distances = gpu.words(size.0 * size.1)?;
        let mut batch = gpu.batch();
        columns(
            gpu,
            &mut batch,
            Mask::Bytes(&pixels),
            size,
            &distances,
            &background,
        )?;
        batch.submit()?;
        vertical
            .slice_mut(s![.., start..end])
            .assign(&download(gpu, &distances, size)?);
    }
    let band = (fit / width).clamp(1, height);
    for start in (0..height).step_by(band) {
        let end = height.min(start + band);
        let size = (end - start, width);
        let mut here = vertical.slice_mut(s![start..end, ..]);
        let distances = gpu.upload(here.as_slice().unwrap_or_default())?;
        let squares = gpu.words(size.0 * size.1)?;
        let mut batch = gpu.batch();
        rows(
            gpu,
            &mut batch,
            &distances,
            &background,
            start,
            size,
            &squares,
        )?;
        batch.submit()?;
        here.assign(&download(gpu, &squares, size)?);
    }
    Ok(vertical)
}

fn download(gpu: &Gpu, buffer: &crate::Buffer, size: (usize, usize)) -> Result<Array2<u32>> {
    let values = gpu.download(buffer, size.0 * size.1)?;
    Ok(shaped(size, values))
}

/// A plane (y, x) of as many values as it has pixels.
pub(super) fn shaped<T>(size: (usize, usize), values: Vec<T>) -> Array2<T> {
    match Array2::from_shape_vec(size, values) {
        Ok(plane) => plane,
        Err(_) => unreachable!("a plane of {size:?} has as many values"),
    }
}
