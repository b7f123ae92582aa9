//! The filters of a scale in 3-D, one channel at a time.

use analysis::pixel_features::{Column, Feature, Region};
use bytemuck::{Pod, Zeroable};

use super::bank::{Scale, Taps};
use super::pass::{Block, Passes, word};
use crate::error::Result;
use crate::gpu::{Buffer, Kernel};

macro_rules! combine {
    ($name:ident, $entry:literal) => {
        const $name: Kernel = Kernel {
            name: concat!("features ", $entry),
            source: &[
                include_str!("../eigenvalues.wgsl"),
                include_str!("combine.wgsl"),
            ],
            entry: $entry,
        };
    };
}

combine!(LAPLACIAN, "laplacian");
combine!(MAGNITUDE, "magnitude");
combine!(DIFFERENCE, "difference");
combine!(PRODUCT, "product");
combine!(EIGENVALUES, "eigenvalues");

/// Values of a group, and groups along one axis.
const THREADS: usize = 256;
const ACROSS: usize = 32_768;

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Work {
    size: [u32; 4],
}

/// Orders of the derivative along (z, y, x).
type Orders = [usize; 3];

/// The second derivatives, as the eigenvalues are asked for: zz, yz, xz, yy, xy, xx.
const SECOND: [Orders; 6] = [
    [2, 0, 0],
    [1, 1, 0],
    [1, 0, 1],
    [0, 2, 0],
    [0, 1, 1],
    [0, 0, 2],
];

/// Derivatives that were computed, with what they came from.
#[derive(Default)]
struct Known {
    along_x: Vec<(usize, Block)>,
    along_yx: Vec<([usize; 2], Block)>,
    derived: Vec<(Orders, Block)>,
}

impl Passes<'_, '_> {
    /// Writes the features of a scale and a channel into their columns.
    pub fn volume(
        &mut self,
        smoothed: &Block,
        scale: &Scale,
        wanted: &[Column],
        region: Region,
        columns: &Buffer,
    ) -> Result<()> {
        let length = region.len();
        for column in wanted {
            if column.feature == Feature::StructureTensorEigenvalues {
                let tensor = self.structure_tensor(smoothed, scale, region)?;
                let parts: Vec<Buffer> = tensor.iter().map(|b| b.buffer.clone()).collect();
                let to = (columns, column.first * length, length);
                self.combine(EIGENVALUES, &parts, to, length)?;
                tensor.into_iter().for_each(|block| self.give(block));
            }
        }
        let mut known = Known::default();
        for column in wanted {
            let first = column.first * length;
            let to = (columns, first, length);
            let mut parts = |passes: &mut Self, orders: &[Orders]| -> Result<Vec<Buffer>> {
                let found = orders.iter();
                found
                    .map(|&o| passes.derivative(&mut known, smoothed, scale, region, o))
                    .collect()
            };
            match column.feature {
                Feature::GaussianSmoothing => {
                    let found = parts(self, &[[0; 3]])?;
                    let bytes = 4 * length as u64;
                    self.batch
                        .copy((&found[0], 0), (columns, 4 * first as u64), bytes);
                }
                Feature::LaplacianOfGaussian => {
                    let found = parts(self, &[[0, 0, 2], [0, 2, 0], [2, 0, 0]])?;
                    self.combine(LAPLACIAN, &found, to, length)?;
                }
                Feature::GaussianGradientMagnitude => {
                    let found = parts(self, &[[0, 0, 1], [0, 1, 0], [1, 0, 0]])?;
                    self.combine(MAGNITUDE, &found, to, length)?;
                }
                Feature::DifferenceOfGaussians => {
                    let mut found = parts(self, &[[0; 3]])?;
                    let narrow = self.filtered(smoothed, [scale.narrow; 3], region)?;
                    found.push(narrow.buffer.clone());
                    self.combine(DIFFERENCE, &found, to, length)?;
                    self.give(narrow);
                }
                Feature::HessianOfGaussianEigenvalues => {
                    let found = parts(self, &SECOND)?;
                    self.combine(EIGENVALUES, &found, to, length)?;
                }
                // Above, before the derivatives take their blocks.
                Feature::StructureTensorEigenvalues => {}
            }
        }
        for (_, block) in known.derived {
            self.give(block);
        }
        for (_, block) in known.along_yx {
            self.give(block);
        }
        for (_, block) in known.along_x {
            self.give(block);
        }
        Ok(())
    }

