//! Scale levels, computed as BatchLib does with scikit-image.

use ndarray::Array2;
use rayon::prelude::*;

use crate::{PixelType, Pixels};

/// Whether BatchLib averages images of this type; it samples all others.
#[must_use]
pub const fn is_averaged(pixel_type: PixelType) -> bool {
    !matches!(
        pixel_type,
        PixelType::U32 | PixelType::U64 | PixelType::I32 | PixelType::I64
    )
}

/// Computes the levels below full resolution, each from the one above, `factors[k] / factors[k - 1]` times smaller:
/// floor(n / f) pixels, at least 1.
///
/// - averaged types: mean over f x f pixels as `skimage.transform.downscale_local_mean` (missing pixels of an incomplete
///   block count as 0 where the block is kept), then truncated toward zero as `astype` does: exact for whole numbers; sums
///   are double precision, so single-precision levels lie within 2 units in the last place of NumPy's.
/// - other types, and all if `nearest`: pixel floor((i + 0.5) * n / m) as `skimage.transform.resize(order=0)`: exact.
#[must_use]
pub fn levels(full: &Pixels, factors: &[u32], nearest: bool) -> Vec<Pixels> {
    let mut levels: Vec<Pixels> = Vec::with_capacity(factors.len().saturating_sub(1));
    for pair in factors.windows(2) {
        let factor = (pair[1] / pair[0].max(1)).max(1) as usize;
        let above = levels.last().unwrap_or(full);
        levels.push(if nearest {
            sampled(above, factor)
        } else {
            reduced(above, factor)
        });
    }
    levels
}

fn reduced(above: &Pixels, factor: usize) -> Pixels {
    match above {
        Pixels::U8(a) => Pixels::U8(mean(a, factor)),
        Pixels::U16(a) => Pixels::U16(mean(a, factor)),
        Pixels::I8(a) => Pixels::I8(mean(a, factor)),
        Pixels::I16(a) => Pixels::I16(mean(a, factor)),
        Pixels::F32(a) => Pixels::F32(mean(a, factor)),
        Pixels::F64(a) => Pixels::F64(mean(a, factor)),
        Pixels::U32(_) | Pixels::U64(_) | Pixels::I32(_) | Pixels::I64(_) => sampled(above, factor),
    }
}

fn sampled(above: &Pixels, factor: usize) -> Pixels {
    match above {
        Pixels::U8(a) => Pixels::U8(sample(a, factor)),
        Pixels::U16(a) => Pixels::U16(sample(a, factor)),
        Pixels::U32(a) => Pixels::U32(sample(a, factor)),
        Pixels::U64(a) => Pixels::U64(sample(a, factor)),
        Pixels::I8(a) => Pixels::I8(sample(a, factor)),
        Pixels::I16(a) => Pixels::I16(sample(a, factor)),
        Pixels::I32(a) => Pixels::I32(sample(a, factor)),
        Pixels::I64(a) => Pixels::I64(sample(a, factor)),
        Pixels::F32(a) => Pixels::F32(sample(a, factor)),
        Pixels::F64(a) => Pixels::F64(sample(a, factor)),
    }
}

const fn reduced_length(n: usize, factor: usize) -> usize {
    if n < factor { 1 } else { n / factor }
}

/// A pixel type whose blocks are averaged.
trait Average: Copy + Default + Send + Sync {
    /// Holds the sum of a block exactly, or in double precision.
    type Sum: Copy + Default + std::ops::AddAssign + std::ops::Add<Output = Self::Sum>;
    fn widen(self) -> Self::Sum;
    fn mean(sum: Self::Sum, n: usize) -> Self;
}

macro_rules! average {
    ($($pixel:ty, $sum:ty);*) => {$(
        impl Average for $pixel {
            type Sum = $sum;
            #[inline(always)]
            fn widen(self) -> $sum { <$sum>::from(self) }
            #[inline(always)]
            #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::cast_possible_wrap, clippy::cast_lossless)]
            fn mean(sum: $sum, n: usize) -> Self { (sum / n as $sum) as Self }
        }
    )*};
}
average!(u8, u64; u16, u64; i8, i64; i16, i64; f32, f64; f64, f64);

