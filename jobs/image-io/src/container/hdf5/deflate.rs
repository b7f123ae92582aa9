//! A zlib compressor for shuffled image chunks.
//!
//! General compressors spend their time looking for repeated strings. In the bytes of a noisy image there are none, and in
//! those of a label image they are at two known places: just before, and in the row above. So each byte plane of a chunk
//! becomes one deflate block, in the cheapest of three codings: stored (noise), Huffman codes of the bytes (most pixels),
//! or runs and row copies (upper bytes, masks, labels). The result is a standard zlib stream (RFC 1950, RFC 1951) that
//! every HDF5 reader inflates.

mod bits;
mod huffman;
mod matches;

use bits::BitWriter;
use huffman::{
    Code, DISTANCES, END_OF_BLOCK, Header, LITERALS, MAX_LITERAL_BITS, code_lengths, codes,
};
use matches::{Parser, distance_symbol, length_symbol};

/// Longest input of one block; larger planes are split so that the codes follow the content.
const BLOCK: usize = 1 << 15;
/// Longest stored block of RFC 1951.
const STORED: usize = 65_535;
/// Farthest copy of RFC 1951.
const WINDOW: usize = 32_768;

/// Above this share of repeated bytes a block is mostly runs and row copies: labels, masks, upper bytes.
const MOSTLY_COPIES: f32 = 0.8;
/// Price of a literal in such a block.
const TYPICAL_LITERAL_BITS: f32 = 2.0;
/// Beyond chance, this share of bytes must repeat before copies are looked for: a search costs about five times what coding the
/// bytes does, and saves little on noisy images.
const WORTH_A_SEARCH: f32 = 0.3;
/// Bytes of noise repeat about once in 256.
const NOISE_REPEATS: f32 = 0.02;

/// Compresses chunks; keeps its scratch space between them.
#[derive(Default)]
pub struct Encoder {
    parser: Parser,
}

/// Literal/length and distance codes of one block with their price.
struct Codes {
    literal_lengths: [u8; LITERALS],
    distance_lengths: [u8; DISTANCES],
    header: Header,
    bits: u64,
}

impl Codes {
    /// Optimal codes for the given frequencies; `extra` are the bits that the symbols bring along.
    fn new(literals: &[u32; LITERALS], distances: &[u32; DISTANCES], extra: u64) -> Self {
        let mut literal_lengths = [0; LITERALS];
        code_lengths(literals, MAX_LITERAL_BITS, &mut literal_lengths);
        let mut distance_lengths = [0; DISTANCES];
        code_lengths(distances, 15, &mut distance_lengths);
        let header = Header::new(&literal_lengths, &distance_lengths);
        let sum = |f: &[u32], l: &[u8]| {
            f.iter()
                .zip(l)
                .map(|(f, l)| u64::from(*f) * u64::from(*l))
                .sum::<u64>()
        };
        let bits = 3
            + header.bits()
            + extra
            + sum(literals, &literal_lengths)
            + sum(distances, &distance_lengths);
        Self {
            literal_lengths,
            distance_lengths,
            header,
            bits,
        }
    }
}

impl Encoder {
    /// Appends a zlib stream of `bytes` to `out`: planes of `plane` bytes with rows of `row` bytes.
    pub fn compress(&mut self, bytes: &[u8], plane: usize, row: usize, out: &mut Vec<u8>) {
        out.extend_from_slice(&[0x78, 0x01]);
        let mut w = BitWriter::new(out, 1024);
        // Slanted copies reach one byte beyond the row above.
        let row = row.clamp(1, WINDOW - 1);
        let mut start = 0;
        while start < bytes.len() {
            let end_of_plane = (start / plane + 1) * plane;
            let end = end_of_plane.min(start + BLOCK).min(bytes.len());
            self.block(&mut w, bytes, start, end, row, end == bytes.len());
            start = end;
        }
        if bytes.is_empty() {
            stored(&mut w, &[], true);
        }
        w.align();
        let checksum = libdeflater::adler32(bytes);
        w.bytes(&checksum.to_be_bytes());
        w.finish();
    }