    /// The products of the gradient's parts, smoothed: zz, yz, xz, yy, xy, xx.
    fn structure_tensor(
        &mut self,
        source: &Block,
        scale: &Scale,
        region: Region,
    ) -> Result<Vec<Block>> {
        let around = self.grown(region, scale.own[0].radius);
        let [smooth, first] = scale.inner;
        let mut gradient = Vec::new();
        for axis in 0..3 {
            let kernels = std::array::from_fn(|a| if a == axis { first } else { smooth });
            gradient.push(self.filtered(source, kernels, around)?);
        }
        let mut tensor = Vec::new();
        for (a, b) in [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)] {
            let product = self.block(around, 1)?;
            let parts = [gradient[a].buffer.clone(), gradient[b].buffer.clone()];
            let length = around.len();
            self.combine(PRODUCT, &parts, (&product.buffer, 0, length), length)?;
            tensor.push(self.filtered(&product, [scale.own[0]; 3], region)?);
            self.give(product);
        }
        gradient.into_iter().for_each(|block| self.give(block));
        Ok(tensor)
    }

    /// Filters along x, then y, then z.
    fn filtered(&mut self, source: &Block, kernels: [Taps; 3], out: Region) -> Result<Block> {
        let [z, y, x] = kernels;
        let before_z = out.grown(0, z.radius, self.extent);
        let before_y = before_z.grown(1, y.radius, self.extent);
        let a = self.pass(source, 2, x, before_y)?;
        let b = self.pass(&a, 1, y, before_z)?;
        self.give(a);
        let c = self.pass(&b, 0, z, out)?;
        self.give(b);
        Ok(c)
    }

    fn grown(&self, region: Region, by: usize) -> Region {
        (0..3).fold(region, |r, axis| r.grown(axis, by, self.extent))
    }

    /// A derivative at the scale's sigma.
    fn derivative(
        &mut self,
        known: &mut Known,
        source: &Block,
        scale: &Scale,
        region: Region,
        orders: Orders,
    ) -> Result<Buffer> {
        if let Some((_, block)) = known.derived.iter().find(|(o, _)| *o == orders) {
            return Ok(block.buffer.clone());
        }
        let [oz, oy, ox] = orders;
        let reach = scale.own[0].radius;
        let before_z = region.grown(0, reach, self.extent);
        let before_y = before_z.grown(1, reach, self.extent);
        let line = match known.along_x.iter().find(|(o, _)| *o == ox) {
            Some((_, block)) => block.clone(),
            None => {
                let block = self.pass(source, 2, scale.own[ox], before_y)?;
                known.along_x.push((ox, block.clone()));
                block
            }
        };
        let plane = match known.along_yx.iter().find(|(o, _)| *o == [oy, ox]) {
            Some((_, block)) => block.clone(),
            None => {
                let block = self.pass(&line, 1, scale.own[oy], before_z)?;
                known.along_yx.push(([oy, ox], block.clone()));
                block
            }
        };
        let block = self.pass(&plane, 0, scale.own[oz], region)?;
        let buffer = block.buffer.clone();
        known.derived.push((orders, block));
        Ok(buffer)
    }

    /// Runs a kernel point by point; `to` is a buffer, the first value in it and how far its columns lie apart.
    fn combine(
        &mut self,
        kernel: Kernel,
        parts: &[Buffer],
        to: (&Buffer, usize, usize),
        length: usize,
    ) -> Result<()> {
        let groups = length.div_ceil(THREADS);
        let across = groups.clamp(1, ACROSS);
        let work = Work {
            size: [word(length)?, word(across)?, word(to.1)?, word(to.2)?],
        };
        let buffers: Vec<&Buffer> = std::iter::once(to.0).chain(parts).collect();
        let groups = [word(across)?, word(groups.div_ceil(across))?, 1];
        self.batch.dispatch(kernel, &[], &work, &buffers, groups)
    }
}
