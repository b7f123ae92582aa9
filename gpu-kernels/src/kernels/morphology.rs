//! Erosion, dilation, opening, closing and white top hat of grey planes with scikit-image's disk: `analysis::morphology`, exactly.
//!
//! A disk is a stack of rows. The largest value of 2^k columns from each column on makes a table, each table comes from a smaller
//! one, and a row of the disk is two windows of a table that overlap: about 4 loads a pixel and radius, coalesced, and two tables at a
//! time. What lies beyond the border is ignored, as in the reference.
//!
//! Whole numbers are equal. Floats are compared as whole numbers in the same order, so they are equal too, with two exceptions: where
//! 0 and -0 compete, -0 is the smaller one here and either of them in the reference; and where a neighbourhood holds nothing but
//! NaNs, the result is a NaN here also at the border (the reference has an infinity there). Like there, NaNs beside numbers are ignored.

mod disk;
pub mod on_device;

pub use disk::{Disk, MOST_RADIUS};

use analysis::accelerator::{GreyFilter, Plane, PlaneBuf};

use crate::error::Result;
use crate::gpu::Gpu;
use crate::kernels::convert::{self, Pixel, Values};
use crate::kernels::cut::{Needs, bands};

/// Filters a plane by a disk of `radius` pixels; see [`GreyFilter`] for the function that each filter equals.
///
/// # Errors
/// [`crate::Error::Unsupported`] for a radius of more than [`MOST_RADIUS`]; those of the device.
pub fn grey(gpu: &Gpu, filter: GreyFilter, radius: usize, plane: Plane<'_>) -> Result<PlaneBuf> {
    let pixel = Pixel::of(&plane);
    let (height, width) = plane.dim();
    let mut values = Values::new(pixel);
    if width > 0 {
        for band in bands(gpu, height, needs(filter, radius, pixel, width))? {
            let size = (band.source.len(), width);
            let disk = Disk::new(gpu, radius, size)?;
            let packed = convert::upload(gpu, convert::rows(&plane, band.source.clone()))?;
            let mut batch = gpu.batch();
            let source =
                convert::on_device::widen(gpu, &mut batch, &packed, pixel, size.0 * width)?;
            let filtered = on_device::grey(gpu, &mut batch, filter, &disk, &source, pixel)?;
            let count = band.out.len() * width;
            let first = band.above() * width;
            let packed = convert::on_device::pack(gpu, &mut batch, &filtered, pixel, first, count)?;
            batch.submit()?;
            values.fetch(gpu, &packed, count)?;
        }
    }
    values.into_plane((height, width))
}

fn needs(filter: GreyFilter, radius: usize, pixel: Pixel, width: usize) -> Needs {
    let passes = match filter {
        GreyFilter::Erosion | GreyFilter::Dilation => 1,
        GreyFilter::Opening | GreyFilter::Closing | GreyFilter::WhiteTophat => 2,
    };
    let columns = (width + radius.min(width - 1)) as u64;
    let row = width as u64;
    Needs {
        halo: passes * radius,
        width: columns as usize,
        largest: 4 * columns,
        // Packed and widened, two tables, the result, packed again.
        all: 8 * columns + (8 + 2 * pixel.bytes() as u64) * row,
    }
}
