//! TIFF's LZW: codes of 9 to 12 bits, most significant bit first, widened one code early; and the order of bits that files
//! from before TIFF 5 have: least significant first, widened on time.
//!
//! An entry of the dictionary holds its string itself if that has at most eight bytes, as nearly all have, so that a code
//! costs one table look-up and one eight-byte store. Longer strings are copied from where they were last written.

const CLEAR: usize = 256;
const END: usize = 257;
const FIRST: usize = 258;
const CODES: usize = 4096;

/// What a damaged stream gives.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadCode;

/// The dictionary, kept from strip to strip: every entry is written before it is used.
pub(super) struct Lzw {
    table: Vec<Text>,
}

/// One string.
#[derive(Clone, Copy, Default)]
struct Text {
    /// Its first eight bytes, the first in the lowest byte.
    head: u64,
    length: usize,
    /// Where it starts in the output.
    start: usize,
}

impl Lzw {
    pub(super) fn new() -> Self {
        let mut table = vec![Text::default(); CODES];
        for (byte, text) in table.iter_mut().take(256).enumerate() {
            *text = Text {
                head: byte as u64,
                length: 1,
                start: 0,
            };
        }
        Self { table }
    }

    /// Decodes into `out` until it is full or the stream ends; returns how many bytes were written.
    pub(super) fn decode(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize, BadCode> {
        // Every stream starts with the clear code; the old bit order shows in it.
        let old = matches!(input, [0, second, ..] if second & 1 == 1);
        if old {
            self.decode_order::<true>(input, out)
        } else {
            self.decode_order::<false>(input, out)
        }
    }

    fn decode_order<const OLD: bool>(
        &mut self,
        input: &[u8],
        out: &mut [u8],
    ) -> Result<usize, BadCode> {
        let Ok(table) = <&mut [Text; CODES]>::try_from(self.table.as_mut_slice()) else {
            return Err(BadCode);
        };
        let mut next = FIRST;
        let mut width = 9_u32;
        let mut previous: Option<Text> = None;
        let mut at = 0;
        let (mut bits, mut available, mut position) = (0_u64, 0_u32, 0);

        while at < out.len() {
            if available < width {
                if let Some(word) = input.get(position..position + 4) {
                    let word: [u8; 4] = [word[0], word[1], word[2], word[3]];
                    bits = if OLD {
                        bits | u64::from(u32::from_le_bytes(word)) << available
                    } else {
                        bits << 32 | u64::from(u32::from_be_bytes(word))
                    };
                    available += 32;
                    position += 4;
                } else {
                    for byte in input.get(position..).unwrap_or_default() {
                        bits = if OLD {
                            bits | u64::from(*byte) << available
                        } else {
                            bits << 8 | u64::from(*byte)
                        };
                        available += 8;
                    }
                    position = input.len();
                    if available < width {
                        break;
                    }
                }
            }
            available -= width;
            let mask = (1 << width) - 1;
            let code = if OLD {
                bits & mask
            } else {
                bits >> available & mask
            } as usize;
            if OLD {
                bits >>= width;
            }

            if code == CLEAR {
                (next, width, previous) = (FIRST, 9, None);
                continue;
            }
            if code == END {
                break;
            }
            if code > next || (code == next && previous.is_none()) {
                return Err(BadCode);
            }
            if let Some(previous) = previous.filter(|_| next < CODES) {
                // A code may be used one step before it is known: the previous string and its own first byte.
                let source = if code == next {
                    previous.head
                } else {
                    table[code].head
                };
                let head = if previous.length < 8 {
                    previous.head | (source & 0xff) << (8 * previous.length)
                } else {
                    previous.head
                };
                table[next] = Text {
                    head,
                    length: previous.length + 1,
                    start: previous.start,
                };
                next += 1;
                if next + usize::from(!OLD) >= 1 << width && width < 12 {
                    width += 1;
                }
            }
            let text = table[code % CODES];
            let room = out.len() - at;
            if text.length <= 8 && room >= 8 {
                // The surplus is overwritten by the next strings.
                out[at..at + 8].copy_from_slice(&text.head.to_le_bytes());
            } else if text.length <= 8 {
                let length = text.length.min(room);
                out[at..at + length].copy_from_slice(&text.head.to_le_bytes()[..length]);
            } else {
                // The string may end with the byte that is written first here.
                let length = text.length.min(room);
                let known = length.min(at - text.start);
                out.copy_within(text.start..text.start + known, at);
                if known < length {
                    out[at + known] = text.head as u8;
                }
            }
            previous = Some(Text { start: at, ..text });
            at += text.length.min(room);
        }
        Ok(at)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_example_of_the_specification() {
        // TIFF 6.0, page 61: 7 7 7 8 8 7 7 6 6 as 9-bit codes 256 7 258 8 8 258 6 6 257.
        let codes = [256_u32, 7, 258, 8, 8, 258, 6, 6, 257];
        let bits: String = codes.iter().map(|code| format!("{code:09b}")).collect();
        let mut bytes: Vec<u8> = bits
            .as_bytes()
            .chunks(8)
            .map(|b| {
                b.iter()
                    .enumerate()
                    .fold(0, |v, (i, d)| v | (d - b'0') << (7 - i))
            })
            .collect();
        let mut out = [0; 9];
        assert_eq!(Lzw::new().decode(&bytes, &mut out), Ok(9));
        assert_eq!(out, [7, 7, 7, 8, 8, 7, 7, 6, 6]);
        // A stream cut short gives what it holds.
        bytes.truncate(5);
        assert_eq!(Lzw::new().decode(&bytes, &mut out), Ok(4));
    }

    #[test]
    fn the_old_order_of_bits() {
        // The same codes, least significant bit first.
        let codes = [256_u64, 7, 258, 8, 8, 258, 6, 6, 257];
        let mut bytes = vec![0_u8; 11];
        for (i, code) in codes.iter().enumerate() {
            for bit in 0..9 {
                bytes[(9 * i + bit) / 8] |= ((code >> bit & 1) as u8) << ((9 * i + bit) % 8);
            }
        }
        let mut out = [0; 9];
        assert_eq!(Lzw::new().decode(&bytes, &mut out), Ok(9));
        assert_eq!(out, [7, 7, 7, 8, 8, 7, 7, 6, 6]);
    }

    #[test]
    fn long_runs_use_codes_before_they_are_known() {
        // 7, then each code is the one just about to be defined: runs of 2, 3, 4, … sevens.
        let mut codes = vec![256_u32, 7];
        codes.extend(258..290);
        codes.push(257);
        let bits: String = codes.iter().map(|code| format!("{code:09b}")).collect();
        let bytes: Vec<u8> = bits
            .as_bytes()
            .chunks(8)
            .map(|b| {
                b.iter()
                    .enumerate()
                    .fold(0, |v, (i, d)| v | (d - b'0') << (7 - i))
            })
            .collect();
        let length = (1..=33).sum();
        let mut out = vec![0; length];
        assert_eq!(Lzw::new().decode(&bytes, &mut out), Ok(length));
        assert!(out.iter().all(|byte| *byte == 7));
        for short in 0..length {
            let mut out = vec![0; short];
            assert_eq!(Lzw::new().decode(&bytes, &mut out), Ok(short));
            assert!(out.iter().all(|byte| *byte == 7));
        }
    }

    #[test]
    fn a_code_from_the_future_is_refused() {
        let bits = format!("{:09b}{:09b}{:09b}", 256, 7, 300);
        let bytes: Vec<u8> = bits
            .as_bytes()
            .chunks(8)
            .map(|b| {
                b.iter()
                    .enumerate()
                    .fold(0, |v, (i, d)| v | (d - b'0') << (7 - i))
            })
            .collect();
        assert_eq!(Lzw::new().decode(&bytes, &mut [0; 64]), Err(BadCode));
    }
}