    fn block(
        &mut self,
        w: &mut BitWriter<'_>,
        bytes: &[u8],
        start: usize,
        end: usize,
        row: usize,
        last: bool,
    ) {
        let input = &bytes[start..end];
        let stored_bits = 8 * input.len() as u64 + 40;
        let repeats = repeats(bytes, start, end, row);
        if repeats > MOSTLY_COPIES {
            // Counting bytes would take longer than coding them.
            self.parser
                .parse(bytes, start, end, row, row > 1, TYPICAL_LITERAL_BITS);
            let copies = self.codes(input);
            if copies.bits < stored_bits {
                self.write_copies(w, input, &copies, last);
                return;
            }
        }
        if repeats < NOISE_REPEATS && is_noise(input) {
            stored(w, input, last);
            return;
        }
        let counts = histogram(input);
        let entropy = entropy(&counts, input.len());
        let chance: f32 = counts
            .iter()
            .map(|c| *c as f32 / input.len() as f32)
            .map(|p| p * p)
            .sum();
        let mut frequencies = [0u32; LITERALS];
        frequencies[..256].copy_from_slice(&counts);
        frequencies[END_OF_BLOCK] = 1;
        let literals = Codes::new(&frequencies, &[0; DISTANCES], 0);
        // Bytes that repeat more often than chance would have it have a structure that copies catch.
        if repeats > WORTH_A_SEARCH + chance {
            self.parser.parse(bytes, start, end, row, false, entropy);
            let copies = self.codes(input);
            if copies.bits < literals.bits.min(stored_bits) {
                self.write_copies(w, input, &copies, last);
                return;
            }
        }
        if literals.bits < stored_bits {
            write_literals(w, input, &literals, last);
        } else {
            stored(w, input, last);
        }
    }

    /// Codes for the sequences that the parser found.
    fn codes(&self, input: &[u8]) -> Codes {
        let mut literals = [0u32; LITERALS];
        let mut used = [0u32; DISTANCES];
        let mut extra = 0;
        let mut rest = input;
        for s in self.parser.sequences() {
            let (run, after) = rest.split_at(s.literals as usize);
            for byte in run {
                literals[usize::from(*byte)] += 1;
            }
            if s.length > 0 {
                let (symbol, bits, _) = length_symbol(s.length);
                literals[symbol] += 1;
                extra += u64::from(bits);
                let (symbol, bits, _) = distance_symbol(s.distance);
                used[symbol] += 1;
                extra += u64::from(bits);
            }
            rest = &after[usize::from(s.length)..];
        }
        literals[END_OF_BLOCK] = 1;
        Codes::new(&literals, &used, extra)
    }

    fn write_copies(&self, w: &mut BitWriter<'_>, input: &[u8], chosen: &Codes, last: bool) {
        let literals = begin_dynamic(w, chosen, last);
        let mut distances = [Code::default(); DISTANCES];
        codes(&chosen.distance_lengths, &mut distances);
        let mut rest = input;
        for s in self.parser.sequences() {
            let (run, after) = rest.split_at(s.literals as usize);
            put_literals(w, run, &literals);
            if s.length > 0 {
                let (symbol, extra, value) = length_symbol(s.length);
                let code = literals[symbol];
                w.put(u64::from(code.bits), u32::from(code.length));
                w.put(value, extra);
                let (symbol, extra, value) = distance_symbol(s.distance);
                let code = distances[symbol];
                w.put(u64::from(code.bits), u32::from(code.length));
                w.put(value, extra);
                w.flush();
            }
            rest = &after[usize::from(s.length)..];
        }
        end_block(w, &literals);
    }
}

/// Writes a block of Huffman-coded bytes without copies.
fn write_literals(w: &mut BitWriter<'_>, input: &[u8], chosen: &Codes, last: bool) {
    let literals = begin_dynamic(w, chosen, last);
    put_literals(w, input, &literals);
    end_block(w, &literals);
}

