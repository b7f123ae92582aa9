//! What a network's graph says of itself: how far each output pixel looks, and on what grid.
//!
//! Every tensor is followed from the input: element `i` of a tensor with stride `s` sits at input pixel `i * s` and depends on input
//! pixels from `i * s - before` to `i * s + after`. Convolutions, pooling, transposed convolutions and resizing change these
//! numbers; operators on single pixels keep them; where paths join, the farthest counts.

mod geometry;

use std::collections::HashMap;

use rten_onnx::onnx::NodeProto;

use crate::onnx::{OnnxFile, attribute, floats, integers};
use geometry::{Window, spatial_reduction};

/// Dependence of one tensor on the input, the same along y and x (the farther of the two).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Field {
    /// Input pixels per element.
    pub stride: f64,
    /// Input pixels before.
    pub before: f64,
    /// Input pixels behind.
    pub after: f64,
    /// Depends on the whole image (a mean over it, for example).
    pub whole: bool,
}

impl Field {
    const START: Self = Self {
        stride: 1.0,
        before: 0.0,
        after: 0.0,
        whole: false,
    };

    fn join(self, other: Self) -> Self {
        Self {
            stride: self.stride.min(other.stride),
            before: self.before.max(other.before),
            after: self.after.max(other.after),
            // Tensors of different grids are combined only where one is spread over the other.
            whole: self.whole || other.whole || (self.stride - other.stride).abs() > 1e-9,
        }
    }
}

/// What is known of a network's geometry.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reach {
    /// Per output, in the file's order.
    pub outputs: Vec<Option<Field>>,
    /// Largest stride on the way: height and width must be a multiple of it.
    pub multiple: usize,
}

/// Follows the graph from `input` to the outputs. What cannot be followed is `None`.
pub(crate) fn of(file: &OnnxFile, input: &str, channels_last: bool) -> Reach {
    let constants = file.constants();
    let mut fields: HashMap<&str, Option<Field>> = HashMap::new();
    fields.insert(input, Some(Field::START));
    let mut largest = 1.0f64;
    for node in &file.graph.node {
        let kind = node.op_type.as_deref().unwrap_or_default();
        // Sizes and constants do not depend on pixels.
        let mut from = node
            .input
            .iter()
            .filter(|name| !name.is_empty())
            .filter_map(|name| fields.get(name.as_str()).copied());
        let first = from.next();
        let field = match (kind, first) {
            ("Shape" | "Size" | "Constant" | "ConstantOfShape", _) | (_, None) => continue,
            (_, Some(first)) => {
                let joined = from.fold(first, |all, next| Some(all?.join(next?)));
                joined.and_then(|joined| {
                    let look = Look {
                        constants: &|name| constants.get(name).copied().and_then(integers),
                        scales: &|name| constants.get(name).copied().and_then(floats),
                        weights: &|name| constants.get(name).map(|t| t.dims.clone()),
                        channels_last,
                    };
                    step(node, kind, joined, &look)
                })
            }
        };
        if let Some(field) = field {
            largest = largest.max(field.stride);
        }
        for output in node.output.iter().filter(|o| !o.is_empty()) {
            fields.insert(output, field);
        }
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let multiple = largest.round().clamp(1.0, 4096.0) as usize;
    Reach {
        outputs: file
            .graph
            .output
            .iter()
            .map(|o| {
                fields
                    .get(o.name.as_deref().unwrap_or_default())
                    .copied()
                    .flatten()
            })
            .collect(),
        multiple,
    }
}

/// What a step may look up.
struct Look<'l> {
    constants: &'l dyn Fn(&str) -> Option<Vec<i64>>,
    scales: &'l dyn Fn(&str) -> Option<Vec<f32>>,
    weights: &'l dyn Fn(&str) -> Option<Vec<i64>>,
    channels_last: bool,
}

fn step(node: &NodeProto, kind: &str, field: Field, look: &Look<'_>) -> Option<Field> {
    Some(match kind {
        "Conv" | "MaxPool" | "AveragePool" | "LpPool" | "ConvInteger" | "QLinearConv" => {
            Window::of(node, look.weights)?.forward(field)
        }
        "ConvTranspose" => Window::of(node, look.weights)?.backward(field),
        "Resize" | "Upsample" => {
            let factor = resize_factor(node, look, field)?;
            Field {
                stride: field.stride / factor,
                before: field.before + field.stride,
                after: field.after + field.stride,
                ..field
            }
        }
        "Pad" => {
            let pads = attribute(node, "pads")
                .map(|a| a.ints.clone())
                .or_else(|| (look.constants)(node.input.get(1)?))?;
            let most = pads.iter().copied().max().unwrap_or(0).max(0) as f64 * field.stride;
            Field {
                before: field.before + most,
                after: field.after + most,
                ..field
            }
        }
        "DepthToSpace" | "SpaceToDepth" => {
            let block = attribute(node, "blocksize")?.i? as f64;
            let factor = if kind == "DepthToSpace" {
                block
            } else {
                1.0 / block
            };
            Field {
                stride: field.stride / factor,
                before: field.before + field.stride,
                after: field.after + field.stride * block,
                ..field
            }
        }
        "GlobalAveragePool"
        | "GlobalMaxPool"
        | "GlobalLpPool"
        | "InstanceNormalization"
        | "GroupNormalization"
        | "LayerNormalization"
        | "MatMul"
        | "Gemm"
        | "Flatten"
        | "LpNormalization"
        | "MeanVarianceNormalization"
        | "CumSum"
        | "Attention" => Field {
            whole: true,
            ..field
        },
        _ if kind.starts_with("Reduce") => {
            let axes = attribute(node, "axes")
                .map(|a| a.ints.clone())
                .or_else(|| (look.constants)(node.input.get(1)?));
            Field {
                whole: field.whole || spatial_reduction(axes.as_deref(), look.channels_last),
                ..field
            }
        }
        // On single pixels, or on the order of axes.
        _ => field,
    })
}

/// By how much a `Resize` enlarges; sizes that are computed at run time are taken as a doubling, which is what U-Nets do.
fn resize_factor(node: &NodeProto, look: &Look<'_>, field: Field) -> Option<f64> {
    let scales = node
        .input
        .get(2)
        .or_else(|| node.input.get(1))
        .filter(|name| !name.is_empty())
        .and_then(|name| (look.scales)(name))
        .or_else(|| attribute(node, "scales").map(|a| a.floats.clone()))
        .filter(|scales| !scales.is_empty());
    match scales {
        Some(scales) => scales
            .iter()
            .map(|s| f64::from(*s))
            .filter(|s| s.is_finite() && *s > 0.0)
            .fold(None, |most: Option<f64>, s| {
                Some(most.map_or(s, |m| m.max(s)))
            }),
        None => (field.stride >= 2.0).then_some(2.0),
    }
}
