//! Puts the strips or tiles of a page together.
//!
//! Uncompressed strips are read straight into the plane. Everything else is split into jobs of about a mebibyte of
//! pixels, which are read and decoded in parallel, each into its own rows of the plane.

use rayon::prelude::*;

use super::compression::{Compression, Predictor};
use super::decompress::Decompressors;
use super::page::{Page, Storage};
use super::rows::{self, Wrapping};
use crate::acquisition::element::{Element, deinterleave, plane, with_element};
use crate::acquisition::source::Source;
use crate::{Pixels, Result};

/// Decoded bytes of one job: enough work to be worth a thread, little enough to spread.
const JOB_BYTES: usize = 1 << 20;

/// Decodes sample `sample` of a page, or all samples in order. `shift` moves all offsets: later images of one directory.
pub(super) fn read(
    source: &Source,
    page: &Page,
    shift: u64,
    sample: Option<usize>,
) -> Result<Vec<Pixels>> {
    with_element!(page.pixel_type, T => read_as::<T>(source, page, shift, sample))
}

fn read_as<T: Element + Wrapping>(
    source: &Source,
    page: &Page,
    shift: u64,
    sample: Option<usize>,
) -> Result<Vec<Pixels>> {
    let compression = match &page.compression {
        Ok(compression) => *compression,
        Err(reason) => return Err(source.unsupported(format!("page {}: {reason}", page.number))),
    };
    let job = Job {
        source,
        page,
        shift,
        compression,
    };
    let shape = (page.height, page.width);
    let wanted = sample.map_or(0..page.samples, |sample| sample..sample + 1);
    let zeros = |samples: usize| vec![T::zeroed(); page.height * page.width * samples];
    if page.planar {
        return wanted
            .map(|sample| {
                let mut values = zeros(1);
                job.fill(sample, &mut values)?;
                Ok(plane(values, shape))
            })
            .collect();
    }
    let mut values = zeros(page.samples);
    job.fill(0, &mut values)?;
    if page.samples == 1 {
        return Ok(vec![plane(values, shape)]);
    }
    Ok(wanted
        .map(|sample| deinterleave(&values, page.samples, sample, shape))
        .collect())
}

#[derive(Clone, Copy)]
struct Job<'a> {
    source: &'a Source,
    page: &'a Page,
    shift: u64,
    compression: Compression,
}

/// Buffers that a thread keeps from chunk to chunk.
struct Scratch {
    compressed: Vec<u8>,
    /// Words, so that rows of any element type are aligned.
    decoded: Vec<u64>,
    decompressors: Decompressors,
}

