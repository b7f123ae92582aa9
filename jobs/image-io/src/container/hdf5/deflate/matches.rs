//! Finds repetitions in a plane of bytes: runs, and copies of the row above.
//!
//! A shuffled image chunk is a stack of byte planes. Their repetitions are runs (background, the upper bytes of small
//! numbers) and vertical structure (edges of objects), so two to four fixed distances find nearly all that a search
//! through a hash table would, at a tenth of its time.

/// Some literals, then one copy of `length` bytes from `distance` bytes before.
#[derive(Clone, Copy)]
pub struct Sequence {
    /// Literals that precede the copy.
    pub literals: u32,
    /// 4 to 258, or 0 for the literals at the end of a block.
    pub length: u16,
    /// 1 to 32768, or 0 if there is no copy.
    pub distance: u16,
}

/// The longest copy that one code can express.
pub const MAX_LENGTH: usize = 258;
const MIN_LENGTH: usize = 4;
const HASH_BITS: u32 = 13;
/// About what a copy costs: length code, distance code and their extra bits.
const RUN_BITS: f32 = 7.0;
const FAR_BITS: f32 = 15.0;

/// Splits blocks into literals and copies.
pub struct Parser {
    sequences: Vec<Sequence>,
    /// Last position of each hash of four bytes, relative to the block.
    latest: Vec<u16>,
}

impl Default for Parser {
    fn default() -> Self {
        Self {
            sequences: Vec::new(),
            latest: vec![0; 1 << HASH_BITS],
        }
    }
}

impl Parser {
    /// What the last [`Self::parse`] found.
    pub fn sequences(&self) -> &[Sequence] {
        &self.sequences
    }

    /// Splits `input[start..end]`, at most 64 KiB. `row` is the distance of the row above, `literal_bits` the price of a
    /// literal: a copy is only taken where it is cheaper.
    pub fn parse(
        &mut self,
        input: &[u8],
        start: usize,
        end: usize,
        row: usize,
        slanted: bool,
        literal_bits: f32,
    ) {
        let shortest =
            |bits: f32| ((bits / literal_bits.max(1.0)).ceil() as usize).clamp(MIN_LENGTH, 8);
        let mask = |bytes: usize| u64::MAX >> (64 - 8 * bytes);
        let (run_mask, far_mask) = (mask(shortest(RUN_BITS)), mask(shortest(FAR_BITS)));
        let slot = |eight: u64| {
            ((eight & far_mask).wrapping_mul(0x9E37_79B1_85EB_CA87) >> (64 - HASH_BITS)) as usize
        };
        self.sequences.clear();
        self.latest.fill(0);
        let mut from = start;
        let mut i = start;
        while i + 8 <= end {
            let now = eight(input, i);
            let slot_now = slot(now);
            let candidate = start + usize::from(self.latest[slot_now]);
            self.latest[slot_now] = (i - start) as u16;
            let is_run = i > 0 && (eight(input, i - 1) ^ now) & run_mask == 0;
            let is_above = i >= row && (eight(input, i - row) ^ now) & far_mask == 0;
            let is_seen = candidate + super::WINDOW >= i
                && candidate < i
                && (eight(input, candidate) ^ now) & far_mask == 0;
            let is_slanted = slanted
                && i > row
                && ((eight(input, i - row - 1) ^ now) & far_mask == 0
                    || (eight(input, i + 1 - row) ^ now) & far_mask == 0);
            if !(is_run | is_above | is_seen | is_slanted) {
                i += 1;
                continue;
            }
            let (mut length, mut distance) = (0, 0);
            let mut offer = |d: usize| {
                let l = common_length(&input[i - d..], &input[i..end]);
                if l > length {
                    (length, distance) = (l, d);
                }
            };
            if is_run {
                offer(1);
            }
            if is_above {
                offer(row);
            }
            if is_slanted {
                offer(row - 1);
                offer(row + 1);
            }
            if is_seen {
                offer(i - candidate);
            }
            self.push((i - from) as u32, length, distance as u16);
            // Long copies are runs and rows, which are found without the hash.
            for skipped in i + 1..(i + length.min(16)).min(end - 7) {
                self.latest[slot(eight(input, skipped))] = (skipped - start) as u16;
            }
            i += length;
            from = i;
        }
        self.sequences.push(Sequence {
            literals: (end - from) as u32,
            length: 0,
            distance: 0,
        });
    }

