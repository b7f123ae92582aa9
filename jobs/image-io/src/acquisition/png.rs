//! PNG: every sample of the image is a plane; palette images give their indices.

use std::io::BufReader;

use png::{BitDepth, ColorType, Decoder, Transformations};

use super::PlaneInfo;
use super::element::{deinterleave, plane};
use super::limits::Limits;
use super::source::{Source, SourceReader};
use crate::{PixelType, Pixels, Result};

const SIGNATURE: &[u8; 8] = b"\x89PNG\r\n\x1a\n";

/// Chunks of one file: writers put at least 8 KiB of pixels into each, and the largest images have some GiB.
const MOST_CHUNKS: usize = 1 << 20;
/// Bytes of chunks that hold no pixels (profiles, texts, thumbnails).
const MOST_OTHER_BYTES: u128 = 64 << 20;
/// Memory of the decoder beside the pixels.
const DECODER_BYTES: usize = 64 << 20;

/// The header of a PNG file whose chunks were all found inside the file.
#[derive(Debug)]
pub(super) struct Png {
    height: usize,
    width: usize,
    samples: usize,
    sixteen_bits: bool,
}

impl Png {
    pub(super) fn is_signature(head: &[u8]) -> bool {
        head.starts_with(SIGNATURE)
    }

    pub(super) fn open(source: &Source, limits: &Limits) -> Result<Self> {
        let head = source.read_up_to(0, 33)?;
        let header = head
            .get(8..33)
            .filter(|header| header[..8] == *b"\0\0\0\x0dIHDR");
        let header = header.ok_or_else(|| source.damaged("its PNG header is incomplete"))?;
        let number = |at: usize| {
            u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
                as usize
        };
        let (width, height, depth) = (number(8), number(12), header[16]);
        if width == 0 || height == 0 || width > i32::MAX as usize || height > i32::MAX as usize {
            return Err(source.damaged(format!("its PNG header says {height} x {width} pixels")));
        }
        let samples = match (header[17], depth) {
            (0, 1 | 2 | 4 | 8 | 16) | (3, 1 | 2 | 4 | 8) => 1,
            (4, 8 | 16) => 2,
            (2, 8 | 16) => 3,
            (6, 8 | 16) => 4,
            (colour, depth) => {
                return Err(source.damaged(format!(
                    "its PNG header says colour type {colour} with {depth} bits"
                )));
            }
        };
        let sixteen_bits = depth == 16;
        let bytes =
            height as u128 * width as u128 * samples as u128 * if sixteen_bits { 2 } else { 1 };
        // Decoded bytes, and the planes that are made of them.
        limits.check(source, height, width, 2 * bytes)?;
        let compressed = image_data(source)?;
        let raw =
            (width as u128 * samples as u128 * u128::from(depth)).div_ceil(8) * height as u128;
        if compressed > 2 * raw + 64 * height as u128 + (1 << 20) {
            return Err(source.damaged(format!(
                "{compressed} bytes of image data are too many for {height} x {width} pixels"
            )));
        }
        if (compressed + 64) * 1032 < raw {
            return Err(source.damaged(format!(
                "{compressed} bytes of image data are too few for {height} x {width} pixels"
            )));
        }
        Ok(Self {
            height,
            width,
            samples,
            sixteen_bits,
        })
    }

    pub(super) fn plane_infos(&self) -> Vec<PlaneInfo> {
        let info = |sample| PlaneInfo {
            height: self.height,
            width: self.width,
            pixel_type: if self.sixteen_bits {
                PixelType::U16
            } else {
                PixelType::U8
            },
            file_page: 0,
            sample: (self.samples > 1).then_some(sample),
        };
        (0..self.samples as u16).map(info).collect()
    }

