//! The filters of one scale on one tile of a smoothed image.

use super::eigenvalues::{eigenvalues_2d, eigenvalues_3d, of_3x3};
use super::kernel::{FILTER_REACH, Kernel, Order, radius};
use super::pass::pass;
use super::region::{Block, Buffers, Region, View};
use super::selection::{Feature, Scale};

/// The kernels of a scale's filters.
pub(crate) struct Filters {
    /// At the scale's own sigma.
    own: [Kernel; 3],
    /// The narrower Gaussian of the difference of Gaussians.
    narrow: Kernel,
    /// The gradient inside the structure tensor.
    inner: [Kernel; 2],
    flat: bool,
}

impl Filters {
    pub(crate) fn new(scale: &Scale, flat: bool) -> Self {
        let kernels = scale.kernels();
        Self {
            own: kernels.own,
            narrow: kernels.narrow,
            inner: kernels.inner,
            flat: flat || scale.in_2d,
        }
    }

    /// Values that a feature needs around a tile, on each side.
    pub(crate) fn halo(scale: &Scale) -> usize {
        let (_, sigma) = scale.sigmas();
        let own = radius(sigma, FILTER_REACH);
        if scale
            .features
            .contains(&Feature::StructureTensorEigenvalues)
        {
            own + radius(0.5 * sigma, FILTER_REACH)
        } else {
            own
        }
    }
}

/// A tile of a smoothed image on which filters run. Partial results that several filters need are kept.
pub(crate) struct Tile<'a> {
    pub filters: &'a Filters,
    pub source: View<'a>,
    pub out: Region,
    pub extent: [usize; 3],
    pub buffers: &'a mut Buffers,
    /// Derivatives on `out`, by order along z, y and x.
    derived: Vec<(Orders, Block)>,
    /// The same, not yet filtered along y and z.
    along_x: [Option<Block>; 3],
    /// Not yet filtered along z.
    along_yx: Vec<([Order; 2], Block)>,
}

/// Orders of the derivative along (z, y, x).
type Orders = [Order; 3];

use Order::{First as D, Second as DD, Smooth as S};

impl<'a> Tile<'a> {
    pub(crate) fn new(
        filters: &'a Filters,
        source: View<'a>,
        out: Region,
        extent: [usize; 3],
        buffers: &'a mut Buffers,
    ) -> Self {
        Self {
            filters,
            source,
            out,
            extent,
            buffers,
            derived: Vec::new(),
            along_x: [const { None }; 3],
            along_yx: Vec::new(),
        }
    }

    /// Computes a feature into its columns, each of as many values as the tile.
    pub(crate) fn compute(&mut self, feature: Feature, columns: &mut [f32]) {
        let (length, flat) = (self.out.len(), self.filters.flat);
        match feature {
            Feature::GaussianSmoothing => {
                columns.copy_from_slice(self.derivative([S, S, S]));
            }
            Feature::LaplacianOfGaussian => {
                columns.copy_from_slice(self.derivative([S, S, DD]));
                let mut add = |orders| {
                    for (sum, value) in columns.iter_mut().zip(self.derivative(orders)) {
                        *sum += value;
                    }
                };
                add([S, DD, S]);
                if !flat {
                    add([DD, S, S]);
                }
            }
            Feature::GaussianGradientMagnitude => {
                columns.copy_from_slice(self.derivative([S, S, D]));
                columns.iter_mut().for_each(|v| *v *= *v);
                let mut add = |orders| {
                    for (sum, value) in columns.iter_mut().zip(self.derivative(orders)) {
                        *sum += value * value;
                    }
                };
                add([S, D, S]);
                if !flat {
                    add([D, S, S]);
                }
                columns.iter_mut().for_each(|v| *v = v.sqrt());
            }
            Feature::DifferenceOfGaussians => {
                columns.copy_from_slice(self.derivative([S, S, S]));
                let narrow = &self.filters.narrow;
                let smoothed = self.smooth(self.source, narrow);
                for (value, narrow) in columns.iter_mut().zip(&smoothed.values) {
                    *value -= narrow;
                }
                self.buffers.give(smoothed.values);
            }
            Feature::HessianOfGaussianEigenvalues if flat => {
                for orders in [[S, S, DD], [S, D, D], [S, DD, S]] {
                    self.derivative(orders);
                }
                let [xx, xy, yy] = [[S, S, DD], [S, D, D], [S, DD, S]].map(|o| self.known(o));
                eigenvalues_2d(xx, xy, yy, columns);
            }
            Feature::HessianOfGaussianEigenvalues => {
                let parts = [
                    [DD, S, S],
                    [D, D, S],
                    [D, S, D],
                    [S, DD, S],
                    [S, D, D],
                    [S, S, DD],
                ];
                for orders in parts {
                    self.derivative(orders);
                }
                self.eigenvalues_3d(parts.map(|o| self.known(o)), columns);
            }
            Feature::StructureTensorEigenvalues => {
                let parts = self.structure_tensor();
                let values: Vec<&[f32]> = parts.iter().map(|p| &p.values[..length]).collect();
                match values[..] {
                    [xx, xy, yy] => eigenvalues_2d(xx, xy, yy, columns),
                    [zz, yz, xz, yy, xy, xx] => {
                        self.eigenvalues_3d([zz, yz, xz, yy, xy, xx], columns);
                    }
                    _ => unreachable!("a tensor of three or six parts"),
                }
                for part in parts {
                    self.buffers.give(part.values);
                }
            }
        }
    }

