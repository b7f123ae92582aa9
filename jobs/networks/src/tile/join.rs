//! Joining tiles.

use ndarray::{Array2, Array3, ArrayView3, Axis, s};

use super::layout::{Span, Windows};
use crate::plan::Blend;

/// One output as it fills.
pub(super) struct Canvas {
    grid: [usize; 2],
    size: (usize, usize),
    blend: Blend,
    sum: Option<Array3<f32>>,
    weight: Array2<f32>,
}

impl Canvas {
    pub(super) fn new(grid: [usize; 2], windows: &Windows, blend: Blend) -> Self {
        let size = (windows.y.padded / grid[0], windows.x.padded / grid[1]);
        let single = windows.y.spans.len() * windows.x.spans.len() == 1;
        let blend = if single { Blend::Crop } else { blend };
        let weight = match blend {
            Blend::Crop => Array2::zeros((0, 0)),
            Blend::Feather => Array2::zeros(size),
        };
        Self {
            grid,
            size,
            blend,
            sum: None,
            weight,
        }
    }

    /// Adds a tile, (channel, y, x) of this output.
    pub(super) fn put(&mut self, tile: ArrayView3<'_, f32>, y: &Span, x: &Span) {
        let size = self.size;
        // The first tile tells how many channels there are.
        let sum = self
            .sum
            .get_or_insert_with(|| Array3::zeros((tile.dim().0, size.0, size.1)));
        let [gy, gx] = self.grid;
        match self.blend {
            Blend::Crop => {
                let rows = (y.keep_from / gy, y.keep_to / gy);
                let columns = (x.keep_from / gx, x.keep_to / gx);
                let from = tile.slice(s![
                    ..,
                    rows.0 - y.start / gy..rows.1 - y.start / gy,
                    columns.0 - x.start / gx..columns.1 - x.start / gx
                ]);
                sum.slice_mut(s![.., rows.0..rows.1, columns.0..columns.1])
                    .assign(&from);
            }
            Blend::Feather => {
                let (_, height, width) = tile.dim();
                let (top, left) = (y.start / gy, x.start / gx);
                let down = ramp(height, y.shared_before / gy, y.shared_after / gy);
                let across = ramp(width, x.shared_before / gx, x.shared_after / gx);
                let weight = Array2::from_shape_fn((height, width), |(i, j)| down[i] * across[j]);
                let place = s![top..top + height, left..left + width];
                let mut total = self.weight.slice_mut(place);
                total += &weight;
                for (mut plane, from) in sum.axis_iter_mut(Axis(0)).zip(tile.axis_iter(Axis(0))) {
                    ndarray::Zip::from(plane.slice_mut(place))
                        .and(from)
                        .and(&weight)
                        .for_each(|to, &v, &w| *to += v * w);
                }
            }
        }
    }

    /// The joined output, cropped to (height, width).
    pub(super) fn finish(self, height: usize, width: usize) -> Array3<f32> {
        let mut sum = self
            .sum
            .unwrap_or_else(|| Array3::zeros((0, self.size.0, self.size.1)));
        if self.blend == Blend::Feather {
            for mut plane in sum.axis_iter_mut(Axis(0)) {
                plane /= &self.weight;
            }
        }
        if self.size == (height, width) {
            return sum;
        }
        sum.slice(s![.., ..height, ..width]).to_owned()
    }
}

/// Weights that rise over what is shared with the tile before and fall over what is shared with the tile behind.
fn ramp(length: usize, before: usize, after: usize) -> Vec<f32> {
    let side = |distance: usize, shared: usize| {
        if distance < shared {
            (distance as f32 + 0.5) / shared as f32
        } else {
            1.0
        }
    };
    (0..length)
        .map(|i| side(i, before) * side(length - 1 - i, after))
        .collect()
}
