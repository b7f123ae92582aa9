//! Files that are handed to other programs, and taken back from them: TIFF, HDF5 and NumPy's npy, and PNG to take back.
//!
//! Planes are written in their own pixel type, uncompressed. What is read may have more axes than two; which of them are the
//! rows and columns is said by the caller, by the file (`axistags` of ilastik and vigra) or by there being no others.

mod array;
mod axes;
mod hdf5;
mod npy;
mod tiff;

use std::path::Path;

use crate::acquisition::ImageFile;
use crate::container::Values;
use crate::{Error, PixelType, Pixels, Result};

pub use array::{Array, read_array, write_hdf5, write_npy, write_tiff};
pub use axes::Axes;

/// The dataset that an HDF5 file is written with.
pub const DATASET: &str = "data";

/// A format to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// TIFF, one page a plane.
    Tiff,
    /// HDF5 with the dataset [`DATASET`].
    Hdf5,
    /// NumPy's array file.
    Npy,
}

impl Format {
    /// The end of the file's name.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Tiff => "tif",
            Self::Hdf5 => "h5",
            Self::Npy => "npy",
        }
    }
}

/// Writes one plane (y, x).
///
/// # Errors
/// [`Error::Io`], for example if the disk is full; [`Error::Unsupported`] for a plane without pixels.
pub fn write_plane(path: &Path, pixels: &Pixels, format: Format) -> Result<()> {
    write(path, &[pixels], format, None)
}

/// Writes planes of one shape as one array, channels first (c, y, x) or, with `channels_last`, last (y, x, c); a TIFF has
/// them as its pages. Planes of different types are all written as float32.
///
/// # Errors
/// As [`write_plane`]; [`Error::Unsupported`] for no planes, planes of different shapes, and a TIFF with its channels last.
pub fn write_stack(
    path: &Path,
    planes: &[&Pixels],
    format: Format,
    channels_last: bool,
) -> Result<()> {
    if planes
        .windows(2)
        .all(|w| w[0].pixel_type() == w[1].pixel_type())
    {
        return write(path, planes, format, Some(channels_last));
    }
    let floats: Vec<Pixels> = planes.iter().map(|p| Pixels::F32(p.to_f32())).collect();
    write(
        path,
        &floats.iter().collect::<Vec<_>>(),
        format,
        Some(channels_last),
    )
}

/// `stack`: whether channels are last; nothing for a file of one plane, which has two axes.
fn write(path: &Path, planes: &[&Pixels], format: Format, stack: Option<bool>) -> Result<()> {
    let refuse = |reason: &str| {
        Err(Error::Unsupported {
            path: path.to_owned(),
            reason: reason.to_owned(),
        })
    };
    let Some(first) = planes.first() else {
        return refuse("there is nothing to write");
    };
    let (height, width) = first.shape();
    if height == 0 || width == 0 {
        return refuse("the image has no pixels");
    }
    if planes.iter().any(|p| p.shape() != first.shape()) {
        return refuse("the images differ in height or width");
    }
    let channels = planes.len();
    let shape = match stack {
        None => vec![height, width],
        Some(false) => vec![channels, height, width],
        Some(true) => vec![height, width, channels],
    };
    let values = || Values {
        shape,
        pixel_type: first.pixel_type(),
        bytes: bytes(planes, stack),
    };
    match (format, stack) {
        (Format::Tiff, Some(true)) => refuse("the pages of a TIFF are its channels"),
        (Format::Tiff, _) => tiff::write(path, planes),
        (Format::Hdf5, _) => hdf5::write(path, &values()),
        (Format::Npy, _) => npy::write(path, &values()),
    }
}

/// The elements of equal planes in the order of the array.
fn bytes(planes: &[&Pixels], stack: Option<bool>) -> Vec<u8> {
    let plain: Vec<Vec<u8>> = planes.iter().map(|p| plane_bytes(p)).collect();
    if stack != Some(true) {
        return plain.concat();
    }
    let size = planes.first().map_or(1, |p| p.pixel_type().size());
    let mut out = Vec::with_capacity(plain.iter().map(Vec::len).sum());
    let pixels = plain.first().map_or(0, |p| p.len() / size);
    for pixel in 0..pixels {
        for plane in &plain {
            out.extend_from_slice(&plane[pixel * size..(pixel + 1) * size]);
        }
    }
    out
}