    fn eigenvalues_3d(&self, parts: [&[f32]; 6], columns: &mut [f32]) {
        eigenvalues_3d(parts, columns);
        // What is left of the volume after whole vectors went through other functions there.
        let [_, height, width] = self.extent;
        let volume: usize = self.extent.iter().product();
        let length = self.out.len();
        for voxel in volume - volume % 8..volume {
            let at = [
                voxel / (height * width),
                voxel / width % height,
                voxel % width,
            ];
            if let Some(i) = self.out.index_of(at) {
                let values = of_3x3(parts.map(|p| p[i]), false);
                for (which, value) in values.into_iter().enumerate() {
                    columns[which * length + i] = value;
                }
            }
        }
    }

    /// The products of the gradient's parts, smoothed: xx, xy, yy, or zz, yz, xz, yy, xy, xx in a volume.
    fn structure_tensor(&mut self) -> Vec<Block> {
        let filters = self.filters;
        let [smooth, first] = &filters.inner;
        let region = self.grown(self.out, filters.own[0].radius());
        let axes: &[usize] = if filters.flat { &[1, 2] } else { &[0, 1, 2] };
        let gradient: Vec<Block> = axes
            .iter()
            .map(|&axis| {
                let kernels = std::array::from_fn(|a| if a == axis { first } else { smooth });
                self.filtered(self.source, kernels, region)
            })
            .collect();
        let pairs: &[(usize, usize)] = if filters.flat {
            &[(1, 1), (0, 1), (0, 0)]
        } else {
            &[(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
        };
        let tensor = pairs
            .iter()
            .map(|&(a, b)| {
                let mut values = self.buffers.take(region.len());
                for ((value, a), b) in values
                    .iter_mut()
                    .zip(&gradient[a].values)
                    .zip(&gradient[b].values)
                {
                    *value = a * b;
                }
                let product = Block { region, values };
                let smoothed = self.smooth(product.view(), &filters.own[0]);
                self.buffers.give(product.values);
                smoothed
            })
            .collect();
        for part in gradient {
            self.buffers.give(part.values);
        }
        tensor
    }

    fn smooth(&mut self, source: View<'_>, kernel: &Kernel) -> Block {
        self.filtered(source, [kernel; 3], self.out)
    }

    /// Filters along x, then y, then z (where the scale is in 3-D).
    fn filtered(&mut self, source: View<'_>, kernels: [&Kernel; 3], out: Region) -> Block {
        let [z, y, x] = kernels;
        let before_z = self.around(out, 0, z.radius());
        let before_y = before_z.grown(1, y.radius(), self.extent);
        let a = pass(source, 2, x, before_y, self.extent, self.buffers);
        let b = pass(a.view(), 1, y, before_z, self.extent, self.buffers);
        self.buffers.give(a.values);
        if self.filters.flat {
            return b;
        }
        let c = pass(b.view(), 0, z, out, self.extent, self.buffers);
        self.buffers.give(b.values);
        c
    }

    /// A region grown along an axis, z only where the filters reach along z.
    fn around(&self, region: Region, axis: usize, by: usize) -> Region {
        if axis == 0 && self.filters.flat {
            region
        } else {
            region.grown(axis, by, self.extent)
        }
    }

    fn grown(&self, region: Region, by: usize) -> Region {
        (0..3).fold(region, |r, axis| self.around(r, axis, by))
    }

    /// A derivative at the scale's sigma.
    fn derivative(&mut self, orders: Orders) -> &[f32] {
        if !self.derived.iter().any(|(o, _)| *o == orders) {
            let block = self.derive(orders);
            self.derived.push((orders, block));
        }
        self.known(orders)
    }

    /// A derivative that was computed before.
    fn known(&self, orders: Orders) -> &[f32] {
        let found = self.derived.iter().find(|(o, _)| *o == orders);
        found.map_or(&[], |(_, block)| &block.values)
    }

    fn derive(&mut self, [oz, oy, ox]: Orders) -> Block {
        let filters = self.filters;
        let kernel = |order: Order| &filters.own[order as usize];
        let reach = filters.own[0].radius();
        let before_z = self.around(self.out, 0, reach);
        let before_y = before_z.grown(1, reach, self.extent);
        let line = match self.along_x[ox as usize].take() {
            Some(line) => line,
            None => pass(
                self.source,
                2,
                kernel(ox),
                before_y,
                self.extent,
                self.buffers,
            ),
        };
        if filters.flat {
            let block = pass(
                line.view(),
                1,
                kernel(oy),
                self.out,
                self.extent,
                self.buffers,
            );
            self.along_x[ox as usize] = Some(line);
            return block;
        }
        let known = self.along_yx.iter().position(|(o, _)| *o == [oy, ox]);
        let at = known.unwrap_or_else(|| {
            let plane = pass(
                line.view(),
                1,
                kernel(oy),
                before_z,
                self.extent,
                self.buffers,
            );
            self.along_yx.push(([oy, ox], plane));
            self.along_yx.len() - 1
        });
        self.along_x[ox as usize] = Some(line);
        pass(
            self.along_yx[at].1.view(),
            0,
            kernel(oz),
            self.out,
            self.extent,
            self.buffers,
        )
    }

    /// Gives the buffers back.
    pub(crate) fn finish(self) {
        let Self {
            derived,
            along_x,
            along_yx,
            buffers,
            ..
        } = self;
        let blocks = derived.into_iter().map(|(_, b)| b);
        let blocks = blocks.chain(along_x.into_iter().flatten());
        for block in blocks.chain(along_yx.into_iter().map(|(_, b)| b)) {
            buffers.give(block.values);
        }
    }
}
