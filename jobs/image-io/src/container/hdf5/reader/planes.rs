//! Reading a plane of pixels: chunks in parallel without the library's lock, everything else through the library.

use std::cell::RefCell;
use std::collections::HashMap;
use std::os::unix::fs::FileExt;

use libdeflater::Decompressor;
use ndarray::Array2;
use rayon::prelude::*;

use super::{Hdf5File, Plane};
use crate::container::MOST_PLANE_BYTES;
use crate::container::hdf5::chunk::join_row;
use crate::container::hdf5::ffi::dataset::{self, Chunk};
use crate::container::hdf5::ffi::{Failure, Handle, locked};
use crate::{Error, PixelType, Pixels, Result};

/// Larger chunks are left to the library.
const MOST_CHUNK_BYTES: u64 = 256 << 20;
const DEFLATE: i32 = 1;
const SHUFFLE: i32 = 2;

thread_local! {
    static SCRATCH: RefCell<(Decompressor, Vec<u8>, Vec<u8>)> = RefCell::new((Decompressor::new(), Vec::new(), Vec::new()));
}

/// How chunks of a dataset are turned into pixels.
pub(super) struct Chunked {
    pub extents: (usize, usize),
    pub size: usize,
    shuffled: bool,
    deflated: bool,
    places: HashMap<[u64; 2], Chunk>,
}

impl Hdf5File {
    /// Opens a dataset that must be a plane of numbers.
    pub(super) fn open_plane(&self, path: &str) -> Result<(Handle, Plane)> {
        let open = || {
            let data = dataset::open(&self.file, path)?;
            let described = dataset::describe_dataset(&data)?;
            dataset::plausible(&data, &described)?;
            Ok((data, described))
        };
        let (data, described) = locked(open)
            .map_err(|f: Failure| f.reading(&self.path, &format!("dataset `{path}`")))?;
        let unsupported = |reason: String| Error::Unsupported {
            path: self.path.clone(),
            reason,
        };
        let Some(pixel_type) = described.element.pixel_type() else {
            return Err(unsupported(format!(
                "`{path}` holds {}, not numbers",
                described.element.name()
            )));
        };
        if let Some(filter) = described.filters.iter().find(|f| !f.available) {
            return Err(unsupported(format!(
                "`{path}` is compressed with the filter `{}` ({}); write it with gzip",
                filter.name, filter.id
            )));
        }
        let &[height, width] = described.extents.as_slice() else {
            return Err(unsupported(format!(
                "`{path}` has {} dimensions, not 2",
                described.extents.len()
            )));
        };
        let bytes = height
            .checked_mul(width)
            .and_then(|n| n.checked_mul(pixel_type.size() as u64));
        if bytes.is_none_or(|b| b > MOST_PLANE_BYTES) {
            return Err(Error::Limit {
                path: self.path.clone(),
                reason: format!(
                    "`{path}` has {height} x {width} pixels; the limit is {MOST_PLANE_BYTES} bytes"
                ),
            });
        }
        Ok((
            data,
            Plane {
                shape: (height as usize, width as usize),
                pixel_type,
                described,
            },
        ))
    }

    /// Reads a plane of numbers.
    pub(super) fn read_pixels(&self, path: &str) -> Result<Pixels> {
        let (data, plane) = self.open_plane(path)?;
        macro_rules! read {
            ($variant:ident, $type:ty) => {{
                let mut pixels = vec![<$type>::default(); plane.shape.0 * plane.shape.1];
                self.fill(path, &data, &plane, bytemuck::cast_slice_mut(&mut pixels))?;
                let damaged = |e: ndarray::ShapeError| Error::Damaged {
                    path: self.path.clone(),
                    reason: e.to_string(),
                };
                Pixels::$variant(Array2::from_shape_vec(plane.shape, pixels).map_err(damaged)?)
            }};
        }
        Ok(match plane.pixel_type {
            PixelType::U8 => read!(U8, u8),
            PixelType::U16 => read!(U16, u16),
            PixelType::U32 => read!(U32, u32),
            PixelType::U64 => read!(U64, u64),
            PixelType::I8 => read!(I8, i8),
            PixelType::I16 => read!(I16, i16),
            PixelType::I32 => read!(I32, i32),
            PixelType::I64 => read!(I64, i64),
            PixelType::F32 => read!(F32, f32),
            PixelType::F64 => read!(F64, f64),
        })
    }

    fn fill(&self, path: &str, data: &Handle, plane: &Plane, out: &mut [u8]) -> Result<()> {
        let failed = |f: Failure| f.reading(&self.path, &format!("dataset `{path}`"));
        if out.is_empty() {
            return Ok(());
        }
        if let Some(chunked) = self.chunked(data, plane).map_err(failed)? {
            let band = chunked.extents.0 * plane.shape.1 * chunked.size;
            return out
                .par_chunks_mut(band)
                .enumerate()
                .try_for_each(|(i, rows)| self.fill_band(path, &chunked, plane.shape.1, i, rows));
        }
        dataset::read_numbers(data, &plane.described, plane.pixel_type, out).map_err(failed)
    }