    /// Reads plane `wanted`, or all.
    pub(super) fn read(&self, source: &Source, wanted: Option<usize>) -> Result<Vec<Pixels>> {
        let refuse = |error: png::DecodingError| match error {
            png::DecodingError::LimitsExceeded => {
                source.limit("its PNG chunks need more memory than the image")
            }
            error => source.damaged(format!("its PNG data: {error}")),
        };
        let bytes = self.height * self.width * self.samples * if self.sixteen_bits { 2 } else { 1 };
        let limits = png::Limits {
            bytes: bytes + DECODER_BYTES,
        };
        let mut decoder =
            Decoder::new_with_limits(BufReader::new(SourceReader::new(source)), limits);
        // Compressed texts and profiles could blow up, and nobody asks for them.
        decoder.set_ignore_text_chunk(true);
        decoder.set_ignore_iccp_chunk(true);
        decoder.set_transformations(Transformations::IDENTITY);
        decoder.ignore_checksums(false);
        let mut reader = decoder.read_info().map_err(refuse)?;
        let (colour, depth) = reader.output_color_type();
        let row_bytes = reader.info().raw_row_length() - 1;
        let size = reader
            .output_buffer_size()
            .filter(|size| *size == row_bytes * self.height);
        let size = size.ok_or_else(|| source.damaged("its PNG frame differs from its header"))?;
        let mut raw = vec![0; size];
        reader.next_frame(&mut raw).map_err(refuse)?;

        let shape = (self.height, self.width);
        let samples = wanted.map_or(0..self.samples, |sample| sample..sample + 1);
        if depth == BitDepth::Sixteen {
            let values: Vec<u16> = raw
                .chunks_exact(2)
                .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
                .collect();
            if self.samples == 1 {
                return Ok(vec![plane(values, shape)]);
            }
            return Ok(samples
                .map(|sample| deinterleave(&values, self.samples, sample, shape))
                .collect());
        }
        if matches!(colour, ColorType::Grayscale | ColorType::Indexed) {
            let values = if depth == BitDepth::Eight {
                raw
            } else {
                unpack(&raw, row_bytes, self.width, depth as u32)
            };
            return Ok(vec![plane(values, shape)]);
        }
        Ok(samples
            .map(|sample| deinterleave(&raw, self.samples, sample, shape))
            .collect())
    }
}

/// Values of 1, 2 or 4 bits, most significant first, in rows that start on a byte.
fn unpack(raw: &[u8], row_bytes: usize, width: usize, bits: u32) -> Vec<u8> {
    let per_byte = 8 / bits as usize;
    let value = |row: &[u8], x: usize| {
        row[x / per_byte] >> (8 - bits as usize * (x % per_byte + 1)) & ((1 << bits) - 1)
    };
    raw.chunks_exact(row_bytes)
        .flat_map(|row| (0..width).map(move |x| value(row, x)))
        .collect()
}

/// Walks the chunks to `IEND` and adds up the image data: tells a whole file from one still being copied.
fn image_data(source: &Source) -> Result<u128> {
    let mut at = SIGNATURE.len() as u64;
    let mut total = 0;
    let mut others = 0;
    for _ in 0..MOST_CHUNKS {
        if !source.holds(at, 12) {
            return Err(source.damaged(format!(
                "it ends at byte {} before its last PNG chunk",
                source.len()
            )));
        }
        let mut head = [0; 8];
        source.read_at(at, &mut head)?;
        let length = u64::from(u32::from_be_bytes([head[0], head[1], head[2], head[3]]));
        if !source.holds(at, 12 + length) {
            return Err(source.damaged(format!(
                "a PNG chunk of {length} bytes at byte {at} lies outside the file of {} bytes",
                source.len()
            )));
        }
        match &head[4..] {
            b"IEND" => return Ok(total),
            b"IDAT" => total += u128::from(length),
            kind if kind.iter().all(u8::is_ascii_alphabetic) => others += u128::from(length),
            kind => {
                return Err(source.damaged(format!(
                    "at byte {at} there should be a PNG chunk, but its kind is {kind:02x?}"
                )));
            }
        }
        if others > MOST_OTHER_BYTES {
            return Err(source.limit(format!(
                "its PNG chunks without pixels pass the limit of {MOST_OTHER_BYTES} bytes"
            )));
        }
        at += 12 + length;
    }
    Err(source.limit(format!("it has more than {MOST_CHUNKS} PNG chunks")))
}
