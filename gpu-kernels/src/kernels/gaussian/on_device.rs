//! Filters of what is on the device already: each adds its work to a batch and gives the buffer that will hold the result.

use analysis::gaussian::Mode;
use bytemuck::{Pod, Zeroable};

use super::filter::Axis;
use super::{Filter, Rows};
use crate::error::Result;
use crate::gpu::{Batch, Buffer, Gpu, Kernel};
use crate::kernels::cut;

const ALONG_Y: Kernel = Kernel {
    name: "gaussian.along_y",
    source: &[
        include_str!("border.wgsl"),
        include_str!("parameters.wgsl"),
        include_str!("along_y.wgsl"),
    ],
    entry: "main",
};

const ALONG_X: Kernel = Kernel {
    name: "gaussian.along_x",
    source: &[
        include_str!("border.wgsl"),
        include_str!("parameters.wgsl"),
        include_str!("along_x.wgsl"),
    ],
    entry: "main",
};

/// Rows and columns that a group does.
const TILE_ALONG_Y: (usize, usize) = (32, 64);
const TILE_ALONG_X: (usize, usize) = (4, 256);

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Parameters {
    height: u32,
    width: u32,
    source_row: u32,
    out_row: u32,
    out_rows: u32,
    radius: u32,
    total: f32,
    unused: u32,
}

/// Filters the rows that are wanted: `source` has one `f32` a pixel, and so has the result.
///
/// # Errors
/// As [`Gpu::scratch`] and [`Batch::dispatch`].
pub fn filter(
    gpu: &Gpu,
    batch: &mut Batch<'_>,
    filter: &Filter,
    source: &Buffer,
    rows: &Rows,
) -> Result<Buffer> {
    let count = rows.out.len() * rows.plane.1;
    let [along_y, along_x] = &filter.axes;
    let mode = [(
        "MODE",
        match filter.mode {
            Mode::Nearest => 0.0,
            Mode::Reflect => 1.0,
            Mode::Mirror => 2.0,
        },
    )];
    let half = gpu.words(count)?;
    batch.dispatch(
        ALONG_Y,
        &mode,
        &parameters(rows, along_y)?,
        &[source, &along_y.weights, &half],
        groups(rows, TILE_ALONG_Y)?,
    )?;
    if along_x.idle {
        return Ok(half);
    }
    let out = gpu.words(count)?;
    batch.dispatch(
        ALONG_X,
        &mode,
        &parameters(rows, along_x)?,
        &[&half, &along_x.weights, &out],
        groups(rows, TILE_ALONG_X)?,
    )?;
    Ok(out)
}

fn groups(rows: &Rows, (tile_rows, tile_columns): (usize, usize)) -> Result<[u32; 3]> {
    Ok([
        cut::size(rows.plane.1.div_ceil(tile_columns))?,
        cut::size(rows.out.len().div_ceil(tile_rows))?,
        1,
    ])
}

fn parameters(rows: &Rows, axis: &Axis) -> Result<Parameters> {
    Ok(Parameters {
        height: cut::size(rows.plane.0)?,
        width: cut::size(rows.plane.1)?,
        source_row: cut::size(rows.source.start)?,
        out_row: cut::size(rows.out.start)?,
        out_rows: cut::size(rows.out.len())?,
        radius: cut::size(axis.radius)?,
        total: axis.total,
        unused: 0,
    })
}
