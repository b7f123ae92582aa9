//! Measurements of objects: `analysis::measure`.
//!
//! Counts, boxes, positions, extremes and quantiles are exact, and so are all sums over integer planes (of 64 and 96 bits). Sums over
//! single precision are made of integers too, each value being rounded to the nearest step, which is 2^-30 of the object's largest
//! magnitude at most: they do not depend on the order, so that they are the same in every run and however the plane is cut. Mean and
//! standard deviation are within 2^-31 (5e-10) of that magnitude of the exact ones. Values that are not less than a 128th of it, and
//! whole numbers, if that is below 2^31, are not rounded.

// A view is a pointer and two pairs of numbers: ndarray passes it by value.
#![allow(clippy::needless_pass_by_value)]

mod bands;
mod device;
mod kind;
mod numbers;
mod ranks;
mod statistics;

pub use device::{Band, EXTENT_WORDS, SUM_WORDS, accumulate};
pub use kind::Kind;
pub use statistics::{Object, ObjectStatistics};

use analysis::accelerator::Plane;
use ndarray::ArrayView2;

use crate::{Buffer, Error, Gpu, Result};
use bands::Bands;

/// Beyond this side the square of a position does not fit into 32 bits.
const MAX_SIDE: usize = 65_535;
/// Bytes that are kept of an object while it is measured: a histogram, extent, sums, a search.
const OBJECT_BYTES: u64 = 1200;
/// Bytes of an object's histogram, the longest of these.
const HISTOGRAM_BYTES: u64 = 1024;

/// Measures every object of a label image (y, x; 0 = background) in a plane (y, x): [`analysis::measure::objects`].
///
/// Labels may be any numbers; they are numbered without gaps on the CPU. `quantiles` are from 0 to 1. NaN counts as it does there:
/// not for minimum and maximum, and it makes everything else of its object NaN that depends on values. Planes and lists of objects
/// that the device cannot hold are cut.
///
/// # Errors
/// [`Error::Unsupported`] if the sizes differ or a side has more than 65,535 pixels, and the device's own.
pub fn measure(
    gpu: &Gpu,
    labels: ArrayView2<'_, u32>,
    plane: Plane<'_>,
    quantiles: &[f64],
) -> Result<ObjectStatistics> {
    let (height, width) = labels.dim();
    if plane.dim() != (height, width) {
        return Err(Error::Unsupported("labels and a plane of different sizes"));
    }
    if height.max(width) > MAX_SIDE {
        return Err(Error::Unsupported(
            "objects in a plane with a side of more than 65,535 pixels",
        ));
    }
    let (labels, numbers) = numbers::numbers(labels);
    let mut out = ObjectStatistics::default();
    if labels.is_empty() {
        return Ok(out);
    }
    let kind = Kind::of(plane);
    let bands = Bands::new(gpu, numbers, plane)?;
    let room = (gpu.largest_binding() / HISTOGRAM_BYTES).min(gpu.memory() / 4 / OBJECT_BYTES);
    let room = usize::try_from(room).unwrap_or(usize::MAX).max(1);
    for start in (0..labels.len()).step_by(room) {
        let range = start..labels.len().min(start + room);
        let objects = sums(gpu, &bands, kind, &labels[range.clone()], start)?;
        let columns = ranks::columns(gpu, &bands, kind, &range, &objects, quantiles)?;
        let row = |at: usize| columns.iter().map(|column| column[at]).collect();
        out.quantiles.extend((0..objects.len()).map(row));
        out.objects.extend(objects);
    }
    Ok(out)
}

/// Everything but quantiles of the objects with these labels, whose numbers are `start` and up, counted from 0.
fn sums<'g>(
    gpu: &'g Gpu,
    bands: &Bands<'g, '_>,
    kind: Kind,
    labels: &[u32],
    start: usize,
) -> Result<Vec<Object>> {
    let count = labels.len();
    let range = start..start + count;
    let extents = gpu.words(EXTENT_WORDS * count)?;
    let sums = gpu.words(SUM_WORDS * count)?;
    let mut batch = gpu.batch();
    batch.clear(&extents);
    batch.clear(&sums);
    bands.each(&mut batch, |band, batch| {
        band.extents(batch, &range, &extents)
    })?;
    bands.each(&mut batch, |band, batch| {
        band.sums(batch, &range, &extents, &sums)
    })?;
    batch.submit()?;
    let mut objects = read(gpu, kind, count, &extents, &sums)?;
    for (object, &label) in objects.iter_mut().zip(labels) {
        object.label = label;
    }
    Ok(objects)
}

/// Copies what [`accumulate`] found of `count` objects from the device. Their labels are 1 and up. An object without pixels has a
/// count of 0, and numbers that mean nothing.
///
/// # Errors
/// The device's own.
pub fn read(
    gpu: &Gpu,
    kind: Kind,
    count: usize,
    extents: &Buffer,
    sums: &Buffer,
) -> Result<Vec<Object>> {
    let extents = gpu.download::<u32>(extents, EXTENT_WORDS * count)?;
    let sums = gpu.download::<u32>(sums, SUM_WORDS * count)?;
    let words = extents
        .chunks_exact(EXTENT_WORDS)
        .zip(sums.chunks_exact(SUM_WORDS));
    Ok((1..)
        .zip(words)
        .map(|(label, (extent, sums))| Object::read(kind, label, extent, sums))
        .collect())
}
