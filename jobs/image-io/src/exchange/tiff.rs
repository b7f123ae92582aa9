//! Uncompressed TIFF, one page a plane.

use std::fs::File;
use std::io::{BufWriter, Seek, Write};
use std::path::Path;

use tiff::TiffError;
use tiff::encoder::colortype::{self, ColorType};
use tiff::encoder::{TiffEncoder, TiffKind, TiffValue};
use tiff::tags::Tag;

use crate::{Error, PixelType, Pixels, Result};

/// Above this many bytes offsets need 64 bits.
const CLASSIC: usize = (1 << 32) - (1 << 24);

pub(super) fn write(path: &Path, planes: &[&Pixels]) -> Result<()> {
    let io = |source| Error::Io {
        path: path.to_owned(),
        action: "write",
        source,
    };
    let failed = |error| match error {
        TiffError::IoError(source) => io(source),
        error => super::unsupported(path, error.to_string()),
    };
    let mut file = BufWriter::new(File::create(path).map_err(io)?);
    let bytes: usize = planes
        .iter()
        .map(|p| p.shape().0 * p.shape().1 * p.pixel_type().size())
        .sum();
    if bytes < CLASSIC {
        pages(TiffEncoder::new(&mut file).map_err(failed)?, planes).map_err(failed)?;
    } else {
        pages(TiffEncoder::new_big(&mut file).map_err(failed)?, planes).map_err(failed)?;
    }
    file.flush().map_err(io)
}

fn pages<W: Write + Seek, K: TiffKind>(
    mut encoder: TiffEncoder<W, K>,
    planes: &[&Pixels],
) -> std::result::Result<(), TiffError> {
    let description = description(planes);
    for (number, plane) in planes.iter().enumerate() {
        let description = description.as_deref().filter(|_| number == 0);
        match plane {
            Pixels::U8(a) => page::<_, _, colortype::Gray8>(&mut encoder, a, description),
            Pixels::U16(a) => page::<_, _, colortype::Gray16>(&mut encoder, a, description),
            Pixels::U32(a) => page::<_, _, colortype::Gray32>(&mut encoder, a, description),
            Pixels::U64(a) => page::<_, _, colortype::Gray64>(&mut encoder, a, description),
            Pixels::I8(a) => page::<_, _, colortype::GrayI8>(&mut encoder, a, description),
            Pixels::I16(a) => page::<_, _, colortype::GrayI16>(&mut encoder, a, description),
            Pixels::I32(a) => page::<_, _, colortype::GrayI32>(&mut encoder, a, description),
            Pixels::I64(a) => page::<_, _, colortype::GrayI64>(&mut encoder, a, description),
            Pixels::F32(a) => page::<_, _, colortype::Gray32Float>(&mut encoder, a, description),
            Pixels::F64(a) => page::<_, _, colortype::Gray64Float>(&mut encoder, a, description),
        }?;
    }
    Ok(())
}

/// Says in ImageJ's words that the pages are channels; without it readers take them for slices. ImageJ knows these types.
fn description(planes: &[&Pixels]) -> Option<String> {
    let types = [PixelType::U8, PixelType::U16, PixelType::F32];
    let known = planes.iter().all(|p| types.contains(&p.pixel_type()));
    let count = planes.len();
    (count > 1 && known).then(|| {
        format!("ImageJ=1.54f\nimages={count}\nchannels={count}\nhyperstack=true\nmode=grayscale\n")
    })
}

fn page<W: Write + Seek, K: TiffKind, C: ColorType>(
    encoder: &mut TiffEncoder<W, K>,
    plane: &ndarray::Array2<C::Inner>,
    description: Option<&str>,
) -> std::result::Result<(), TiffError>
where
    C::Inner: Clone,
    [C::Inner]: TiffValue,
{
    let (height, width) = plane.dim();
    let size = |n: usize| u32::try_from(n).map_err(|_| TiffError::IntSizeError);
    let mut image = encoder.new_image::<C>(size(width)?, size(height)?)?;
    if let Some(text) = description {
        image.encoder().write_tag(Tag::ImageDescription, text)?;
    }
    let standard = plane.as_standard_layout();
    image.write_data(standard.as_slice().unwrap_or_default())
}
