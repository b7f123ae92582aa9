//! Chunks: cut from an image, shuffled and compressed, all outside the HDF5 lock.

use std::cell::RefCell;

use bytemuck::cast_slice;
use rayon::prelude::*;

use super::deflate::Encoder;
use crate::Pixels;

/// Longest side of a chunk in pixels: BatchLib's, and a good compromise between access and overhead.
pub const SIDE: usize = 256;

/// A filtered chunk, ready for `H5Dwrite_chunk`.
pub struct Encoded {
    /// Position of its first pixel (y, x).
    pub offset: [u64; 2],
    /// Shuffled and deflated.
    pub bytes: Vec<u8>,
}

/// The extents of the chunks of an image: at most [`SIDE`], at most the image.
pub fn extents((height, width): (usize, usize)) -> (usize, usize) {
    (height.min(SIDE), width.min(SIDE))
}

thread_local! {
    static SCRATCH: RefCell<(Encoder, Vec<u8>, Vec<u8>)> = RefCell::default();
}

/// Encodes all chunks of an image in parallel, row of chunks by row.
pub fn encode(pixels: &Pixels) -> Vec<Encoded> {
    let shape = pixels.shape();
    let (ch, cw) = extents(shape);
    let columns = shape.1.div_ceil(cw);
    let count = shape.0.div_ceil(ch) * columns;
    crate::with_pixels!(pixels, a => {
        let a = a.as_standard_layout();
        let image = a.as_slice().unwrap_or_default();
        (0..count)
            .into_par_iter()
            .map(|i| {
                let (y, x) = (i / columns * ch, i % columns * cw);
                let bytes = SCRATCH.with_borrow_mut(|(encoder, planes, out)| {
                    gather(image, shape, (y, x), (ch, cw), planes);
                    out.clear();
                    encoder.compress(planes, ch * cw, cw, out);
                    out.as_slice().to_vec()
                });
                Encoded { offset: [y as u64, x as u64], bytes }
            })
            .collect()
    })
}

/// Encodes elements of `size` bytes that are not an image; shuffled if that is more than 1 and `shuffle`.
pub fn encode_elements(bytes: &[u8], size: usize, shuffle: bool) -> Vec<u8> {
    SCRATCH.with_borrow_mut(|(encoder, planes, out)| {
        out.clear();
        if shuffle && size > 1 {
            let n = bytes.len() / size;
            planes.clear();
            planes.extend((0..size).flat_map(|k| (0..n).map(move |i| bytes[i * size + k])));
            encoder.compress(planes, n.max(1), 1, out);
        } else {
            // The same column of the previous element is the likeliest place of the same bytes.
            encoder.compress(bytes, bytes.len().max(1), size, out);
        }
        out.as_slice().to_vec()
    })
}

/// A number whose bytes can be taken one by one.
trait Word: Copy {
    fn byte(self, k: u32) -> u8;
}

macro_rules! word {
    ($($type:ty),*) => {$(
        impl Word for $type {
            #[inline(always)]
            #[allow(clippy::cast_possible_truncation)]
            fn byte(self, k: u32) -> u8 { (self >> (8 * k)) as u8 }
        }
    )*};
}
word!(u16, u32, u64);

/// Cuts a chunk at (y, x) out of an image and shuffles it: plane k holds byte k of every pixel. Pixels outside are 0.
fn gather<T: bytemuck::Pod>(
    image: &[T],
    shape: (usize, usize),
    at: (usize, usize),
    chunk: (usize, usize),
    planes: &mut Vec<u8>,
) {
    let size = size_of::<T>();
    let valid = (chunk.0.min(shape.0 - at.0), chunk.1.min(shape.1 - at.1));
    if valid != chunk {
        planes.clear();
    }
    planes.resize(chunk.0 * chunk.1 * size, 0);
    for r in 0..valid.0 {
        let row = &image[(at.0 + r) * shape.1 + at.1..][..valid.1];
        match size {
            1 => planes[r * chunk.1..][..valid.1].copy_from_slice(cast_slice(row)),
            2 => split::<u16>(cast_slice(row), r * chunk.1, chunk.0 * chunk.1, planes, 2),
            4 => split::<u32>(cast_slice(row), r * chunk.1, chunk.0 * chunk.1, planes, 4),
            _ => split::<u64>(cast_slice(row), r * chunk.1, chunk.0 * chunk.1, planes, 8),
        }
    }
}

#[inline(always)]
fn split<W: Word>(row: &[W], at: usize, plane: usize, planes: &mut [u8], size: u32) {
    for k in 0..size {
        let out = &mut planes[k as usize * plane + at..][..row.len()];
        for (byte, word) in out.iter_mut().zip(row) {
            *byte = word.byte(k);
        }
    }
}

/// Undoes the shuffle of rows of a chunk: the inverse of [`gather`] for one row.
pub fn join_row(planes: &[u8], at: usize, plane: usize, row: &mut [u8], size: usize) {
    match size {
        1 => row.copy_from_slice(&planes[at..at + row.len()]),
        2 => join(planes, at, plane, cast_mut::<2>(row)),
        4 => join(planes, at, plane, cast_mut::<4>(row)),
        8 => join(planes, at, plane, cast_mut::<8>(row)),
        _ => {
            let n = row.len() / size;
            for i in 0..n {
                for k in 0..size {
                    row[i * size + k] = planes[k * plane + at + i];
                }
            }
        }
    }
}

fn cast_mut<const N: usize>(row: &mut [u8]) -> &mut [[u8; N]] {
    row.as_chunks_mut::<N>().0
}

#[inline(always)]
fn join<const N: usize>(planes: &[u8], at: usize, plane: usize, row: &mut [[u8; N]]) {
    let sources: [&[u8]; N] = std::array::from_fn(|k| &planes[k * plane + at..][..row.len()]);
    for (i, pixel) in row.iter_mut().enumerate() {
        for k in 0..N {
            pixel[k] = sources[k][i];
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn gather_and_join_are_inverse_at_the_edge_of_an_image() {
        let image: Vec<u32> = (0..7 * 5).map(|v| v * 0x0102_0305).collect();
        let mut planes = vec![1; 3];
        gather(&image, (7, 5), (4, 3), (4, 4), &mut planes);
        assert_eq!(planes.len(), 64);
        for r in 0..3 {
            let mut row = [0u8; 8];
            join_row(&planes, r * 4, 16, &mut row, 4);
            let pixels: Vec<u32> = row
                .as_chunks::<4>()
                .0
                .iter()
                .map(|b| u32::from_le_bytes(*b))
                .collect();
            assert_eq!(pixels, &image[(4 + r) * 5 + 3..][..2]);
        }
        assert!(planes[12..16].iter().all(|b| *b == 0), "padding is zero");
    }
}
