//! HDF5 with one array a dataset.

use std::path::Path;

use super::axes::{Axes, place};
use super::{DATASET, Wanted, filled, unsupported};
use crate::container::{Attribute, Hdf5File, Values, dataset_image};
use crate::{Error, Pixels, Result};

/// Larger planes are refused before memory is taken.
const MOST_BYTES: u128 = 16 << 30;

/// Whether the first bytes are those of an HDF5 file without a user block.
pub(super) fn is_signature(head: &[u8]) -> bool {
    head.starts_with(b"\x89HDF\r\n\x1a\n")
}

pub(super) fn write(path: &Path, values: &Values) -> Result<()> {
    let written = dataset_image(path, DATASET, values, None, &[], |image| {
        std::fs::write(path, image)
    })?;
    written.map_err(|source| Error::Io {
        path: path.to_owned(),
        action: "write",
        source,
    })
}

pub(super) fn read(path: &Path, wanted: &Wanted<'_>) -> Result<Pixels> {
    let file = Hdf5File::open(path)?;
    let Some(dataset) = wanted.dataset else {
        return Err(unsupported(
            path,
            "it is an HDF5 file; name the dataset that is meant with `dataset`".to_owned(),
        ));
    };
    let array = file.array(dataset)?;
    let tags = file.attribute(dataset, "axistags")?;
    let told = tags
        .as_ref()
        .and_then(Attribute::as_text)
        .and_then(Axes::of_axistags);
    let place = place(path, &array.extents, told.as_ref(), wanted)?;
    let (height, width) = place.shape;
    let bytes = height as u128 * width as u128 * array.pixel_type.size() as u128;
    if bytes > MOST_BYTES {
        return Err(Error::Limit {
            path: path.to_owned(),
            reason: format!("{height} x {width} pixels; the limit is {MOST_BYTES} bytes"),
        });
    }
    let mut count = vec![1; array.extents.len()];
    (count[place.axes.0], count[place.axes.1]) = (height as u64, width as u64);
    let transposed = place.axes.0 > place.axes.1;
    let stored = if transposed {
        (width, height)
    } else {
        (height, width)
    };
    let pixels = filled(array.pixel_type, stored, |out| {
        file.read_block(&array, &place.index, &count, out)
    })?;
    Ok(if transposed {
        pixels.transposed()
    } else {
        pixels
    })
}
