//! Reads what instruments write: TIFF, BigTIFF, OME-TIFF and PNG.
//!
//! A file is a list of **planes**, each one two-dimensional in (y, x) order: a page of a multi-page file, or one sample of
//! a page with several (RGB, several channels), interleaved or planar, in file order. Values are those that
//! `tifffile.imread` gives: palette images give their indices, min-is-white images are not inverted, bits become 0 and 1,
//! and chroma-coded JPEG becomes RGB. The only change of type: 16- and 24-bit floats are widened to 32 bits (exact).
//!
//! Read: strips and tiles; uncompressed, LZW, deflate, `PackBits` (any type), JPEG (8 bit), Group 4 fax (1 bit); horizontal
//! and floating-point predictors; unsigned integers of 1 to 32 and 64 bits, signed integers of 8, 16, 32 and 64, floats of
//! 16, 24, 32 and 64; both byte orders; `ImageJ` and `MetaMorph` stacks with a single directory.
//!
//! Files are foreign: sizes are checked before memory is asked for, and offsets before they are followed.

mod below;
mod element;
mod imagej;
mod limits;
mod ome;
mod png;
mod source;
mod tiff;

use std::path::Path;

use serde::Serialize;

pub use below::open_below;
pub use limits::Limits;
pub use ome::OmePlanes;

use crate::{PixelType, Pixels, Result};
use source::Source;

/// Bytes of a file that are not pixels (tags, descriptions, previews). A file is read from end to end to tell whether its
/// content is known, so a terabyte that holds one small image would keep us busy for an hour.
const MOST_OTHER_BYTES: u128 = 1 << 30;

/// File formats of acquisition files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// TIFF, BigTIFF, OME-TIFF.
    Tiff,
    /// PNG.
    Png,
}

/// One plane of a file, without its pixels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlaneInfo {
    /// Rows in pixels.
    pub height: usize,
    /// Columns in pixels.
    pub width: usize,
    /// Type of the pixels as they are read.
    pub pixel_type: PixelType,
    /// Page of the file, counted from 0.
    pub file_page: usize,
    /// Sample within the page, where the page has several.
    pub sample: Option<u16>,
}

impl PlaneInfo {
    /// Bytes of its pixels in memory.
    fn bytes(&self) -> u128 {
        self.height as u128 * self.width as u128 * self.pixel_type.size() as u128
    }
}

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ImageInfo {
    /// Its format.
    pub format: Format,
    /// Its planes in file order.
    pub planes: Vec<PlaneInfo>,
    /// Which plane is which channel, z-slice and timepoint, if the file says so (OME-XML, `ImageJ` hyperstack).
    pub ome: Option<OmePlanes>,
    /// Its size in bytes.
    pub file_bytes: u64,
}

/// An acquisition file whose structure has been read and checked; pixels are read on demand.
///
/// Shared references may be used from several threads.
#[derive(Debug)]
pub struct ImageFile {
    source: Source,
    kind: Kind,
    info: ImageInfo,
    limits: Limits,
}

#[derive(Debug)]
enum Kind {
    Tiff(tiff::Tiff),
    Png(png::Png),
}

impl ImageFile {
    /// Opens a file with the default [`Limits`].
    ///
    /// # Errors
    /// As [`Self::open_with`].
    pub fn open(path: &Path) -> Result<Self> {
        Self::open_with(path, &Limits::default())
    }

    /// Opens a file: reads its headers and checks that every strip, tile or chunk lies inside it. Decodes nothing.
    ///
    /// # Errors
    /// `Io` if it cannot be opened or read; `Damaged` if its structure is broken or points outside the file (a copy that
    /// has not ended looks like that); `Unsupported` if it is no TIFF or PNG or uses a feature that is not read; `Limit`
    /// if it asks for more than `limits` allow.
    pub fn open_with(path: &Path, limits: &Limits) -> Result<Self> {
        Self::of_source(Source::open(path)?, limits)
    }

    /// Opens a file below a folder, and follows no symbolic link on the way: for folders into which others may write.
    ///
    /// # Errors
    /// As [`Self::open_with`]; `Unsupported` if any part of `relative` is a link.
    pub fn open_below(root: &Path, relative: &Path) -> Result<Self> {
        Self::of_source(Source::open_below(root, relative)?, &Limits::default())
    }

