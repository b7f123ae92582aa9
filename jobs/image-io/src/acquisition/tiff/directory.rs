//! TIFF's chain of image file directories: classic and BigTIFF, both byte orders.
//!
//! Every offset and count is foreign. Reads are bounded by the file's size, by the limits on pages and on tag bytes, and a
//! chain that comes back to a directory it already passed is refused.

mod values;

use std::collections::HashSet;

use crate::Result;
use crate::acquisition::limits::Limits;
use crate::acquisition::source::Source;

/// Read ahead around a directory: its values mostly lie right before or after it.
const WINDOW: usize = 16 << 10;
const WINDOW_LEAD: u64 = 2 << 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::acquisition) enum ByteOrder {
    Little,
    Big,
}

impl ByteOrder {
    pub(in crate::acquisition) const fn is_native(self) -> bool {
        matches!(self, Self::Little) == cfg!(target_endian = "little")
    }

    /// The unsigned integer in the first 1, 2, 4 or 8 bytes.
    fn uint(self, bytes: &[u8]) -> u64 {
        let add = |value, byte: &u8| value << 8 | u64::from(*byte);
        match self {
            Self::Little => bytes.iter().rev().fold(0, add),
            Self::Big => bytes.iter().fold(0, add),
        }
    }
}

/// One tag: its type and where its values lie.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    tag: u16,
    kind: u16,
    pub(super) count: u64,
    at: u64,
}

impl Entry {
    /// Bytes of one value; 0 for types that TIFF does not define.
    const fn value_size(self) -> u64 {
        match self.kind {
            1 | 2 | 6 | 7 => 1,
            3 | 8 => 2,
            4 | 9 | 11 | 13 => 4,
            5 | 10 | 12 | 16 | 17 | 18 => 8,
            _ => 0,
        }
    }
}

/// The tags of one page.
#[derive(Debug)]
pub(super) struct Directory {
    entries: Vec<Entry>,
}

impl Directory {
    /// The first entry of `tag`, which is the one that other readers use too.
    pub(super) fn get(&self, tag: u16) -> Option<Entry> {
        self.entries.iter().copied().find(|entry| entry.tag == tag)
    }
}

/// Reads directories and their values.
pub(super) struct DirectoryReader<'a> {
    pub(super) source: &'a Source,
    pub(super) order: ByteOrder,
    big: bool,
    first: u64,
    window: (u64, Vec<u8>),
    tag_bytes_left: u64,
}

impl<'a> DirectoryReader<'a> {
    /// Reads the header.
    pub(super) fn new(source: &'a Source, limits: &Limits) -> Result<Self> {
        let window = source.read_up_to(0, WINDOW)?;
        let mut reader = Self {
            source,
            order: ByteOrder::Little,
            big: false,
            first: 0,
            window: (0, window),
            tag_bytes_left: limits.max_tag_bytes,
        };
        let head = reader.bytes_at(0, 8, "header")?.to_vec();
        reader.order = if head.starts_with(b"MM") {
            ByteOrder::Big
        } else {
            ByteOrder::Little
        };
        reader.big = reader.order.uint(&head[2..4]) == 43;
        reader.first = if reader.big {
            if reader.order.uint(&head[4..6]) != 8 || reader.order.uint(&head[6..8]) != 0 {
                return Err(source.damaged("its BigTIFF header does not say 8-byte offsets"));
            }
            let first = reader.bytes_at(8, 8, "header")?.to_vec();
            reader.order.uint(&first)
        } else {
            reader.order.uint(&head[4..8])
        };
        Ok(reader)
    }

    /// Calls `page` with each directory of the main chain.
    pub(super) fn walk(
        &mut self,
        limits: &Limits,
        mut page: impl FnMut(&mut Self, usize, &Directory) -> Result<()>,
    ) -> Result<()> {
        let mut seen = HashSet::new();
        let mut next = self.first;
        if next == 0 {
            return Err(self
                .source
                .damaged("it has no image directory; its writer did not finish"));
        }
        while next != 0 {
            if !seen.insert(next) {
                return Err(self.source.damaged(format!(
                    "its chain of pages returns to byte {next}: an endless loop"
                )));
            }
            let number = seen.len() - 1;
            limits.check_planes(self.source, seen.len())?;
            let (directory, following) = self.directory(next, number)?;
            page(self, number, &directory)?;
            next = following;
        }
        Ok(())
    }

    fn directory(&mut self, offset: u64, page: usize) -> Result<(Directory, u64)> {
        let (count_size, entry_size, link_size) = if self.big {
            (8_u64, 20_u64, 8_u64)
        } else {
            (2, 12, 4)
        };
        let what = format!("directory of page {page}");
        let order = self.order;
        let count = order.uint(self.bytes_at(offset, count_size, &what)?);
        if count == 0 || count > 4096 {
            return Err(self
                .source
                .damaged(format!("the {what} at byte {offset} claims {count} tags")));
        }
        let (body, value_in_entry) = (
            offset + count_size,
            entry_size - if self.big { 8 } else { 4 },
        );
        let bytes = self
            .bytes_at(body, count * entry_size + link_size, &what)?
            .to_vec();
        self.spend(count * entry_size)?;
        let (table, link) = bytes.split_at(bytes.len() - usize::from(link_size as u8));
        let mut entries = Vec::with_capacity(table.len() / 12);
        for (position, raw) in (0_u64..).zip(table.chunks_exact(usize::from(entry_size as u8))) {
            let (head, value) = raw.split_at(usize::from(value_in_entry as u8));
            let mut entry = Entry {
                tag: order.uint(&head[..2]) as u16,
                kind: order.uint(&head[2..4]) as u16,
                count: order.uint(&head[4..]),
                at: 0,
            };
            let inline = entry
                .count
                .checked_mul(entry.value_size())
                .is_some_and(|size| size <= value.len() as u64);
            entry.at = if inline {
                body + position * entry_size + value_in_entry
            } else {
                order.uint(value)
            };
            entries.push(entry);
        }
        Ok((Directory { entries }, order.uint(link)))
    }

    /// Takes from what the tags of the file may use.
    pub(super) fn spend(&mut self, bytes: u64) -> Result<()> {
        self.tag_bytes_left = self.tag_bytes_left.checked_sub(bytes).ok_or_else(|| {
            self.source
                .limit("its tags take more bytes than the limit allows")
        })?;
        Ok(())
    }

    fn bytes_at(&mut self, offset: u64, count: u64, what: &str) -> Result<&[u8]> {
        let end = offset
            .checked_add(count)
            .filter(|end| *end <= self.source.len());
        let (Some(end), Ok(count)) = (end, usize::try_from(count)) else {
            return Err(self.source.damaged(format!(
                "the {what} ({count} bytes at byte {offset}) lies outside the file of {} bytes",
                self.source.len()
            )));
        };
        let inside = offset >= self.window.0 && end <= self.window.0 + self.window.1.len() as u64;
        if !inside {
            let start = if count < WINDOW / 2 {
                offset.saturating_sub(WINDOW_LEAD)
            } else {
                offset
            };
            self.window = (
                start,
                self.source.read_up_to(
                    start,
                    (offset - start) as usize + count.max(WINDOW - WINDOW_LEAD as usize),
                )?,
            );
        }
        let skip = (offset - self.window.0) as usize;
        Ok(&self.window.1[skip..skip + count])
    }
}
