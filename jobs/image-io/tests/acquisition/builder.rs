//! Writes TIFF files of any layout, so that the reader is tested on layouts that no corpus holds.

use std::collections::HashMap;

/// Sample values as stored bit patterns, in (y, x, sample) order.
#[derive(Clone, Debug)]
pub struct Layout {
    pub height: usize,
    pub width: usize,
    pub samples: usize,
    pub bits: usize,
    /// 1 unsigned, 2 signed, 3 float.
    pub format: u16,
    pub values: Vec<u64>,
    pub big_endian: bool,
    pub bigtiff: bool,
    pub planar: bool,
    pub reversed_bits: bool,
    pub compression: u16,
    pub predictor: u16,
    /// Rows and columns of a tile; strips of the first if the second is `None`.
    pub chunk: (usize, Option<usize>),
    /// Chunks lie in the file in this order if set, with gaps between.
    pub scattered: bool,
    pub tags: Vec<(u16, Vec<u8>)>,
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            height: 1,
            width: 1,
            samples: 1,
            bits: 8,
            format: 1,
            values: vec![0],
            big_endian: false,
            bigtiff: false,
            planar: false,
            reversed_bits: false,
            compression: 1,
            predictor: 1,
            chunk: (1, None),
            scattered: false,
            tags: Vec::new(),
        }
    }
}

struct Writer {
    big_endian: bool,
    bytes: Vec<u8>,
}

impl Writer {
    fn uint(&mut self, value: u64, size: usize) {
        if self.big_endian {
            self.bytes.extend(&value.to_be_bytes()[8 - size..]);
        } else {
            self.bytes.extend(&value.to_le_bytes()[..size]);
        }
    }
}

impl Layout {
    /// The pages as one file: all directories first, then all pixels.
    pub fn file(pages: &[Self]) -> Vec<u8> {
        let Self {
            big_endian,
            bigtiff,
            ..
        } = pages[0];
        let word = if bigtiff { 8 } else { 4 };
        let mut out = Writer {
            big_endian,
            bytes: if big_endian {
                b"MM".to_vec()
            } else {
                b"II".to_vec()
            },
        };
        out.uint(if bigtiff { 43 } else { 42 }, 2);
        if bigtiff {
            out.uint(8, 2);
            out.uint(0, 2);
        }
        out.uint(2 * word as u64, word);
        let chunks: Vec<Vec<Vec<u8>>> = pages.iter().map(Self::chunks).collect();
        // Twice: sizes of the directories do not depend on the offsets, so the second time they are right.
        let mut data_at = 0;
        for _ in 0..2 {
            out.bytes.truncate(if bigtiff { 16 } else { 8 });
            let mut offset = data_at;
            for (page, chunks) in pages.iter().zip(&chunks) {
                let mut offsets = Vec::new();
                let gap = usize::from(page.scattered) * 100_000;
                for chunk in chunks {
                    offsets.push(offset as u64);
                    offset += chunk.len() + gap;
                }
                if page.scattered {
                    offsets = offsets
                        .iter()
                        .zip(chunks)
                        .map(|(at, chunk)| (data_at + offset) as u64 - at - chunk.len() as u64)
                        .collect();
                }
                page.directory(
                    &mut out,
                    word,
                    &offsets,
                    chunks,
                    std::ptr::eq(page, pages.last().unwrap()),
                );
            }
            data_at = out.bytes.len();
        }
        for (page, chunks) in pages.iter().zip(&chunks) {
            let gap = usize::from(page.scattered) * 100_000;
            let start = out.bytes.len();
            for chunk in chunks {
                out.bytes.extend(chunk);
                out.bytes.resize(out.bytes.len() + gap, 0xa5);
            }
            if page.scattered {
                // Backwards in the file.
                let total = out.bytes.len() - start;
                let mut area = vec![0x5a; total];
                let mut at = 0;
                for chunk in chunks {
                    let target = total - at - chunk.len();
                    area[target..target + chunk.len()].copy_from_slice(chunk);
                    at += chunk.len() + gap;
                }
                out.bytes[start..].copy_from_slice(&area);
            }
        }
        out.bytes
    }