    /// The chunks of a dataset that can be read without the library: plain numbers, shuffle and deflate only, none missing.
    pub(super) fn chunked(&self, data: &Handle, plane: &Plane) -> Result<Option<Chunked>, Failure> {
        let described = &plane.described;
        let Some([ch, cw]) = described.chunk.as_deref() else {
            return Ok(None);
        };
        let size = plane.pixel_type.size();
        let filters: Vec<i32> = described.filters.iter().map(|f| f.id).collect();
        let (shuffled, deflated) = match filters.as_slice() {
            [] => (false, false),
            [DEFLATE] => (false, true),
            [SHUFFLE, DEFLATE] => (true, true),
            _ => return Ok(None),
        };
        if !plane.is_plain()
            || self.user_block != 0
            || *ch == 0
            || *cw == 0
            || ch.saturating_mul(*cw).saturating_mul(size as u64) > MOST_CHUNK_BYTES
        {
            return Ok(None);
        }
        let (height, width) = (plane.shape.0 as u64, plane.shape.1 as u64);
        let chunks = dataset::chunks(data, 2)?;
        let expected = height.div_ceil(*ch) * width.div_ceil(*cw);
        if chunks.len() as u64 != expected || chunks.iter().any(|c| c.skipped != 0) {
            return Ok(None);
        }
        let places = chunks.into_iter().map(|c| (c.offset, c)).collect();
        Ok(Some(Chunked {
            extents: (*ch as usize, *cw as usize),
            size,
            shuffled,
            deflated,
            places,
        }))
    }

    /// Fills the rows that one row of chunks covers.
    fn fill_band(
        &self,
        path: &str,
        chunked: &Chunked,
        width: usize,
        band: usize,
        rows: &mut [u8],
    ) -> Result<()> {
        let (ch, cw) = chunked.extents;
        let size = chunked.size;
        for x in (0..width).step_by(cw) {
            let valid = cw.min(width - x);
            self.with_chunk(path, chunked, (band * ch, x), |content| {
                for (r, row) in rows.chunks_exact_mut(width * size).enumerate() {
                    let row = &mut row[x * size..(x + valid) * size];
                    chunked.copy_row(content, (r, 0), row);
                }
            })?;
        }
        Ok(())
    }

    /// Reads the chunk whose first pixel is `at`, and hands over its content, still shuffled.
    pub(super) fn with_chunk(
        &self,
        path: &str,
        chunked: &Chunked,
        at: (usize, usize),
        use_content: impl FnOnce(&[u8]),
    ) -> Result<()> {
        let (ch, cw) = chunked.extents;
        let damaged = |reason: String| Error::Damaged {
            path: self.path.clone(),
            reason: format!("dataset `{path}`: {reason}"),
        };
        SCRATCH.with_borrow_mut(|(decompressor, stored, plain)| {
            let offset = [at.0 as u64, at.1 as u64];
            let chunk = chunked
                .places
                .get(&offset)
                .ok_or_else(|| damaged(format!("no chunk at {offset:?}")))?;
            let bytes = ch * cw * chunked.size;
            // A chunk that does not shrink is stored with a few bytes around it.
            if chunk.bytes > bytes as u64 + bytes as u64 / 100 + 1024 {
                return Err(damaged(format!(
                    "the chunk at {offset:?} is longer than its content"
                )));
            }
            stored.resize(chunk.bytes as usize, 0);
            self.raw
                .read_exact_at(stored, chunk.address)
                .map_err(|source| match source.kind() {
                    std::io::ErrorKind::UnexpectedEof => {
                        damaged(format!("the file ends within the chunk at {offset:?}"))
                    }
                    _ => Error::Io {
                        path: self.path.clone(),
                        action: "read",
                        source,
                    },
                })?;
            let content: &[u8] = if chunked.deflated {
                plain.resize(bytes, 0);
                let n = decompressor.zlib_decompress(stored, plain).map_err(|e| {
                    damaged(format!(
                        "the chunk at {offset:?} cannot be decompressed: {e}"
                    ))
                })?;
                &plain[..n]
            } else {
                stored
            };
            if content.len() != bytes {
                return Err(damaged(format!(
                    "the chunk at {offset:?} has {} bytes instead of {bytes}",
                    content.len()
                )));
            }
            use_content(content);
            Ok(())
        })
    }
}

impl Chunked {
    /// Copies pixels of a chunk's row, from (row, column) on, as many as `out` holds.
    pub(super) fn copy_row(&self, content: &[u8], (row, column): (usize, usize), out: &mut [u8]) {
        let (ch, cw) = self.extents;
        let at = row * cw + column;
        if self.shuffled {
            join_row(content, at, ch * cw, out, self.size);
        } else {
            out.copy_from_slice(&content[at * self.size..][..out.len()]);
        }
    }
}
