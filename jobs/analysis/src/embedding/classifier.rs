//! A multilayer perceptron, evaluated on many pixels at once.

use multiversion::multiversion;
use ndarray::Array2;

use crate::{Error, Result};

/// A fully connected layer: `weight` is (output, input).
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// (output, input).
    pub weight: Array2<f32>,
    /// One number an output.
    pub bias: Vec<f32>,
}

/// Fully connected layers with ReLU in between; the last gives one number, whose sigmoid is a probability.
#[derive(Clone, Debug, PartialEq)]
pub struct Classifier {
    layers: Vec<Layer>,
}

/// Layers wider than this are no pixel classifier: it runs for each pixel around each seed.
const WIDEST: usize = 1024;

impl Classifier {
    /// A classifier of these layers.
    ///
    /// # Errors
    /// [`Error::Parameter`] when there is none, one does not fit the one before it, the first has fewer than two inputs, the
    /// last not one output, or a layer is wider than 1,024.
    pub fn new(layers: Vec<Layer>) -> Result<Self> {
        let fails = |value: String, expected: &'static str| {
            Err(Error::Parameter {
                name: "classifier",
                value,
                expected,
            })
        };
        let Some(first) = layers.first() else {
            return fails("without layers".to_owned(), "at least one layer");
        };
        if first.weight.ncols() < 2 {
            let inputs = format!("of {} inputs", first.weight.ncols());
            return fails(inputs, "of at least the two displacements");
        }
        let mut width = first.weight.ncols();
        for (number, layer) in layers.iter().enumerate() {
            let (outputs, inputs) = layer.weight.dim();
            if inputs != width || layer.bias.len() != outputs || inputs.max(outputs) > WIDEST {
                let value = format!(
                    "layer {} with weights for {inputs} inputs and {outputs} outputs, and {} biases",
                    number + 1,
                    layer.bias.len()
                );
                return fails(
                    value,
                    "as many inputs as the layer before has outputs, one bias an output, at most 1,024 of each",
                );
            }
            width = outputs;
        }
        if width != 1 {
            return fails(format!("of {width} outputs"), "of one output");
        }
        Ok(Self { layers })
    }

    /// Number of features of a pixel, the two displacements included.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.layers[0].weight.ncols()
    }

    /// The sum before the sigmoid, for `n` pixels. `values` holds feature after feature, `n` numbers each, and is used up;
    /// the result is its first `n` numbers.
    pub(super) fn logits(&self, n: usize, values: &mut Vec<f32>, scratch: &mut Vec<f32>) {
        for (number, layer) in self.layers.iter().enumerate() {
            let last = number + 1 == self.layers.len();
            scratch.clear();
            for (output, &bias) in layer.bias.iter().enumerate() {
                let start = scratch.len();
                scratch.resize(start + n, bias);
                let sums = &mut scratch[start..];
                for (input, &weight) in layer.weight.row(output).iter().enumerate() {
                    add_scaled(sums, &values[input * n..(input + 1) * n], weight);
                }
                if !last {
                    relu(sums);
                }
            }
            std::mem::swap(values, scratch);
        }
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl", "x86_64+avx2"))]
fn add_scaled(sums: &mut [f32], values: &[f32], weight: f32) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += weight * value;
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl", "x86_64+avx2"))]
fn relu(sums: &mut [f32]) {
    for sum in sums {
        // NaN stays: a pixel without a probability is in no object.
        if *sum < 0.0 {
            *sum = 0.0;
        }
    }
}
