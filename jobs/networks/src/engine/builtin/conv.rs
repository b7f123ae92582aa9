//! Convolutions of our own.
//!
//! rten unrolls an image into a matrix before it multiplies; with the few dozen channels of networks for microscopy that costs as much as the
//! multiplication. Here the input is read where it lies: a block of output channels and a stretch of a row are kept in registers
//! while all inputs are added to it. Sums run in another order than rten's, so results differ by float32's rounding.

mod kernel;
#[cfg(test)]
mod tests;

use rayon::prelude::*;
use rten_onnx::onnx::NodeProto;

use crate::onnx::{attribute, floats};
use kernel::{Band, LANES};
use rten_simd::SimdOp;

/// Output rows that one task computes: enough to share its weights, few enough to share out.
const BAND: usize = 8;

/// A two-dimensional convolution with stride 1 and constant weights.
pub(super) struct Conv {
    /// [blocks of output channels][input channel][kernel row][kernel column][lane].
    weights: Vec<f32>,
    bias: Vec<f32>,
    inputs: usize,
    outputs: usize,
    kernel: [usize; 2],
    dilation: [usize; 2],
    /// Top, left, bottom, right.
    pads: [usize; 4],
    /// Whether negative results become 0.
    pub relu: bool,
}

impl Conv {
    /// The convolution of a node, if it is of this kind.
    pub(super) fn of(
        node: &NodeProto,
        tensor: impl Fn(&str) -> Option<(Vec<i64>, Vec<f32>)>,
    ) -> Option<Self> {
        if node.op_type.as_deref() != Some("Conv") || node.output.len() != 1 {
            return None;
        }
        let ints = |name: &str| attribute(node, name).map(|a| a.ints.clone());
        let group = attribute(node, "group").and_then(|a| a.i).unwrap_or(1);
        if group != 1 || ints("strides").is_some_and(|s| s.iter().any(|v| *v != 1)) {
            return None;
        }
        let (shape, values) = tensor(node.input.get(1)?)?;
        let size: Vec<usize> = shape
            .iter()
            .map(|s| usize::try_from(*s).ok())
            .collect::<Option<_>>()?;
        let [outputs, inputs, rows, columns] = <[usize; 4]>::try_from(size).ok()?;
        // A kernel of one pixel needs no unrolling: rten is good at it.
        if rows * columns < 2 || rows.max(columns) > 15 || inputs == 0 || outputs == 0 {
            return None;
        }
        let bias = match node.input.get(2).filter(|n| !n.is_empty()) {
            Some(name) => tensor(name)?.1,
            None => vec![0.0; outputs],
        };
        if bias.len() != outputs || values.len() != outputs * inputs * rows * columns {
            return None;
        }
        let pair = |name, default| -> Option<[usize; 2]> {
            match ints(name) {
                None => Some([default; 2]),
                Some(v) => match v.as_slice() {
                    [a, b] => Some([usize::try_from(*a).ok()?, usize::try_from(*b).ok()?]),
                    _ => None,
                },
            }
        };
        let kernel = [rows, columns];
        let dilation = pair("dilations", 1)?;
        let reach = [dilation[0] * (rows - 1), dilation[1] * (columns - 1)];
        let auto = attribute(node, "auto_pad").and_then(|a| a.s.clone());
        let pads = match auto.as_deref() {
            None | Some("NOTSET" | "") => match ints("pads") {
                None => [0; 4],
                Some(p) => {
                    let p: Vec<usize> = p
                        .iter()
                        .map(|v| usize::try_from(*v).ok())
                        .collect::<Option<_>>()?;
                    <[usize; 4]>::try_from(p).ok()?
                }
            },
            Some("VALID") => [0; 4],
            Some("SAME_UPPER") => [
                reach[0] / 2,
                reach[1] / 2,
                reach[0].div_ceil(2),
                reach[1].div_ceil(2),
            ],
            Some("SAME_LOWER") => [
                reach[0].div_ceil(2),
                reach[1].div_ceil(2),
                reach[0] / 2,
                reach[1] / 2,
            ],
            Some(_) => return None,
        };
        let taps = rows * columns;
        let blocks = outputs.div_ceil(LANES);
        let mut weights = vec![0.0; blocks * inputs * taps * LANES];
        for (o, filter) in values.chunks_exact(inputs * taps).enumerate() {
            let block = (o / LANES) * inputs * taps * LANES;
            for (i, v) in filter.iter().enumerate() {
                weights[block + i * LANES + o % LANES] = *v;
            }
        }
        Some(Self {
            weights,
            bias,
            inputs,
            outputs,
            kernel,
            dilation,
            pads,
            relu: false,
        })
    }

