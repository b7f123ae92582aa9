//! Prefix sums on the device.

use super::cut;
use crate::{Batch, Buffer, Gpu, Kernel, Result};

/// Values that one group sums up.
const BLOCK: usize = 1024;

const SUM: Kernel = Kernel {
    name: "prefix sum: block",
    source: &[include_str!("prefix_sum/block.wgsl")],
    entry: "main",
};
const ADD: Kernel = Kernel {
    name: "prefix sum: add",
    source: &[include_str!("prefix_sum/add.wgsl")],
    entry: "main",
};

/// Adds to the work: each of the first `count` words of `values` becomes the sum of those before it, modulo 2^32.
///
/// Returns a buffer of one word, which gets the sum of all. Groups do not wait for each other: blocks are summed, then the sums of
/// the blocks in the same way, then the blocks are raised.
///
/// # Errors
/// The device's own.
pub fn exclusive(
    gpu: &Gpu,
    batch: &mut Batch<'_>,
    values: &Buffer,
    count: usize,
) -> Result<Buffer> {
    let blocks = count.div_ceil(BLOCK).max(1);
    let sums = gpu.words(blocks)?;
    let parameters = [count as u32, blocks as u32, 0, 0];
    let groups = cut::line(blocks * cut::LINE as usize);
    batch.dispatch(SUM, &[], &parameters, &[values, &sums], groups)?;
    if blocks == 1 {
        return Ok(sums);
    }
    let total = exclusive(gpu, batch, &sums, blocks)?;
    batch.dispatch(ADD, &[], &parameters, &[values, &sums], cut::line(count))?;
    Ok(total)
}
