//! Queues that give the cells of the lowest level, in the order in which they came.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::Level;

/// A queue of cells whose levels are known beforehand. Nothing at or below the current level is pushed.
pub(super) trait LevelQueue {
    /// Adds a cell.
    fn push(&mut self, cell: usize);
    /// Takes all cells of the lowest level, which becomes the current one, into the emptied list. False if there is none.
    fn next_level(&mut self, list: &mut Vec<u32>) -> bool;
    /// Whether a cell is at or below the current level.
    fn is_at_level(&self, cell: usize) -> bool;
}

/// A binary heap: for few cells.
pub(super) struct HeapQueue<'a, T: Level> {
    levels: &'a [T::Order],
    heap: BinaryHeap<Reverse<T::Key>>,
    cell_of_age: Vec<u32>,
    level: T::Order,
}

impl<'a, T: Level> HeapQueue<'a, T> {
    pub fn new(levels: &'a [T::Order]) -> Self {
        Self {
            levels,
            heap: BinaryHeap::new(),
            cell_of_age: Vec::new(),
            level: T::Order::default(),
        }
    }
}

impl<T: Level> LevelQueue for HeapQueue<'_, T> {
    #[inline]
    fn push(&mut self, cell: usize) {
        self.heap.push(Reverse(T::key(
            self.levels[cell],
            self.cell_of_age.len() as u32,
        )));
        self.cell_of_age.push(cell as u32);
    }

    #[inline]
    fn next_level(&mut self, list: &mut Vec<u32>) -> bool {
        list.clear();
        let Some(Reverse(first)) = self.heap.pop() else {
            self.cell_of_age.clear();
            return false;
        };
        let (level, age) = T::unkey(first);
        self.level = level;
        list.push(self.cell_of_age[age as usize]);
        while let Some(&Reverse(next)) = self.heap.peek()
            && T::unkey(next).0 == level
        {
            list.push(self.cell_of_age[T::unkey(next).1 as usize]);
            self.heap.pop();
        }
        true
    }

    #[inline]
    fn is_at_level(&self, cell: usize) -> bool {
        self.levels[cell] <= self.level
    }
}

/// All cells sorted by level beforehand, with one bit for each that is in the queue: for many cells.
pub(super) struct SortedQueue {
    /// By level; the place of a cell here is its slot.
    sorted: Vec<u32>,
    slot_of: Vec<u32>,
    /// The slots in the queue.
    waiting: Vec<u64>,
    /// The slots at which a new level starts; one past the last slot too.
    starts: Vec<u64>,
    /// When the cell of a slot was pushed.
    ages: Vec<u32>,
    age: u32,
    /// One past the slots of the current level.
    level_end: usize,
    scratch: Vec<u64>,
}

impl SortedQueue {
    pub fn new<O: Copy + Ord + Into<u64>>(levels: &[O], cells: Vec<u32>) -> Self {
        let sorted = sort_by_level(levels, cells);
        let words = sorted.len() / 64 + 1;
        let mut queue = Self {
            slot_of: vec![0; levels.len()],
            waiting: vec![0; words],
            starts: vec![0; words],
            ages: vec![0; sorted.len()],
            age: 0,
            level_end: 0,
            scratch: Vec::new(),
            sorted,
        };
        let mut before = None;
        for (slot, &cell) in queue.sorted.iter().enumerate() {
            queue.slot_of[cell as usize] = slot as u32;
            let level = Some(levels[cell as usize]);
            queue.starts[slot / 64] |= u64::from(level != before) << (slot % 64);
            before = level;
        }
        let end = queue.sorted.len();
        queue.starts[end / 64] |= 1 << (end % 64);
        queue
    }
}

impl LevelQueue for SortedQueue {
    #[inline]
    fn push(&mut self, cell: usize) {
        let slot = self.slot_of[cell] as usize;
        self.waiting[slot / 64] |= 1 << (slot % 64);
        self.ages[slot] = self.age;
        self.age += 1;
    }

    #[inline]
    fn next_level(&mut self, list: &mut Vec<u32>) -> bool {
        list.clear();
        let Some(first) = next_bit(&self.waiting, self.level_end) else {
            return false;
        };
        let end = next_bit(&self.starts, first + 1).unwrap_or(self.sorted.len());
        self.level_end = end;
        if end == first + 1 {
            list.push(self.sorted[first]);
            return true;
        }
        self.scratch.clear();
        let mut slot = first;
        while slot < end {
            self.scratch
                .push(u64::from(self.ages[slot]) << 32 | u64::from(self.sorted[slot]));
            slot = next_bit(&self.waiting, slot + 1).unwrap_or(end);
        }
        self.scratch.sort_unstable();
        list.extend(self.scratch.iter().map(|&item| item as u32));
        true
    }

    #[inline]
    fn is_at_level(&self, cell: usize) -> bool {
        (self.slot_of[cell] as usize) < self.level_end
    }
}

/// The first set bit at or after `from`.
#[inline]
fn next_bit(bits: &[u64], from: usize) -> Option<usize> {
    let mut word = from / 64;
    let mut rest = bits.get(word)? & (!0 << (from % 64));
    while rest == 0 {
        word += 1;
        rest = *bits.get(word)?;
    }
    Some(word * 64 + rest.trailing_zeros() as usize)
}

/// Bits of a digit of the radix sort.
const DIGIT: u32 = 11;

/// Sorts cells by their level: a radix sort by the 32 leading bits in which levels differ, then by comparison what still
/// looks equal.
fn sort_by_level<O: Copy + Ord + Into<u64>>(levels: &[O], cells: Vec<u32>) -> Vec<u32> {
    let level = |cell: u32| -> u64 { levels[cell as usize].into() };
    let (low, high) = cells.iter().fold((u64::MAX, 0), |(low, high), &c| {
        (low.min(level(c)), high.max(level(c)))
    });
    let bits = 64 - high.saturating_sub(low).leading_zeros();
    let shift = bits.saturating_sub(32);
    let mut from: Vec<(u32, u32)> = cells
        .iter()
        .map(|&cell| (((level(cell) - low) >> shift) as u32, cell))
        .collect();
    let mut to = vec![(0, 0); cells.len()];
    for pass in 0..bits.min(32).div_ceil(DIGIT) {
        let digit = |prefix: u32| (prefix >> (pass * DIGIT)) as usize & ((1 << DIGIT) - 1);
        let mut count = [0u32; 1 << DIGIT];
        from.iter()
            .for_each(|&(prefix, _)| count[digit(prefix)] += 1);
        let mut start = 0;
        for n in &mut count {
            start += std::mem::replace(n, start);
        }
        for &item in &from {
            let place = &mut count[digit(item.0)];
            to[*place as usize] = item;
            *place += 1;
        }
        std::mem::swap(&mut from, &mut to);
    }
    if shift > 0 {
        for equal in from
            .chunk_by_mut(|a, b| a.0 == b.0)
            .filter(|block| block.len() > 1)
        {
            equal.sort_by_key(|&(_, cell)| level(cell));
        }
    }
    from.into_iter().map(|(_, cell)| cell).collect()
}
