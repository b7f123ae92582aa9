//! The layout of one page: what its pixels are and where its strips or tiles lie.

use super::compression::{Compression, Predictor};
use super::directory::{ByteOrder, Directory, DirectoryReader};
use crate::acquisition::limits::Limits;
use crate::{PixelType, Result};

mod chunks;
mod samples;

pub(in crate::acquisition::tiff) use samples::Storage;

mod tag {
    pub const IMAGE_WIDTH: u16 = 256;
    pub const IMAGE_LENGTH: u16 = 257;
    pub const BITS_PER_SAMPLE: u16 = 258;
    pub const COMPRESSION: u16 = 259;
    pub const PHOTOMETRIC: u16 = 262;
    pub const FILL_ORDER: u16 = 266;
    pub const STRIP_OFFSETS: u16 = 273;
    pub const SAMPLES_PER_PIXEL: u16 = 277;
    pub const ROWS_PER_STRIP: u16 = 278;
    pub const STRIP_BYTE_COUNTS: u16 = 279;
    pub const PLANAR_CONFIGURATION: u16 = 284;
    pub const PREDICTOR: u16 = 317;
    pub const TILE_WIDTH: u16 = 322;
    pub const TILE_LENGTH: u16 = 323;
    pub const TILE_OFFSETS: u16 = 324;
    pub const TILE_BYTE_COUNTS: u16 = 325;
    pub const SAMPLE_FORMAT: u16 = 339;
    pub const JPEG_TABLES: u16 = 347;
    pub const YCBCR_SUBSAMPLING: u16 = 530;
    pub const IMAGE_DEPTH: u16 = 32_997;
}

pub(super) const PHOTOMETRIC_YCBCR: u64 = 6;

/// One page, checked: all chunks lie inside the file.
#[derive(Debug)]
pub(super) struct Page {
    pub number: usize,
    pub order: ByteOrder,
    pub height: usize,
    pub width: usize,
    /// Samples per pixel.
    pub samples: usize,
    /// Each sample has its own strips or tiles.
    pub planar: bool,
    pub pixel_type: PixelType,
    pub storage: Storage,
    pub bits: u16,
    /// `Err` says why the page cannot be decoded.
    pub compression: Result<Compression, String>,
    pub predictor: Predictor,
    pub reversed_bits: bool,
    pub photometric: u64,
    pub jpeg_tables: Option<Vec<u8>>,
    pub tiled: bool,
    /// Rows and columns of a full chunk (strip or tile).
    pub chunk_height: usize,
    pub chunk_width: usize,
    /// Offset and size of every chunk: row by row, and sample by sample if planar. Size 0 means zeros (a sparse file).
    pub chunks: Vec<(u64, u64)>,
}

