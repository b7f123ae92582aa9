//! Median and MAD of more values than fit into memory: exact, from values that come in parts and several times.
//!
//! `numpy.median(x)` and `numpy.median(numpy.abs(x - numpy.median(x)))` of float32 arrays, equal in every bit. Counting instead of
//! sorting: the upper half of a value's bits tells the bin, a second look at the values in that bin finds the value.

/// Something that gives its values in parts, the same ones each time it is asked.
pub trait Parts {
    /// Why the values cannot be given.
    type Error;

    /// Hands all values to `take`, part by part.
    ///
    /// # Errors
    /// The values cannot be read.
    fn each(&self, take: &mut dyn FnMut(&[f32])) -> Result<(), Self::Error>;
}

/// Median, and median of the absolute distances from it. NaN without values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MedianMad {
    /// The median.
    pub median: f32,
    /// The median absolute deviation, not scaled.
    pub mad: f32,
}

impl MedianMad {
    /// Of values that are at hand; their order is lost.
    #[must_use]
    pub fn of(values: &mut [f32]) -> Self {
        let median = median_of(values);
        for value in values.iter_mut() {
            *value = (*value - median).abs();
        }
        Self {
            median,
            mad: median_of(values),
        }
    }

    /// Of values that come in parts; they are asked for four times. NaN among them count as the largest.
    ///
    /// # Errors
    /// Those of `parts`.
    pub fn of_parts<P: Parts>(parts: &P) -> Result<Self, P::Error> {
        let median = pooled_median(parts, |v| v)?;
        let mad = pooled_median(parts, |v| (v - median).abs())?;
        Ok(Self { median, mad })
    }
}

fn median_of(values: &mut [f32]) -> f32 {
    let n = values.len();
    if n == 0 {
        return f32::NAN;
    }
    let (below, middle, _) = values.select_nth_unstable_by(n / 2, f32::total_cmp);
    let middle = *middle;
    if n % 2 == 1 {
        return middle;
    }
    let lower = below.iter().copied().max_by(f32::total_cmp);
    mean_of_two(lower.unwrap_or(middle), middle)
}

/// As NumPy adds them: in float32.
fn mean_of_two(a: f32, b: f32) -> f32 {
    (a + b) / 2.0
}

/// Bits of a value in an order that rises with it.
fn rank(value: f32) -> u32 {
    let bits = value.to_bits();
    if bits >> 31 == 0 {
        bits | 1 << 31
    } else {
        !bits
    }
}

fn value_of(rank: u32) -> f32 {
    f32::from_bits(if rank >> 31 == 1 {
        rank & !(1 << 31)
    } else {
        !rank
    })
}

const BINS: usize = 1 << 16;

fn pooled_median<P: Parts>(parts: &P, of: impl Fn(f32) -> f32) -> Result<f32, P::Error> {
    let mut coarse = vec![0u64; BINS];
    parts.each(&mut |values| {
        for value in values {
            coarse[(rank(of(*value)) >> 16) as usize] += 1;
        }
    })?;
    let n: u64 = coarse.iter().sum();
    if n == 0 {
        return Ok(f32::NAN);
    }
    let (lower, upper) = (locate(&coarse, (n - 1) / 2), locate(&coarse, n / 2));
    let mut fine = [vec![0u64; BINS], vec![0u64; BINS]];
    parts.each(&mut |values| {
        for value in values {
            let rank = rank(of(*value));
            let bin = (rank >> 16) as usize;
            if bin == lower.0 {
                fine[0][(rank & 0xFFFF) as usize] += 1;
            } else if bin == upper.0 {
                fine[1][(rank & 0xFFFF) as usize] += 1;
            }
        }
    })?;
    let find = |at: (usize, u64)| {
        let counts = &fine[usize::from(at.0 != lower.0)];
        let (low, _) = locate(counts, at.1);
        value_of((at.0 as u32) << 16 | low as u32)
    };
    let (a, b) = (find(lower), find(upper));
    Ok(if n % 2 == 1 { b } else { mean_of_two(a, b) })
}

/// The bin that holds the value of this position in sorted order, and its position among those of the bin.
fn locate(counts: &[u64], mut position: u64) -> (usize, u64) {
    for (bin, count) in counts.iter().enumerate() {
        if position < *count {
            return (bin, position);
        }
        position -= count;
    }
    (counts.len() - 1, 0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    struct Pieces<'a>(&'a [f32], usize);

    impl Parts for Pieces<'_> {
        type Error = std::convert::Infallible;

        fn each(&self, take: &mut dyn FnMut(&[f32])) -> Result<(), Self::Error> {
            self.0.chunks(self.1).for_each(take);
            Ok(())
        }
    }

    #[test]
    fn nothing_is_unknown() {
        assert!(MedianMad::of(&mut []).median.is_nan());
        assert!(MedianMad::of_parts(&Pieces(&[], 1)).unwrap().mad.is_nan());
    }

    #[test]
    fn the_middle_of_an_even_number_is_between() {
        let mut values = [1.0, 4.0, 2.0, 100.0];
        let expected = MedianMad {
            median: 3.0,
            mad: 1.5,
        };
        assert_eq!(MedianMad::of_parts(&Pieces(&values, 3)).unwrap(), expected);
        assert_eq!(MedianMad::of(&mut values), expected);
    }

    proptest! {
        #[test]
        fn parts_give_what_the_whole_gives(
            values in proptest::collection::vec(-1e6f32..1e6, 0..400),
            coarse: bool,
            part in 1usize..50,
        ) {
            // Rounded values repeat, so that both middle ones often lie in one bin.
            let mut values: Vec<f32> = values.into_iter().map(|v| if coarse { v.round() % 7.0 } else { v }).collect();
            let parts = MedianMad::of_parts(&Pieces(&values, part)).unwrap();
            let whole = MedianMad::of(&mut values);
            prop_assert_eq!(parts.median.to_bits(), whole.median.to_bits());
            prop_assert_eq!(parts.mad.to_bits(), whole.mad.to_bits());
        }
    }
}
