//! An image on the device.

// A view is a pointer and a few numbers: ndarray passes it by value.
#![allow(clippy::needless_pass_by_value)]

use analysis::pixel_features::Region;
use ndarray::{ArrayView4, s};

use crate::error::{Error, Result};
use crate::gpu::{Buffer, Gpu};

/// An image, or a part of one with all of its channels, on the device.
#[derive(Clone)]
pub struct Source {
    /// Values with axes (channel, z, y, x).
    pub(super) values: Buffer,
    pub(super) channels: usize,
    /// What of the image there is.
    pub(super) held: Region,
    /// Size of the whole image (z, y, x).
    pub(super) extent: [usize; 3],
}

impl Source {
    /// Copies an image (channel, z, y, x) to the device.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`]; [`Self::part`] then copies less.
    pub fn whole(gpu: &Gpu, image: ArrayView4<'_, f32>) -> Result<Self> {
        let (_, z, y, x) = image.dim();
        Self::part(gpu, image, Region::whole([z, y, x]))
    }

    /// Copies a part of an image to the device.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a part that is not in the image, [`Error::OutOfMemory`].
    pub fn part(gpu: &Gpu, image: ArrayView4<'_, f32>, held: Region) -> Result<Self> {
        let (channels, z, y, x) = image.dim();
        if (0..3).any(|axis| held.end(axis) > [z, y, x][axis]) {
            return Err(Error::Unsupported("a part beyond the image"));
        }
        let range = |axis: usize| held.start[axis]..held.end(axis);
        let part = image.slice_move(s![.., range(0), range(1), range(2)]);
        let values = match part.as_slice() {
            Some(values) => gpu.upload(values)?,
            None => gpu.upload(part.as_standard_layout().as_slice().unwrap_or_default())?,
        };
        Ok(Self {
            values,
            channels,
            held,
            extent: [z, y, x],
        })
    }

    /// Number of channels.
    #[must_use]
    pub const fn channels(&self) -> usize {
        self.channels
    }

    /// Size of the whole image (z, y, x).
    #[must_use]
    pub const fn extent(&self) -> [usize; 3] {
        self.extent
    }

    /// Whether the image has one z-slice only.
    #[must_use]
    pub const fn flat(&self) -> bool {
        self.extent[0] == 1
    }
}