fn begin_dynamic(w: &mut BitWriter<'_>, chosen: &Codes, last: bool) -> [Code; LITERALS] {
    w.reserve((chosen.bits / 8) as usize + 64);
    w.put(u64::from(last) | 2 << 1, 3);
    chosen.header.write(w);
    let mut literals = [Code::default(); LITERALS];
    codes(&chosen.literal_lengths, &mut literals);
    literals
}

fn end_block(w: &mut BitWriter<'_>, literals: &[Code; LITERALS]) {
    let end = literals[END_OF_BLOCK];
    w.put(u64::from(end.bits), u32::from(end.length));
    w.flush();
}

/// Writes literals four at a time: 4 x 14 bits are the most that fit beside a rest of 7.
#[inline]
fn put_literals(w: &mut BitWriter<'_>, input: &[u8], table: &[Code; LITERALS]) {
    let mut quads = input.chunks_exact(4);
    for quad in &mut quads {
        let [a, b, c, d] = [
            table[usize::from(quad[0])],
            table[usize::from(quad[1])],
            table[usize::from(quad[2])],
            table[usize::from(quad[3])],
        ];
        let low = u64::from(a.bits) | u64::from(b.bits) << a.length;
        let high = u64::from(c.bits) | u64::from(d.bits) << c.length;
        let low_bits = u32::from(a.length) + u32::from(b.length);
        w.put(
            low | high << low_bits,
            low_bits + u32::from(c.length) + u32::from(d.length),
        );
        w.flush();
    }
    for byte in quads.remainder() {
        let code = table[usize::from(*byte)];
        w.put(u64::from(code.bits), u32::from(code.length));
        w.flush();
    }
}

/// Writes stored blocks: the bytes as they are.
fn stored(w: &mut BitWriter<'_>, input: &[u8], last: bool) {
    let mut rest = input;
    loop {
        let (now, later) = rest.split_at(rest.len().min(STORED));
        w.reserve(now.len() + 16);
        w.put(u64::from(last && later.is_empty()), 3);
        w.align();
        let length = now.len() as u16;
        w.put(u64::from(length) | u64::from(!length) << 16, 32);
        w.flush();
        w.bytes(now);
        rest = later;
        if rest.is_empty() {
            return;
        }
    }
}

/// How often each byte value occurs. Four tables, because a counter that was just written is slow to read again.
fn histogram(input: &[u8]) -> [u32; 256] {
    let mut counts = [[0u32; 256]; 4];
    let (eights, rest) = input.as_chunks::<8>();
    for eight in eights {
        let word = u64::from_le_bytes(*eight);
        for k in 0..8 {
            counts[k % 4][(word >> (8 * k) & 0xFF) as usize] += 1;
        }
    }
    for byte in rest {
        counts[0][usize::from(*byte)] += 1;
    }
    std::array::from_fn(|i| counts.iter().map(|c| c[i]).sum())
}

/// Whether a sample looks like bytes that cannot be compressed, as the lower bytes of measured real numbers do.
fn is_noise(input: &[u8]) -> bool {
    const SAMPLE: usize = 4096;
    const RUN: usize = 64;
    if input.len() < 2 * SAMPLE {
        return false;
    }
    let mut counts = [0u32; 256];
    let part = input.len() / (SAMPLE / RUN);
    for (i, part) in input.chunks_exact(part).enumerate() {
        // Not in step with the rows, whose ends may be padding.
        let from = i * 151 % (part.len() - RUN);
        for byte in &part[from..from + RUN] {
            counts[usize::from(*byte)] += 1;
        }
    }
    let n: u32 = counts.iter().sum();
    // Uniform bytes reach 7.955 in a sample of this size.
    entropy(&counts, n as usize) > 7.94
}

/// Bits per byte that an ideal code without context would need.
fn entropy(counts: &[u32; 256], n: usize) -> f32 {
    let n = n as f32;
    counts
        .iter()
        .filter(|c| **c > 0)
        .map(|c| *c as f32 / n)
        .map(|p| -p * p.log2())
        .sum()
}

