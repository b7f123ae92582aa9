//! From the compressed bytes of one strip or tile to its stored rows.

use libdeflater::{DecompressionError, Decompressor};

use super::compression::Compression;
use super::lzw::Lzw;
use super::page::Page;
use super::{foreign, packbits};

/// Decoders whose tables are kept from chunk to chunk.
pub(super) struct Decompressors {
    inflate: Decompressor,
    lzw: Lzw,
}

impl Decompressors {
    pub(super) fn new() -> Self {
        Self {
            inflate: Decompressor::new(),
            lzw: Lzw::new(),
        }
    }

    /// Decodes `data` into `out`, whole rows of a chunk, of which at least the first `rows` must come.
    ///
    /// The error is the reason, without the name of the chunk.
    pub(super) fn decode(
        &mut self,
        page: &Page,
        compression: Compression,
        data: &[u8],
        out: &mut [u8],
        rows: usize,
    ) -> Result<(), String> {
        let stored_rows = out.len() / page.chunk_row_bytes();
        let written = match compression {
            Compression::None => copy(out, data),
            Compression::PackBits => packbits::decode(data, out),
            Compression::Lzw => self
                .lzw
                .decode(data, out)
                .map_err(|_| "its LZW data are damaged")?,
            Compression::Deflate => self.inflate(page, data, out)?,
            Compression::Jpeg => copy(out, &foreign::jpeg(page, data, stored_rows)?),
            Compression::Fax4 => copy(out, &foreign::fax4(page, data, stored_rows)?),
        };
        let needed = rows * page.chunk_row_bytes();
        if written < needed {
            return Err(format!("it decodes to {written} bytes instead of {needed}"));
        }
        Ok(())
    }

    fn inflate(&mut self, page: &Page, data: &[u8], out: &mut [u8]) -> Result<usize, String> {
        match self.inflate.zlib_decompress(data, out) {
            Ok(count) => Ok(count),
            Err(DecompressionError::BadData) => Err("its deflate data are damaged".to_owned()),
            // Some writers fill up the last strip; more than one full strip is no such case.
            Err(DecompressionError::InsufficientSpace) => {
                let mut longer = vec![0; page.chunk_height * page.chunk_row_bytes() + out.len()];
                self.inflate
                    .zlib_decompress(data, &mut longer)
                    .map_err(|_| "its deflate data are longer than the image")?;
                Ok(copy(out, &longer))
            }
        }
    }
}

fn copy(out: &mut [u8], decoded: &[u8]) -> usize {
    let count = decoded.len().min(out.len());
    out[..count].copy_from_slice(&decoded[..count]);
    count
}
