//! The features of ilastik's pixel classification, bit for bit.
//!
//! Reproduces ilastik's `OpPixelFeaturesPresmoothed` with *fastfilters*: at each scale the image is smoothed (kernels of 3.5 sigma),
//! then six filters run on the smoothed image (kernels of 2 sigma), all in single precision. On x86-64 with AVX2 and FMA, for which
//! *fastfilters* is built, every value is the same bit for bit; elsewhere products are not fused with additions and values differ by some
//! units in the last place (three-dimensional eigenvalues, which cancel, by up to 2e-4 of the range).
//!
//! Volumes have axes (z, y, x), an image one z-slice. The work goes through tiles; which, does not change any value.

// A view is a pointer and a few numbers: ndarray passes it by value.
#![allow(clippy::needless_pass_by_value)]

mod eigenvalues;
mod filters;
mod kernel;
mod pass;
mod region;
mod scale_kernels;
mod selection;

pub use kernel::Kernel;
pub use region::Region;
pub use scale_kernels::ScaleKernels;
pub use selection::{Column, Feature, Scale, Selection};

use ndarray::{Array4, ArrayView4, s};
use rayon::prelude::*;

use crate::Result;
use filters::{Filters, Tile};
use kernel::{Order, PRESMOOTH_REACH};
use pass::parallel_pass;
use region::{Block, Buffers, View};

/// How an image is cut up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    /// Values of all smoothed images that are held at a time.
    smoothed: usize,
    /// Size of a tile (z, y, x).
    tile: [usize; 3],
}

impl Cut {
    /// 128 MiB of smoothed images; tiles that stay in the second-level cache with some 50 features, and larger ones in a volume,
    /// whose filters need more around them.
    pub(crate) const fn usual(flat: bool) -> Self {
        Self {
            smoothed: 32 << 20,
            tile: if flat { [1, 32, 128] } else { [16, 16, 64] },
        }
    }
}

/// Computes all features of an image.
///
/// `image` has axes (channel, z, y, x), the result (column, z, y, x), columns as [`Selection::columns`] says.
///
/// # Errors
/// [`crate::Error::TooSmall`] for an image that the kernels do not fit into.
pub fn features(image: ArrayView4<'_, f32>, selection: &Selection) -> Result<Array4<f32>> {
    let flat = image.dim().1 == 1;
    features_cut(image, selection, Cut::usual(flat))
}

fn features_cut(
    image: ArrayView4<'_, f32>,
    selection: &Selection,
    cut: Cut,
) -> Result<Array4<f32>> {
    let (channels, z, y, x) = image.dim();
    let width = selection.width(channels, z == 1);
    let mut out = Array4::zeros((width, z, y, x));
    for_each_tile(
        image,
        selection,
        cut,
        |columns, _| columns.to_vec(),
        |region, columns| place(&mut out, region, &columns),
    )?;
    Ok(out)
}

/// Writes the values of a tile, one plane after the other, into arrays with axes (plane, z, y, x).
pub(crate) fn place(out: &mut Array4<f32>, region: Region, values: &[f32]) {
    let [z, y, x] = region.size;
    let planes = values.len() / region.len().max(1);
    let Ok(values) = ArrayView4::from_shape((planes, z, y, x), values) else {
        unreachable!("a tile has as many values as it says");
    };
    let range = |axis: usize| region.start[axis]..region.end(axis);
    out.slice_mut(s![.., range(0), range(1), range(2)])
        .assign(&values);
}