/// The share of bytes that equal the one before or the one above, whichever is larger.
fn repeats(bytes: &[u8], start: usize, end: usize, row: usize) -> f32 {
    let share = |distance: usize| {
        let from = start.max(distance);
        if from >= end {
            return 0.0;
        }
        let (now, before) = (&bytes[from..end], &bytes[from - distance..end - distance]);
        let mut equal = 0u32;
        for (x, y) in now.chunks(255).zip(before.chunks(255)) {
            equal += u32::from(x.iter().zip(y).map(|(a, b)| u8::from(a == b)).sum::<u8>());
        }
        equal as f32 / (end - start) as f32
    };
    share(1).max(share(row))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn round_trip(bytes: &[u8], plane: usize, row: usize) -> usize {
        let mut out = b"before".to_vec();
        Encoder::default().compress(bytes, plane, row, &mut out);
        let mut back = vec![0; bytes.len()];
        let n = libdeflater::Decompressor::new()
            .zlib_decompress(&out[6..], &mut back)
            .unwrap();
        assert_eq!(n, bytes.len());
        assert!(back == bytes, "the content changed");
        assert_eq!(&out[..6], b"before");
        out.len() - 6
    }

    /// Bytes with a given share of noise over a pattern of runs and slanted rows.
    fn content(n: usize, noise: u32, values: u32, seed: u64) -> Vec<u8> {
        let mut state = seed | 1;
        (0..n)
            .map(|i| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                if (state >> 32) as u32 % 100 < noise {
                    ((state >> 16) as u32 % values) as u8
                } else {
                    (i / 300 + i % 256 / 40) as u8
                }
            })
            .collect()
    }

    #[test]
    fn edges() {
        for n in [
            0, 1, 2, 3, 4, 7, 8, 9, 258, 259, 260, 261, 32_767, 32_768, 32_769, 65_535, 65_536,
            65_537, 200_000,
        ] {
            for (noise, values) in [(0, 1), (100, 256), (100, 2), (3, 256)] {
                round_trip(&content(n, noise, values, 9), n.max(1), 256);
            }
            round_trip(&vec![7; n], 65_536, 1);
        }
    }

    #[test]
    fn rows_as_long_as_the_window_are_copied_from_inside_it() {
        // Every row is the one above moved by one byte: only a slanted copy fits.
        for row in [32_766, 32_767, 32_768, 32_769, 70_000] {
            let bytes: Vec<u8> = (0..150_000)
                .map(|i| {
                    let column = (i % row + row - i / row) % row;
                    if column % 4_000 < 3_900 {
                        0
                    } else {
                        (column * 7) as u8
                    }
                })
                .collect();
            for plane in [bytes.len(), 65_536, 69_999] {
                round_trip(&bytes, plane, row);
            }
        }
    }

    #[test]
    fn constant_and_random_chunks_have_the_expected_size() {
        assert!(round_trip(&[0; 65_536 * 4], 65_536, 256) < 600);
        let noise = content(65_536, 100, 256, 3);
        assert!(round_trip(&noise, 65_536, 256) < 65_536 + 64);
    }

    #[test]
    fn very_skewed_frequencies_keep_the_code_within_its_limit() {
        // Fibonacci frequencies make the deepest Huffman trees.
        let (mut a, mut b, mut bytes) = (1usize, 1usize, Vec::new());
        for value in 0..24u8 {
            bytes.extend(std::iter::repeat_n(value, a));
            (a, b) = (b, a + b);
        }
        // Mixed, so that copies do not hide the frequencies.
        let n = bytes.len();
        for i in 0..n {
            bytes.swap(i, i.wrapping_mul(2_654_435_761) % n);
        }
        round_trip(&bytes[..n.min(30_000)], n, 256);
        round_trip(&bytes, n, 256);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 200 } else { 2000 }))]
        #[test]
        fn any_bytes_come_back(n in 0usize..90_000, noise in 0u32..=100, values in 1u32..=256, seed: u64, plane in 1usize..70_000, row in 1usize..70_000) {
            round_trip(&content(n, noise, values, seed), plane, row);
        }

        #[test]
        fn short_bytes_come_back(bytes in proptest::collection::vec(any::<u8>(), 0..600), row in 1usize..300) {
            round_trip(&bytes, bytes.len().max(1), row);
        }
    }
}
