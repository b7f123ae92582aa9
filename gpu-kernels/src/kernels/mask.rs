//! Masks on the device.

// A view is a pointer and two pairs of numbers: ndarray passes it by value.
#![allow(clippy::needless_pass_by_value)]

use ndarray::ArrayView2;

use crate::{Buffer, Gpu, Result};

/// What a kernel that reads a mask puts before its own text: `inside(pixel)`, of the buffer at binding 1.
pub(super) const SOURCE: &str = include_str!("mask/mask.wgsl");

/// A mask (y, x) in raster order on the device. Whatever is not 0 is foreground.
#[derive(Clone, Copy)]
pub enum Mask<'a> {
    /// One byte a pixel; the last word is filled up.
    Bytes(&'a Buffer),
    /// One word of 4 bytes a pixel: label images are masks too.
    Words(&'a Buffer),
}

impl<'a> Mask<'a> {
    pub(super) const fn buffer(self) -> &'a Buffer {
        match self {
            Self::Bytes(buffer) | Self::Words(buffer) => buffer,
        }
    }

    /// The constants of kernels that begin with [`SOURCE`].
    pub(super) const fn constants(self) -> [(&'static str, f64); 1] {
        let bytes = match self {
            Self::Bytes(_) => 1.0,
            Self::Words(_) => 4.0,
        };
        [("mask_bytes", bytes)]
    }
}

/// Copies a mask (y, x) to the device, as bytes: see [`Mask::Bytes`].
///
/// # Errors
/// As [`Gpu::scratch`].
pub fn upload(gpu: &Gpu, mask: ArrayView2<'_, bool>) -> Result<Buffer> {
    let mask = mask.as_standard_layout();
    let pixels: &[bool] = mask.as_slice().unwrap_or_default();
    gpu.upload::<u8>(bytemuck::cast_slice(pixels))
}
