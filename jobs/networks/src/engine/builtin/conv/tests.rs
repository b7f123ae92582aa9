//! Against the definition, summed in float64.

use proptest::prelude::*;
use rten_onnx::onnx::{AttributeProto, NodeProto};

use super::Conv;

fn ints(name: &str, values: &[usize]) -> AttributeProto {
    AttributeProto {
        name: Some(name.to_owned()),
        ints: values.iter().map(|v| *v as i64).collect(),
        ..AttributeProto::default()
    }
}

fn numbers(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    (0..count)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1u32 << 23) as f32 - 1.0
        })
        .collect()
}

struct Case {
    inputs: usize,
    outputs: usize,
    kernel: [usize; 2],
    dilation: [usize; 2],
    pads: [usize; 4],
    size: [usize; 2],
}

fn node(attributes: Vec<AttributeProto>) -> NodeProto {
    NodeProto {
        op_type: Some("Conv".to_owned()),
        input: ["x", "w", "b"].map(str::to_owned).to_vec(),
        output: vec!["y".to_owned()],
        attribute: attributes,
        ..NodeProto::default()
    }
}

/// The largest difference to the definition, for two images.
fn off(case: &Case, attributes: Vec<AttributeProto>, relu: bool) -> f64 {
    let [kh, kw] = case.kernel;
    let weights = numbers(case.outputs * case.inputs * kh * kw, 3);
    let bias = numbers(case.outputs, 4);
    let shape = [case.outputs, case.inputs, kh, kw]
        .map(|v| v as i64)
        .to_vec();
    let mut conv = Conv::of(&node(attributes), |name| {
        Some(if name == "w" {
            (shape.clone(), weights.clone())
        } else {
            (vec![case.outputs as i64], bias.clone())
        })
    })
    .unwrap();
    conv.relu = relu;
    let [h, w] = case.size;
    let input = numbers(2 * case.inputs * h * w, 5);
    let out_shape = conv.output_shape(&[2, case.inputs, h, w]).unwrap();
    let mut out = vec![f32::NAN; out_shape.iter().product()];
    // Left over from another call.
    let mut scratch = vec![9.0; 12_345];
    conv.run(&input, [2, case.inputs, h, w], &mut out, &mut scratch);
    let [_, _, rows, columns] = out_shape;
    let mut worst = 0.0f64;
    for (i, found) in out.iter().enumerate() {
        let (x, y) = (i % columns, i / columns % rows);
        let (o, b) = (
            i / columns / rows % case.outputs,
            i / columns / rows / case.outputs,
        );
        let mut sum = f64::from(bias[o]);
        for c in 0..case.inputs {
            for ky in 0..kh {
                for kx in 0..kw {
                    let from = (y + ky * case.dilation[0])
                        .checked_sub(case.pads[0])
                        .filter(|v| *v < h);
                    let column = (x + kx * case.dilation[1])
                        .checked_sub(case.pads[1])
                        .filter(|v| *v < w);
                    if let (Some(y), Some(x)) = (from, column) {
                        let value = input[((b * case.inputs + c) * h + y) * w + x];
                        let weight = weights[((o * case.inputs + c) * kh + ky) * kw + kx];
                        sum += f64::from(value) * f64::from(weight);
                    }
                }
            }
        }
        let expected = if relu { sum.max(0.0) } else { sum };
        worst = worst.max((expected - f64::from(*found)).abs());
    }
    worst
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn convolutions_are_what_they_are_defined_as(
        inputs in 1usize..6, outputs in 1usize..20, kh in 1usize..6, kw in 2usize..6,
        dy in 1usize..3, dx in 1usize..3, pads in prop::array::uniform4(0usize..4),
        h in 10usize..24, w in 10usize..75, relu: bool,
    ) {
        let case = Case { inputs, outputs, kernel: [kh, kw], dilation: [dy, dx], pads, size: [h, w] };
        let attributes = vec![ints("pads", &pads), ints("dilations", &[dy, dx]), ints("kernel_shape", &[kh, kw])];
        prop_assert!(off(&case, attributes, relu) < 2e-5);
    }
}

#[test]
fn automatic_pads_keep_the_size() {
    for (auto, pads) in [("SAME_UPPER", [1, 0, 1, 1]), ("SAME_LOWER", [1, 1, 1, 0])] {
        let case = Case {
            inputs: 3,
            outputs: 9,
            kernel: [3, 2],
            dilation: [1, 1],
            pads,
            size: [12, 40],
        };
        let attribute = AttributeProto {
            name: Some("auto_pad".to_owned()),
            s: Some(auto.to_owned()),
            ..AttributeProto::default()
        };
        assert!(off(&case, vec![attribute], false) < 2e-5, "{auto}");
    }
}

#[test]
fn other_convolutions_are_left_to_rten() {
    let tensor = |shape: [i64; 4]| {
        move |name: &str| {
            let count = if name == "w" {
                shape.iter().product()
            } else {
                shape[0]
            };
            let shape = if name == "w" {
                shape.to_vec()
            } else {
                vec![shape[0]]
            };
            Some((shape, vec![0.0; count as usize]))
        }
    };
    let group = AttributeProto {
        name: Some("group".to_owned()),
        i: Some(2),
        ..AttributeProto::default()
    };
    assert!(Conv::of(&node(vec![]), tensor([4, 2, 3, 3])).is_some());
    assert!(Conv::of(&node(vec![group]), tensor([4, 2, 3, 3])).is_none());
    assert!(Conv::of(&node(vec![ints("strides", &[2, 2])]), tensor([4, 2, 3, 3])).is_none());
    assert!(Conv::of(&node(vec![]), tensor([4, 2, 1, 1])).is_none());
    let conv = Conv::of(&node(vec![]), tensor([4, 2, 3, 3])).unwrap();
    assert!(conv.output_shape(&[1, 3, 9, 9]).is_err());
    assert!(conv.output_shape(&[1, 2, 2, 9]).is_err());
}