/// The pixels of a plane, row by row, in the machine's byte order, which is little-endian wherever this runs.
fn plane_bytes(pixels: &Pixels) -> Vec<u8> {
    crate::with_pixels!(pixels, a => {
        let standard = a.as_standard_layout();
        standard.as_slice().map_or_else(Vec::new, |s| bytemuck::cast_slice(s).to_vec())
    })
}

/// Which plane of a file is meant.
#[derive(Clone, Debug, Default)]
pub struct Wanted<'a> {
    /// Path of the dataset in an HDF5 file.
    pub dataset: Option<&'a str>,
    /// Letters of the array's axes in order; `y` and `x` must be among them. Not for TIFF and PNG.
    pub axes: Option<&'a Axes>,
    /// Index along the axis `c`, or of the plane of a TIFF or PNG (samples of a page count as planes).
    pub channel: Option<usize>,
    /// (height, width) that it must have; another is refused before memory is taken.
    pub shape: Option<(usize, usize)>,
}

/// Reads one plane (y, x) of a TIFF, PNG, HDF5 or npy file, told apart by its first bytes.
///
/// # Errors
/// [`Error::Io`]; [`Error::Damaged`] for a broken or half-written file; [`Error::Missing`] for a dataset or channel that it does
/// not have; [`Error::Unsupported`] where it is not clear which plane is meant, or one of another shape or type is found.
pub fn read_plane(path: &Path, wanted: &Wanted<'_>) -> Result<Pixels> {
    let head = head(path)?;
    if head.starts_with(npy::MAGIC) {
        return npy::read(path, wanted);
    }
    if hdf5::is_signature(&head) {
        return hdf5::read(path, wanted);
    }
    let file = ImageFile::open(path)?;
    let planes = &file.info().planes;
    let index = match wanted.channel {
        Some(channel) => channel,
        None if planes.len() == 1 => 0,
        None => {
            return Err(unsupported(
                path,
                format!(
                    "it has {} planes; say which one is meant with `channel`",
                    planes.len()
                ),
            ));
        }
    };
    let plane = planes.get(index).ok_or_else(|| Error::Missing {
        path: path.to_owned(),
        what: format!("plane {index}; it has {}", planes.len()),
    })?;
    check_shape(path, (plane.height, plane.width), wanted)?;
    file.read(index)
}

fn head(path: &Path) -> Result<Vec<u8>> {
    use std::io::Read;
    let mut head = Vec::new();
    let read = plate::foreign::open(path).and_then(|file| file.take(8).read_to_end(&mut head));
    match read {
        Ok(_) => Ok(head),
        Err(source) if plate::foreign::is_irregular(&source) => {
            Err(unsupported(path, source.to_string()))
        }
        Err(source) => Err(Error::Io {
            path: path.to_owned(),
            action: "open",
            source,
        }),
    }
}

fn unsupported(path: &Path, reason: String) -> Error {
    Error::Unsupported {
        path: path.to_owned(),
        reason,
    }
}

fn check_shape(path: &Path, found: (usize, usize), wanted: &Wanted<'_>) -> Result<()> {
    match wanted.shape {
        Some(shape) if shape != found => Err(unsupported(
            path,
            format!(
                "it has {} x {} pixels, not {} x {}",
                found.0, found.1, shape.0, shape.1
            ),
        )),
        _ => Ok(()),
    }
}

/// A plane of this type and shape whose bytes, row by row, `fill` writes.
pub(crate) fn filled(
    pixel_type: PixelType,
    shape: (usize, usize),
    fill: impl FnOnce(&mut [u8]) -> Result<()>,
) -> Result<Pixels> {
    macro_rules! of {
        ($variant:ident, $type:ty) => {{
            let mut plane = ndarray::Array2::<$type>::default(shape);
            if let Some(values) = plane.as_slice_mut() {
                fill(bytemuck::cast_slice_mut(values))?;
            }
            Pixels::$variant(plane)
        }};
    }
    Ok(match pixel_type {
        PixelType::U8 => of!(U8, u8),
        PixelType::U16 => of!(U16, u16),
        PixelType::U32 => of!(U32, u32),
        PixelType::U64 => of!(U64, u64),
        PixelType::I8 => of!(I8, i8),
        PixelType::I16 => of!(I16, i16),
        PixelType::I32 => of!(I32, i32),
        PixelType::I64 => of!(I64, i64),
        PixelType::F32 => of!(F32, f32),
        PixelType::F64 => of!(F64, f64),
    })
}
