//! Contrast limits for viewers.

use rayon::prelude::*;

use crate::Pixels;

/// Returns the 1st and 99th percentile of an image, as `numpy.percentile` with linear interpolation, in double precision.
///
/// NaN pixels are left out (NumPy would return NaN, which no viewer can show). `None` if no pixel is left.
#[must_use]
pub fn limits(pixels: &Pixels) -> Option<[f64; 2]> {
    crate::with_pixels!(pixels, a => {
        let a = a.as_standard_layout();
        of(a.as_slice().unwrap_or_default())
    })
}

const PERCENTS: [f64; 2] = [1.0, 99.0];
/// Below this many pixels sorting is cheaper than counting.
const SMALL: usize = 1 << 14;

/// A number with a key of the same order.
trait Ordered: Copy + Send + Sync {
    /// Bits of the key.
    const BITS: u32;
    fn key(self) -> u64;
    fn value(key: u64) -> f64;
    fn is_number(self) -> bool {
        true
    }
}

macro_rules! ordered_integers {
    ($($type:ty, $unsigned:ty);*) => {$(
        impl Ordered for $type {
            const BITS: u32 = <$type>::BITS;
            #[inline(always)]
            #[allow(clippy::cast_sign_loss, clippy::cast_lossless)]
            fn key(self) -> u64 { (self as $unsigned ^ (<$type>::MIN as $unsigned)) as u64 }
            #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_lossless)]
            fn value(key: u64) -> f64 { (key as $unsigned ^ (<$type>::MIN as $unsigned)) as $type as f64 }
        }
    )*};
}
ordered_integers!(u8, u8; u16, u16; u32, u32; u64, u64; i8, u8; i16, u16; i32, u32; i64, u64);

macro_rules! ordered_floats {
    ($($type:ty, $bits:ty);*) => {$(
        impl Ordered for $type {
            const BITS: u32 = <$bits>::BITS;
            #[inline(always)]
            #[allow(clippy::cast_lossless)]
            fn key(self) -> u64 {
                // Negative numbers are stored with magnitude first: turn them round.
                let bits = self.to_bits();
                let sign = 1 << (<$bits>::BITS - 1);
                (if bits & sign == 0 { bits | sign } else { !bits }) as u64
            }
            #[allow(clippy::cast_possible_truncation, clippy::cast_lossless)]
            fn value(key: u64) -> f64 {
                let key = key as $bits;
                let sign = 1 << (<$bits>::BITS - 1);
                <$type>::from_bits(if key & sign == 0 { !key } else { key & !sign }) as f64
            }
            #[inline(always)]
            fn is_number(self) -> bool { !self.is_nan() }
        }
    )*};
}
ordered_floats!(f32, u32; f64, u64);

fn of<T: Ordered>(pixels: &[T]) -> Option<[f64; 2]> {
    if pixels.len() < SMALL {
        let mut keys: Vec<u64> = pixels
            .iter()
            .filter(|p| p.is_number())
            .map(|p| p.key())
            .collect();
        let n = keys.len();
        return interpolate::<T>(n, |rank| *keys.select_nth_unstable(rank).1);
    }
    let first = count(pixels, 0, T::BITS);
    let n = first.iter().sum::<u64>() as usize;
    let mut found = Found(vec![(0, T::BITS, first)]);
    interpolate::<T>(n, |rank| found.key_at(pixels, rank as u64))
}

/// Bits of the key that one pass counts.
const DIGIT: u32 = 16;

/// Counts of the next digit for each beginning of a key that was looked into.
struct Found(Vec<(u64, u32, Vec<u64>)>);

impl Found {
    /// The key of a rank, digit by digit: each pass counts only the pixels whose keys begin like the wanted one.
    fn key_at<T: Ordered>(&mut self, pixels: &[T], mut rank: u64) -> u64 {
        let (mut prefix, mut rest) = (0, T::BITS);
        while rest > 0 {
            let known = self
                .0
                .iter()
                .position(|(p, r, _)| (*p, *r) == (prefix, rest));
            let index = known.unwrap_or_else(|| {
                self.0.push((prefix, rest, count(pixels, prefix, rest)));
                self.0.len() - 1
            });
            let digit = rest.min(DIGIT);
            let counts = &self.0[index].2;
            let mut bin = 0;
            while bin + 1 < counts.len() && counts[bin] <= rank {
                rank -= counts[bin];
                bin += 1;
            }
            prefix = prefix << digit | bin as u64;
            rest -= digit;
        }
        prefix
    }
}

