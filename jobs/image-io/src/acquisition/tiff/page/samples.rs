//! What a sample is, and the element type that it is read as.

use super::super::directory::{Directory, DirectoryReader};
use super::tag;
use crate::{PixelType, Result};

/// How one sample is stored, and so how it becomes an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::acquisition::tiff) enum Storage {
    /// In the element type itself.
    Element,
    /// Unsigned, in this many bits, most significant first; rows start on a byte.
    Packed(u16),
    /// IEEE half precision, widened to single.
    Half,
    /// 24-bit float (7 bits of exponent), widened to single.
    Float24,
}

/// The element type, the storage and the bits of the samples of a page.
pub(super) fn parse(
    reader: &mut DirectoryReader<'_>,
    number: usize,
    directory: &Directory,
    samples: usize,
) -> Result<(PixelType, Storage, u16)> {
    let source = reader.source;
    let damaged = |reason: &str| source.damaged(format!("page {number}: {reason}"));
    let unsupported = |reason: String| source.unsupported(format!("page {number}: {reason}"));
    let bits =
        same_for_all(reader, directory, tag::BITS_PER_SAMPLE, samples, 1)?.map_err(|values| {
            unsupported(format!("its samples have different sizes: {values:?} bits"))
        })?;
    let format = same_for_all(reader, directory, tag::SAMPLE_FORMAT, samples, 1)?
        .map_err(|values| unsupported(format!("its samples have different formats: {values:?}")))?;
    let (pixel_type, storage) = element(format, bits).ok_or_else(|| match (format, bits) {
        (_, 0) => damaged("its samples have 0 bits"),
        (5 | 6, _) => unsupported("its pixels are complex numbers".to_owned()),
        (2, _) => unsupported(format!("its pixels are signed integers of {bits} bits")),
        (3, _) => unsupported(format!("its pixels are floats of {bits} bits")),
        _ => unsupported(format!(
            "its pixels have {bits} bits of sample format {format}"
        )),
    })?;
    Ok((pixel_type, storage, bits as u16))
}

/// A tag with one value a sample, all of which must agree. The inner error holds values that do not.
fn same_for_all(
    reader: &mut DirectoryReader<'_>,
    directory: &Directory,
    tag: u16,
    samples: usize,
    default: u64,
) -> Result<Result<u64, Vec<u64>>> {
    let Some(entry) = directory.get(tag).filter(|entry| entry.count > 0) else {
        return Ok(Ok(default));
    };
    let values = reader.uints(entry, samples as u64)?;
    if values.iter().all(|value| *value == values[0]) {
        Ok(Ok(values[0]))
    } else {
        Ok(Err(values.into_iter().take(8).collect()))
    }
}

fn element(format: u64, bits: u64) -> Option<(PixelType, Storage)> {
    use PixelType as P;
    Some(match (format, bits) {
        (2, 8) => (P::I8, Storage::Element),
        (2, 16) => (P::I16, Storage::Element),
        (2, 32) => (P::I32, Storage::Element),
        (2, 64) => (P::I64, Storage::Element),
        (3, 16) => (P::F32, Storage::Half),
        (3, 24) => (P::F32, Storage::Float24),
        (3, 32) => (P::F32, Storage::Element),
        (3, 64) => (P::F64, Storage::Element),
        (2 | 3 | 5 | 6, _) => return None,
        (_, 8) => (P::U8, Storage::Element),
        (_, 16) => (P::U16, Storage::Element),
        (_, 32) => (P::U32, Storage::Element),
        (_, 64) => (P::U64, Storage::Element),
        (_, 1..=7) => (P::U8, Storage::Packed(bits as u16)),
        (_, 9..=15) => (P::U16, Storage::Packed(bits as u16)),
        (_, 17..=31) => (P::U32, Storage::Packed(bits as u16)),
        _ => return None,
    })
}
