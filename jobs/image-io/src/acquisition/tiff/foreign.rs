//! JPEG and Group 4 fax, decoded by the `tiff` crate: each strip or tile is handed over as a small TIFF of its own.
//!
//! So the crate never sees the foreign file's structure, only one bounded chunk whose size is already checked.

use std::io::Cursor;

use tiff::decoder::{Decoder, DecodingResult, Limits};

use super::page::{PHOTOMETRIC_YCBCR, Page};

const JPEG: u16 = 7;
const FAX4: u16 = 4;

/// Decodes a JPEG chunk to `rows` rows of the chunk's width; `YCbCr` becomes RGB, as other readers do.
pub(super) fn jpeg(page: &Page, data: &[u8], rows: usize) -> Result<Vec<u8>, String> {
    let samples = page.interleaved();
    let frame = frame(data)?;
    if frame.precision != 8 {
        return Err(format!("JPEG of {} bits is not read", frame.precision));
    }
    // A frame may be padded at the bottom, but a frame of another size could ask for any amount of memory.
    if frame.width != page.chunk_width
        || frame.height < rows
        || frame.height > page.chunk_height.max(rows)
        || frame.components != samples
    {
        return Err(format!(
            "its JPEG frame is {} x {} x {} instead of {rows} x {} x {samples}",
            frame.height, frame.width, frame.components, page.chunk_width
        ));
    }
    let shape = Shape {
        rows: frame.height,
        columns: frame.width,
        bits: 8,
        samples,
    };
    let tables = page
        .jpeg_tables
        .as_deref()
        .filter(|tables| tables.len() > 4);
    let mut pixels = decode(JPEG, &shape, tables, data)?;
    if page.photometric == PHOTOMETRIC_YCBCR && samples == 3 {
        pixels.chunks_exact_mut(3).for_each(ycbcr_to_rgb);
    }
    Ok(pixels)
}

/// Decodes a Group 4 chunk to packed bits, 1 = the colour that the file calls black.
pub(super) fn fax4(page: &Page, data: &[u8], rows: usize) -> Result<Vec<u8>, String> {
    decode(
        FAX4,
        &Shape {
            rows,
            columns: page.chunk_width,
            bits: 1,
            samples: 1,
        },
        None,
        data,
    )
}

struct Shape {
    rows: usize,
    columns: usize,
    bits: u16,
    samples: usize,
}

fn decode(
    compression: u16,
    shape: &Shape,
    tables: Option<&[u8]>,
    data: &[u8],
) -> Result<Vec<u8>, String> {
    let bytes = (shape.columns * shape.samples * usize::from(shape.bits)).div_ceil(8) * shape.rows;
    let file = wrap(compression, shape, tables, data);
    // These decoders index by values that they read; a panic on a crafted file must cost this file only.
    let result = std::panic::catch_unwind(|| {
        let mut limits = Limits::default();
        limits.decoding_buffer_size = bytes + 1024;
        limits.intermediate_buffer_size = file.len().max(bytes) + 1024;
        limits.ifd_value_size = file.len();
        let mut decoder = Decoder::new(Cursor::new(&file))
            .map_err(|e| e.to_string())?
            .with_limits(limits);
        decoder.read_image().map_err(|e| e.to_string())
    });
    match result {
        Ok(Ok(DecodingResult::U8(pixels))) if pixels.len() >= bytes => Ok(pixels),
        Ok(Ok(_)) => Err("it decodes to too few pixels".to_owned()),
        Ok(Err(message)) => Err(message),
        Err(_) => Err("the decoder stopped at inconsistent data".to_owned()),
    }
}