impl Job<'_> {
    /// Decodes the chunks of one sample (all interleaved samples) into `out`, which is zero before.
    fn fill<T: Element + Wrapping>(self, sample: usize, out: &mut [T]) -> Result<()> {
        let page = self.page;
        let row_length = page.width * page.interleaved();
        let per_plane = page.across() * page.down();
        let first = sample * per_plane;
        let plain = self.compression == Compression::None
            && page.predictor == Predictor::None
            && page.storage == Storage::Element;
        if plain && page.chunk_width == page.width {
            self.read_plain(first, bytemuck::cast_slice_mut(out))?;
            if page.reversed_bits {
                rows::reverse_bits(bytemuck::cast_slice_mut(out));
            }
            if !page.order.is_native() {
                rows::swap(out);
            }
            return Ok(());
        }
        let chunk_row = page.chunk_height * row_length;
        let chunk_rows_per_job = (JOB_BYTES / (chunk_row * size_of::<T>())).max(1);
        let scratch = || Scratch {
            compressed: Vec::new(),
            decoded: Vec::new(),
            decompressors: Decompressors::new(),
        };
        let decode = |scratch: &mut Scratch, (number, part): (usize, &mut [T])| {
            let chunk_row_0 = number * chunk_rows_per_job;
            let chunks = first + chunk_row_0 * page.across()
                ..first + (chunk_row_0 + part.len().div_ceil(chunk_row)) * page.across();
            let loaded = self.load(chunks.clone(), &mut scratch.compressed)?;
            for (row, band) in part.chunks_mut(chunk_row).enumerate() {
                for column in 0..page.across() {
                    let index = chunks.start + row * page.across() + column;
                    self.decode_chunk(index, loaded, scratch, column, band)?;
                }
            }
            Ok(())
        };
        let parts = out.len().div_ceil(chunk_rows_per_job * chunk_row);
        if parts == 1 {
            return decode(&mut scratch(), (0, out));
        }
        out.par_chunks_mut(chunk_rows_per_job * chunk_row)
            .enumerate()
            .try_for_each_init(scratch, decode)
    }

    /// Reads uncompressed strips in as few reads as their offsets allow.
    fn read_plain(self, first: usize, out: &mut [u8]) -> Result<()> {
        let page = self.page;
        let chunk_bytes = page.chunk_height * page.chunk_row_bytes();
        // Offset in the file, and the range of `out`, of the run that is being collected.
        let mut run: Option<(u64, usize, usize)> = None;
        let total = out.len();
        for (index, start) in (first..).zip((0..total).step_by(chunk_bytes)) {
            let (offset, count) = page.chunks[index];
            let end = (start + chunk_bytes).min(total);
            if count == 0 {
                continue;
            }
            match &mut run {
                Some((run_offset, run_start, run_end))
                    if *run_end == start && *run_offset + (start - *run_start) as u64 == offset =>
                {
                    *run_end = end;
                }
                _ => {
                    if let Some((offset, start, end)) = run.replace((offset, start, end)) {
                        self.source
                            .read_at(self.shift + offset, &mut out[start..end])?;
                    }
                }
            }
        }
        match run {
            Some((offset, start, end)) => self
                .source
                .read_at(self.shift + offset, &mut out[start..end]),
            None => Ok(()),
        }
    }

    /// Reads the compressed bytes of neighbouring chunks at once if they lie together; returns the offset of the first.
    fn load(self, chunks: std::ops::Range<usize>, buffer: &mut Vec<u8>) -> Result<Option<u64>> {
        let used = || {
            self.page.chunks[chunks.clone()]
                .iter()
                .filter(|(_, count)| *count > 0)
        };
        let start = used().map(|(offset, _)| *offset).min().unwrap_or(0);
        let end = used()
            .map(|(offset, count)| offset + count)
            .max()
            .unwrap_or(0);
        let sum: u64 = used().map(|(_, count)| *count).sum();
        if end - start > sum + sum / 2 {
            return Ok(None);
        }
        self.read_into(start, end - start, buffer)?;
        Ok(Some(start))
    }

    fn read_into(self, offset: u64, count: u64, buffer: &mut Vec<u8>) -> Result<()> {
        buffer.resize(count as usize, 0);
        self.source.read_at(self.shift + offset, buffer)?;
        if self.page.reversed_bits && self.compression != Compression::Jpeg {
            rows::reverse_bits(buffer);
        }
        Ok(())
    }

    /// Decodes chunk `index` into column `column` of `band`, the rows of the plane that this row of chunks covers.
    fn decode_chunk<T: Element + Wrapping>(
        self,
        index: usize,
        loaded: Option<u64>,
        scratch: &mut Scratch,
        column: usize,
        band: &mut [T],
    ) -> Result<()> {
        let page = self.page;
        let (offset, count) = page.chunks[index];
        if count == 0 {
            return Ok(());
        }
        let within = match loaded {
            Some(start) => (offset - start) as usize,
            None => {
                self.read_into(offset, count, &mut scratch.compressed)?;
                0
            }
        };
        let compressed = &scratch.compressed[within..within + count as usize];
        let refuse = |reason| {
            self.source
                .damaged(format!("{}: {reason}", page.chunk_name(index)))
        };

        let row_length = page.width * page.interleaved();
        let rows = band.len() / row_length;
        let chunk_row_length = page.chunk_width * page.interleaved();
        let row_bytes = page.chunk_row_bytes();
        let stored_rows = page.stored_rows(index % (page.across() * page.down()) / page.across());
        if page.chunk_width == page.width && stored_rows == rows && page.storage == Storage::Element
        {
            scratch
                .decompressors
                .decode(
                    page,
                    self.compression,
                    compressed,
                    bytemuck::cast_slice_mut(band),
                    rows,
                )
                .map_err(refuse)?;
            rows::restore(page, band, chunk_row_length);
            return Ok(());
        }

        scratch.decoded.clear();
        scratch
            .decoded
            .resize((stored_rows * row_bytes).div_ceil(8), 0);
        let decoded: &mut [u8] =
            &mut bytemuck::cast_slice_mut(&mut scratch.decoded)[..stored_rows * row_bytes];
        scratch
            .decompressors
            .decode(page, self.compression, compressed, decoded, rows)
            .map_err(refuse)?;
        match page.storage {
            Storage::Element => {
                rows::restore::<T>(page, bytemuck::cast_slice_mut(decoded), chunk_row_length);
            }
            Storage::Half => {
                rows::restore::<u16>(page, bytemuck::cast_slice_mut(decoded), chunk_row_length);
            }
            Storage::Packed(_) | Storage::Float24 => {}
        }
        let from = column * chunk_row_length;
        let to = (from + chunk_row_length).min(row_length);
        for (row, stored) in band
            .chunks_exact_mut(row_length)
            .zip(decoded.chunks_exact(row_bytes))
        {
            rows::widen(page, stored, &mut row[from..to]);
        }
        Ok(())
    }
}