/// Runs `evaluate` on the features of every tile in parallel, on the current rayon pool, and hands the answers to `take` one
/// after the other. `evaluate` gets the columns, each of as many values as the tile, and that number.
pub(crate) fn for_each_tile<R: Send>(
    image: ArrayView4<'_, f32>,
    selection: &Selection,
    cut: Cut,
    evaluate: impl Fn(&[f32], usize) -> R + Sync,
    mut take: impl FnMut(Region, R),
) -> Result<()> {
    let (channels, z, y, x) = image.dim();
    let extent = [z, y, x];
    selection.check_extent(extent)?;
    let flat = z == 1;
    let image = image.as_standard_layout();
    let Some(values) = image.as_slice() else {
        unreachable!("the standard layout is contiguous");
    };
    let whole = Region::whole(extent);
    let planes: Vec<View<'_>> = values
        .chunks_exact(whole.len())
        .map(|values| View {
            region: whole,
            values,
        })
        .collect();
    let scales: Vec<Option<Filters>> = selection
        .scales()
        .iter()
        .map(|scale| (!scale.features.is_empty()).then(|| Filters::new(scale, flat)))
        .collect();
    let columns = selection.columns(channels, flat);
    let width = selection.width(channels, flat);
    let used = scales.iter().flatten().count() * channels;
    for region in regions(extent, cut.smoothed / used.max(1)) {
        let smoothed: Vec<Vec<Block>> = selection
            .scales()
            .iter()
            .map(|scale| {
                let planes = planes.iter().filter(|_| !scale.features.is_empty());
                planes
                    .map(|&plane| presmooth(plane, scale, flat, region, extent))
                    .collect()
            })
            .collect();
        let tiles = region.tiles(cut.tile);
        let answers: Vec<R> = tiles
            .par_iter()
            .map_init(
                || (Buffers::default(), Vec::new()),
                |(buffers, values), &tile| {
                    values.resize(width * tile.len(), 0.0);
                    for (scale, filters) in scales.iter().enumerate() {
                        let Some(filters) = filters else { continue };
                        for (channel, block) in smoothed[scale].iter().enumerate() {
                            let mut work = Tile::new(filters, block.view(), tile, extent, buffers);
                            for column in columns
                                .iter()
                                .filter(|c| c.scale == scale && c.channel == channel)
                            {
                                let from = column.first * tile.len();
                                let to = from + column.count * tile.len();
                                work.compute(column.feature, &mut values[from..to]);
                            }
                            work.finish();
                        }
                    }
                    evaluate(values, tile.len())
                },
            )
            .collect();
        for (tile, answer) in tiles.into_iter().zip(answers) {
            take(tile, answer);
        }
    }
    Ok(())
}

/// The first smoothing of a scale, on a region and what its filters need around it.
fn presmooth(
    plane: View<'_>,
    scale: &Scale,
    flat: bool,
    region: Region,
    extent: [usize; 3],
) -> Block {
    let flat = flat || scale.in_2d;
    let (sigma, _) = scale.sigmas();
    let kernel = Kernel::new(sigma, Order::Smooth, PRESMOOTH_REACH);
    let grow = |region: Region, axis: usize, by: usize| {
        if axis == 0 && flat {
            region
        } else {
            region.grown(axis, by, extent)
        }
    };
    let halo = Filters::halo(scale);
    let out = (0..3).fold(region, |r, axis| grow(r, axis, halo));
    let before_z = grow(out, 0, kernel.radius());
    let before_y = grow(before_z, 1, kernel.radius());
    let along_x = parallel_pass(plane, 2, &kernel, before_y, extent);
    let along_y = parallel_pass(along_x.view(), 1, &kernel, before_z, extent);
    drop(along_x);
    if flat {
        return along_y;
    }
    parallel_pass(along_y.view(), 0, &kernel, out, extent)
}

/// Cuts a volume into parts of at most `most` voxels, by halving the longest axis.
fn regions(extent: [usize; 3], most: usize) -> Vec<Region> {
    let mut size = extent;
    while size.iter().product::<usize>() > most.max(64) {
        let longest = (0..3).max_by_key(|&axis| size[axis]).unwrap_or(0);
        size[longest] = size[longest].div_ceil(2);
    }
    Region::whole(extent).tiles(size)
}

#[cfg(test)]
mod tests;
