//! Pixel values as integers of the same order, packed with an age into one queue key.

use std::fmt::Debug;
use std::ops::Sub;

/// A landscape's pixel type: `f32` or `f64`.
pub trait Level:
    Copy + PartialOrd + Sub<Output = Self> + Debug + Send + Sync + private::Sealed + 'static
{
    /// An integer that is ordered as the values are.
    type Order: Copy + Ord + Default + Into<u64> + Debug + Send + Sync;
    /// An [`Self::Order`] in the high bits and an age in the low 32: one comparison orders a queue.
    type Key: Copy + Ord + Debug + Send + Sync;

    /// Zero.
    const ZERO: Self;
    /// The lowest finite value: `numpy.finfo(dtype).min`.
    const LOWEST: Self;
    /// The highest finite value.
    const HIGHEST: Self;

    /// The ordered integer of this value. Both zeros are equal; every NaN is the highest.
    fn order(self) -> Self::Order;
    /// The lowest key that is not below the key's level.
    fn floor(key: Self::Key) -> Self::Key;
    /// Packs a key.
    fn key(order: Self::Order, age: u32) -> Self::Key;
    /// The parts of a key.
    fn unkey(key: Self::Key) -> (Self::Order, u32);
    /// Twice the rounding error that `numpy.finfo(dtype).resolution` allows a value of this size.
    fn rounding(self) -> Self;
    /// This value as `f64`, exactly.
    fn to_f64(self) -> f64;
    /// The nearest value to a `f64`.
    fn from_f64(value: f64) -> Self;
}

mod private {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

macro_rules! level {
    ($float:ident, $order:ident, $key:ident, $resolution:literal) => {
        impl Level for $float {
            type Order = $order;
            type Key = $key;

            const ZERO: Self = 0.0;
            const LOWEST: Self = Self::MIN;
            const HIGHEST: Self = Self::MAX;

            #[inline]
            fn order(self) -> $order {
                // Adding zero turns -0 into +0.
                let bits = if self.is_nan() {
                    Self::NAN.to_bits()
                } else {
                    (self + 0.0).to_bits()
                };
                let sign = 1 << ($order::BITS - 1);
                if bits & sign == 0 { bits | sign } else { !bits }
            }

            #[inline]
            fn key(order: $order, age: u32) -> $key {
                $key::from(order) << 32 | $key::from(age)
            }

            #[inline]
            fn floor(key: $key) -> $key {
                key & !$key::from(u32::MAX)
            }

            #[inline]
            fn unkey(key: $key) -> ($order, u32) {
                ((key >> 32) as $order, key as u32)
            }

            #[inline]
            fn rounding(self) -> Self {
                2.0 * $resolution * self.abs()
            }

            #[inline]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }

            #[inline]
            fn from_f64(value: f64) -> Self {
                value as Self
            }
        }
    };
}

level!(f32, u32, u64, 1e-6);
level!(f64, u64, u128, 1e-15);
