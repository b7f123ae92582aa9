//! Windows of convolutions and pooling.

use rten_onnx::onnx::NodeProto;

use super::Field;
use crate::onnx::attribute;

/// The window of a convolution or pooling, the larger of its two axes.
pub(super) struct Window {
    /// Elements that it spans, with dilation.
    span: f64,
    stride: f64,
    /// Elements that it begins before its position.
    before: f64,
}

impl Window {
    pub(super) fn of(node: &NodeProto, weights: &dyn Fn(&str) -> Option<Vec<i64>>) -> Option<Self> {
        let ints = |name| attribute(node, name).map(|a| a.ints.clone());
        let kernel = ints("kernel_shape")
            .or_else(|| Some(weights(node.input.get(1)?)?.get(2..)?.to_vec()))?;
        let most = |values: Option<Vec<i64>>, default: i64| {
            values.and_then(|v| v.into_iter().max()).unwrap_or(default)
        };
        let kernel = most(Some(kernel), 1);
        let stride = most(ints("strides"), 1);
        let span = (kernel - 1)
            .checked_mul(most(ints("dilations"), 1))?
            .checked_add(1)?;
        let auto = attribute(node, "auto_pad").and_then(|a| a.s.clone());
        let same = (span - stride).max(0);
        let before = match auto.as_deref() {
            Some("SAME_UPPER") => same / 2,
            Some("SAME_LOWER") => same - same / 2,
            Some("VALID") => 0,
            _ => {
                let pads = ints("pads").unwrap_or_default();
                pads.iter().take(pads.len() / 2).copied().max().unwrap_or(0)
            }
        };
        if !(1..=1 << 16).contains(&span) || !(1..=1 << 12).contains(&stride) {
            return None;
        }
        Some(Self {
            span: span as f64,
            stride: stride as f64,
            before: before as f64,
        })
    }

    /// Element j reads elements `j * stride - before` to `… + span - 1`.
    pub(super) fn forward(&self, field: Field) -> Field {
        Field {
            stride: field.stride * self.stride,
            before: field.before + self.before * field.stride,
            after: field.after + (self.span - 1.0 - self.before) * field.stride,
            ..field
        }
    }

    /// Element j of a transposed convolution reads elements `(j + before - span + 1) / stride` to `(j + before) / stride`.
    pub(super) fn backward(&self, field: Field) -> Field {
        let stride = field.stride / self.stride;
        Field {
            stride,
            before: field.before + (self.span - 1.0 - self.before) * stride,
            after: field.after + self.before * stride,
            ..field
        }
    }
}

/// Whether a reduction runs over y and x. Axes that are not known are taken for all.
pub(super) fn spatial_reduction(axes: Option<&[i64]>, channels_last: bool) -> bool {
    let Some(axes) = axes.filter(|a| !a.is_empty()) else {
        return true;
    };
    let channel: &[i64] = if channels_last { &[3, -1] } else { &[1, -3] };
    // The first axis counts images.
    !axes.iter().all(|axis| *axis == 0 || channel.contains(axis))
}