    fn of_source(source: Source, limits: &Limits) -> Result<Self> {
        if source.len() == 0 {
            return Err(source.damaged("it is empty"));
        }
        let head = source.read_up_to(0, 16)?;
        let (format, kind) = if tiff::Tiff::is_signature(&head) {
            (Format::Tiff, Kind::Tiff(tiff::Tiff::open(&source, limits)?))
        } else if png::Png::is_signature(&head) {
            (Format::Png, Kind::Png(png::Png::open(&source, limits)?))
        } else if head.iter().all(|byte| *byte == 0) {
            return Err(source.damaged(
                "it starts with zeros: space was set aside, but the copy did not write it",
            ));
        } else {
            return Err(source.unsupported(format!(
                "it is neither TIFF nor PNG (it starts with {:02x?})",
                &head[..head.len().min(4)]
            )));
        };
        let (planes, ome) = match &kind {
            Kind::Tiff(tiff) => (tiff.plane_infos(), tiff.ome.clone()),
            Kind::Png(png) => (png.plane_infos(), None),
        };
        let pixel_bytes: u128 = planes.iter().map(PlaneInfo::bytes).sum();
        if u128::from(source.len()) > 8 * pixel_bytes + MOST_OTHER_BYTES {
            return Err(source.limit(format!(
                "its {} bytes hold only {pixel_bytes} bytes of pixels",
                source.len()
            )));
        }
        let info = ImageInfo {
            format,
            planes,
            ome,
            file_bytes: source.len(),
        };
        Ok(Self {
            source,
            kind,
            info,
            limits: *limits,
        })
    }

    /// What the file holds.
    #[must_use]
    pub const fn info(&self) -> &ImageInfo {
        &self.info
    }

    /// Reads plane `plane` (an index into [`ImageInfo::planes`]) as (y, x).
    ///
    /// # Errors
    /// `Missing` if there is no such plane; `Damaged`, `Unsupported` or `Io` if its pixels cannot be read.
    pub fn read(&self, plane: usize) -> Result<Pixels> {
        if plane >= self.info.planes.len() {
            return Err(self
                .source
                .missing(format!("plane {plane}; it has {}", self.info.planes.len())));
        }
        match &self.kind {
            Kind::Tiff(tiff) => tiff.read(&self.source, plane),
            Kind::Png(png) => Ok(png.read(&self.source, Some(plane))?.remove(0)),
        }
    }

    /// Reads all planes in file order. Pages of several samples are decoded once.
    ///
    /// # Errors
    /// As [`Self::read`]; `Limit` if all planes together pass [`Limits::max_decoded_bytes`].
    pub fn read_all(&self) -> Result<Vec<Pixels>> {
        let bytes = self.info.planes.iter().map(PlaneInfo::bytes).sum();
        self.limits.check(&self.source, 1, 1, bytes)?;
        match &self.kind {
            Kind::Tiff(tiff) => tiff.read_all(&self.source),
            Kind::Png(png) => png.read(&self.source, None),
        }
    }
}

/// Reads the structure of a file and checks that it is whole. Decodes no pixels.
///
/// # Errors
/// As [`ImageFile::open_with`].
pub fn probe(path: &Path) -> Result<ImageInfo> {
    Ok(ImageFile::open(path)?.info)
}

/// As [`probe`], for a file below a folder; no symbolic link is followed.
///
/// # Errors
/// As [`ImageFile::open_below`].
pub fn probe_below(root: &Path, relative: &Path) -> Result<ImageInfo> {
    Ok(ImageFile::open_below(root, relative)?.info)
}

/// Reads one plane of a file as (y, x).
///
/// # Errors
/// As [`ImageFile::open_with`] and [`ImageFile::read`].
pub fn read_plane(path: &Path, plane: usize) -> Result<Pixels> {
    ImageFile::open(path)?.read(plane)
}

/// Reads all planes of a file in file order.
///
/// # Errors
/// As [`ImageFile::open_with`] and [`ImageFile::read_all`].
pub fn read_planes(path: &Path) -> Result<Vec<Pixels>> {
    ImageFile::open(path)?.read_all()
}
