//! Blocks: a head (mode, number of axes, lengths from the fastest axis on) and the values, all big-endian, compressed.

use std::cell::RefCell;

use bytemuck::cast_slice;
use libdeflater::{CompressionLvl, Compressor, DecompressionError, Decompressor};
use rayon::prelude::*;

use super::dataset::{Compression, Dataset};
use crate::Pixels;
use crate::container::MOST_DEFLATED;

/// Level of the compression. See docs/concepts/container.md for what others cost.
pub const LEVEL: i32 = 1;
/// Longest side of an image's block in pixels, as in the HDF5 form.
const SIDE: usize = 256;
/// Bytes of a block of rows of a table.
const ROWS_BYTES: usize = 1 << 20;
/// A larger block is refused before memory is taken.
const MOST_BYTES: u64 = 256 << 20;
/// Bytes of gzip around nothing.
const OVERHEAD: u64 = 64;

/// A block with its place in the grid, slowest axis first.
pub struct Encoded {
    pub at: Vec<usize>,
    pub bytes: Vec<u8>,
}

thread_local! {
    static COMPRESS: RefCell<(Compressor, Vec<u8>)> =
        RefCell::new((Compressor::new(CompressionLvl::new(LEVEL).unwrap_or_default()), Vec::new()));
    static DECOMPRESS: RefCell<Decompressor> = RefCell::new(Decompressor::new());
}

/// The lengths of the blocks of an image (y, x): at most [`SIDE`], at most the image.
pub fn of_image((height, width): (usize, usize)) -> [usize; 2] {
    [height.min(SIDE), width.min(SIDE)]
}

/// Encodes all blocks of an image in parallel. Those at the edges end where the image ends.
pub fn encode_image(pixels: &Pixels) -> Vec<Encoded> {
    let (height, width) = pixels.shape();
    let [bh, bw] = of_image((height, width));
    let columns = width.div_ceil(bw);
    let size = pixels.pixel_type().size();
    crate::with_pixels!(pixels, a => {
        let a = a.as_standard_layout();
        let image: &[u8] = cast_slice(a.as_slice().unwrap_or_default());
        (0..height.div_ceil(bh) * columns)
            .into_par_iter()
            .map(|i| {
                let at = [i / columns, i % columns];
                let (y, x) = (at[0] * bh, at[1] * bw);
                let (h, w) = (bh.min(height - y), bw.min(width - x));
                let rows = (y..y + h).map(|r| &image[(r * width + x) * size..][..w * size]);
                Encoded { at: at.to_vec(), bytes: encode(&[h, w], rows, size) }
            })
            .collect()
    })
}

/// The lengths of the blocks of a table's values: whole rows.
pub fn of_rows(shape: &[usize], size: usize) -> Vec<usize> {
    let row = size * shape[1..].iter().product::<usize>();
    let mut block = shape.to_vec();
    block[0] = (ROWS_BYTES / row.max(1)).clamp(1, shape[0].max(1));
    block
}

/// Encodes values in blocks of whole rows, in parallel.
pub fn encode_rows(shape: &[usize], block: &[usize], size: usize, values: &[u8]) -> Vec<Encoded> {
    let row = size * shape[1..].iter().product::<usize>();
    if values.is_empty() {
        return Vec::new();
    }
    values
        .par_chunks(row * block[0])
        .enumerate()
        .map(|(i, part)| {
            let mut lengths = shape.to_vec();
            lengths[0] = part.len() / row;
            let mut at = vec![0; shape.len()];
            at[0] = i;
            let bytes = encode(&lengths, std::iter::once(part), size);
            Encoded { at, bytes }
        })
        .collect()
}

/// A block of these lengths, slowest axis first, of the machine's own values.
fn encode<'v>(lengths: &[usize], values: impl Iterator<Item = &'v [u8]>, size: usize) -> Vec<u8> {
    COMPRESS.with_borrow_mut(|(compressor, plain)| {
        plain.clear();
        values.for_each(|part| plain.extend_from_slice(part));
        swap(plain, size);
        let head = 4 + 4 * lengths.len();
        let mut out = vec![0; head + compressor.gzip_compress_bound(plain.len())];
        // The first two bytes, the mode, stay 0: a block of its regular length.
        out[3] = lengths.len() as u8;
        for (field, length) in out[4..head]
            .as_chunks_mut::<4>()
            .0
            .iter_mut()
            .zip(lengths.iter().rev())
        {
            *field = (*length as u32).to_be_bytes();
        }
        // There is room for the worst case, so this cannot fail.
        let written = compressor
            .gzip_compress(plain, &mut out[head..])
            .unwrap_or(0);
        out.truncate(head + written);
        out
    })
}

