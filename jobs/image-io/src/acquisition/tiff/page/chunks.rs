//! Where the strips or tiles of a page lie, and whether they can be there.

use super::super::compression::Compression;
use super::super::directory::{Directory, DirectoryReader};
use super::{Page, tag};
use crate::Result;
use crate::acquisition::limits::Limits;
use crate::acquisition::source::Source;

/// A tile of 4096 x 4096 pixels of 4 bytes, whatever the size of its image.
const SMALL_CHUNK: u128 = 64 << 20;

impl Page {
    /// Fills `chunks` from the tags.
    pub(super) fn locate_chunks(
        &mut self,
        reader: &mut DirectoryReader<'_>,
        directory: &Directory,
    ) -> Result<()> {
        let source = reader.source;
        let (offsets_tag, counts_tag) = if self.tiled {
            (tag::TILE_OFFSETS, tag::TILE_BYTE_COUNTS)
        } else {
            (tag::STRIP_OFFSETS, tag::STRIP_BYTE_COUNTS)
        };
        // Some writers store tiles under the tags of strips.
        let find = |tag, fallback| {
            directory.get(tag).or_else(|| {
                if self.tiled {
                    directory.get(fallback)
                } else {
                    None
                }
            })
        };
        let offsets = find(offsets_tag, tag::STRIP_OFFSETS).ok_or_else(|| {
            source.damaged(format!(
                "page {}: it has no pixels (no offsets)",
                self.number
            ))
        })?;
        let counts = find(counts_tag, tag::STRIP_BYTE_COUNTS);

        let planes = if self.planar { self.samples } else { 1 };
        let mut expected = self.across() as u64 * self.down() as u64 * planes as u64;
        let contiguous = !self.tiled
            && self.compression == Ok(Compression::None)
            && !self.planar
            && offsets.count == 1
            && expected > 1;
        if contiguous {
            // One strip that holds everything, with a RowsPerStrip that says otherwise.
            self.chunk_height = self.height;
            expected = 1;
        }
        if offsets.count < expected {
            return Err(source.damaged(format!(
                "page {}: it has {} strips or tiles instead of {expected}",
                self.number, offsets.count
            )));
        }
        // The table stays in memory as long as the file is open, and may be wider there than in the file.
        reader.spend(expected.saturating_mul(size_of::<(u64, u64)>() as u64))?;
        let mut chunks = Vec::new();
        reader.each_uint(offsets, expected, |_, offset| {
            // Without sizes (old writers), each chunk ends at the end of the file at the latest.
            chunks.push((offset, source.len().saturating_sub(offset)));
        })?;
        if let Some(entry) = counts.filter(|entry| entry.count >= expected) {
            reader.each_uint(entry, expected, |index, count| chunks[index].1 = count)?;
        }
        self.chunks = chunks;
        Ok(())
    }

    /// Refuses chunks outside the file and chunks that cannot hold their pixels.
    pub(super) fn check_chunks(&mut self, source: &Source, limits: &Limits) -> Result<()> {
        let row_bytes =
            (self.chunk_width as u128 * self.interleaved() as u128 * u128::from(self.bits))
                .div_ceil(8);
        let chunk_bytes = row_bytes * self.chunk_height as u128;
        if chunk_bytes > u128::from(limits.max_decoded_bytes) {
            return Err(source.limit(format!(
                "a strip or tile of {chunk_bytes} bytes on page {} passes the limit of {} bytes",
                self.number, limits.max_decoded_bytes
            )));
        }
        // Writers pad the last tiles, and small images to one tile; a tile that is much larger than its image only costs memory.
        let image_bytes = (self.width as u128 * self.interleaved() as u128 * u128::from(self.bits))
            .div_ceil(8)
            * self.height as u128;
        if chunk_bytes > 4 * image_bytes + SMALL_CHUNK {
            return Err(source.limit(format!(
                "a strip or tile of {chunk_bytes} bytes on page {} is much larger than its image of {image_bytes} bytes",
                self.number
            )));
        }
        let full = chunk_bytes as u64;
        let per_plane = self.across() * self.down();
        for index in 0..self.chunks.len() {
            let (offset, mut count) = self.chunks[index];
            if offset == 0 || count == 0 {
                self.chunks[index] = (offset, 0);
                continue;
            }
            let stored =
                row_bytes as u64 * self.stored_rows(index % per_plane / self.across()) as u64;
            if self.compression == Ok(Compression::None) {
                // Dimensions decide; a size that is too large harms nothing.
                count = count.min(stored);
            }
            if !source.holds(offset, count) {
                return Err(source.damaged(format!(
                    "{} should be {count} bytes at byte {offset}, but the file has only {} bytes",
                    self.chunk_name(index),
                    source.len()
                )));
            }
            if let Ok(compression) = self.compression {
                if compression.most_decoded(count) < stored {
                    return Err(source.damaged(format!(
                        "{} has {count} bytes, too few for the {stored} bytes that it should hold",
                        self.chunk_name(index)
                    )));
                }
                count = count.min(compression.most_compressed(2 * full));
            }
            self.chunks[index] = (offset, count);
        }
        // Single chunks may be left out where all is zero. A page without any is one whose writer did not come to its pixels:
        // black would be a wrong answer.
        if self.chunks.iter().all(|(_, count)| *count == 0) {
            return Err(source.damaged(format!(
                "page {}: none of its strips or tiles was written",
                self.number
            )));
        }
        Ok(())
    }
}
