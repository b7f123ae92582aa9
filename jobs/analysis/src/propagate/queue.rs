//! A queue for Dijkstra's algorithm: distances never fall, so what is far away need not be in order yet.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Buckets in the ring.
const BUCKETS: u64 = 1024;

/// The bits of a distance (not negative, so ordered as the distances are), the age, the cell.
type Item = (u64, u32, u32);

/// Cells by distance, in buckets of one width.
///
/// No path gets shorter by a detour over another cell of its bucket if every step is at least as long as a bucket is wide.
/// Then a bucket needs no order; otherwise it gets one when its turn comes.
pub(super) struct DistanceQueue {
    inverse_width: f64,
    sorted: bool,
    /// The bucket whose turn it is.
    current: u64,
    near: Vec<Item>,
    near_sorted: BinaryHeap<Reverse<Item>>,
    /// Bucket `i` for the next [`BUCKETS`] - 1 buckets, at `i % BUCKETS`.
    ring: Vec<Vec<Item>>,
    in_ring: usize,
    /// What was beyond the ring when it came.
    far: BinaryHeap<Reverse<Item>>,
    age: u32,
}

impl DistanceQueue {
    pub fn new(shortest_step: f64, typical_step: f64) -> Self {
        // With a typical step of 32 widths the ring reaches 32 steps ahead.
        let finest = typical_step / 32.0;
        let sorted = shortest_step < finest;
        let width = if sorted { finest } else { shortest_step };
        Self {
            inverse_width: if width > 0.0 { 1.0 / width } else { 0.0 },
            sorted,
            current: 0,
            near: Vec::new(),
            near_sorted: BinaryHeap::new(),
            ring: vec![Vec::new(); BUCKETS as usize],
            in_ring: 0,
            far: BinaryHeap::new(),
            age: 0,
        }
    }

    #[inline]
    pub fn push(&mut self, distance: f64, cell: usize) {
        let item = (distance.to_bits(), self.age, cell as u32);
        self.age = self.age.wrapping_add(1);
        let bucket = self.bucket(item);
        if bucket <= self.current {
            self.push_near(item);
        } else if bucket - self.current < BUCKETS {
            self.ring[(bucket % BUCKETS) as usize].push(item);
            self.in_ring += 1;
        } else {
            self.far.push(Reverse(item));
        }
    }

    #[inline]
    pub fn pop(&mut self) -> Option<(f64, usize)> {
        loop {
            let next = if self.sorted {
                self.near_sorted.pop().map(|Reverse(item)| item)
            } else {
                self.near.pop()
            };
            if let Some((bits, _, cell)) = next {
                return Some((f64::from_bits(bits), cell as usize));
            }
            if !self.advance() {
                return None;
            }
        }
    }

    fn bucket(&self, item: Item) -> u64 {
        (f64::from_bits(item.0) * self.inverse_width) as u64
    }

    fn push_near(&mut self, item: Item) {
        if self.sorted {
            self.near_sorted.push(Reverse(item));
        } else {
            self.near.push(item);
        }
    }

    /// Turns to the next bucket that is not empty.
    fn advance(&mut self) -> bool {
        let in_far = self.far.peek().map(|&Reverse(item)| self.bucket(item));
        let in_ring = (self.in_ring > 0)
            .then(|| (self.current + 1..).find(|b| !self.ring[(b % BUCKETS) as usize].is_empty()))
            .flatten();
        let Some(next) = in_far.into_iter().chain(in_ring).min() else {
            return false;
        };
        self.current = next;
        let bucket = &mut self.ring[(next % BUCKETS) as usize];
        self.in_ring -= bucket.len();
        if self.sorted {
            self.near_sorted.extend(bucket.drain(..).map(Reverse));
        } else {
            // Taken from the end, so that what came first goes first.
            bucket.reverse();
            std::mem::swap(&mut self.near, bucket);
        }
        while let Some(&Reverse(item)) = self.far.peek()
            && self.bucket(item) == next
        {
            self.far.pop();
            self.push_near(item);
        }
        true
    }
}