/// A little-endian TIFF with one strip.
fn wrap(compression: u16, shape: &Shape, tables: Option<&[u8]>, data: &[u8]) -> Vec<u8> {
    const SHORT: u16 = 3;
    const LONG: u16 = 4;
    const UNDEFINED: u16 = 7;
    let photometric = match (compression, shape.samples) {
        // As stored: black is zero for the decoder, so that it does not invert.
        (_, 1 | 2) => 1,
        (_, 3) => 2,
        _ => 5,
    };
    let entries = if tables.is_some() { 11 } else { 10 };
    let after_directory = 8 + 2 + 12 * entries + 4;
    let bits_at = after_directory;
    let tables_at = bits_at + 2 * shape.samples;
    let data_at = tables_at + tables.map_or(0, <[u8]>::len);
    let bits = if shape.samples <= 2 {
        // Up to two values of 16 bits lie in the entry itself.
        u32::from(shape.bits)
            | if shape.samples == 2 {
                u32::from(shape.bits) << 16
            } else {
                0
            }
    } else {
        bits_at as u32
    };

    let mut file = b"II*\0\x08\0\0\0".to_vec();
    file.extend((entries as u16).to_le_bytes());
    let mut entry = |tag: u16, kind: u16, count: usize, value: u32| {
        file.extend(tag.to_le_bytes());
        file.extend(kind.to_le_bytes());
        file.extend((count as u32).to_le_bytes());
        file.extend(value.to_le_bytes());
    };
    entry(256, LONG, 1, shape.columns as u32);
    entry(257, LONG, 1, shape.rows as u32);
    entry(258, SHORT, shape.samples, bits);
    entry(259, SHORT, 1, compression.into());
    entry(262, SHORT, 1, photometric);
    entry(273, LONG, 1, data_at as u32);
    entry(277, SHORT, 1, shape.samples as u32);
    entry(278, LONG, 1, shape.rows as u32);
    entry(279, LONG, 1, data.len() as u32);
    entry(284, SHORT, 1, 1);
    if let Some(tables) = tables {
        entry(347, UNDEFINED, tables.len(), tables_at as u32);
    }
    file.extend([0; 4]);
    file.extend((0..shape.samples).flat_map(|_| shape.bits.to_le_bytes()));
    file.extend(tables.unwrap_or_default());
    file.extend(data);
    file
}

struct Frame {
    precision: u8,
    height: usize,
    width: usize,
    components: usize,
}

/// Finds the frame header of a JPEG stream.
fn frame(data: &[u8]) -> Result<Frame, String> {
    let short = || "its JPEG stream ends before the image".to_owned();
    let mut at = 2;
    if data.get(..2) != Some(&[0xff, 0xd8]) {
        return Err("it does not start as a JPEG stream".to_owned());
    }
    loop {
        let marker = match data.get(at..at + 2).ok_or_else(short)? {
            [0xff, 0xff] => {
                at += 1;
                continue;
            }
            [0xff, marker] => *marker,
            _ => return Err("its JPEG markers are damaged".to_owned()),
        };
        if matches!(marker, 0x01 | 0xd0..=0xd8) {
            at += 2;
            continue;
        }
        if matches!(marker, 0xd9 | 0xda) {
            return Err("its JPEG stream has no frame".to_owned());
        }
        let body = data.get(at + 4..).ok_or_else(short)?;
        let length = usize::from(data[at + 2]) << 8 | usize::from(data[at + 3]);
        if matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc) {
            let head = body.get(..6).ok_or_else(short)?;
            let two = |i: usize| usize::from(head[i]) << 8 | usize::from(head[i + 1]);
            return Ok(Frame {
                precision: head[0],
                height: two(1),
                width: two(3),
                components: head[5].into(),
            });
        }
        at += 2 + length.max(2);
    }
}

/// JFIF's conversion, rounded to the nearest.
fn ycbcr_to_rgb(pixel: &mut [u8]) {
    let (y, cb, cr) = (
        f32::from(pixel[0]),
        f32::from(pixel[1]) - 128.0,
        f32::from(pixel[2]) - 128.0,
    );
    // `as` saturates, which is the clamp to 0..=255 that is wanted here.
    pixel[0] = (y + 1.402 * cr).round() as u8;
    pixel[1] = (y - 0.344_136_3 * cb - 0.714_136_3 * cr).round() as u8;
    pixel[2] = (y + 1.772 * cb).round() as u8;
}
