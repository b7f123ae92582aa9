//! Changed copies of inputs, the same ones every time.

/// Numbers at which sizes and offsets go wrong.
const NUMBERS: [u64; 14] = [
    0,
    1,
    2,
    0x7f,
    0xff,
    0x7fff,
    0xffff,
    0x0001_0000,
    0x7fff_ffff,
    0xffff_ffff,
    0x0001_0000_0000,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    0xffff_ffff_ffff_ffff,
];

/// Longest copy that is made.
const LONGEST: usize = 64 << 10;

/// Makes changed copies; equal seeds make equal ones.
pub struct Mutator(u64);

impl Mutator {
    /// A mutator that starts from `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(2).wrapping_add(1))
    }

    fn below(&mut self, end: usize) -> usize {
        // Knuth's MMIX generator: nobody attacks it.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end.max(1)
    }

    /// A copy of `input` with one to eight changes; `other` lends parts.
    #[must_use]
    pub fn change(&mut self, input: &[u8], other: &[u8]) -> Vec<u8> {
        let mut bytes = input.to_vec();
        for _ in 0..=self.below(8) {
            if bytes.is_empty() {
                bytes.push(0);
            }
            self.change_once(&mut bytes, other);
            bytes.truncate(LONGEST);
        }
        bytes
    }

    fn change_once(&mut self, bytes: &mut Vec<u8>, other: &[u8]) {
        // Half of the changes where headers mostly are.
        let reach = if self.below(2) == 0 {
            bytes.len()
        } else {
            bytes.len().min(256)
        };
        let at = self.below(reach);
        let end = at + self.below((bytes.len() - at).min(64) + 1);
        match self.below(10) {
            0 => bytes[at] ^= 1 << self.below(8),
            1 => bytes[at] = self.below(256) as u8,
            2 | 3 => {
                let number = NUMBERS[self.below(NUMBERS.len())];
                let size = [1, 2, 4, 8][self.below(4)];
                let raw = if self.below(2) == 0 {
                    number.to_le_bytes()[..size].to_vec()
                } else {
                    number.to_be_bytes()[8 - size..].to_vec()
                };
                let room = raw.len().min(bytes.len() - at);
                bytes[at..at + room].copy_from_slice(&raw[..room]);
            }
            4 => drop(bytes.drain(at..end)),
            5 => {
                let part = bytes[at..end].to_vec();
                let times = 1 + self.below(16);
                bytes.splice(at..at, part.repeat(times));
            }
            6 => {
                let part: Vec<u8> = (0..=self.below(16))
                    .map(|_| self.below(256) as u8)
                    .collect();
                bytes.splice(at..at, part);
            }
            7 if !other.is_empty() => {
                let from = self.below(other.len());
                let to = from + self.below((other.len() - from).min(256) + 1);
                bytes.splice(at..end, other[from..to].iter().copied());
            }
            8 => self.change_number(bytes, at),
            _ => bytes.truncate(at),
        }
    }

    /// Replaces the next number that is written in digits.
    fn change_number(&mut self, bytes: &mut Vec<u8>, from: usize) {
        let Some(start) = bytes[from..].iter().position(u8::is_ascii_digit) else {
            return;
        };
        let start = from + start;
        let length = bytes[start..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let number = NUMBERS[self.below(NUMBERS.len())];
        let text = match self.below(6) {
            0 => format!("-{number}"),
            1 => format!("{number}{number}"),
            _ => number.to_string(),
        };
        bytes.splice(start..start + length, text.bytes());
    }
}
