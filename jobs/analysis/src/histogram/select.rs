//! Exact order statistics of `f32` planes without sorting them.
//!
//! A small sample tells within which narrow range the wanted value must lie; one vectorised pass counts what lies below
//! and picks out the few per cent inside; only those are partitioned. If the sample misled (rare: the range is four
//! standard deviations wide to each side), all values are partitioned instead. The result is exact either way.

use multiversion::multiversion;

/// Values looked at to find the range.
const SAMPLE: usize = 4096;
/// Below this many values, partitioning them all is quicker.
const SMALL: usize = 4 * SAMPLE;

/// The values of these ascending ranks in ascending order; all NaN if any value is NaN, as numpy has it.
///
/// Ranks must be less than the number of values.
pub(super) fn ranked(values: &[f32], ranks: &[usize]) -> Vec<f32> {
    if ranks.is_empty() {
        return Vec::new();
    }
    if values.len() < SMALL {
        return partitioned(values, ranks);
    }
    let mut sample = sample(values.len(), |index| values[index]);
    let mut found = Vec::with_capacity(ranks.len());
    let mut rest = ranks;
    while let Some(&first) = rest.first() {
        // Neighbouring ranks (the two sides of one percentile) share a range.
        let group = rest.iter().take_while(|&&rank| rank <= first + 1).count();
        let (now, later) = rest.split_at(group);
        let range = Range::around(&mut sample, now, values.len());
        let census = range.census(values);
        if census.any_nan {
            return vec![f32::NAN; ranks.len()];
        }
        match census.settle(values, &range, now) {
            Some(of_group) => found.extend(of_group),
            None => return partitioned(values, ranks),
        }
        rest = later;
    }
    found
}

/// About [`SAMPLE`] of `len` values: one from each of as many equal parts, at a place within it that jumps about, so that
/// it does not follow the columns of an image.
pub(crate) fn sample(len: usize, value: impl Fn(usize) -> f32) -> Vec<f32> {
    let part = len / SAMPLE;
    let mut state = 1u64;
    (0..SAMPLE)
        .map(|i| {
            // Knuth's MMIX generator; its high bits are good.
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let jitter = ((state >> 32) as usize * part) >> 32;
            value(i * part + jitter)
        })
        .collect()
}

/// Whether a plane of this size is worth sampling.
pub(crate) const fn worth_sampling(len: usize) -> bool {
    len >= SMALL
}

/// The closed range of values in which the wanted ranks are expected.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Range {
    pub low: f32,
    pub high: f32,
}

impl Range {
    /// Four standard deviations of a sample quantile (and a few places for small ones) to each side of these ascending
    /// ranks among `len` values; reorders the sample.
    pub fn around(sample: &mut [f32], ranks: &[usize], len: usize) -> Self {
        let size = sample.len() as f64;
        let place = |rank: usize| {
            let share = rank as f64 / len as f64;
            (
                share * size,
                4.0 * (size * share * (1.0 - share)).sqrt() + 4.0,
            )
        };
        let (first, below) = place(ranks[0]);
        let (last, above) = place(ranks[ranks.len() - 1]);
        let mut at = |place: f64| {
            *sample
                .select_nth_unstable_by(place as usize, f32::total_cmp)
                .1
        };
        let (low, high) = (first - below, (last + above).ceil());
        Self {
            low: if low < 0.0 {
                f32::NEG_INFINITY
            } else {
                at(low)
            },
            high: if high < size { at(high) } else { f32::INFINITY },
        }
    }

    fn census(&self, values: &[f32]) -> Census {
        let mut census = Census::default();
        // Parts small enough for 32-bit counters.
        for part in values.chunks(1 << 16) {
            census.add(tally(part, self.low, self.high));
        }
        census
    }
}

/// How many values lie below a range, and how many below its end or at it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Census {
    pub below: usize,
    pub up_to: usize,
    pub any_nan: bool,
}

impl Census {
    pub fn add(&mut self, (below, up_to, nan): (u32, u32, u32)) {
        self.below += below as usize;
        self.up_to += up_to as usize;
        self.any_nan |= nan > 0;
    }

    /// The values of `ranks`, if they lie in the range.
    pub fn settle(&self, values: &[f32], range: &Range, ranks: &[usize]) -> Option<Vec<f32>> {
        let inside = |rank: &usize| (self.below..self.up_to).contains(rank);
        if !ranks.iter().all(inside) {
            return None;
        }
        if range.low == range.high {
            return Some(vec![range.low; ranks.len()]);
        }
        let mut picked = Vec::with_capacity(self.up_to - self.below);
        pick(values, *range, &mut picked);
        let ranks: Vec<usize> = ranks.iter().map(|rank| rank - self.below).collect();
        Some(take(&mut picked, &ranks))
    }
}

/// Counts values below `low`, those not above `high`, and NaNs.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
pub(crate) fn tally(values: &[f32], low: f32, high: f32) -> (u32, u32, u32) {
    let (mut below, mut up_to, mut nan) = (0, 0, 0);
    for &value in values {
        below += u32::from(value < low);
        up_to += u32::from(value <= high);
        nan += u32::from(value.is_nan());
    }
    (below, up_to, nan)
}

/// Appends the values inside the range.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
pub(crate) fn pick(values: &[f32], range: Range, picked: &mut Vec<f32>) {
    const BLOCK: usize = 16;
    let inside = |value: f32| (value >= range.low) & (value <= range.high);
    let (blocks, rest) = values.as_chunks::<BLOCK>();
    for block in blocks {
        let mut members = 0u32;
        for (bit, &value) in block.iter().enumerate() {
            members |= u32::from(inside(value)) << bit;
        }
        while members != 0 {
            picked.push(block[members.trailing_zeros() as usize % BLOCK]);
            members &= members - 1;
        }
    }
    picked.extend(rest.iter().copied().filter(|&value| inside(value)));
}

/// Partitions a copy of all values.
fn partitioned(values: &[f32], ranks: &[usize]) -> Vec<f32> {
    if values.iter().any(|value| value.is_nan()) {
        return vec![f32::NAN; ranks.len()];
    }
    take(&mut values.to_vec(), ranks)
}

/// The values of these ascending ranks; reorders `values`.
fn take(values: &mut [f32], ranks: &[usize]) -> Vec<f32> {
    let mut start = 0;
    ranks
        .iter()
        .map(|&rank| {
            let (_, value, _) =
                values[start..].select_nth_unstable_by(rank - start, f32::total_cmp);
            let value = *value;
            start = rank;
            value
        })
        .collect()
}
