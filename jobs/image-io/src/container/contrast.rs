//! Contrast limits for viewers.

use std::cmp::Ordering;

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

/// A number that can be ranked.
trait Ranked: Copy + PartialOrd + Send + Sync {
    fn order(&self, other: &Self) -> Ordering;
    fn wide(self) -> f64;
    fn is_number(self) -> bool {
        true
    }
    /// The number's place in a table of all numbers of its type, if that is small.
    fn index(self) -> Option<usize> {
        None
    }
    /// The inverse of [`Self::index`].
    fn at(_: usize) -> Option<Self> {
        None
    }
}

macro_rules! small {
    ($($type:ty, $offset:expr);*) => {$(
        impl Ranked for $type {
            fn order(&self, other: &Self) -> Ordering { self.cmp(other) }
            fn wide(self) -> f64 { f64::from(self) }
            #[inline(always)]
            fn index(self) -> Option<usize> { Some((i32::from(self) + $offset) as usize) }
            fn at(index: usize) -> Option<Self> { Self::try_from(index as i64 - $offset).ok() }
        }
    )*};
}
small!(u8, 0; u16, 0; i8, 128; i16, 32_768);

macro_rules! large {
    ($($type:ty, $order:path, $is_number:expr);*) => {$(
        impl Ranked for $type {
            fn order(&self, other: &Self) -> Ordering { $order(self, other) }
            #[allow(clippy::cast_precision_loss, clippy::cast_lossless, clippy::unnecessary_cast)]
            fn wide(self) -> f64 { self as f64 }
            #[inline(always)]
            fn is_number(self) -> bool { $is_number(self) }
        }
    )*};
}
large!(
    u32, Ord::cmp, |_| true;
    u64, Ord::cmp, |_| true;
    i32, Ord::cmp, |_| true;
    i64, Ord::cmp, |_| true;
    f32, f32::total_cmp, |v: f32| !v.is_nan();
    f64, f64::total_cmp, |v: f64| !v.is_nan()
);

fn of<T: Ranked>(pixels: &[T]) -> Option<[f64; 2]> {
    if pixels.len() >= SMALL
        && let Some(limits) = by_counting(pixels).or_else(|| by_bracket(pixels))
    {
        return Some(limits);
    }
    let mut numbers: Vec<T> = pixels.iter().copied().filter(|p| p.is_number()).collect();
    let n = numbers.len();
    interpolate(n, |rank| {
        Some(*numbers.select_nth_unstable_by(rank, T::order).1)
    })
}

/// The pixels in as many parts as there are threads.
fn parts<T: Sync>(pixels: &[T]) -> rayon::slice::Chunks<'_, T> {
    pixels.par_chunks(pixels.len().div_ceil(rayon::current_num_threads()).max(1))
}

/// For types of few values: counts each.
fn by_counting<T: Ranked>(pixels: &[T]) -> Option<[f64; 2]> {
    let values = (0..=1 << 16)
        .find(|i| T::at(*i).is_none())
        .filter(|n| *n > 0)?;
    let count = |part: &[T]| {
        // Two tables, because a counter that was just written is slow to read again.
        let mut tables = [vec![0u32; values], vec![0u32; values]];
        let [even, odd] = &mut tables;
        let mut add = |table: bool, pixel: T| {
            if let Some(index) = pixel.index() {
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
    interpolate(pixels.len(), |rank| {
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

/// A range that should hold a percentile, and what a pass over the pixels found about it.
#[derive(Clone)]
struct Bracket<T> {
    low: T,
    high: T,
    below: usize,
    /// How many pixels lie in the range.
    held: usize,
    /// Those pixels, unless they are all the same (background).
    inside: Vec<T>,
}

impl<T: Ranked> Bracket<T> {
    /// Takes a block of pixels into account. Comparisons with NaN are false, so it counts nowhere.
    #[inline(always)]
    fn scan(&mut self, block: &[T]) {
        let (low, high) = (self.low, self.high);
        let is_inside = |p: T| (p >= low) & (p <= high);
        let below: u32 = block.iter().map(|p| u32::from(*p < low)).sum();
        let held: u32 = block.iter().map(|p| u32::from(is_inside(*p))).sum();
        self.below += below as usize;
        self.held += held as usize;
        if held > 0 && low < high {
            self.inside
                .extend(block.iter().copied().filter(|p| is_inside(*p)));
        }
    }
}

/// For all other types: a sample tells between which values the percentiles should lie; one pass counts what lies below and
/// keeps what lies between. `None` if the sample misled.
fn by_bracket<T: Ranked>(pixels: &[T]) -> Option<[f64; 2]> {
    let mut sample: Vec<T> = (0..SAMPLE)
        .map(|i| pixels[sampled(i, pixels.len())])
        .filter(|p| p.is_number())
        .collect();
    sample.sort_unstable_by(T::order);
    let last = sample.len().checked_sub(1)?;
    let brackets = PERCENTS.map(|percent| {
        let q = percent / 100.0;
        // Five standard deviations of the sample's rank.
        let spread = 5.0 * (sample.len() as f64 * q * (1.0 - q)).sqrt() + 2.0;
        let at = |position: f64| sample[(position.max(0.0) as usize).min(last)];
        let middle = q * last as f64;
        let (low, high) = (at(middle - spread), at(middle + spread));
        Bracket {
            low,
            high,
            below: 0,
            held: 0,
            inside: Vec::new(),
        }
    });
    let scan = |part: &[T]| {
        let mut found = brackets.clone();
        let mut numbers = 0;
        let (blocks, rest) = part.as_chunks::<32>();
        for block in blocks {
            numbers += block.iter().map(|p| u32::from(p.is_number())).sum::<u32>() as usize;
            found.iter_mut().for_each(|b| b.scan(block));
        }
        numbers += rest.iter().filter(|p| p.is_number()).count();
        found.iter_mut().for_each(|b| b.scan(rest));
        (numbers, found)
    };
    let join = |(n, mut a): (usize, [Bracket<T>; 2]), (m, b): (usize, [Bracket<T>; 2])| {
        for (a, b) in a.iter_mut().zip(b) {
            a.below += b.below;
            a.held += b.held;
            a.inside.extend(b.inside);
        }
        (n + m, a)
    };
    let (numbers, mut found) = parts(pixels).map(scan).reduce_with(join)?;
    interpolate(numbers, |rank| {
        let b = found
            .iter_mut()
            .find(|b| (b.below..b.below + b.held).contains(&rank))?;
        if b.inside.is_empty() {
            return Some(b.low);
        }
        Some(*b.inside.select_nth_unstable_by(rank - b.below, T::order).1)
    })
}

/// Interpolates between the two ranks on either side of each percentile.
fn interpolate<T: Ranked>(
    n: usize,
    mut value_at: impl FnMut(usize) -> Option<T>,
) -> Option<[f64; 2]> {
    let mut limits = [0.0; 2];
    for (limit, percent) in limits.iter_mut().zip(PERCENTS) {
        let position = percent / 100.0 * n.checked_sub(1)? as f64;
        let low = position.floor() as usize;
        let (a, b) = (
            value_at(low)?.wide(),
            value_at((low + 1).min(n - 1))?.wide(),
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
