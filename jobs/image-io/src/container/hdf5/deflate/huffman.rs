//! Length-limited Huffman codes and the header that describes them (RFC 1951, section 3.2).

use super::bits::BitWriter;

/// Number of literal/length symbols, including the two that never occur.
pub const LITERALS: usize = 288;
/// Number of distance symbols.
pub const DISTANCES: usize = 30;
/// Marks the end of a block.
pub const END_OF_BLOCK: usize = 256;
/// Longest literal/length code. RFC 1951 allows 15; with 14 four literals fit between two flushes, which costs nothing
/// measurable in size.
pub const MAX_LITERAL_BITS: u8 = 14;

const ORDER: [usize; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

/// A symbol's code, already bit-reversed, and its length in bits.
#[derive(Clone, Copy, Default)]
pub struct Code {
    /// The bits, first bit lowest.
    pub bits: u16,
    /// How many bits.
    pub length: u8,
}

/// Finds optimal code lengths of at most `limit` bits; unused symbols get 0.
pub fn code_lengths(frequencies: &[u32], limit: u8, lengths: &mut [u8]) {
    lengths.fill(0);
    let mut used: Vec<(u32, u16)> = Vec::with_capacity(frequencies.len());
    used.extend(
        frequencies
            .iter()
            .enumerate()
            .filter(|(_, f)| **f > 0)
            .map(|(s, f)| (*f, s as u16)),
    );
    match used.len() {
        0 => return,
        1 => {
            lengths[usize::from(used[0].1)] = 1;
            return;
        }
        _ => used.sort_unstable(),
    }
    let mut counts = depth_counts(&used);
    limit_depth(&mut counts, usize::from(limit));
    // The rarest symbols get the longest codes.
    let mut symbols = used.iter();
    for length in (1..=usize::from(limit)).rev() {
        for (_, symbol) in symbols.by_ref().take(counts[length] as usize) {
            lengths[usize::from(*symbol)] = length as u8;
        }
    }
}

/// How many leaves of the Huffman tree lie at each depth (two queues: sorted leaves, and nodes in order of creation).
fn depth_counts(sorted: &[(u32, u16)]) -> [u32; 64] {
    let n = sorted.len();
    let mut weight = vec![0u64; n - 1];
    let mut parent_of_leaf = vec![0u16; n];
    let mut parent_of_node = vec![0u16; n - 1];
    let (mut leaf, mut node) = (0, 0);
    for created in 0..n - 1 {
        for _ in 0..2 {
            let take_leaf =
                leaf < n && (node >= created || u64::from(sorted[leaf].0) <= weight[node]);
            if take_leaf {
                weight[created] += u64::from(sorted[leaf].0);
                parent_of_leaf[leaf] = created as u16;
                leaf += 1;
            } else {
                weight[created] += weight[node];
                parent_of_node[node] = created as u16;
                node += 1;
            }
        }
    }
    // The root is the node that was created last; parents come after their children.
    let mut depth = vec![0u8; n - 1];
    for created in (0..n - 2).rev() {
        depth[created] = depth[usize::from(parent_of_node[created])].saturating_add(1);
    }
    let mut counts = [0u32; 64];
    for parent in parent_of_leaf {
        counts[usize::from(depth[usize::from(parent)]).min(62) + 1] += 1;
    }
    counts
}

/// Moves leaves that are too deep up, and pays for it by moving others down, until the code is complete again.
fn limit_depth(counts: &mut [u32; 64], limit: usize) {
    let too_deep: u32 = counts[limit + 1..].iter().sum();
    if too_deep == 0 {
        return;
    }
    counts[limit + 1..].fill(0);
    counts[limit] += too_deep;
    // In units of 2^-limit; a complete code sums to 2^limit.
    let mut sum: u64 = (1..=limit)
        .map(|l| u64::from(counts[l]) << (limit - l))
        .sum();
    while sum > 1 << limit {
        counts[limit] -= 1;
        let shallower = (1..limit).rev().find(|l| counts[*l] > 0);
        let Some(l) = shallower else { break };
        counts[l] -= 1;
        counts[l + 1] += 2;
        sum -= 1;
    }
}

/// The canonical codes for given lengths.
pub fn codes(lengths: &[u8], codes: &mut [Code]) {
    let mut next = [0u16; 17];
    let mut counts = [0u16; 16];
    for l in lengths {
        counts[usize::from(*l)] += 1;
    }
    counts[0] = 0;
    for l in 1..=15 {
        next[l + 1] = (next[l] + counts[l]) << 1;
    }
    for (code, length) in codes.iter_mut().zip(lengths) {
        *code = Code::default();
        if *length > 0 {
            let value = next[usize::from(*length)];
            next[usize::from(*length)] += 1;
            *code = Code {
                bits: value.reverse_bits() >> (16 - u32::from(*length)),
                length: *length,
            };
        }
    }
}

/// The description of a dynamic block's two codes, ready to be written.
pub struct Header {
    literals: usize,
    distances: usize,
    symbols: Vec<(u8, u8)>,
    lengths: [u8; 19],
    order: usize,
}

impl Header {
    /// Run-length codes the code lengths.
    pub fn new(literal_lengths: &[u8; LITERALS], distance_lengths: &[u8; DISTANCES]) -> Self {
        let last = |l: &[u8], least: usize| {
            l.iter()
                .rposition(|v| *v > 0)
                .map_or(least, |p| (p + 1).max(least))
        };
        let literals = last(&literal_lengths[..286], 257);
        let distances = last(distance_lengths, 1);
        let mut all = [0u8; 286 + DISTANCES];
        all[..literals].copy_from_slice(&literal_lengths[..literals]);
        all[literals..literals + distances].copy_from_slice(&distance_lengths[..distances]);
        let symbols = run_length(&all[..literals + distances]);
        let mut frequencies = [0u32; 19];
        for (symbol, _) in &symbols {
            frequencies[usize::from(*symbol)] += 1;
        }
        let mut lengths = [0u8; 19];
        code_lengths(&frequencies, 7, &mut lengths);
        let order = ORDER
            .iter()
            .rposition(|s| lengths[*s] > 0)
            .map_or(4, |p| (p + 1).max(4));
        Self {
            literals,
            distances,
            symbols,
            lengths,
            order,
        }
    }

    /// Size in bits, without the three bits of the block's type.
    pub fn bits(&self) -> u64 {
        let body: u64 = self
            .symbols
            .iter()
            .map(|(s, _)| u64::from(self.lengths[usize::from(*s)]) + u64::from(extra_bits(*s)))
            .sum();
        14 + 3 * self.order as u64 + body
    }

    /// Writes the header.
    pub fn write(&self, w: &mut BitWriter<'_>) {
        w.put((self.literals - 257) as u64, 5);
        w.put((self.distances - 1) as u64, 5);
        w.put((self.order - 4) as u64, 4);
        w.flush();
        for symbol in &ORDER[..self.order] {
            w.put(u64::from(self.lengths[*symbol]), 3);
            w.flush();
        }
        let mut table = [Code::default(); 19];
        codes(&self.lengths, &mut table);
        for (symbol, extra) in &self.symbols {
            let code = table[usize::from(*symbol)];
            w.put(u64::from(code.bits), u32::from(code.length));
            w.put(u64::from(*extra), extra_bits(*symbol));
            w.flush();
        }
    }
}

/// Bits that follow a symbol of the code-length code.
const fn extra_bits(symbol: u8) -> u32 {
    match symbol {
        16 => 2,
        17 => 3,
        18 => 7,
        _ => 0,
    }
}

/// Codes runs: 16 repeats the previous length 3-6 times, 17 and 18 are 3-10 and 11-138 zeros.
fn run_length(lengths: &[u8]) -> Vec<(u8, u8)> {
    let mut symbols = Vec::with_capacity(lengths.len());
    let mut i = 0;
    while i < lengths.len() {
        let value = lengths[i];
        let mut run = lengths[i..].iter().take_while(|v| **v == value).count();
        i += run;
        if value == 0 {
            while run >= 3 {
                let n = run.min(138);
                symbols.push(if n >= 11 {
                    (18, n as u8 - 11)
                } else {
                    (17, n as u8 - 3)
                });
                run -= n;
            }
        } else {
            symbols.push((value, 0));
            run -= 1;
            while run >= 3 {
                let n = run.min(6);
                symbols.push((16, n as u8 - 3));
                run -= n;
            }
        }
        symbols.extend(std::iter::repeat_n((value, 0), run));
    }
    symbols
}
