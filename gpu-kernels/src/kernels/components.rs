//! Connected components: `analysis::components::label`, numbering included, exactly.
//!
//! Union-find over pixels: runs within rows, joined by atomic minima (Playne and Hawick; Komura), so that the root of a component
//! is its first pixel in raster order. Roots are numbered by a prefix sum. No group waits for another one.

// A view is a pointer and two pairs of numbers: ndarray passes it by value.
#![allow(clippy::needless_pass_by_value)]

mod device;
mod seams;

pub use device::{mask, regions};

use analysis::components::Connectivity;
use ndarray::{Array2, ArrayView2, s};

use super::cut;
use super::distance::shaped;
use super::mask::{Mask, upload};
use crate::{Batch, Buffer, Gpu, Result};

/// Bytes a pixel of all buffers together: values, labels, roots, and the sums of blocks of them.
const BYTES: u64 = 13;

/// Numbers the connected components of `mask` (y, x) from 1, in the order of their first pixel in raster order:
/// [`analysis::components::label`], exactly.
///
/// Returns the label image and the number of components. A mask that the device cannot hold is cut into bands of rows, whose
/// components are joined on the CPU. The result is the same.
///
/// # Errors
/// The device's own.
pub fn label(
    gpu: &Gpu,
    mask: ArrayView2<'_, bool>,
    connectivity: Connectivity,
) -> Result<(Array2<u32>, u32)> {
    let of_band = |start: usize, end: usize, batch: &mut Batch<'_>, labels: &Buffer| {
        let band = mask.slice(s![start..end, ..]);
        let pixels = upload(gpu, band)?;
        let size = band.dim();
        self::mask(gpu, batch, Mask::Bytes(&pixels), size, connectivity, labels)
    };
    in_bands(gpu, mask.dim(), connectivity, of_band, |_, _| true)
}

/// Numbers the connected regions of equal, non-zero value of a label image (y, x): [`analysis::components::label_regions`],
/// exactly.
///
/// # Errors
/// As [`label`].
pub fn label_regions(
    gpu: &Gpu,
    labels: ArrayView2<'_, u32>,
    connectivity: Connectivity,
) -> Result<(Array2<u32>, u32)> {
    let of_band = |start: usize, end: usize, batch: &mut Batch<'_>, out: &Buffer| {
        let band = labels.slice(s![start..end, ..]);
        let pixels = band.as_standard_layout();
        let values = gpu.upload(pixels.as_slice().unwrap_or_default())?;
        regions(gpu, batch, &values, band.dim(), connectivity, out)
    };
    let same = |one: (usize, usize), other: (usize, usize)| labels[one] == labels[other];
    in_bands(gpu, labels.dim(), connectivity, of_band, same)
}

/// Labels a plane as a whole if the device can hold it, else band by band.
fn in_bands(
    gpu: &Gpu,
    (height, width): (usize, usize),
    connectivity: Connectivity,
    of_band: impl Fn(usize, usize, &mut Batch<'_>, &Buffer) -> Result<Buffer>,
    same: impl Fn((usize, usize), (usize, usize)) -> bool,
) -> Result<(Array2<u32>, u32)> {
    if height == 0 || width == 0 {
        return Ok((Array2::zeros((height, width)), 0));
    }
    let of_rows = |start: usize, end: usize| {
        let count = (end - start) * width;
        let labels = gpu.words(count)?;
        let mut batch = gpu.batch();
        let found = of_band(start, end, &mut batch, &labels)?;
        batch.submit()?;
        let plane = shaped((end - start, width), gpu.download(&labels, count)?);
        Ok((plane, gpu.download(&found, 1)?[0]))
    };
    let band = (cut::pixels(gpu, BYTES) / width).max(1);
    if band >= height {
        return of_rows(0, height);
    }
    let mut labels = Array2::zeros((height, width));
    let mut count = 0;
    for start in (0..height).step_by(band) {
        let (here, found) = of_rows(start, height.min(start + band))?;
        seams::append(&mut labels, start, here.view(), count);
        count += found;
    }
    let borders = (band..height).step_by(band);
    let count = seams::join(&mut labels, count, borders, connectivity, same);
    Ok((labels, count))
}
