//! The values of tags.

use super::{Directory, DirectoryReader, Entry};
use crate::Result;

impl DirectoryReader<'_> {
    /// At most `most` values of an integer tag.
    pub(in crate::acquisition::tiff) fn uints(
        &mut self,
        entry: Entry,
        most: u64,
    ) -> Result<Vec<u64>> {
        let size = match entry.kind {
            1 | 3 | 4 | 6..=9 | 13 | 16 | 17 | 18 => entry.value_size(),
            kind => {
                return Err(self.source.damaged(format!(
                    "tag {} should hold integers but has type {kind}",
                    entry.tag
                )));
            }
        };
        let order = self.order;
        let bytes = self.values(entry, size, most)?;
        Ok(bytes
            .chunks_exact(usize::from(size as u8))
            .map(|value| order.uint(value))
            .collect())
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
        self.spend(count)?;
        self.bytes_at(entry.at, count, &format!("value of tag {}", entry.tag))
    }
}
