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

/// A number with a key of the same order; NaN is above all.
trait Ordered: Copy + Send + Sync {
    type Key: Copy + Ord + Send + Sync;
    fn key(self) -> Self::Key;
    fn value(key: Self::Key) -> f64;
    /// The number of the key in a table of all keys, if that is small.
    fn index(_: Self::Key) -> Option<usize> {
        None
    }
    /// The inverse of [`Self::index`].
    fn at(_: usize) -> Option<Self::Key> {
        None
    }
    fn is_number(self) -> bool {
        true
    }
}

macro_rules! ordered_integers {
    ($($type:ty, $index:expr, $at:expr);*) => {$(
        impl Ordered for $type {
            type Key = $type;
            #[inline(always)]
            fn key(self) -> $type { self }
            #[allow(clippy::cast_precision_loss, clippy::cast_lossless)]
            fn value(key: $type) -> f64 { key as f64 }
            #[inline(always)]
            fn index(key: $type) -> Option<usize> { $index(key) }
            fn at(index: usize) -> Option<$type> { $at(index) }
        }
    )*};
}
ordered_integers!(
    u8, |k: u8| Some(usize::from(k)), |i| u8::try_from(i).ok();
    u16, |k: u16| Some(usize::from(k)), |i| u16::try_from(i).ok();
    i8, |k: i8| Some((i32::from(k) + 128) as usize), |i| i8::try_from(i as i64 - 128).ok();
    i16, |k: i16| Some((i32::from(k) + 32_768) as usize), |i| i16::try_from(i as i64 - 32_768).ok();
    u32, |_| None, |_| None;
    u64, |_| None, |_| None;
    i32, |_| None, |_| None;
    i64, |_| None, |_| None
);

