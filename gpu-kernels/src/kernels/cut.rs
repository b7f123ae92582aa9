//! How work is cut: a plane into bands that fit the device, values into groups of threads; and how kernels are told.

use std::ops::Range;

use crate::error::{Error, Result};
use crate::gpu::Gpu;

/// Most groups along x of a run over values that have no axes.
const GROUPS_X: u64 = 1 << 15;

/// What the work on a plane takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Needs {
    /// Rows above and below that a row of the result depends on.
    pub halo: usize,
    /// Pixels of a row in the widest buffer.
    pub width: usize,
    /// Bytes of a row in the largest buffer.
    pub largest: u64,
    /// Bytes of a row in all buffers together.
    pub all: u64,
}

/// Rows that are worked on together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Band {
    /// The rows of the result.
    pub out: Range<usize>,
    /// The rows that they depend on.
    pub source: Range<usize>,
}

impl Band {
    /// Rows of the band above the first one of the result.
    pub const fn above(&self) -> usize {
        self.out.start - self.source.start
    }
}

/// The bands of a plane, one if it fits as a whole.
pub(crate) fn bands(gpu: &Gpu, height: usize, needs: Needs) -> Result<Vec<Band>> {
    // The budget is shared with whatever else runs, and buffers are up to an eighth larger than asked for.
    let by_memory = gpu.memory() / 2 / needs.all.max(1);
    let by_binding = gpu.largest_binding() / needs.largest.max(1);
    // Kernels count pixels in 32 bits, some of them with a sign.
    let by_index = i32::MAX as u64 / needs.width.max(1) as u64;
    let fitting = by_memory.min(by_binding).min(by_index);
    let fitting = usize::try_from(fitting).unwrap_or(usize::MAX);
    split(height, needs.halo, fitting).ok_or_else(|| Error::OutOfMemory {
        wanted: needs.all.saturating_mul(2 * needs.halo as u64 + 1),
        reason: format!(
            "a band of a plane takes {} rows, {fitting} fit",
            2 * needs.halo + 1
        ),
    })
}

/// As even as can be: `None` if not one row with its halo fits.
fn split(height: usize, halo: usize, fitting: usize) -> Option<Vec<Band>> {
    let most = if height <= fitting {
        height
    } else {
        fitting.checked_sub(2 * halo).filter(|&rows| rows > 0)?
    };
    let count = height.div_ceil(most.max(1)).max(1);
    let rows = height.div_ceil(count);
    let starts = (0..count).map(|index| index * rows);
    let bands = starts.filter(|&start| start < height).map(|start| {
        let out = start..height.min(start + rows);
        let source = out.start.saturating_sub(halo)..height.min(out.end + halo);
        Band { out, source }
    });
    Some(bands.collect())
}

/// Groups along x and y for so many threads that a kernel numbers row by row of groups.
pub(crate) fn groups(threads: usize, each: usize) -> [u32; 3] {
    let groups = threads.div_ceil(each) as u64;
    let x = groups.min(GROUPS_X);
    // More than 2^31 groups are refused when they are run.
    let narrow = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    [narrow(x), narrow(groups.div_ceil(x.max(1))), 1]
}

/// Threads of a group of a kernel that runs over a list.
pub(crate) const LINE: u32 = 256;

/// Groups of [`LINE`] threads for so many threads in a list.
pub(crate) fn line(threads: usize) -> [u32; 3] {
    groups(threads, LINE as usize)
}

/// How many pixels a piece may have, at 4 bytes a pixel in the largest of its buffers and `bytes` in all of them together.
pub(crate) fn pixels(gpu: &Gpu, bytes: u64) -> usize {
    // Buffers are up to an eighth longer than what is asked for.
    let memory = gpu.memory() / (bytes + bytes.div_ceil(8));
    usize::try_from((gpu.largest_binding() / 4).min(memory)).unwrap_or(usize::MAX)
}

/// A size as a kernel takes it.
pub(crate) fn size(n: usize) -> Result<u32> {
    u32::try_from(n).map_err(|_| Error::Unsupported("more than 2^32 pixels"))
}

/// A constant of a kernel that is on or off.
pub(crate) fn switch(name: &'static str, on: bool) -> (&'static str, f64) {
    (name, f64::from(u8::from(on)))
}

#[cfg(test)]
mod tests {
    use super::{groups, split};

    #[test]
    fn bands_cover_the_plane_and_fit() {
        for (height, halo, fitting) in [(10, 0, 3), (100, 7, 20), (100, 7, 15), (5, 9, 5)] {
            let bands = split(height, halo, fitting).expect("it fits");
            let mut next = 0;
            for band in &bands {
                assert_eq!(band.out.start, next);
                next = band.out.end;
                assert!(band.source.len() <= fitting, "{band:?}");
                assert_eq!(band.source.start, band.out.start.saturating_sub(halo));
                assert_eq!(band.source.end, height.min(band.out.end + halo));
            }
            assert_eq!(next, height);
        }
        assert_eq!(split(100, 7, 14), None);
        assert_eq!(split(7, 3, 7).map(|bands| bands.len()), Some(1));
    }

    #[test]
    fn many_threads_take_two_axes() {
        assert_eq!(groups(0, 256), [0, 0, 1]);
        assert_eq!(groups(257, 256), [2, 1, 1]);
        let [x, y, _] = groups(1 << 30, 256);
        assert!(x <= 65_535 && y <= 65_535 && u64::from(x) * u64::from(y) * 256 >= 1 << 30);
    }
}
