//! From stored bytes to pixel values: bit order, byte order, predictors, packed integers and small floats.

use super::compression::Predictor;
use super::page::{Page, Storage};
use crate::acquisition::element::Element;

/// Undoes `FillOrder = 2`: the first pixel of each byte lies in its lowest bit.
pub(super) fn reverse_bits(bytes: &mut [u8]) {
    for byte in bytes {
        *byte = byte.reverse_bits();
    }
}

/// Swaps the bytes of every value.
pub(super) fn swap<T: Element>(values: &mut [T]) {
    for value in values {
        *value = value.swap();
    }
}

/// Makes decompressed rows of a chunk native: byte order and predictor. `T` has the size of a stored sample.
pub(super) fn restore<T: Element + Wrapping>(page: &Page, values: &mut [T], row_length: usize) {
    let samples = page.interleaved();
    match page.predictor {
        Predictor::None => {
            if !page.order.is_native() {
                swap(values);
            }
        }
        Predictor::Horizontal => {
            if !page.order.is_native() {
                swap(values);
            }
            for row in values.chunks_exact_mut(row_length) {
                accumulate(row, samples);
            }
        }
        // The bytes are in one fixed order, whatever the order of the file.
        Predictor::FloatingPoint => {
            let mut planes = vec![0; row_length * size_of::<T>()];
            for row in values.chunks_exact_mut(row_length) {
                join_byte_planes(
                    bytemuck::cast_slice_mut(row),
                    &mut planes,
                    samples,
                    size_of::<T>(),
                );
            }
        }
    }
}

/// Sums of neighbours, on the bit patterns: the inverse of horizontal differencing.
fn accumulate<T: Wrapping>(row: &mut [T], samples: usize) {
    match samples {
        1 => {
            let Some(mut last) = row.first().copied() else {
                return;
            };
            for value in &mut row[1..] {
                last = value.add(last);
                *value = last;
            }
        }
        _ => {
            for i in samples..row.len() {
                row[i] = row[i].add(row[i - samples]);
            }
        }
    }
}

/// Undoes the floating-point predictor of Adobe's technical note 3: byte-wise sums, then bytes gathered from `size` planes,
/// of which the first holds the most significant bytes.
fn join_byte_planes(row: &mut [u8], planes: &mut [u8], samples: usize, size: usize) {
    accumulate(row, samples);
    planes.copy_from_slice(row);
    let count = row.len() / size;
    for (i, value) in row.chunks_exact_mut(size).enumerate() {
        for (byte, target) in value.iter_mut().enumerate() {
            let plane = if cfg!(target_endian = "little") {
                size - 1 - byte
            } else {
                byte
            };
            *target = planes[plane * count + i];
        }
    }
}

/// Addition modulo the width of the type; floats are added as their bit patterns, as libtiff does.
pub(super) trait Wrapping: Copy {
    fn add(self, other: Self) -> Self;
}

macro_rules! wrapping {
    ($($int:ty)*; $($float:ty)*) => {
        $(impl Wrapping for $int { fn add(self, other: Self) -> Self { self.wrapping_add(other) } })*
        $(impl Wrapping for $float { fn add(self, other: Self) -> Self { Self::from_bits(self.to_bits().wrapping_add(other.to_bits())) } })*
    };
}
wrapping!(u8 u16 u32 u64 i8 i16 i32 i64; f32 f64);

/// Widens one stored row, of which `out` takes the first values.
pub(super) fn widen<T: Element>(page: &Page, stored: &[u8], out: &mut [T]) {
    match page.storage {
        Storage::Element => out.copy_from_slice(&bytemuck::cast_slice(stored)[..out.len()]),
        Storage::Packed(bits) => {
            let differences_of =
                (page.predictor == Predictor::Horizontal).then_some(page.interleaved());
            unpack(bits.into(), stored, differences_of, out);
        }
        // `restore` has already put halves into native order.
        Storage::Half => {
            for (value, raw) in out.iter_mut().zip(stored.chunks_exact(2)) {
                *value = T::from_bits(small_float(
                    u32::from(u16::from_ne_bytes([raw[0], raw[1]])),
                    5,
                    10,
                ));
            }
        }
        Storage::Float24 => {
            for (value, raw) in out.iter_mut().zip(stored.chunks_exact(3)) {
                let [a, b, c] = [raw[0], raw[1], raw[2]].map(u32::from);
                let bits = if page.order == super::directory::ByteOrder::Big {
                    a << 16 | b << 8 | c
                } else {
                    c << 16 | b << 8 | a
                };
                *value = T::from_bits(small_float(bits, 7, 16));
            }
        }
    }
}