macro_rules! ordered_floats {
    ($($type:ty, $bits:ty);*) => {$(
        impl Ordered for $type {
            type Key = $bits;
            #[inline(always)]
            fn key(self) -> $bits {
                // Negative numbers are stored as sign and magnitude: turn them round.
                let bits = self.to_bits();
                let sign = 1 << (<$bits>::BITS - 1);
                let key = if bits & sign == 0 { bits | sign } else { !bits };
                if self.is_nan() { <$bits>::MAX } else { key }
            }
            #[allow(clippy::cast_lossless)]
            fn value(key: $bits) -> f64 {
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
    if pixels.len() >= SMALL
        && let Some(limits) = by_counting(pixels).or_else(|| by_bracket(pixels))
    {
        return Some(limits);
    }
    let mut keys: Vec<T::Key> = pixels
        .iter()
        .filter(|p| p.is_number())
        .map(|p| p.key())
        .collect();
    let n = keys.len();
    interpolate::<T>(n, |rank| Some(*keys.select_nth_unstable(rank).1))
}

/// The pixels in as many parts as there are threads.
fn parts<T: Sync>(pixels: &[T]) -> rayon::slice::Chunks<'_, T> {
    pixels.par_chunks(pixels.len().div_ceil(rayon::current_num_threads()).max(1))
}

/// For types of few values: counts each.
fn by_counting<T: Ordered>(pixels: &[T]) -> Option<[f64; 2]> {
    let values = (0..=1 << 16)
        .find(|i| T::at(*i).is_none())
        .filter(|n| *n > 0)?;
    let count = |part: &[T]| {
        // Two tables, because a counter that was just written is slow to read again.
        let mut tables = [vec![0u32; values], vec![0u32; values]];
        let [even, odd] = &mut tables;
        let mut add = |table: bool, pixel: T| {
            if let Some(index) = T::index(pixel.key()) {
                if table {
                    odd[index] += 1;
                } else {
                    even[index] += 1;
                }
            }
        };
        let mut pairs = part.chunks_exact(2);
        for pair in &mut pairs {
            add(false, pair[0]);
            add(true, pair[1]);
        }
        pairs.remainder().iter().for_each(|p| add(false, *p));
        even.iter()
            .zip(odd)
            .map(|(a, b)| u64::from(*a) + u64::from(*b))
            .collect::<Vec<u64>>()
    };
    let add = |mut a: Vec<u64>, b: Vec<u64>| {
        a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        a
    };
    let counts = parts(pixels).map(count).reduce_with(add)?;
    interpolate::<T>(pixels.len(), |rank| {
        let mut below = 0;
        let index = counts.iter().position(|c| {
            below += c;
            below > rank as u64
        })?;
        T::at(index)
    })
}

const SAMPLE: usize = 8192;

/// The position of sample `i` of `n` pixels: evenly spread, and never in step with the rows.
fn sampled(i: usize, n: usize) -> usize {
    let fraction = (i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    ((u128::from(fraction) * n as u128) >> 64) as usize
}

/// A range of keys that should hold a percentile, and what a pass over the pixels found about it.
struct Bracket<K> {
    low: K,
    high: K,
    below: usize,
    /// How many keys lie in the range.
    held: usize,
    /// Those keys, unless they are all the same (background).
    inside: Vec<K>,
}

/// For all other types: a sample tells between which keys the percentiles should lie; one pass counts what lies below and
/// keeps what lies between. `None` if the sample misled.
fn by_bracket<T: Ordered>(pixels: &[T]) -> Option<[f64; 2]> {
    let mut sample: Vec<T::Key> = (0..SAMPLE)
        .map(|i| pixels[sampled(i, pixels.len())])
        .filter(|p| p.is_number())
        .map(|p| p.key())
        .collect();
    sample.sort_unstable();
    let last = sample.len().checked_sub(1)?;
    let ranges = PERCENTS.map(|percent| {
        let q = percent / 100.0;
        // Five standard deviations of the sample's rank.
        let spread = 5.0 * (sample.len() as f64 * q * (1.0 - q)).sqrt() + 2.0;
        let at = |position: f64| sample[(position.max(0.0) as usize).min(last)];
        let middle = q * last as f64;
        (at(middle - spread), at(middle + spread))
    });
    let scan = |part: &[T]| {
        let mut found = ranges.map(|(low, high)| Bracket {
            low,
            high,
            below: 0,
            held: 0,
            inside: Vec::new(),
        });
        let mut numbers = 0;
        for block in part.chunks(16) {
            numbers += block.iter().map(|p| u32::from(p.is_number())).sum::<u32>() as usize;
            for b in &mut found {
                b.below += block
                    .iter()
                    .map(|p| u32::from(p.key() < b.low))
                    .sum::<u32>() as usize;
                let is_inside = |k: T::Key| k >= b.low && k <= b.high;
                let held: u32 = block.iter().map(|p| u32::from(is_inside(p.key()))).sum();
                b.held += held as usize;
                if held > 0 && b.low < b.high {
                    b.inside
                        .extend(block.iter().map(|p| p.key()).filter(|k| is_inside(*k)));
                }
            }
        }
        (numbers, found)
    };
    let join = |(n, mut a): (usize, [Bracket<T::Key>; 2]),
                (m, b): (usize, [Bracket<T::Key>; 2])| {
        for (a, b) in a.iter_mut().zip(b) {
            a.below += b.below;
            a.held += b.held;
            a.inside.extend(b.inside);
        }
        (n + m, a)
    };
    let (numbers, mut found) = parts(pixels).map(scan).reduce_with(join)?;
    interpolate::<T>(numbers, |rank| {
        let b = found
            .iter_mut()
            .find(|b| (b.below..b.below + b.held).contains(&rank))?;
        if b.inside.is_empty() {
            return Some(b.low);
        }
        // NaN lies above all numbers, so even a range that reaches it is right about lower ranks.
        Some(*b.inside.select_nth_unstable(rank - b.below).1)
    })
}

/// Interpolates between the two ranks on either side of each percentile.
fn interpolate<T: Ordered>(
    n: usize,
    mut key_at: impl FnMut(usize) -> Option<T::Key>,
) -> Option<[f64; 2]> {
    let mut limits = [0.0; 2];
    for (limit, percent) in limits.iter_mut().zip(PERCENTS) {
        let position = percent / 100.0 * n.checked_sub(1)? as f64;
        let low = position.floor() as usize;
        let (a, b) = (
            T::value(key_at(low)?),
            T::value(key_at((low + 1).min(n - 1))?),
        );
        let t = position - low as f64;
        // NumPy's own form, which is exact at both ends.
        *limit = if a == b {
            a
        } else if t < 0.5 {
            a + (b - a) * t
        } else {
            b - (b - a) * (1.0 - t)
        };
    }
    Some(limits)
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
        for side in [1, 2, 17, 200, 301] {
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
    fn a_sample_that_misleads_does_no_harm() {
        // Every sampled pixel is 0, the others are not.
        let side = 512;
        let mut values: Vec<f32> = (1..=side * side).map(|i| i as f32).collect();
        (0..SAMPLE).for_each(|i| values[sampled(i, side * side)] = 0.0);
        let wide = values.iter().map(|v| f64::from(*v)).collect();
        check(
            &Pixels::F32(Array2::from_shape_vec((side, side), values).unwrap()),
            wide,
        );
        let constant = Pixels::F32(Array2::from_elem((side, side), 7.5));
        assert_eq!(limits(&constant), Some([7.5, 7.5]));
    }

    #[test]
    fn no_pixel_no_limits() {
        assert_eq!(
            limits(&Pixels::F32(Array2::from_elem((3, 3), f32::NAN))),
            None
        );
    }
}
