//! Minimum and maximum.

use multiversion::multiversion;
use ndarray::ArrayView2;

use super::{Pixel, pixels};
use crate::{Error, Result};

/// Independent running extremes, so that the compiler can keep them in vectors.
const LANES: usize = 64;

/// The smallest and the largest value: `np.min`, `np.max`. Both are NaN if any pixel is.
///
/// # Errors
/// [`Error::Empty`] without pixels.
pub fn min_max<T: Pixel>(plane: ArrayView2<'_, T>) -> Result<(T, T)> {
    T::extremes(&pixels(&plane)).ok_or(Error::Empty("the minimum"))
}

#[inline(always)]
fn fold<T: Copy + PartialOrd>(values: &[T]) -> Option<(T, T)> {
    let first = *values.first()?;
    let (mut low, mut high) = ([first; LANES], [first; LANES]);
    let (blocks, rest) = values.as_chunks::<LANES>();
    for block in blocks {
        for ((low, high), &value) in low.iter_mut().zip(&mut high).zip(block) {
            *low = if value < *low { value } else { *low };
            *high = if value > *high { value } else { *high };
        }
    }
    let smaller = |a: T, b: T| if b < a { b } else { a };
    let larger = |a: T, b: T| if b > a { b } else { a };
    let low = low.iter().chain(rest).copied().fold(first, smaller);
    let high = high.iter().chain(rest).copied().fold(first, larger);
    Some((low, high))
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
pub(super) fn of_u8(values: &[u8]) -> Option<(u8, u8)> {
    fold(values)
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
pub(super) fn of_u16(values: &[u16]) -> Option<(u16, u16)> {
    fold(values)
}

/// NaN compares false with everything, so it is looked for on its own.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
pub(super) fn of_f32(values: &[f32]) -> Option<(f32, f32)> {
    if values.iter().fold(false, |any, value| any | value.is_nan()) {
        return Some((f32::NAN, f32::NAN));
    }
    fold(values)
}