    /// Shape of the output for an input of this shape.
    pub(super) fn output_shape(&self, input: &[usize]) -> Result<[usize; 4], String> {
        let [batch, channels, height, width] = <[usize; 4]>::try_from(input)
            .map_err(|_| format!("a convolution got the shape {input:?}"))?;
        if channels != self.inputs {
            return Err(format!(
                "a convolution of {} channels got {channels}",
                self.inputs
            ));
        }
        let size = |length: usize, axis: usize| {
            let padded = length + self.pads[axis] + self.pads[axis + 2];
            padded
                .checked_sub(self.dilation[axis] * (self.kernel[axis] - 1))
                .filter(|n| *n > 0)
        };
        match (size(height, 0), size(width, 1)) {
            (Some(h), Some(w)) => Ok([batch, self.outputs, h, w]),
            _ => Err(format!("a convolution got only {height} x {width} pixels")),
        }
    }

    /// Convolves (batch, channel, y, x) into `out`, which has as many values as [`Self::output_shape`] says. Uses the rayon pool
    /// in which it is called. `scratch` is kept for the next call.
    pub(super) fn run(
        &self,
        input: &[f32],
        shape: [usize; 4],
        out: &mut [f32],
        scratch: &mut Vec<f32>,
    ) {
        let [_, channels, height, width] = shape;
        let Ok([_, _, rows, columns]) = self.output_shape(&shape) else {
            return;
        };
        let images = input.chunks_exact(channels * height * width);
        for (image, out) in images.zip(out.chunks_exact_mut(self.outputs * rows * columns)) {
            let padded = self.pad(image, (height, width), columns, scratch);
            self.run_padded(scratch, padded, (rows, columns), out);
        }
    }

    /// Surrounds the image by zeros; rows are longer by what a whole block reads past the last column. Gives (rows, length of
    /// a row).
    fn pad(
        &self,
        image: &[f32],
        (height, width): (usize, usize),
        columns: usize,
        scratch: &mut Vec<f32>,
    ) -> (usize, usize) {
        let [top, left, bottom, _] = self.pads;
        let stride = columns.next_multiple_of(kernel::MOST_COLUMNS)
            + self.dilation[1] * (self.kernel[1] - 1);
        let tall = height + top + bottom;
        scratch.resize(self.inputs * tall * stride, 0.0);
        scratch
            .par_chunks_exact_mut(tall * stride)
            .zip(image.par_chunks_exact(height * width))
            .for_each(|(to, from)| {
                to[..top * stride].fill(0.0);
                to[(top + height) * stride..].fill(0.0);
                let rows = to[top * stride..(top + height) * stride].chunks_exact_mut(stride);
                for (to, from) in rows.zip(from.chunks_exact(width)) {
                    to[..left].fill(0.0);
                    to[left..left + width].copy_from_slice(from);
                    to[left + width..].fill(0.0);
                }
            });
        (tall, stride)
    }

    fn run_padded(
        &self,
        padded: &[f32],
        (tall, stride): (usize, usize),
        (rows, columns): (usize, usize),
        out: &mut [f32],
    ) {
        let taps = self.inputs * self.kernel[0] * self.kernel[1] * LANES;
        // One task: a band of rows of one block of output channels.
        let mut tasks: Vec<(usize, usize, Vec<&mut [f32]>)> = Vec::new();
        for (block, planes) in out.chunks_mut(LANES * rows * columns).enumerate() {
            let mut bands: Vec<Vec<&mut [f32]>> = (0..rows.div_ceil(BAND))
                .map(|_| Vec::with_capacity(LANES))
                .collect();
            for plane in planes.chunks_exact_mut(rows * columns) {
                for (band, part) in bands.iter_mut().zip(plane.chunks_mut(BAND * columns)) {
                    band.push(part);
                }
            }
            tasks.extend(
                bands
                    .into_iter()
                    .enumerate()
                    .map(|(i, parts)| (block, i * BAND, parts)),
            );
        }
        // Bands before blocks: neighbours in time read the same input.
        tasks.sort_by_key(|(block, first, _)| (*first, *block));
        tasks.into_par_iter().for_each(|(block, first, parts)| {
            let mut bias = [0.0; LANES];
            for (to, from) in bias.iter_mut().zip(&self.bias[block * LANES..]) {
                *to = *from;
            }
            Band {
                input: padded,
                plane: tall * stride,
                stride,
                kernel: self.kernel,
                dilation: self.dilation,
                weights: &self.weights[block * taps..(block + 1) * taps],
                bias,
                relu: self.relu,
                first,
                columns,
                parts,
            }
            .dispatch();
        });
    }
}

/// A constant float32 tensor with its shape.
pub(super) fn constant(tensor: &rten_onnx::onnx::TensorProto) -> Option<(Vec<i64>, Vec<f32>)> {
    Some((tensor.dims.clone(), floats(tensor)?))
}
