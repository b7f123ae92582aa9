//! Pixel types, and planes on their way to the device and back.

use std::ops::Range;

use analysis::accelerator::{Plane, PlaneBuf};
use bytemuck::Pod;
use ndarray::{Array2, ArrayView2, s};

use crate::error::{Error, Result};
use crate::gpu::{Buffer, Gpu};

/// The type of a plane's pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pixel {
    /// 8-bit.
    U8,
    /// 16-bit.
    U16,
    /// 32-bit.
    U32,
    /// Single precision.
    F32,
}

impl Pixel {
    /// That of a plane.
    #[must_use]
    pub const fn of(plane: &Plane<'_>) -> Self {
        match plane {
            Plane::U8(_) => Self::U8,
            Plane::U16(_) => Self::U16,
            Plane::U32(_) => Self::U32,
            Plane::F32(_) => Self::F32,
        }
    }

    /// Bytes of a pixel.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::U16 => 2,
            Self::U32 | Self::F32 => 4,
        }
    }

    /// Words of 4 bytes that so many packed pixels take.
    #[must_use]
    pub const fn words(self, pixels: usize) -> usize {
        pixels.div_ceil(4 / self.bytes())
    }

    pub(crate) fn bits(self) -> (&'static str, f64) {
        ("BITS", 8.0 * self.bytes() as f64)
    }
}

/// Copies a plane to the device as packed words, row by row in C order whatever the order of the view.
///
/// # Errors
/// As [`Gpu::upload`].
pub fn upload(gpu: &Gpu, plane: Plane<'_>) -> Result<Buffer> {
    match plane {
        Plane::U8(a) => values(gpu, &a),
        Plane::U16(a) => values(gpu, &a),
        Plane::U32(a) => values(gpu, &a),
        Plane::F32(a) => values(gpu, &a),
    }
}

/// Copies packed pixels of a plane of (height, width) from the device, after all work that was submitted before.
///
/// # Errors
/// As [`Gpu::download`].
pub fn download(
    gpu: &Gpu,
    packed: &Buffer,
    pixel: Pixel,
    size: (usize, usize),
) -> Result<PlaneBuf> {
    let mut values = Values::new(pixel);
    values.fetch(gpu, packed, size.0 * size.1)?;
    values.into_plane(size)
}

fn values<T: Pod>(gpu: &Gpu, plane: &ArrayView2<'_, T>) -> Result<Buffer> {
    // A view of contiguous rows is not copied here.
    let plane = plane.as_standard_layout();
    gpu.upload(plane.as_slice().unwrap_or_default())
}

/// Some rows of a plane.
pub(crate) fn rows<'a>(plane: &Plane<'a>, rows: Range<usize>) -> Plane<'a> {
    match *plane {
        Plane::U8(a) => Plane::U8(a.slice_move(s![rows, ..])),
        Plane::U16(a) => Plane::U16(a.slice_move(s![rows, ..])),
        Plane::U32(a) => Plane::U32(a.slice_move(s![rows, ..])),
        Plane::F32(a) => Plane::F32(a.slice_move(s![rows, ..])),
    }
}

/// Pixels that come back from the device, band by band.
#[derive(Debug)]
pub(crate) enum Values {
    U8(Vec<u8>),
    U16(Vec<u16>),
    U32(Vec<u32>),
    F32(Vec<f32>),
}

impl Values {
    pub const fn new(pixel: Pixel) -> Self {
        match pixel {
            Pixel::U8 => Self::U8(Vec::new()),
            Pixel::U16 => Self::U16(Vec::new()),
            Pixel::U32 => Self::U32(Vec::new()),
            Pixel::F32 => Self::F32(Vec::new()),
        }
    }

    /// Downloads the next `count` packed pixels.
    pub fn fetch(&mut self, gpu: &Gpu, packed: &Buffer, count: usize) -> Result<()> {
        match self {
            Self::U8(all) => append(all, gpu.download(packed, count)?),
            Self::U16(all) => append(all, gpu.download(packed, count)?),
            Self::U32(all) => append(all, gpu.download(packed, count)?),
            Self::F32(all) => append(all, gpu.download(packed, count)?),
        }
        Ok(())
    }

    /// Takes the next pixels from the bytes of packed ones.
    pub fn take(&mut self, bytes: &[u8]) {
        match self {
            Self::U8(all) => all.extend_from_slice(bytes),
            Self::U16(all) => append(all, bytemuck::pod_collect_to_vec(bytes)),
            Self::U32(all) => append(all, bytemuck::pod_collect_to_vec(bytes)),
            Self::F32(all) => append(all, bytemuck::pod_collect_to_vec(bytes)),
        }
    }

    pub fn into_plane(self, shape: (usize, usize)) -> Result<PlaneBuf> {
        Ok(match self {
            Self::U8(all) => PlaneBuf::U8(planar(shape, all)?),
            Self::U16(all) => PlaneBuf::U16(planar(shape, all)?),
            Self::U32(all) => PlaneBuf::U32(planar(shape, all)?),
            Self::F32(all) => PlaneBuf::F32(planar(shape, all)?),
        })
    }
}

/// Adds values; the first ones are not copied.
pub(crate) fn append<T>(all: &mut Vec<T>, mut more: Vec<T>) {
    if all.is_empty() {
        *all = more;
    } else {
        all.append(&mut more);
    }
}

/// Gives values their shape.
pub(crate) fn planar<T>(shape: (usize, usize), values: Vec<T>) -> Result<Array2<T>> {
    Array2::from_shape_vec(shape, values)
        .map_err(|_| Error::Lost("it gave fewer pixels than were asked for".to_owned()))
}