/// Unsigned integers of `bits` bits, most significant first; or differences, modulo 2^bits, of so many interleaved samples.
fn unpack<T: Element>(bits: u32, stored: &[u8], differences_of: Option<usize>, out: &mut [T]) {
    if bits == 1 && differences_of.is_none() {
        for (values, byte) in out.chunks_mut(8).zip(stored) {
            for (i, value) in values.iter_mut().enumerate() {
                *value = T::from_bits(u32::from(byte >> (7 - i) & 1));
            }
        }
        return;
    }
    let mask = (1 << bits) - 1;
    let (mut held, mut available) = (0_u64, 0);
    let mut bytes = stored.iter();
    let mut next = || {
        while available < bits {
            held = held << 8 | u64::from(bytes.next().copied().unwrap_or_default());
            available += 8;
        }
        available -= bits;
        (held >> available) as u32 & mask
    };
    match differences_of {
        None => out
            .iter_mut()
            .for_each(|value| *value = T::from_bits(next())),
        Some(samples) => {
            let mut last = vec![0; samples];
            for (i, value) in out.iter_mut().enumerate() {
                let last = &mut last[i % samples];
                *last = next().wrapping_add(*last) & mask;
                *value = T::from_bits(*last);
            }
        }
    }
}

/// The single-precision bits of a float with these sizes of exponent and mantissa; exact for every value.
fn small_float(bits: u32, exponent_bits: u32, mantissa_bits: u32) -> u32 {
    let sign = bits >> (exponent_bits + mantissa_bits) << 31;
    let exponent = bits >> mantissa_bits & ((1 << exponent_bits) - 1);
    let mantissa = bits & ((1 << mantissa_bits) - 1);
    let bias = (1 << (exponent_bits - 1)) - 1;
    if exponent == (1 << exponent_bits) - 1 {
        sign | 0xff << 23 | mantissa << (23 - mantissa_bits)
    } else if exponent == 0 {
        // Subnormal: mantissa × 2^(1 − bias − mantissa bits); a normal number in single precision.
        let scale = f32::from_bits((127 + 1 - bias - mantissa_bits) << 23);
        sign | (mantissa as f32 * scale).to_bits()
    } else {
        sign | (exponent + 127 - bias) << 23 | mantissa << (23 - mantissa_bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_become_singles() {
        let cases = [
            (0x0000, 0.0),
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0001, 5.960_464_5e-8),
            (0x03ff, 6.097_555e-5),
            (0x0400, 6.103_515_6e-5),
            (0x7c00, f32::INFINITY),
            (0xfc00, f32::NEG_INFINITY),
            (0x3555, 0.333_251_95),
        ];
        for (half, single) in cases {
            assert_eq!(
                small_float(half, 5, 10),
                f32::to_bits(single),
                "{half:#06x}"
            );
        }
        assert!(f32::from_bits(small_float(0x7e00, 5, 10)).is_nan());
        // 24-bit: 1.0 has exponent 63.
        assert_eq!(small_float(63 << 16, 7, 16), 1_f32.to_bits());
        assert_eq!(
            small_float(1, 7, 16),
            (2_f32.powi(-62) * 2_f32.powi(-16)).to_bits()
        );
    }

    #[test]
    fn sums_run_along_each_sample() {
        let mut row = [1_u16, 10, 1, 65530, 1, 10];
        accumulate(&mut row, 2);
        assert_eq!(row, [1, 10, 2, 4, 3, 14]);
        let mut row = [1_u8, 255, 255, 1];
        accumulate(&mut row, 1);
        assert_eq!(row, [1, 0, 255, 0]);
    }

    #[test]
    fn byte_planes_join_to_big_endian_values() {
        // Two singles 1.0 (3f800000) and 2.0 (40000000): planes 3f 40 | 80 00 | 00 00 | 00 00, then differences.
        let planes = [0x3f_u8, 0x40, 0x80, 0, 0, 0, 0, 0];
        let mut row = planes;
        for i in (1..8).rev() {
            row[i] = row[i].wrapping_sub(row[i - 1]);
        }
        join_byte_planes(&mut row, &mut [0; 8], 1, 4);
        let values: Vec<f32> = row
            .chunks(4)
            .map(|b| f32::from_ne_bytes([b[0], b[1], b[2], b[3]]))
            .collect();
        assert_eq!(values, [1.0, 2.0]);
    }
}
