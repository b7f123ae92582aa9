//! The flat field.

use analysis::accelerator::Plane;
use analysis::correct::FlatField;
use ndarray::{Array2, s};

use super::{Pixel, append, on_device, planar, rows, upload};
use crate::error::{Error, Result};
use crate::gpu::Gpu;
use crate::kernels::cut::{Needs, bands};

/// `((plane - offset) / divisor) + offset` in single precision: [`FlatField::correct`], bit for bit, except that a device may take
/// numbers below 2^-126 for 0, and that every NaN is the same.
///
/// # Errors
/// [`Error::Unsupported`] for `u32`, which the reference does not take, and for a divisor of another size; those of the device.
pub fn flat_field(gpu: &Gpu, plane: Plane<'_>, field: &FlatField) -> Result<Array2<f32>> {
    let pixel = Pixel::of(&plane);
    if pixel == Pixel::U32 {
        return Err(Error::Unsupported("the flat field of a 32-bit plane"));
    }
    let (height, width) = plane.dim();
    if field.divisor.dim() != (height, width) {
        return Err(Error::Unsupported("a flat field of another size"));
    }
    let row = width as u64;
    let needs = Needs {
        halo: 0,
        width,
        largest: 4 * row,
        all: (8 + pixel.bytes() as u64) * row,
    };
    let mut corrected = Vec::new();
    for band in bands(gpu, height, needs)? {
        let count = band.out.len() * width;
        let source = upload(gpu, rows(&plane, band.out.clone()))?;
        let divisor = upload(gpu, Plane::F32(field.divisor.slice(s![band.out, ..])))?;
        let mut batch = gpu.batch();
        let out = on_device::flat_field(
            gpu,
            &mut batch,
            (&source, pixel),
            count,
            &divisor,
            field.offset,
        )?;
        batch.submit()?;
        append(&mut corrected, gpu.download(&out, count)?);
    }
    planar((height, width), corrected)
}