    fn directory(
        &self,
        out: &mut Writer,
        word: usize,
        offsets: &[u64],
        chunks: &[Vec<u8>],
        last: bool,
    ) {
        let wide = if word == 8 { 16 } else { 4 };
        let short = |values: &[u64]| (3_u16, 2, values.to_vec());
        let per_sample = |value: u64| short(&vec![value; self.samples]);
        let counts: Vec<u64> = chunks.iter().map(|chunk| chunk.len() as u64).collect();
        let mut tags = vec![
            (256, short(&[self.width as u64])),
            (257, (4, 4, vec![self.height as u64])),
            (258, per_sample(self.bits as u64)),
            (259, short(&[self.compression.into()])),
            (262, short(&[1])),
            (266, short(&[if self.reversed_bits { 2 } else { 1 }])),
            (277, short(&[self.samples as u64])),
            (284, short(&[if self.planar { 2 } else { 1 }])),
            (317, short(&[self.predictor.into()])),
            (339, per_sample(self.format.into())),
        ];
        let (offset_tag, count_tag) = match self.chunk {
            (rows, None) => {
                tags.push((278, (4, 4, vec![rows as u64])));
                (273, 279)
            }
            (rows, Some(columns)) => {
                tags.push((322, short(&[columns as u64])));
                tags.push((323, short(&[rows as u64])));
                (324, 325)
            }
        };
        tags.push((offset_tag, (wide, word, offsets.to_vec())));
        tags.push((count_tag, (4, 4, counts)));
        tags.extend(self.tags.iter().map(|(tag, bytes)| {
            (
                *tag,
                (2, 1, bytes.iter().map(|byte| u64::from(*byte)).collect()),
            )
        }));
        tags.sort_by_key(|(tag, _)| *tag);

        let count_size = if word == 8 { 8 } else { 2 };
        let mut values_at = out.bytes.len() + count_size + tags.len() * (4 + 2 * word) + word;
        let mut values = Writer {
            big_endian: out.big_endian,
            bytes: Vec::new(),
        };
        out.uint(tags.len() as u64, count_size);
        for (tag, (kind, size, list)) in &tags {
            out.uint(u64::from(*tag), 2);
            out.uint(u64::from(*kind), 2);
            out.uint(list.len() as u64, word);
            let bytes = list.len() * size;
            if bytes <= word {
                list.iter().for_each(|value| out.uint(*value, *size));
                out.bytes.resize(out.bytes.len() + word - bytes, 0);
            } else {
                out.uint(values_at as u64, word);
                list.iter().for_each(|value| values.uint(*value, *size));
                values_at += bytes;
            }
        }
        out.uint(if last { 0 } else { values_at as u64 }, word);
        out.bytes.extend(values.bytes);
    }

    fn chunks(&self) -> Vec<Vec<u8>> {
        let (rows, columns) = (self.chunk.0, self.chunk.1.unwrap_or(self.width));
        let planes = if self.planar { self.samples } else { 1 };
        let mut chunks = Vec::new();
        for plane in 0..planes {
            for y in (0..self.height).step_by(rows) {
                for x in (0..self.width).step_by(columns) {
                    let rows = if self.chunk.1.is_some() {
                        rows
                    } else {
                        rows.min(self.height - y)
                    };
                    let stored: Vec<u8> = (y..y + rows)
                        .flat_map(|y| self.row(y, x..x + columns, plane))
                        .collect();
                    let mut chunk = self.compress(&stored);
                    if self.reversed_bits {
                        chunk
                            .iter_mut()
                            .for_each(|byte| *byte = byte.reverse_bits());
                    }
                    chunks.push(chunk);
                }
            }
        }
        chunks
    }

