//! The values of tags.

use super::{Directory, DirectoryReader, Entry};
use crate::Result;

/// Values that are read at a time.
const PART: u64 = 64 << 10;

impl DirectoryReader<'_> {
    /// At most `most` values of an integer tag.
    pub(in crate::acquisition::tiff) fn uints(
        &mut self,
        entry: Entry,
        most: u64,
    ) -> Result<Vec<u64>> {
        let size = self.integer_size(entry)?;
        let order = self.order;
        let bytes = self.values(entry, size, most)?;
        Ok(bytes
            .chunks_exact(usize::from(size as u8))
            .map(|value| order.uint(value))
            .collect())
    }

    /// Calls `each` with the first `count` values of an integer tag, in order.
    ///
    /// They are read in parts, because the tables of large images have megabytes. The bytes are not counted: what becomes
    /// of them is.
    pub(in crate::acquisition::tiff) fn each_uint(
        &mut self,
        entry: Entry,
        count: u64,
        mut each: impl FnMut(usize, u64),
    ) -> Result<()> {
        let size = self.integer_size(entry)?;
        let (order, count) = (self.order, entry.count.min(count));
        let what = format!("value of tag {}", entry.tag);
        // Refused as a whole before anything of it is read.
        let whole = count
            .checked_mul(size)
            .is_some_and(|bytes| self.source.holds(entry.at, bytes));
        if !whole {
            return Err(self.source.damaged(format!(
                "the {what} ({count} values at byte {}) lies outside the file of {} bytes",
                entry.at,
                self.source.len()
            )));
        }
        let mut index = 0;
        while index < count {
            let part = (count - index).min(PART);
            let bytes = self.bytes_at(entry.at + index * size, part * size, &what)?;
            for (n, value) in bytes.chunks_exact(usize::from(size as u8)).enumerate() {
                each(index as usize + n, order.uint(value));
            }
            index += part;
        }
        Ok(())
    }

    fn integer_size(&self, entry: Entry) -> Result<u64> {
        match entry.kind {
            1 | 3 | 4 | 6..=9 | 13 | 16 | 17 | 18 => Ok(entry.value_size()),
            kind => Err(self.source.damaged(format!(
                "tag {} should hold integers but has type {kind}",
                entry.tag
            ))),
        }
    }

    /// The first value of an integer tag, or `default` where the tag is absent.
    pub(in crate::acquisition::tiff) fn uint(
        &mut self,
        directory: &Directory,
        tag: u16,
        default: u64,
    ) -> Result<u64> {
        match directory.get(tag) {
            Some(entry) if entry.count > 0 => Ok(self.uints(entry, 1)?[0]),
            _ => Ok(default),
        }
    }

    /// The bytes of a tag, whatever its type.
    pub(in crate::acquisition::tiff) fn bytes(&mut self, entry: Entry) -> Result<Vec<u8>> {
        match entry.value_size() {
            0 => Err(self.source.damaged(format!(
                "tag {} has the unknown type {}",
                entry.tag, entry.kind
            ))),
            size => Ok(self.values(entry, size, u64::MAX)?.to_vec()),
        }
    }

    /// The first value of a rational tag.
    pub(in crate::acquisition::tiff) fn rational(
        &mut self,
        directory: &Directory,
        tag: u16,
    ) -> Result<Option<f64>> {
        let Some(entry) = directory
            .get(tag)
            .filter(|entry| entry.kind == 5 && entry.count > 0)
        else {
            return Ok(None);
        };
        let order = self.order;
        let bytes = self.values(entry, 8, 1)?;
        let (numerator, denominator) = (order.uint(&bytes[..4]), order.uint(&bytes[4..]));
        Ok((denominator != 0).then(|| numerator as f64 / denominator as f64))
    }

    /// A text tag up to its first zero byte. Bytes that are not UTF-8 (Latin-1 writers) become the replacement character.
    pub(in crate::acquisition::tiff) fn text(
        &mut self,
        directory: &Directory,
        tag: u16,
    ) -> Result<Option<String>> {
        let Some(entry) = directory.get(tag) else {
            return Ok(None);
        };
        let mut bytes = self.bytes(entry)?;
        bytes.truncate(
            bytes
                .iter()
                .position(|byte| *byte == 0)
                .unwrap_or(bytes.len()),
        );
        Ok(Some(String::from_utf8(bytes).unwrap_or_else(|error| {
            String::from_utf8_lossy(error.as_bytes()).into_owned()
        })))
    }

    fn values(&mut self, entry: Entry, size: u64, most: u64) -> Result<&[u8]> {
        let Some(count) = entry.count.min(most).checked_mul(size) else {
            return Err(self
                .source
                .damaged(format!("tag {} claims {} values", entry.tag, entry.count)));
        };
        let what = format!("value of tag {}", entry.tag);
        // A value outside the file is damage, whatever it claims; only what the file really holds can pass the limit.
        if self.source.holds(entry.at, count) {
            self.spend(count)?;
        }
        self.bytes_at(entry.at, count, &what)
    }
}