/// Decodes a block into `out`, in the machine's byte order. Returns its lengths, slowest axis first.
///
/// # Errors
/// What is wrong with it.
pub fn decode(bytes: &[u8], dataset: &Dataset, out: &mut Vec<u8>) -> Result<Vec<u64>, String> {
    let (mode, rest) = take::<2>(bytes)?;
    let (axes, mut rest) = take::<2>(rest)?;
    let axes = usize::from(u16::from_be_bytes(axes));
    if axes != dataset.block.len() {
        return Err(format!("a block of {axes} axes"));
    }
    let mut lengths = vec![0; axes];
    for length in lengths.iter_mut().rev() {
        let (field, after) = take::<4>(rest)?;
        (*length, rest) = (u64::from(u32::from_be_bytes(field)), after);
    }
    if lengths
        .iter()
        .zip(&dataset.block)
        .any(|(n, most)| *n == 0 || n > most)
    {
        return Err(format!(
            "a block of {lengths:?} where {:?} is the most",
            dataset.block
        ));
    }
    let size = dataset.pixel_type.map_or(1, crate::PixelType::size);
    let count: u64 = lengths.iter().fold(1, |n: u64, e| n.saturating_mul(*e));
    match u16::from_be_bytes(mode) {
        0 => {}
        1 => {
            let (field, after) = take::<4>(rest)?;
            if u64::from(u32::from_be_bytes(field)) != count {
                return Err("a block of varying length, which is not read".to_owned());
            }
            rest = after;
        }
        other => return Err(format!("a block of mode {other}, which is not read")),
    }
    let plain = count.saturating_mul(size as u64);
    let most = (rest.len() as u64).saturating_mul(MOST_DEFLATED) + OVERHEAD;
    if plain > MOST_BYTES || plain > most {
        return Err(format!("a block of {plain} bytes in {} bytes", rest.len()));
    }
    out.resize(plain as usize, 0);
    let inflated = DECOMPRESS.with_borrow_mut(|d| match dataset.compression {
        Compression::Gzip => d.gzip_decompress(rest, out),
        Compression::Zlib => d.zlib_decompress(rest, out),
        _ if rest.len() == out.len() => {
            out.copy_from_slice(rest);
            Ok(out.len())
        }
        _ => Err(DecompressionError::BadData),
    });
    if inflated != Ok(out.len()) {
        return Err("its values cannot be decompressed, or are too few or too many".to_owned());
    }
    swap(out, size);
    Ok(lengths)
}

/// The most that a block's file can hold.
pub fn most_file_bytes(dataset: &Dataset) -> u64 {
    let plain = dataset.block_bytes().unwrap_or(u64::MAX).min(MOST_BYTES);
    // What does not shrink is stored with a few bytes around it.
    plain + plain / 100 + 1024
}

fn take<const N: usize>(bytes: &[u8]) -> Result<([u8; N], &[u8]), String> {
    let (field, rest) = bytes
        .split_first_chunk::<N>()
        .ok_or_else(|| "the file ends within the block's head".to_owned())?;
    Ok((*field, rest))
}

/// Turns the machine's values into big-endian ones, and back.
fn swap(values: &mut [u8], size: usize) {
    fn each<const N: usize>(values: &mut [u8]) {
        for value in values.as_chunks_mut::<N>().0 {
            value.reverse();
        }
    }
    if cfg!(target_endian = "big") {
        return;
    }
    match size {
        2 => each::<2>(values),
        4 => each::<4>(values),
        8 => each::<8>(values),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use ndarray::array;

    use super::*;
    use crate::PixelType;

    #[test]
    fn a_block_has_the_head_of_the_format_and_comes_back() {
        let pixels = Pixels::U16(array![[1, 2, 3], [4, 5, 0x0607]]);
        let blocks = encode_image(&pixels);
        assert_eq!(blocks.len(), 1);
        let bytes = &blocks[0].bytes;
        assert_eq!(&bytes[..12], [0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 2]);
        assert_eq!(&bytes[12..14], [0x1f, 0x8b], "gzip");
        let dataset = Dataset::new(PixelType::U16, &[2, 3], &[2, 3]);
        let mut out = Vec::new();
        assert_eq!(decode(bytes, &dataset, &mut out).unwrap(), [2, 3]);
        let values: &[u16] = cast_slice(&out);
        assert_eq!(values, [1, 2, 3, 4, 5, 0x0607]);
    }

    #[test]
    fn blocks_that_cannot_be_are_refused() {
        let pixels = Pixels::U8(ndarray::Array2::from_shape_fn((4, 4), |(y, x)| {
            (y * x) as u8
        }));
        let whole = &encode_image(&pixels)[0].bytes;
        let dataset = Dataset::new(PixelType::U8, &[4, 4], &[4, 4]);
        let mut out = Vec::new();
        for cut in 0..whole.len() {
            assert!(decode(&whole[..cut], &dataset, &mut out).is_err(), "{cut}");
        }
        for (at, value, words) in [
            (1, 2, "mode 2"),
            (3, 3, "3 axes"),
            (7, 5, "[4, 5]"),
            (7, 0, "[4, 0]"),
            (7, 3, "too many"),
        ] {
            let mut changed = whole.clone();
            changed[at] = value;
            let error = decode(&changed, &dataset, &mut out).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
        // A head that claims gigabytes: no memory is taken for it.
        let wide = Dataset::new(PixelType::F64, &[1 << 30, 1 << 30], &[1 << 30, 1 << 30]);
        let mut claim = whole.clone();
        claim[4..12].copy_from_slice(&[0x3f, 0xff, 0xff, 0xff, 0x3f, 0xff, 0xff, 0xff]);
        let mut out = Vec::new();
        assert!(decode(&claim, &wide, &mut out).is_err());
        assert_eq!(out.capacity(), 0);
    }
}
