//! The transform of a mask that is on the device already.

use crate::kernels::mask::{self, Mask};
use crate::{Batch, Buffer, Error, Gpu, Kernel, Result};

/// Beyond this side the square of the longest distance does not fit into 32 bits.
const MAX_SIDE: usize = 46_340;
/// Rows of a piece of a column, which one thread sweeps.
const PIECE: usize = 32;
/// Pixels from one anchor to the next; the kernels have it too.
const STEP: usize = 32;

const ENDS: Kernel = Kernel {
    name: "distance: ends",
    source: &[mask::SOURCE, include_str!("ends.wgsl")],
    entry: "main",
};
const CARRY: Kernel = Kernel {
    name: "distance: carry",
    source: &[include_str!("carry.wgsl")],
    entry: "main",
};
const COLUMNS: Kernel = Kernel {
    name: "distance: columns",
    source: &[mask::SOURCE, include_str!("columns.wgsl")],
    entry: "main",
};
const ANCHORS: Kernel = Kernel {
    name: "distance: anchors",
    source: &[include_str!("nearest.wgsl"), include_str!("anchors.wgsl")],
    entry: "main",
};
const ROWS: Kernel = Kernel {
    name: "distance: rows",
    source: &[include_str!("nearest.wgsl"), include_str!("rows.wgsl")],
    entry: "main",
};

/// Adds the squared distances of a whole mask of `size` (y, x) pixels to the work: [`analysis::distance::edt_squared`].
///
/// `squares` gets one word a pixel. Memory beside that: 4 bytes a pixel.
///
/// # Errors
/// [`Error::Unsupported`] for a side of more than 46,340 pixels, and the device's own.
pub fn squared(
    gpu: &Gpu,
    batch: &mut Batch<'_>,
    mask: Mask<'_>,
    size: (usize, usize),
    squares: &Buffer,
) -> Result<()> {
    let columns = gpu.words(size.0 * size.1)?;
    let background = gpu.words(1)?;
    batch.clear(&background);
    self::columns(gpu, batch, mask, size, &columns, &background)?;
    rows(gpu, batch, &columns, &background, 0, size, squares)
}

/// Adds the first half, for whole columns: the distance to the nearest background pixel of the column, one word a pixel, all ones
/// where the column has none. A word of `background` becomes 1 if any column has some; it is not cleared.
///
/// # Errors
/// As [`squared`].
pub fn columns(
    gpu: &Gpu,
    batch: &mut Batch<'_>,
    mask: Mask<'_>,
    (height, width): (usize, usize),
    columns: &Buffer,
    background: &Buffer,
) -> Result<()> {
    check((height, width))?;
    let pieces = height.div_ceil(PIECE);
    let ends = gpu.words(2 * pieces * width)?;
    let parameters = [width as u32, height as u32, pieces as u32, PIECE as u32];
    let across = width.div_ceil(64) as u32;
    let groups = [across, pieces as u32, 1];
    let constants = mask.constants();
    let pixels = mask.buffer();
    batch.dispatch(ENDS, &constants, &parameters, &[pixels, &ends], groups)?;
    batch.dispatch(
        CARRY,
        &[],
        &parameters,
        &[&ends, background],
        [across, 1, 1],
    )?;
    batch.dispatch(
        COLUMNS,
        &constants,
        &parameters,
        &[pixels, &ends, columns],
        groups,
    )
}

/// Adds the second half, for a band of whole rows, `size` (y, x), that begins at row `first` of the plane.
///
/// A pixel looks at no more columns than its distance, and at 33 on average beside those that every 32nd pixel of the row looks at.
///
/// # Errors
/// As [`squared`].
pub fn rows(
    gpu: &Gpu,
    batch: &mut Batch<'_>,
    columns: &Buffer,
    background: &Buffer,
    first: usize,
    (height, width): (usize, usize),
    squares: &Buffer,
) -> Result<()> {
    check((first + height, width))?;
    if height == 0 || width == 0 {
        return Ok(());
    }
    let count = (width - 1).div_ceil(STEP) + 1;
    let anchors = gpu.words(height * count)?;
    let parameters = [width as u32, height as u32, first as u32, count as u32];
    batch.dispatch(
        ANCHORS,
        &[],
        &parameters,
        &[columns, background, &anchors],
        [count.div_ceil(8) as u32, height.div_ceil(8) as u32, 1],
    )?;
    batch.dispatch(
        ROWS,
        &[],
        &parameters,
        &[columns, background, &anchors, squares],
        [width.div_ceil(32) as u32, height.div_ceil(4) as u32, 1],
    )
}

/// Whether squares of distances fit into 32 bits.
pub(super) fn check((height, width): (usize, usize)) -> Result<()> {
    if height.max(width) > MAX_SIDE {
        return Err(Error::Unsupported(
            "distances in a mask with a side of more than 46,340 pixels",
        ));
    }
    Ok(())
}
