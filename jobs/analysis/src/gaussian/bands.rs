//! Sharing the rows of a plane among threads, when that pays.

use rayon::prelude::*;

/// Planes with fewer pixels are done by one thread: waking the others costs more than it saves.
const MIN_SHARED_PIXELS: usize = 1 << 18;

/// Calls `work(band index, band)` on consecutive bands of `band_len` values, in parallel when the current pool has
/// several threads and the plane is large. Bands must not depend on each other, so the result is the same either way.
pub(crate) fn for_each_band<T: Send>(
    values: &mut [T],
    band_len: usize,
    work: impl Fn(usize, &mut [T]) + Send + Sync,
) {
    let band_len = band_len.max(1);
    if values.len() < MIN_SHARED_PIXELS || rayon::current_num_threads() == 1 {
        values
            .chunks_mut(band_len)
            .enumerate()
            .for_each(|(index, band)| work(index, band));
    } else {
        values
            .par_chunks_mut(band_len)
            .enumerate()
            .for_each(|(index, band)| work(index, band));
    }
}

/// Rows per band for a plane of `width`, if a band repeats the work of `halo` rows of its neighbours: few enough to
/// share evenly, many enough that the halo is a small part. One band when only one thread would do the work.
pub(crate) fn rows_per_band(height: usize, width: usize, halo: usize) -> usize {
    let threads = rayon::current_num_threads();
    if threads == 1 || height * width < MIN_SHARED_PIXELS {
        return height.max(1);
    }
    height
        .div_ceil(4 * threads)
        .max(8 * halo)
        .clamp(1, height.max(1))
}
