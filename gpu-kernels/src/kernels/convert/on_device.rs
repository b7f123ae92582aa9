//! Conversions of what is on the device already: each adds its work to a batch and gives the buffer that will hold the result.

use bytemuck::{Pod, Zeroable};

use super::{PACKED, Pixel};
use crate::error::Result;
use crate::gpu::{Batch, Buffer, Gpu, Kernel};
use crate::kernels::cut::{self, switch};

const THREADS: usize = 256;

const UNPACK: Kernel = Kernel {
    name: "convert.unpack",
    source: &[PACKED, include_str!("unpack.wgsl")],
    entry: "main",
};

const PACK: Kernel = Kernel {
    name: "convert.pack",
    source: &[include_str!("pack.wgsl")],
    entry: "main",
};

const FLAT_FIELD: Kernel = Kernel {
    name: "convert.flat_field",
    source: &[
        PACKED,
        include_str!("division.wgsl"),
        include_str!("flat_field.wgsl"),
    ],
    entry: "main",
};

/// One 32-bit value a pixel of packed pixels, unchanged: whole numbers as `u32`, floats as they are. Pixels of 32 bits are the same
/// buffer.
///
/// # Errors
/// As [`Gpu::scratch`] and [`Batch::dispatch`]; the same for the other functions.
pub fn widen(
    gpu: &Gpu,
    batch: &mut Batch<'_>,
    packed: &Buffer,
    pixel: Pixel,
    count: usize,
) -> Result<Buffer> {
    unpack(gpu, batch, packed, pixel, count, false)
}

/// One `f32` a pixel of packed pixels: exact for 8 and 16 bits, rounded to nearest for `u32` from 2^24 on.
///
/// # Errors
/// As [`widen`].
pub fn to_f32(
    gpu: &Gpu,
    batch: &mut Batch<'_>,
    packed: &Buffer,
    pixel: Pixel,
    count: usize,
) -> Result<Buffer> {
    unpack(gpu, batch, packed, pixel, count, pixel != Pixel::F32)
}

fn unpack(
    gpu: &Gpu,
    batch: &mut Batch<'_>,
    packed: &Buffer,
    pixel: Pixel,
    count: usize,
    to_float: bool,
) -> Result<Buffer> {
    if pixel.bytes() == 4 && !to_float {
        return Ok(packed.clone());
    }
    let out = gpu.words(count)?;
    batch.dispatch(
        UNPACK,
        &[pixel.bits(), switch("TO_FLOAT", to_float)],
        &[cut::size(count)?, 0, 0, 0],
        &[packed, &out],
        cut::groups(count, THREADS),
    )?;
    Ok(out)
}

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Packing {
    first: u32,
    count: u32,
    words: u32,
    unused: u32,
}

/// Packs `count` values of 32 bits, from the value `first` on, as pixels of this type. The values are of the kind that [`widen`] gives
/// for the type; whole numbers that do not fit lose their high bits.
///
/// # Errors
/// As [`widen`].
pub fn pack(
    gpu: &Gpu,
    batch: &mut Batch<'_>,
    values: &Buffer,
    pixel: Pixel,
    first: usize,
    count: usize,
) -> Result<Buffer> {
    if pixel.bytes() == 4 && first == 0 {
        return Ok(values.clone());
    }
    packed(gpu, batch, values, pixel, first, count, false)
}

/// Packs `count` floats, from the value `first` on, as whole numbers of this type as `as` does: truncated toward zero, what lies
/// outside its range at the end of the range, NaN as 0. For [`Pixel::F32`] they stay floats.
///
/// # Errors
/// As [`widen`].
pub fn pack_f32(
    gpu: &Gpu,
    batch: &mut Batch<'_>,
    values: &Buffer,
    pixel: Pixel,
    first: usize,
    count: usize,
) -> Result<Buffer> {
    if pixel == Pixel::F32 {
        return pack(gpu, batch, values, pixel, first, count);
    }
    packed(gpu, batch, values, pixel, first, count, true)
}

fn packed(
    gpu: &Gpu,
    batch: &mut Batch<'_>,
    values: &Buffer,
    pixel: Pixel,
    first: usize,
    count: usize,
    from_float: bool,
) -> Result<Buffer> {
    let words = pixel.words(count);
    let out = gpu.words(words)?;
    let parameters = Packing {
        first: cut::size(first)?,
        count: cut::size(count)?,
        words: cut::size(words)?,
        unused: 0,
    };
    batch.dispatch(
        PACK,
        &[pixel.bits(), switch("FROM_FLOAT", from_float)],
        &parameters,
        &[values, &out],
        cut::groups(words, THREADS),
    )?;
    Ok(out)
}

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Correction {
    count: u32,
    offset: f32,
    unused: [u32; 2],
}

/// [`super::flat_field`] of `count` packed pixels: `divisor` and the result have one `f32` a pixel. `u32` pixels are rounded to `f32`
/// first.
///
/// # Errors
/// As [`widen`].
pub fn flat_field(
    gpu: &Gpu,
    batch: &mut Batch<'_>,
    (packed, pixel): (&Buffer, Pixel),
    count: usize,
    divisor: &Buffer,
    offset: f32,
) -> Result<Buffer> {
    let out = gpu.words(count)?;
    let parameters = Correction {
        count: cut::size(count)?,
        offset,
        unused: [0; 2],
    };
    batch.dispatch(
        FLAT_FIELD,
        &[pixel.bits(), switch("FROM_FLOAT", pixel == Pixel::F32)],
        &parameters,
        &[packed, divisor, &out],
        cut::groups(count, THREADS),
    )?;
    Ok(out)
}
