//! The median of a square block: `scipy.ndimage.median_filter(…, mode='reflect')`.

use ndarray::ArrayView2;

use crate::gaussian::Mode;

/// Ranks counted together in the coarse level of [`Window`].
const COARSE: usize = 512;

/// A sliding histogram (Huang's algorithm) over the ranks of the values, so that floats need no bins.
pub(super) fn filter(plane: ArrayView2<'_, f32>, size: usize) -> Vec<f32> {
    let (height, width) = plane.dim();
    if height == 0 || width == 0 {
        return Vec::new();
    }
    let (values, ranks) = ranks(plane);
    let radius = (size / 2).cast_signed();
    let inside = |at: isize, len: usize| Mode::Reflect.resolve(at, len);
    let mut window = Window::new(values.len(), size * size / 2);
    let mut out = Vec::with_capacity(width * height);
    for y in 0..height.cast_signed() {
        let rows: Vec<&[u32]> = (y - radius..=y + radius)
            .map(|y| {
                let start = inside(y, height) * width;
                &ranks[start..start + width]
            })
            .collect();
        let column = |x: isize| {
            let x = inside(x, width);
            rows.iter().map(move |row| row[x] as usize)
        };
        (-radius..=radius)
            .flat_map(column)
            .for_each(|rank| window.add(rank));
        for x in 0..width.cast_signed() {
            if x > 0 {
                column(x - 1 - radius).for_each(|rank| window.remove(rank));
                column(x + radius).for_each(|rank| window.add(rank));
            }
            out.push(values[window.median()]);
        }
        let last = width.cast_signed() - 1;
        (last - radius..=last + radius)
            .flat_map(column)
            .for_each(|rank| window.remove(rank));
    }
    out
}

/// The distinct values in ascending order, and each pixel's place among them.
fn ranks(plane: ArrayView2<'_, f32>) -> (Vec<f32>, Vec<u32>) {
    let mut values: Vec<f32> = plane.iter().copied().collect();
    values.sort_unstable_by(f32::total_cmp);
    values.dedup_by(|a, b| a.to_bits() == b.to_bits());
    let rank = |value: &f32| values.partition_point(|other| other.total_cmp(value).is_lt()) as u32;
    let ranks = plane.iter().map(rank).collect();
    (values, ranks)
}

/// Counts of ranks in two levels.
struct Window {
    fine: Vec<u32>,
    coarse: Vec<u32>,
    /// The coarse bin in which the last median was, and the number of ranks below that bin.
    at: usize,
    below: u32,
    middle: u32,
}

impl Window {
    fn new(ranks: usize, middle: usize) -> Self {
        let bins = ranks.div_ceil(COARSE);
        Self {
            fine: vec![0; bins * COARSE],
            coarse: vec![0; bins],
            at: 0,
            below: 0,
            middle: middle as u32,
        }
    }

    fn add(&mut self, rank: usize) {
        self.fine[rank] += 1;
        self.coarse[rank / COARSE] += 1;
        self.below += u32::from(rank / COARSE < self.at);
    }

    fn remove(&mut self, rank: usize) {
        self.fine[rank] -= 1;
        self.coarse[rank / COARSE] -= 1;
        self.below -= u32::from(rank / COARSE < self.at);
    }

    /// The rank with exactly `middle` members before it in sorted order.
    fn median(&mut self) -> usize {
        while self.below > self.middle {
            self.at -= 1;
            self.below -= self.coarse[self.at];
        }
        while self.below + self.coarse[self.at] <= self.middle {
            self.below += self.coarse[self.at];
            self.at += 1;
        }
        let mut before = self.below;
        let mut rank = self.at * COARSE;
        loop {
            before += self.fine[rank];
            if before > self.middle {
                return rank;
            }
            rank += 1;
        }
    }
}
