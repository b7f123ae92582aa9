//! What is known of an object, and what follows from it.

use super::device::{EXTENT_WORDS, SUM_WORDS};
use super::kind::Kind;

/// The objects of a label image, measured in one plane.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ObjectStatistics {
    /// Ascending by label.
    pub objects: Vec<Object>,
    /// The quantiles of each object, in the order in which they were asked for.
    pub quantiles: Vec<Vec<f64>>,
}

/// The sums over the pixels of an object. Positions are whole pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Object {
    /// The label.
    pub label: u32,
    /// Pixels.
    pub count: u32,
    /// The lowest value, not counting NaN; infinity without any.
    pub min: f64,
    /// The highest value, not counting NaN; minus infinity without any.
    pub max: f64,
    /// The first y.
    pub top: u32,
    /// The first x.
    pub left: u32,
    /// One past the last y.
    pub bottom: u32,
    /// One past the last x.
    pub right: u32,
    /// Sum of y.
    pub y: u64,
    /// Sum of x.
    pub x: u64,
    /// Sum of y².
    pub yy: u64,
    /// Sum of x y.
    pub xy: u64,
    /// Sum of x².
    pub xx: u64,
    /// Sum of the values v, in units of [`Self::step`].
    pub v: i128,
    /// Sum of v², in units of its square.
    pub vv: u128,
    /// Sum of v y, in units of it.
    pub vy: i128,
    /// Sum of v x, in units of it.
    pub vx: i128,
    /// What values are counted in: 1 for integers, which are exact. A number in single precision is rounded to the nearest step,
    /// which is 2^-31 of a power of two that is at most twice the object's largest magnitude.
    pub step: f64,
    /// The sum, where a value is no number: NaN or an infinity.
    special: Option<f64>,
    /// Whether a value is NaN.
    nan: bool,
}

impl Object {
    /// `extent` and `sums` as the kernels leave them.
    pub(super) fn read(kind: Kind, label: u32, extent: &[u32], sums: &[u32]) -> Self {
        debug_assert!(extent.len() == EXTENT_WORDS && sums.len() == SUM_WORDS);
        let (low, high, flags) = (!extent[1], extent[2], extent[7]);
        let pair = |at: usize| u64::from(sums[at]) | u64::from(sums[at + 1]) << 32;
        let triple = |at: usize| u128::from(pair(at)) | u128::from(sums[at + 2]) << 64;
        let (x, y) = (pair(2), pair(4));
        // The device adds this much to what has a sign.
        let bias = if kind == Kind::F32 { 1i128 << 31 } else { 0 };
        let nothing = kind == Kind::F32 && extent[1] == 0 && high == 0;
        Self {
            label,
            count: extent[0],
            min: if nothing {
                f64::INFINITY
            } else {
                kind.value(low)
            },
            max: if nothing {
                f64::NEG_INFINITY
            } else {
                kind.value(high)
            },
            top: !extent[3],
            left: !extent[4],
            bottom: extent[5],
            right: extent[6],
            y,
            x,
            xx: pair(6),
            xy: pair(8),
            yy: pair(10),
            v: i128::from(pair(0)) - bias * i128::from(extent[0]),
            vv: triple(12),
            vx: triple(15) as i128 - bias * i128::from(x),
            vy: triple(18) as i128 - bias * i128::from(y),
            step: kind.step(low, high),
            special: match flags {
                0 => None,
                2 => Some(f64::INFINITY),
                4 => Some(f64::NEG_INFINITY),
                _ => Some(f64::NAN),
            },
            nan: flags & 1 != 0,
        }
    }

    /// The integrated intensity.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.special.unwrap_or(self.v as f64 * self.step)
    }

    /// The mean.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.sum() / f64::from(self.count)
    }

    /// The standard deviation (of the population). Up to the square root it is made of integers, so nothing is cancelled.
    #[must_use]
    pub fn std(&self) -> f64 {
        if self.special.is_some() {
            return f64::NAN;
        }
        let squared_sum = self.v.unsigned_abs() * self.v.unsigned_abs();
        let scaled = u128::from(self.count) * self.vv - squared_sum;
        (scaled as f64).sqrt() / f64::from(self.count) * self.step
    }

    /// The centre (y, x).
    #[must_use]
    pub fn centroid(&self) -> [f64; 2] {
        [self.y, self.x].map(|sum| sum as f64 / f64::from(self.count))
    }

    /// The centre (y, x) of the pixels weighted with their values; NaN if the sum is 0 or no number.
    #[must_use]
    pub fn centroid_weighted(&self) -> [f64; 2] {
        if self.special.is_some() {
            return [f64::NAN; 2];
        }
        [self.vy, self.vx].map(|sum| sum as f64 / self.v as f64)
    }

    /// The variances of y and of x and their covariance, each times the squared number of pixels, exactly.
    #[must_use]
    pub fn second_moments(&self) -> [i128; 3] {
        let of = |sum: u64, a: u64, b: u64| {
            i128::from(self.count) * i128::from(sum) - i128::from(a) * i128::from(b)
        };
        [
            of(self.yy, self.y, self.y),
            of(self.xx, self.x, self.x),
            of(self.xy, self.y, self.x),
        ]
    }

    /// Whether a value is NaN.
    pub(super) const fn has_nan(&self) -> bool {
        self.nan
    }
}