/// Means of blocks; whole numbers are truncated toward zero, which Rust's integer division does.
fn mean<T: Average>(above: &Array2<T>, factor: usize) -> Array2<T> {
    let (height, width) = above.dim();
    let (h, w) = (
        reduced_length(height, factor),
        reduced_length(width, factor),
    );
    let source = above.as_standard_layout();
    let source = source.as_slice().unwrap_or_default();
    let mut out = vec![T::default(); h * w];
    out.par_chunks_mut(w)
        .with_min_len(16)
        .enumerate()
        .for_each(|(y, out)| {
            let rows = &source[y * factor * width..((y + 1) * factor).min(height) * width];
            if factor == 2 && height > 1 && width > 1 {
                let (first, second) = rows.split_at(width);
                for ((mean, a), b) in out
                    .iter_mut()
                    .zip(first.chunks_exact(2))
                    .zip(second.chunks_exact(2))
                {
                    *mean = T::mean(
                        (a[0].widen() + a[1].widen()) + (b[0].widen() + b[1].widen()),
                        4,
                    );
                }
                return;
            }
            for (x, mean) in out.iter_mut().enumerate() {
                let mut sum = T::Sum::default();
                for row in rows.chunks_exact(width) {
                    for value in &row[x * factor..((x + 1) * factor).min(width)] {
                        sum += value.widen();
                    }
                }
                *mean = T::mean(sum, factor * factor);
            }
        });
    Array2::from_shape_vec((h, w), out).unwrap_or_default()
}

fn sample<T: Copy + Default + Send + Sync>(above: &Array2<T>, factor: usize) -> Array2<T> {
    let (height, width) = above.dim();
    let (h, w) = (
        reduced_length(height, factor),
        reduced_length(width, factor),
    );
    let index = |i: usize, n: usize, m: usize| ((2 * i + 1) * n / (2 * m)).min(n - 1);
    let columns: Vec<usize> = (0..w).map(|x| index(x, width, w)).collect();
    let source = above.as_standard_layout();
    let source = source.as_slice().unwrap_or_default();
    let mut out = vec![T::default(); h * w];
    out.par_chunks_mut(w)
        .with_min_len(16)
        .enumerate()
        .for_each(|(y, out)| {
            let row = &source[index(y, height, h) * width..][..width];
            for (pixel, x) in out.iter_mut().zip(&columns) {
                *pixel = row[*x];
            }
        });
    Array2::from_shape_vec((h, w), out).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ndarray::array;

    #[test]
    fn means_are_truncated_toward_zero() {
        let Pixels::U8(a) = reduced(&Pixels::U8(array![[1, 2, 9], [1, 2, 9]]), 2) else {
            panic!()
        };
        assert_eq!(a, array![[1]]);
        let Pixels::I16(a) = reduced(&Pixels::I16(array![[-1, -2], [-1, -3]]), 2) else {
            panic!()
        };
        assert_eq!(a, array![[-1]]);
    }

    #[test]
    fn a_single_row_is_padded_with_zeros() {
        let Pixels::U16(a) = reduced(&Pixels::U16(array![[100, 100, 100]]), 2) else {
            panic!()
        };
        assert_eq!(a, array![[50]]);
        let Pixels::F32(a) = reduced(&Pixels::F32(array![[100.0]]), 2) else {
            panic!()
        };
        assert_eq!(a, array![[25.0]]);
    }

    #[test]
    fn labels_are_sampled_at_odd_positions() {
        let labels = Array2::from_shape_fn((5, 4), |(y, x)| (10 * y + x) as u32);
        let Pixels::U32(a) = reduced(&Pixels::U32(labels), 2) else {
            panic!()
        };
        assert_eq!(a, array![[11, 13], [31, 33]]);
    }

    #[test]
    fn shapes_follow_batchlib() {
        let shapes: Vec<_> = levels(
            &Pixels::U8(Array2::zeros((60, 70))),
            &[1, 2, 4, 8, 16],
            false,
        )
        .iter()
        .map(Pixels::shape)
        .collect();
        assert_eq!(shapes, [(30, 35), (15, 17), (7, 8), (3, 4)]);
        let shapes: Vec<_> = levels(&Pixels::U32(Array2::zeros((1, 3))), &[1, 2, 8], false)
            .iter()
            .map(Pixels::shape)
            .collect();
        assert_eq!(shapes, [(1, 1), (1, 1)]);
    }
}
