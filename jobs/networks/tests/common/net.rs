//! Small networks, written as ONNX files by the tests themselves.
#![allow(
    dead_code,
    missing_docs,
    clippy::unwrap_used,
    clippy::must_use_candidate
)]

use std::cell::RefCell;
use std::path::Path;

use rten_onnx::onnx::{
    AttributeProto, AttributeType, DataType, Dimension, GraphProto, ModelProto, NodeProto,
    OperatorSetIdProto, TensorProto, TensorShapeProto, TypeProto, TypeProtoTensor, ValueInfoProto,
};

/// A network as it grows. Values are named by what makes them.
pub struct Net {
    pub graph: GraphProto,
    pub opsets: Vec<(String, i64)>,
    count: usize,
    random: u32,
}

pub fn ints(name: &str, values: &[i64]) -> AttributeProto {
    AttributeProto {
        name: Some(name.to_owned()),
        ints: values.to_vec(),
        r#type: Some(AttributeType::INTS),
        ..AttributeProto::default()
    }
}

pub fn text(name: &str, value: &str) -> AttributeProto {
    AttributeProto {
        name: Some(name.to_owned()),
        s: Some(value.to_owned()),
        r#type: Some(AttributeType::STRING),
        ..AttributeProto::default()
    }
}

pub fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto {
        name: Some(name.to_owned()),
        i: Some(value),
        r#type: Some(AttributeType::INT),
        ..AttributeProto::default()
    }
}

/// An input or output; sizes of 0 are left open.
pub fn value(name: &str, element: DataType, sizes: &[i64]) -> ValueInfoProto {
    let dim = sizes
        .iter()
        .enumerate()
        .map(|(i, &size)| Dimension {
            dim_value: (size > 0).then_some(size),
            dim_param: (size <= 0).then(|| format!("d{i}")),
        })
        .collect();
    ValueInfoProto {
        name: Some(name.to_owned()),
        r#type: Some(TypeProto {
            tensor_type: Some(TypeProtoTensor {
                elem_type: Some(element),
                shape: Some(TensorShapeProto { dim }),
            }),
            ..TypeProto::default()
        }),
    }
}

impl Net {
    /// A network with the input `input` of these sizes; 0 leaves one open.
    pub fn new(sizes: &[i64]) -> Self {
        let mut graph = GraphProto::default();
        graph.input.push(value("input", DataType::FLOAT, sizes));
        Self {
            graph,
            opsets: vec![(String::new(), 17)],
            count: 0,
            random: 1,
        }
    }

    /// Numbers between -1 and 1, always the same.
    pub fn random(&mut self, count: usize) -> Vec<f32> {
        (0..count)
            .map(|_| {
                self.random = self
                    .random
                    .wrapping_mul(1_664_525)
                    .wrapping_add(1_013_904_223);
                (self.random >> 8) as f32 / (1u32 << 23) as f32 - 1.0
            })
            .collect()
    }

    pub fn floats(&mut self, shape: &[i64], values: &[f32]) -> String {
        self.tensor(
            shape,
            DataType::FLOAT,
            values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        )
    }

    pub fn integers(&mut self, values: &[i64]) -> String {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.tensor(&[values.len() as i64], DataType::INT64, bytes)
    }

    pub fn tensor(&mut self, shape: &[i64], element: DataType, bytes: Vec<u8>) -> String {
        self.count += 1;
        let name = format!("constant{}", self.count);
        self.graph.initializer.push(TensorProto {
            dims: shape.to_vec(),
            data_type: Some(element),
            raw_data: Some(RefCell::new(bytes)),
            name: Some(name.clone()),
            ..TensorProto::default()
        });
        name
    }

    pub fn node(
        &mut self,
        operator: &str,
        inputs: &[&str],
        attributes: Vec<AttributeProto>,
    ) -> String {
        self.count += 1;
        let name = format!("{}{}", operator.to_lowercase(), self.count);
        self.graph.node.push(NodeProto {
            name: Some(name.clone()),
            op_type: Some(operator.to_owned()),
            input: inputs.iter().map(|&i| i.to_owned()).collect(),
            output: vec![name.clone()],
            attribute: attributes,
            ..NodeProto::default()
        });
        name
    }

    /// A convolution that keeps the size, with random weights and bias, and a ReLU.
    pub fn conv(&mut self, from: &str, channels: (usize, usize), kernel: usize) -> String {
        let count = channels.1 * channels.0 * kernel * kernel;
        let scale = 1.0 / ((channels.0 * kernel * kernel) as f32).sqrt();
        let weights: Vec<f32> = self.random(count).iter().map(|v| v * 2.0 * scale).collect();
        let bias = self.random(channels.1);
        let (i, o, k) = (channels.0 as i64, channels.1 as i64, kernel as i64);
        let weights = self.floats(&[o, i, k, k], &weights);
        let bias = self.floats(&[o], &bias);
        let pads = ints("pads", &[k / 2; 4]);
        let conv = self.node(
            "Conv",
            &[from, &weights, &bias],
            vec![pads, ints("kernel_shape", &[k, k])],
        );
        self.node("Relu", &[&conv], vec![])
    }

