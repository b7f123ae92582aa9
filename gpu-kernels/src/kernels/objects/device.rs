//! The measurement of a plane that is on the device already.

use std::ops::Range;

use super::kind::Kind;
use crate::kernels::cut;
use crate::{Batch, Buffer, Gpu, Kernel, Result};

/// Words of an object's extent; see the kernel.
pub const EXTENT_WORDS: usize = 8;
/// Words of an object's sums; see the kernel.
pub const SUM_WORDS: usize = 21;
/// Words of a search for a rank; see the kernel.
pub(super) const SEARCH_WORDS: usize = 4;
/// Bins of a digit.
pub(super) const BINS: usize = 256;

/// Pixels of a row that a thread looks at, and threads of a group along each axis; the kernels have them too.
const RUN: usize = 8;
const SIDE: usize = 8;

const PLANE: &str = include_str!("plane.wgsl");
const STATE: &str = include_str!("state.wgsl");

const EXTENTS: Kernel = Kernel {
    name: "objects: extents",
    source: &[PLANE, include_str!("extents.wgsl")],
    entry: "main",
};
const SUMS: Kernel = Kernel {
    name: "objects: sums",
    source: &[
        PLANE,
        include_str!("wide.wgsl"),
        include_str!("fixed.wgsl"),
        include_str!("sums.wgsl"),
    ],
    entry: "main",
};
const HISTOGRAM: Kernel = Kernel {
    name: "objects: histogram",
    source: &[PLANE, STATE, include_str!("histogram.wgsl")],
    entry: "main",
};
const SELECT: Kernel = Kernel {
    name: "objects: select",
    source: &[STATE, include_str!("select.wgsl")],
    entry: "main",
};
const ABOVE: Kernel = Kernel {
    name: "objects: above",
    source: &[PLANE, STATE, include_str!("above.wgsl")],
    entry: "main",
};

/// A band of whole rows of a label image and of a plane on the device.
#[derive(Clone, Copy)]
pub struct Band<'a> {
    /// One word a pixel: the number of the object, from 1 without gaps, or 0 on the background. The labels of
    /// [`components`](crate::kernels::components) are such numbers.
    pub labels: &'a Buffer,
    /// The values in raster order; the last word is filled up.
    pub plane: &'a Buffer,
    /// What the values are.
    pub kind: Kind,
    /// Rows and columns of the band. Neither the plane's height nor its width may be more than 65,535.
    pub size: (usize, usize),
    /// The y of the first row.
    pub first_row: usize,
}

impl Band<'_> {
    /// Adds the pixels of this band to the extents of some objects (counted from 0): [`EXTENT_WORDS`] words each, cleared before.
    ///
    /// # Errors
    /// The device's own.
    pub fn extents(
        &self,
        batch: &mut Batch<'_>,
        objects: &Range<usize>,
        extents: &Buffer,
    ) -> Result<()> {
        self.run(batch, EXTENTS, objects, [0, 0], &[extents])
    }

    /// Adds the pixels of this band to the sums of some objects: [`SUM_WORDS`] words each, cleared before. The extents are those of
    /// all bands.
    ///
    /// # Errors
    /// The device's own.
    pub fn sums(
        &self,
        batch: &mut Batch<'_>,
        objects: &Range<usize>,
        extents: &Buffer,
        sums: &Buffer,
    ) -> Result<()> {
        self.run(batch, SUMS, objects, [0, 0], &[extents, sums])
    }

    /// Counts the digit at bit `shift`, in [`BINS`] bins an object, cleared before.
    pub(super) fn histogram(
        &self,
        batch: &mut Batch<'_>,
        objects: &Range<usize>,
        shift: u32,
        searches: &Buffer,
        histograms: &Buffer,
    ) -> Result<()> {
        let highest = u32::from(shift == self.kind.highest_digit());
        let digit = [shift, highest];
        self.run(batch, HISTOGRAM, objects, digit, &[searches, histograms])
    }

    /// Lowers the value that comes after the one that was found; one word an object, cleared before.
    pub(super) fn above(
        &self,
        batch: &mut Batch<'_>,
        objects: &Range<usize>,
        searches: &Buffer,
        above: &Buffer,
    ) -> Result<()> {
        self.run(batch, ABOVE, objects, [0, 0], &[searches, above])
    }

    fn run(
        &self,
        batch: &mut Batch<'_>,
        kernel: Kernel,
        objects: &Range<usize>,
        [shift, highest]: [u32; 2],
        others: &[&Buffer],
    ) -> Result<()> {
        let (rows, width) = self.size;
        let parameters = [
            width as u32,
            rows as u32,
            self.first_row as u32,
            objects.start as u32,
            objects.len() as u32,
            shift,
            highest,
            0,
        ];
        let mut buffers = vec![self.labels, self.plane];
        buffers.extend(others);
        let groups = [
            width.div_ceil(RUN * SIDE) as u32,
            rows.div_ceil(SIDE) as u32,
            1,
        ];
        let constants = [("value_bytes", self.kind.constant())];
        batch.dispatch(kernel, &constants, &parameters, &buffers, groups)
    }
}

/// Adds everything but quantiles of the objects 1 to `count` of a whole plane to the work. Returns their extents and their sums.
///
/// # Errors
/// The device's own.
pub fn accumulate(
    gpu: &Gpu,
    batch: &mut Batch<'_>,
    plane: &Band<'_>,
    count: usize,
) -> Result<(Buffer, Buffer)> {
    let extents = gpu.words(EXTENT_WORDS * count)?;
    let sums = gpu.words(SUM_WORDS * count)?;
    batch.clear(&extents);
    batch.clear(&sums);
    plane.extents(batch, &(0..count), &extents)?;
    plane.sums(batch, &(0..count), &extents, &sums)?;
    Ok((extents, sums))
}

/// Goes on with the digit that has the rank, in each search.
pub(super) fn select(
    batch: &mut Batch<'_>,
    count: usize,
    histograms: &Buffer,
    searches: &Buffer,
) -> Result<()> {
    let parameters = [count as u32, 0, 0, 0];
    let groups = cut::line(count);
    batch.dispatch(SELECT, &[], &parameters, &[histograms, searches], groups)
}
