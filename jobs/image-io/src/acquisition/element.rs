//! The element types in which planes are decoded.

use bytemuck::Pod;
use ndarray::Array2;

use crate::Pixels;

/// One pixel value in memory.
pub(super) trait Element: Pod + Send + Sync + PartialEq + std::fmt::Debug {
    /// The plane of these elements.
    fn wrap(plane: Array2<Self>) -> Pixels;
    /// The value of `bits`, low bits first; used for types narrower than the element.
    fn from_bits(bits: u32) -> Self;
    fn swap(self) -> Self;
}

macro_rules! element {
    ($($type:ty, $variant:ident, $from:expr, $swap:expr;)*) => {$(
        impl Element for $type {
            fn wrap(plane: Array2<Self>) -> Pixels {
                Pixels::$variant(plane)
            }
            #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_lossless, clippy::cast_precision_loss)]
            fn from_bits(bits: u32) -> Self {
                $from(bits)
            }
            fn swap(self) -> Self {
                $swap(self)
            }
        }
    )*};
}

element! {
    u8, U8, |b| b as u8, u8::swap_bytes;
    u16, U16, |b| b as u16, u16::swap_bytes;
    u32, U32, |b| b, u32::swap_bytes;
    u64, U64, |b| b as u64, u64::swap_bytes;
    i8, I8, |b| b as i8, i8::swap_bytes;
    i16, I16, |b| b as i16, i16::swap_bytes;
    i32, I32, |b| b as i32, i32::swap_bytes;
    i64, I64, |b| b as i64, i64::swap_bytes;
    f32, F32, f32::from_bits, |v: f32| f32::from_bits(v.to_bits().swap_bytes());
    f64, F64, |b| f64::from(f32::from_bits(b)), |v: f64| f64::from_bits(v.to_bits().swap_bytes());
}

/// Calls `$body` with `$type` naming the element type of a [`crate::PixelType`].
macro_rules! with_element {
    ($pixel_type:expr, $type:ident => $body:expr) => {
        match $pixel_type {
            $crate::PixelType::U8 => {
                type $type = u8;
                $body
            }
            $crate::PixelType::U16 => {
                type $type = u16;
                $body
            }
            $crate::PixelType::U32 => {
                type $type = u32;
                $body
            }
            $crate::PixelType::U64 => {
                type $type = u64;
                $body
            }
            $crate::PixelType::I8 => {
                type $type = i8;
                $body
            }
            $crate::PixelType::I16 => {
                type $type = i16;
                $body
            }
            $crate::PixelType::I32 => {
                type $type = i32;
                $body
            }
            $crate::PixelType::I64 => {
                type $type = i64;
                $body
            }
            $crate::PixelType::F32 => {
                type $type = f32;
                $body
            }
            $crate::PixelType::F64 => {
                type $type = f64;
                $body
            }
        }
    };
}
pub(super) use with_element;

/// Picks sample `sample` of `count` interleaved samples as a (height, width) plane.
pub(super) fn deinterleave<T: Element>(
    interleaved: &[T],
    count: usize,
    sample: usize,
    shape: (usize, usize),
) -> Pixels {
    let values: Vec<T> = interleaved
        .chunks_exact(count)
        .map(|pixel| pixel[sample])
        .collect();
    plane(values, shape)
}

/// The plane of `values`, which hold exactly height × width elements.
pub(super) fn plane<T: Element>(values: Vec<T>, shape: (usize, usize)) -> Pixels {
    let plane = Array2::from_shape_vec(shape, values);
    T::wrap(plane.expect("the buffer was allocated for this shape"))
}
