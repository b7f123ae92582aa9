//! What the values of a plane are, and how the device sees them.

use analysis::accelerator::Plane;
use ndarray::{ArrayView2, Axis, Slice};

use crate::{Buffer, Gpu, Result};

/// The type of a plane's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// 8-bit, four a word.
    U8,
    /// 16-bit, two a word.
    U16,
    /// 32-bit.
    U32,
    /// Single precision.
    F32,
}

impl Kind {
    /// The type of a plane.
    #[must_use]
    pub const fn of(plane: Plane<'_>) -> Self {
        match plane {
            Plane::U8(_) => Self::U8,
            Plane::U16(_) => Self::U16,
            Plane::U32(_) => Self::U32,
            Plane::F32(_) => Self::F32,
        }
    }

    /// What the kernels call it.
    pub(super) const fn constant(self) -> f64 {
        match self {
            Self::U8 => 1.0,
            Self::U16 => 2.0,
            Self::U32 => 4.0,
            Self::F32 => 0.0,
        }
    }

    /// The lowest bit of the highest of the digits, of 8 bits each, that a key has.
    pub(super) const fn highest_digit(self) -> u32 {
        match self {
            Self::U8 => 0,
            Self::U16 => 8,
            Self::U32 | Self::F32 => 24,
        }
    }

    /// The value of a key: an integer that is ordered as the values are.
    pub(super) fn value(self, key: u32) -> f64 {
        match self {
            Self::F32 => f32::from_bits(bits(key)).into(),
            _ => key.into(),
        }
    }

    /// What the device counts values in, for an object with these lowest and highest keys.
    pub(super) fn step(self, low: u32, high: u32) -> f64 {
        match self {
            Self::F32 => {
                let exponent = |key| (bits(key) >> 23 & 255).clamp(1, 254) as i32;
                2f64.powi(exponent(low).max(exponent(high)) - 157)
            }
            _ => 1.0,
        }
    }
}

/// The bits of the number with that key.
const fn bits(key: u32) -> u32 {
    if key >= 1 << 31 { key ^ 1 << 31 } else { !key }
}

/// Copies the rows `start..end` of a plane to the device.
pub(super) fn upload(gpu: &Gpu, plane: Plane<'_>, start: usize, end: usize) -> Result<Buffer> {
    fn rows<T: bytemuck::Pod>(
        gpu: &Gpu,
        plane: ArrayView2<'_, T>,
        start: usize,
        end: usize,
    ) -> Result<Buffer> {
        let rows = plane.slice_axis(Axis(0), Slice::from(start..end));
        gpu.upload(rows.as_standard_layout().as_slice().unwrap_or_default())
    }
    match plane {
        Plane::U8(plane) => rows(gpu, plane, start, end),
        Plane::U16(plane) => rows(gpu, plane, start, end),
        Plane::U32(plane) => rows(gpu, plane, start, end),
        Plane::F32(plane) => rows(gpu, plane, start, end),
    }
}
