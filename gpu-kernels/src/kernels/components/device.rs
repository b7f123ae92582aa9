//! The labelling of a plane that is on the device already.

use analysis::components::Connectivity;

use crate::kernels::mask::{self, Mask};
use crate::kernels::{cut, prefix_sum};
use crate::{Batch, Buffer, Gpu, Kernel, Result};

const FOREST: &str = include_str!("forest.wgsl");
const RUNS: &str = include_str!("runs.wgsl");
const MERGE: &str = include_str!("merge.wgsl");
const FOREGROUND: &str = include_str!("foreground.wgsl");
const VALUES: &str = include_str!("values.wgsl");

const MASK_RUNS: Kernel = Kernel {
    name: "components: runs of a mask",
    source: &[mask::SOURCE, FOREGROUND, FOREST, RUNS],
    entry: "main",
};
const MASK_MERGE: Kernel = Kernel {
    name: "components: merge of a mask",
    source: &[mask::SOURCE, FOREGROUND, FOREST, MERGE],
    entry: "main",
};
const VALUE_RUNS: Kernel = Kernel {
    name: "components: runs of labels",
    source: &[VALUES, FOREST, RUNS],
    entry: "main",
};
const VALUE_MERGE: Kernel = Kernel {
    name: "components: merge of labels",
    source: &[VALUES, FOREST, MERGE],
    entry: "main",
};
const COMPRESS: Kernel = Kernel {
    name: "components: compress",
    source: &[include_str!("compress.wgsl")],
    entry: "main",
};
const NUMBER: Kernel = Kernel {
    name: "components: number",
    source: &[include_str!("number.wgsl")],
    entry: "main",
};

/// Adds the labelling of a mask of `size` (y, x) pixels to the work: [`analysis::components::label`].
///
/// `labels` gets one word a pixel. Returns a buffer of one word, which gets the number of components. Memory beside `labels`: 4
/// bytes a pixel.
///
/// # Errors
/// The device's own.
pub fn mask(
    gpu: &Gpu,
    batch: &mut Batch<'_>,
    mask: Mask<'_>,
    size: (usize, usize),
    connectivity: Connectivity,
    labels: &Buffer,
) -> Result<Buffer> {
    let kernels = [MASK_RUNS, MASK_MERGE];
    let constants = mask.constants();
    let pixels = mask.buffer();
    forest(
        gpu,
        batch,
        kernels,
        &constants,
        pixels,
        size,
        connectivity,
        labels,
    )
}

/// As [`mask()`], of the regions of equal, non-zero words: [`analysis::components::label_regions`].
///
/// # Errors
/// As [`mask()`].
pub fn regions(
    gpu: &Gpu,
    batch: &mut Batch<'_>,
    values: &Buffer,
    size: (usize, usize),
    connectivity: Connectivity,
    labels: &Buffer,
) -> Result<Buffer> {
    let kernels = [VALUE_RUNS, VALUE_MERGE];
    forest(gpu, batch, kernels, &[], values, size, connectivity, labels)
}

/// A forest over the pixels, in whose place the numbers of its trees come.
#[allow(clippy::too_many_arguments)]
fn forest(
    gpu: &Gpu,
    batch: &mut Batch<'_>,
    [runs, merge]: [Kernel; 2],
    constants: &[(&'static str, f64)],
    pixels: &Buffer,
    (height, width): (usize, usize),
    connectivity: Connectivity,
    labels: &Buffer,
) -> Result<Buffer> {
    let count = height * width;
    let corners = u32::from(connectivity == Connectivity::Corners);
    let parameters = [width as u32, count as u32, corners, 0];
    let groups = cut::line(count);
    batch.dispatch(runs, constants, &parameters, &[pixels, labels], groups)?;
    batch.dispatch(merge, constants, &parameters, &[pixels, labels], groups)?;
    let roots = gpu.words(count)?;
    let parameters = [count as u32, 0, 0, 0];
    batch.dispatch(COMPRESS, &[], &parameters, &[labels, &roots], groups)?;
    let total = prefix_sum::exclusive(gpu, batch, &roots, count)?;
    batch.dispatch(NUMBER, &[], &parameters, &[labels, &roots], groups)?;
    Ok(total)
}