    pub fn pool(&mut self, from: &str) -> String {
        self.node(
            "MaxPool",
            &[from],
            vec![ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])],
        )
    }

    /// Twice as large, by repeating pixels.
    pub fn enlarge(&mut self, from: &str) -> String {
        let scales = self.floats(&[4], &[1.0, 1.0, 2.0, 2.0]);
        let attributes = vec![
            text("mode", "nearest"),
            text("coordinate_transformation_mode", "asymmetric"),
            text("nearest_mode", "floor"),
        ];
        self.node("Resize", &[from, "", &scales], attributes)
    }

    /// Twice as large, by a transposed convolution.
    pub fn transposed(&mut self, from: &str, channels: (usize, usize)) -> String {
        let values = self.random(channels.0 * channels.1 * 4);
        let weights = self.floats(&[channels.0 as i64, channels.1 as i64, 2, 2], &values);
        self.node(
            "ConvTranspose",
            &[from, &weights],
            vec![ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])],
        )
    }

    pub fn concat(&mut self, a: &str, b: &str) -> String {
        self.node("Concat", &[a, b], vec![int("axis", 1)])
    }

    /// Gives a value out under a name.
    pub fn output(&mut self, from: &str, name: &str, sizes: &[i64]) {
        self.graph.node.push(NodeProto {
            op_type: Some("Identity".to_owned()),
            input: vec![from.to_owned()],
            output: vec![name.to_owned()],
            ..NodeProto::default()
        });
        self.graph.output.push(value(name, DataType::FLOAT, sizes));
    }

    pub fn bytes(&self) -> Vec<u8> {
        let opset = |(domain, version): &(String, i64)| OperatorSetIdProto {
            domain: Some(domain.clone()),
            version: Some(*version),
        };
        ModelProto {
            ir_version: Some(8),
            graph: Some(self.graph.clone()),
            opset_import: self.opsets.iter().map(opset).collect(),
            producer_name: Some("tests".to_owned()),
            ..ModelProto::default()
        }
        .write_buf()
        .unwrap()
    }

    pub fn write(&self, path: &Path) {
        std::fs::write(path, self.bytes()).unwrap();
    }

    /// A U-Net of depth 2 with `inputs` and `outputs` channels: both ways of enlarging, and links across.
    pub fn u_net(inputs: usize, outputs: usize) -> Self {
        let mut net = Self::new(&[0, inputs as i64, 0, 0]);
        let top = net.conv("input", (inputs, 4), 3);
        let down = net.pool(&top);
        let middle = net.conv(&down, (4, 6), 3);
        let down = net.pool(&middle);
        let bottom = net.conv(&down, (6, 6), 3);
        let up = net.transposed(&bottom, (6, 6));
        let joined = net.concat(&up, &middle);
        let middle = net.conv(&joined, (12, 6), 3);
        let up = net.enlarge(&middle);
        let joined = net.concat(&up, &top);
        let last = net.conv(&joined, (10, 4), 3);
        let last = net.conv(&last, (4, outputs), 1);
        net.output(&last, "output", &[0, outputs as i64, 0, 0]);
        net
    }

    /// A U-Net with one channel in and two out, two convolutions a level, `filters` channels in the levels from the top down.
    pub fn deep_u_net(filters: &[usize]) -> Self {
        let mut net = Self::new(&[0, 1, 0, 0]);
        let (mut at, mut channels) = ("input".to_owned(), 1);
        let mut links = Vec::new();
        for (level, &count) in filters.iter().enumerate() {
            at = net.conv(&at, (channels, count), 3);
            at = net.conv(&at, (count, count), 3);
            channels = count;
            if level + 1 < filters.len() {
                links.push((at.clone(), count));
                at = net.pool(&at);
            }
        }
        while let Some((link, count)) = links.pop() {
            let up = net.transposed(&at, (channels, count));
            let joined = net.concat(&up, &link);
            at = net.conv(&joined, (2 * count, count), 3);
            at = net.conv(&at, (count, count), 3);
            channels = count;
        }
        let last = net.conv(&at, (channels, 2), 1);
        let last = net.node("Sigmoid", &[&last], vec![]);
        net.output(&last, "output", &[0, 2, 0, 0]);
        net
    }
}