impl Page {
    pub(super) fn parse(
        reader: &mut DirectoryReader<'_>,
        number: usize,
        directory: &Directory,
        limits: &Limits,
    ) -> Result<Self> {
        let source = reader.source;
        let damaged = |reason: String| source.damaged(format!("page {number}: {reason}"));
        let unsupported = |reason: String| source.unsupported(format!("page {number}: {reason}"));
        let dimension = |value: u64, what: &str| match usize::try_from(value) {
            Ok(size) if size > 0 && value <= u64::from(u32::MAX) => Ok(size),
            _ => Err(damaged(format!("its {what} is {value}"))),
        };

        let height = dimension(reader.uint(directory, tag::IMAGE_LENGTH, 0)?, "height")?;
        let width = dimension(reader.uint(directory, tag::IMAGE_WIDTH, 0)?, "width")?;
        let samples = dimension(
            reader.uint(directory, tag::SAMPLES_PER_PIXEL, 1)?,
            "number of samples per pixel",
        )?;
        if reader.uint(directory, tag::IMAGE_DEPTH, 1)? > 1 {
            return Err(unsupported(
                "it is a volume (ImageDepth), which is not read".to_owned(),
            ));
        }
        limits.check_planes(source, samples)?;
        let (pixel_type, storage, bits) = samples::parse(reader, number, directory, samples)?;
        let planar = samples > 1 && reader.uint(directory, tag::PLANAR_CONFIGURATION, 1)? == 2;
        let interleaved = if planar { 1 } else { samples };
        // Twice: a page of several samples is decoded whole and then split into planes.
        let decoded = (height as u128)
            * (width as u128)
            * (interleaved as u128)
            * (pixel_type.size() as u128);
        limits.check(
            source,
            height,
            width,
            if interleaved > 1 {
                decoded * 2
            } else {
                decoded
            },
        )?;

        let scheme = reader.uint(directory, tag::COMPRESSION, 1)?;
        let compression = Compression::from_tag(scheme);
        let predictor = match (reader.uint(directory, tag::PREDICTOR, 1)?, &compression) {
            (_, Ok(Compression::Jpeg | Compression::Fax4)) | (1, _) => Predictor::None,
            (2, _) => Predictor::Horizontal,
            (3, _) => Predictor::FloatingPoint,
            (other, _) => return Err(unsupported(format!("its predictor {other} is not known"))),
        };
        match (predictor, storage) {
            (Predictor::FloatingPoint, _)
                if !matches!(pixel_type, PixelType::F32 | PixelType::F64) =>
            {
                return Err(damaged("a floating-point predictor on integers".to_owned()));
            }
            (Predictor::Horizontal | Predictor::FloatingPoint, Storage::Float24) => {
                return Err(unsupported(
                    "a predictor on 24-bit floats is not read".to_owned(),
                ));
            }
            _ => {}
        }

        let photometric = reader.uint(directory, tag::PHOTOMETRIC, 1)?;
        if photometric == PHOTOMETRIC_YCBCR && scheme != 7 {
            let subsampling = match directory.get(tag::YCBCR_SUBSAMPLING) {
                Some(entry) => reader.uints(entry, 2)?,
                None => Vec::new(),
            };
            if subsampling.iter().any(|factor| *factor != 1) {
                return Err(unsupported(
                    "chroma subsampling without JPEG is not read".to_owned(),
                ));
            }
        }
        let jpeg_tables = match directory.get(tag::JPEG_TABLES) {
            Some(entry) if scheme == 7 => Some(reader.bytes(entry)?),
            _ => None,
        };

        let tiled =
            directory.get(tag::TILE_OFFSETS).is_some() || directory.get(tag::TILE_WIDTH).is_some();
        let (chunk_height, chunk_width) = if tiled {
            let size = |value, what| {
                dimension(value, what).and_then(|size| {
                    if size <= 1 << 24 {
                        Ok(size)
                    } else {
                        Err(damaged(format!("its {what} is {size}")))
                    }
                })
            };
            (
                size(reader.uint(directory, tag::TILE_LENGTH, 0)?, "tile height")?,
                size(reader.uint(directory, tag::TILE_WIDTH, 0)?, "tile width")?,
            )
        } else {
            let rows = reader.uint(directory, tag::ROWS_PER_STRIP, u64::from(u32::MAX))?;
            let rows = usize::try_from(rows).unwrap_or(height).min(height);
            (if rows == 0 { height } else { rows }, width)
        };

        let mut page = Self {
            number,
            order: reader.order,
            height,
            width,
            samples,
            planar,
            pixel_type,
            storage,
            bits,
            compression,
            predictor,
            reversed_bits: reader.uint(directory, tag::FILL_ORDER, 1)? == 2,
            photometric,
            jpeg_tables,
            tiled,
            chunk_height,
            chunk_width,
            chunks: Vec::new(),
        };
        page.locate_chunks(reader, directory)?;
        page.check_chunks(source, limits)?;
        Ok(page)
    }

    pub(super) const fn interleaved(&self) -> usize {
        if self.planar { 1 } else { self.samples }
    }

    pub(super) const fn across(&self) -> usize {
        self.width.div_ceil(self.chunk_width)
    }

    pub(super) const fn down(&self) -> usize {
        self.height.div_ceil(self.chunk_height)
    }

    /// Bytes of one row of a chunk as it is stored.
    pub(super) const fn chunk_row_bytes(&self) -> usize {
        (self.chunk_width * self.interleaved() * self.bits as usize).div_ceil(8)
    }

    /// Rows that a chunk in chunk row `row` stores: strips end with the image, tiles are always full.
    pub(super) fn stored_rows(&self, row: usize) -> usize {
        if self.tiled {
            self.chunk_height
        } else {
            self.chunk_height.min(self.height - row * self.chunk_height)
        }
    }

    /// "strip 3 of 12 on page 0", for messages.
    pub(super) fn chunk_name(&self, index: usize) -> String {
        format!(
            "{} {index} of {} on page {}",
            if self.tiled { "tile" } else { "strip" },
            self.chunks.len(),
            self.number
        )
    }
}