    /// One stored row of a chunk: padded with zeros outside the image, differences taken, bytes or bits packed.
    fn row(&self, y: usize, columns: std::ops::Range<usize>, plane: usize) -> Vec<u8> {
        let samples = if self.planar {
            plane..plane + 1
        } else {
            0..self.samples
        };
        let step = samples.len();
        let inside = |x: usize| y < self.height && x < self.width;
        let value = |x: usize, s: usize| {
            if inside(x) {
                self.values[(y * self.width + x) * self.samples + s]
            } else {
                0
            }
        };
        let mut row: Vec<u64> = columns
            .flat_map(|x| samples.clone().map(move |s| value(x, s)))
            .collect();
        let mask = if self.bits == 64 {
            u64::MAX
        } else {
            (1 << self.bits) - 1
        };
        if self.predictor == 2 {
            for i in (step..row.len()).rev() {
                row[i] = row[i].wrapping_sub(row[i - step]) & mask;
            }
        }
        if self.predictor == 3 {
            let mut bytes: Vec<u8> = (0..self.bits / 8)
                .flat_map(|byte| {
                    row.iter()
                        .map(move |v| v.to_be_bytes()[8 - self.bits / 8 + byte])
                })
                .collect();
            for i in (step..bytes.len()).rev() {
                bytes[i] = bytes[i].wrapping_sub(bytes[i - step]);
            }
            return bytes;
        }
        let mut out = Writer {
            big_endian: self.big_endian,
            bytes: Vec::new(),
        };
        // 24 bits count as packed bits, most significant first in both byte orders.
        if self.bits.is_multiple_of(8) && self.bits != 24 {
            row.iter().for_each(|value| out.uint(*value, self.bits / 8));
            return out.bytes;
        }
        let bits: Vec<u8> = row
            .iter()
            .flat_map(|value| {
                (0..self.bits)
                    .rev()
                    .map(move |bit| (value >> bit & 1) as u8)
            })
            .collect();
        bits.chunks(8)
            .map(|bits| {
                bits.iter()
                    .enumerate()
                    .fold(0, |byte, (i, bit)| byte | bit << (7 - i))
            })
            .collect()
    }

    fn compress(&self, data: &[u8]) -> Vec<u8> {
        match self.compression {
            1 => data.to_vec(),
            5 => lzw(data),
            8 => {
                let mut compressor =
                    libdeflater::Compressor::new(libdeflater::CompressionLvl::default());
                let mut out = vec![0; compressor.zlib_compress_bound(data.len())];
                let size = compressor.zlib_compress(data, &mut out).unwrap();
                out.truncate(size);
                out
            }
            32_773 => data
                .chunk_by(|a, b| a == b)
                .flat_map(|run| run.chunks(128))
                .flat_map(|run| match run {
                    [byte] => [0, *byte],
                    run => [(1 - run.len() as i32) as u8, run[0]],
                })
                .collect(),
            other => panic!("no encoder for compression {other}"),
        }
    }
}

/// The encoder of TIFF 6.0, section 13.
fn lzw(data: &[u8]) -> Vec<u8> {
    let mut bits: Vec<bool> = Vec::new();
    let mut table: HashMap<Vec<u8>, u32> = HashMap::new();
    let mut next = 258;
    let mut width = 9;
    let mut put =
        |code: u32, width: u32| bits.extend((0..width).rev().map(|bit| code >> bit & 1 == 1));
    let code = |table: &HashMap<Vec<u8>, u32>, text: &[u8]| {
        if let [byte] = text {
            Some(u32::from(*byte))
        } else {
            table.get(text).copied()
        }
    };
    put(256, width);
    let mut text: Vec<u8> = Vec::new();
    for byte in data {
        text.push(*byte);
        if code(&table, &text).is_some() {
            continue;
        }
        put(code(&table, &text[..text.len() - 1]).unwrap(), width);
        table.insert(std::mem::replace(&mut text, vec![*byte]), next);
        next += 1;
        match next {
            512 | 1024 | 2048 => width += 1,
            4095 => {
                put(256, width);
                table.clear();
                (next, width) = (258, 9);
            }
            _ => {}
        }
    }
    if !text.is_empty() {
        put(code(&table, &text).unwrap(), width);
        // The decoder has added one more entry by now.
        if matches!(next + 1, 512 | 1024 | 2048) {
            width += 1;
        }
    }
    put(257, width);
    bits.chunks(8)
        .map(|byte| {
            byte.iter()
                .enumerate()
                .fold(0, |value, (i, bit)| value | u8::from(*bit) << (7 - i))
        })
        .collect()
}
