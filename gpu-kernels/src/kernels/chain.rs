//! Planes that stay on the device between operations, so that a chain is uploaded once.

use analysis::accelerator::{GreyFilter, Plane, PlaneBuf};

use crate::error::{Error, Result};
use crate::gpu::{Buffer, Gpu};
use crate::kernels::convert::{self, Pixel, Values};
use crate::kernels::morphology::{self, Disk};

/// A plane (y, x) on the device, packed. A clone is the same plane.
#[derive(Clone)]
pub struct DevicePlane {
    packed: Buffer,
    pixel: Pixel,
    size: (usize, usize),
}

impl std::fmt::Debug for DevicePlane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {:?} on the device", self.size, self.pixel)
    }
}

impl DevicePlane {
    /// Copies a plane to the device.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] for one that is larger than a binding or the memory that is left.
    pub fn upload(gpu: &Gpu, plane: Plane<'_>) -> Result<Self> {
        Ok(Self {
            packed: convert::upload(gpu, plane)?,
            pixel: Pixel::of(&plane),
            size: plane.dim(),
        })
    }

    /// Copies it back.
    ///
    /// # Errors
    /// Those of the device.
    pub fn download(&self, gpu: &Gpu) -> Result<PlaneBuf> {
        let mut values = Values::new(self.pixel);
        values.fetch(gpu, &self.packed, self.pixels())?;
        values.into_plane(self.size)
    }

    /// Bytes on the device.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.packed.bytes()
    }

    const fn pixels(&self) -> usize {
        self.size.0 * self.size.1
    }
}

/// [`convert::flat_field`] of a plane on the device; nothing is waited for.
///
/// # Errors
/// As there; [`Error::OutOfMemory`] if it does not fit as a whole.
pub fn flat_field(
    gpu: &Gpu,
    image: &DevicePlane,
    divisor: &DevicePlane,
    offset: f32,
) -> Result<DevicePlane> {
    if image.pixel == Pixel::U32 || divisor.pixel != Pixel::F32 || divisor.size != image.size {
        return Err(Error::Unsupported("a flat field of another type or size"));
    }
    let mut batch = gpu.batch();
    let packed = convert::on_device::flat_field(
        gpu,
        &mut batch,
        (&image.packed, image.pixel),
        image.pixels(),
        &divisor.packed,
        offset,
    )?;
    batch.submit()?;
    Ok(DevicePlane {
        packed,
        pixel: Pixel::F32,
        size: image.size,
    })
}

/// [`morphology::grey`] of a plane on the device; nothing is waited for.
///
/// # Errors
/// As there; [`Error::OutOfMemory`] if it does not fit as a whole.
pub fn grey(
    gpu: &Gpu,
    filter: GreyFilter,
    radius: usize,
    image: &DevicePlane,
) -> Result<DevicePlane> {
    if image.pixels() == 0 {
        return Ok(image.clone());
    }
    let disk = Disk::new(gpu, radius, image.size)?;
    let mut batch = gpu.batch();
    let count = image.pixels();
    let source = convert::on_device::widen(gpu, &mut batch, &image.packed, image.pixel, count)?;
    let filtered =
        morphology::on_device::grey(gpu, &mut batch, filter, &disk, &source, image.pixel)?;
    let packed = convert::on_device::pack(gpu, &mut batch, &filtered, image.pixel, 0, count)?;
    batch.submit()?;
    Ok(DevicePlane {
        packed,
        pixel: image.pixel,
        size: image.size,
    })
}
