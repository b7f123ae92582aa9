//! Quantiles: a radix select over order-preserving integers, of all objects at a time.

use std::ops::Range;

use super::bands::Bands;
use super::device::{BINS, SEARCH_WORDS, select};
use super::kind::Kind;
use super::statistics::Object;
use crate::{Batch, Buffer, Gpu, Result};

/// Quantiles of some objects, `range` (counted from 0), of which `objects` is known: a column for each of `quantiles`, as
/// `numpy.quantile` gives it, interpolated linearly.
pub(super) fn columns<'g>(
    gpu: &'g Gpu,
    bands: &Bands<'g, '_>,
    kind: Kind,
    range: &Range<usize>,
    objects: &[Object],
    quantiles: &[f64],
) -> Result<Vec<Vec<f64>>> {
    if quantiles.is_empty() {
        return Ok(Vec::new());
    }
    let histograms = gpu.words(BINS * objects.len())?;
    let mut batch = gpu.batch();
    let mut searches = Vec::with_capacity(quantiles.len());
    for &q in quantiles {
        let start: Vec<Search> = objects
            .iter()
            .map(|object| [0, place(object, q).floor() as u32, 0, 0])
            .collect();
        let found = gpu.upload(&start)?;
        let above = search(gpu, &mut batch, bands, kind, range, &histograms, &found)?;
        searches.push((found, above));
    }
    batch.submit()?;
    quantiles
        .iter()
        .zip(searches)
        .map(|(&q, (found, above))| {
            let found = gpu.download::<Search>(&found, objects.len())?;
            let above = gpu.download::<u32>(&above, objects.len())?;
            let found = objects.iter().zip(&found).zip(above);
            Ok(found
                .map(|((object, found), above)| interpolated(kind, object, q, found, above))
                .collect())
        })
        .collect()
}

/// A search; see the kernel.
type Search = [u32; SEARCH_WORDS];

/// Between which ranks a quantile lies.
fn place(object: &Object, q: f64) -> f64 {
    q.clamp(0.0, 1.0) * f64::from(object.count - 1)
}

fn interpolated(kind: Kind, object: &Object, q: f64, found: &Search, above: u32) -> f64 {
    if object.has_nan() {
        return f64::NAN;
    }
    let [key, rank, ties, _] = *found;
    let low = kind.value(key);
    let fraction = place(object, q).fract();
    // The next rank, if it is wanted, has the same value or the next one.
    let next = rank + u32::from(fraction > 0.0);
    let high = if next < ties { low } else { kind.value(!above) };
    low + (high - low) * fraction
}

/// Adds a search of all objects to the work. Returns what gets the complement of the key that comes after the one that was found.
fn search<'g>(
    gpu: &Gpu,
    batch: &mut Batch<'g>,
    bands: &Bands<'g, '_>,
    kind: Kind,
    objects: &Range<usize>,
    histograms: &Buffer,
    searches: &Buffer,
) -> Result<Buffer> {
    for shift in (0..=kind.highest_digit()).rev().step_by(8) {
        batch.clear(histograms);
        bands.each(batch, |band, batch| {
            band.histogram(batch, objects, shift, searches, histograms)
        })?;
        select(batch, objects.len(), histograms, searches)?;
    }
    let above = gpu.words(objects.len())?;
    batch.clear(&above);
    bands.each(batch, |band, batch| {
        band.above(batch, objects, searches, &above)
    })?;
    Ok(above)
}