    fn push(&mut self, mut literals: u32, mut length: usize, distance: u16) {
        while length > 0 {
            // A rest of 1 or 2 bytes could not be coded, so leave 3.
            let take = if length > MAX_LENGTH && length < MAX_LENGTH + 3 {
                length - 3
            } else {
                length.min(MAX_LENGTH)
            };
            self.sequences.push(Sequence {
                literals,
                length: take as u16,
                distance,
            });
            literals = 0;
            length -= take;
        }
    }
}

#[inline(always)]
fn eight(input: &[u8], at: usize) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&input[at..at + 8]);
    u64::from_le_bytes(bytes)
}

/// Length of the common beginning of `a` and `b`, at most `b.len()`; `a` must not be shorter than `b`.
#[inline]
fn common_length(a: &[u8], b: &[u8]) -> usize {
    let a = &a[..b.len()];
    let mut n = 0;
    for (x, y) in a.chunks_exact(8).zip(b.chunks_exact(8)) {
        let (mut p, mut q) = ([0; 8], [0; 8]);
        p.copy_from_slice(x);
        q.copy_from_slice(y);
        let difference = u64::from_le_bytes(p) ^ u64::from_le_bytes(q);
        if difference != 0 {
            return n + (difference.trailing_zeros() / 8) as usize;
        }
        n += 8;
    }
    n + a[n..]
        .iter()
        .zip(&b[n..])
        .take_while(|(x, y)| x == y)
        .count()
}

/// The length symbol (257-285), its number of extra bits and their value.
#[inline]
pub fn length_symbol(length: u16) -> (usize, u32, u64) {
    let l = u32::from(length);
    match l {
        0..=10 => (254 + l as usize, 0, 0),
        258.. => (285, 0, 0),
        _ => {
            let offset = l - 3;
            let extra = 29 - offset.leading_zeros();
            (
                257 + 4 * extra as usize + (offset >> extra) as usize,
                extra,
                u64::from(offset & ((1 << extra) - 1)),
            )
        }
    }
}

/// The distance symbol (0-29), its number of extra bits and their value.
#[inline]
pub fn distance_symbol(distance: u16) -> (usize, u32, u64) {
    let offset = u32::from(distance) - 1;
    if offset < 4 {
        return (offset as usize, 0, 0);
    }
    let extra = 30 - offset.leading_zeros();
    (
        2 * extra as usize + (offset >> extra) as usize,
        extra,
        u64::from(offset & ((1 << extra) - 1)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_follow_the_tables_of_rfc_1951() {
        for (length, symbol, extra) in [
            (3, 257, 0),
            (10, 264, 0),
            (11, 265, 0),
            (12, 265, 1),
            (13, 266, 0),
            (18, 268, 1),
            (19, 269, 0),
            (22, 269, 3),
            (114, 279, 15),
            (115, 280, 0),
            (130, 280, 15),
            (131, 281, 0),
            (257, 284, 30),
            (258, 285, 0),
        ] {
            let (s, _, e) = length_symbol(length);
            assert_eq!((s, e), (symbol, extra), "length {length}");
        }
        for (distance, symbol, extra) in [
            (1, 0, 0),
            (4, 3, 0),
            (5, 4, 0),
            (6, 4, 1),
            (7, 5, 0),
            (9, 6, 0),
            (193, 15, 0),
            (256, 15, 63),
            (257, 16, 0),
            (32768, 29, 8191),
        ] {
            let (s, _, e) = distance_symbol(distance);
            assert_eq!((s, e), (symbol, extra), "distance {distance}");
        }
    }
}