/// Counts the next digit of all keys that begin with `prefix`, whose last `rest` bits are not known yet.
fn count<T: Ordered>(pixels: &[T], prefix: u64, rest: u32) -> Vec<u64> {
    let digit = rest.min(DIGIT);
    let (shift, mask) = (rest - digit, (1u64 << digit) - 1);
    let share = pixels.len().div_ceil(rayon::current_num_threads());
    let begins = |key: u64| rest == T::BITS || key >> rest == prefix;
    let part = |part: &[T]| {
        // Two tables, because a counter that was just written is slow to read again.
        let mut tables = [vec![0u32; 1 << digit], vec![0u32; 1 << digit]];
        let [even, odd] = &mut tables;
        let mut pairs = part.chunks_exact(2);
        for pair in &mut pairs {
            let (a, b) = (pair[0].key(), pair[1].key());
            even[(a >> shift & mask) as usize] += u32::from(pair[0].is_number() && begins(a));
            odd[(b >> shift & mask) as usize] += u32::from(pair[1].is_number() && begins(b));
        }
        for pixel in pairs.remainder() {
            even[(pixel.key() >> shift & mask) as usize] +=
                u32::from(pixel.is_number() && begins(pixel.key()));
        }
        even.iter()
            .zip(odd)
            .map(|(a, b)| u64::from(*a) + u64::from(*b))
            .collect::<Vec<u64>>()
    };
    let add = |mut a: Vec<u64>, b: Vec<u64>| {
        a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        a
    };
    pixels
        .par_chunks(share)
        .map(part)
        .reduce_with(add)
        .unwrap_or_default()
}

/// Interpolates between the two ranks on either side of each percentile.
fn interpolate<T: Ordered>(n: usize, mut key_at: impl FnMut(usize) -> u64) -> Option<[f64; 2]> {
    if n == 0 {
        return None;
    }
    Some(PERCENTS.map(|percent| {
        let position = percent / 100.0 * (n - 1) as f64;
        let low = position.floor() as usize;
        let a = T::value(key_at(low));
        let b = T::value(key_at((low + 1).min(n - 1)));
        let t = position - low as f64;
        // NumPy's own form, which is exact at both ends.
        if a == b {
            a
        } else if t < 0.5 {
            a + (b - a) * t
        } else {
            b - (b - a) * (1.0 - t)
        }
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ndarray::Array2;

    /// Straight from the definition: sort, then interpolate.
    fn expected(mut values: Vec<f64>) -> [f64; 2] {
        values.retain(|v| !v.is_nan());
        values.sort_by(f64::total_cmp);
        [0.01, 0.99].map(|q| {
            let p = q * (values.len() - 1) as f64;
            let (a, b) = (values[p.floor() as usize], values[p.ceil() as usize]);
            a + (b - a) * p.fract()
        })
    }

    fn check(pixels: &Pixels, values: Vec<f64>) {
        let (found, wanted) = (limits(pixels).unwrap(), expected(values));
        for (f, w) in found.iter().zip(wanted) {
            assert!(
                (f - w).abs() <= 1e-12 * w.abs().max(1.0),
                "{found:?} {wanted:?}"
            );
        }
    }

    #[test]
    fn agrees_with_sorting_for_every_type_and_both_ways() {
        let mut state = 7u64;
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            state >> 33
        };
        for side in [1, 2, 17, 200] {
            let raw: Vec<u64> = (0..side * side).map(|_| next()).collect();
            macro_rules! case {
                ($variant:ident, $type:ty, $f:expr) => {{
                    let values: Vec<$type> = raw.iter().map($f).collect();
                    let wide = values.iter().map(|v| *v as f64).collect();
                    check(
                        &Pixels::$variant(Array2::from_shape_vec((side, side), values).unwrap()),
                        wide,
                    );
                }};
            }
            case!(U8, u8, |v| *v as u8);
            case!(U16, u16, |v| *v as u16);
            case!(I8, i8, |v| *v as i8);
            case!(I16, i16, |v| *v as i16);
            case!(I32, i32, |v| *v as i32 - (1 << 30));
            case!(U64, u64, |v| *v);
            case!(I64, i64, |v| *v as i64 - (1 << 30));
            case!(F32, f32, |v| (*v as f32 - 1e9) * 1e-3);
            case!(F64, f64, |v| if v % 50 == 3 && *v > 1 << 20 {
                f64::NAN
            } else {
                *v as f64 - 1e9
            });
        }
    }

    #[test]
    fn no_pixel_no_limits() {
        assert_eq!(
            limits(&Pixels::F32(Array2::from_elem((3, 3), f32::NAN))),
            None
        );
    }
}
