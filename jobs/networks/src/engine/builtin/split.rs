//! A network cut at its convolutions: those are computed by [`Conv`], what lies between by rten.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rten::{Model, ModelOptions, NodeId, RunOptions, Value};
use rten_onnx::onnx::{GraphProto, ModelProto, NodeProto, OperatorSetIdProto, ValueInfoProto};

use super::conv::{self, Conv};
use crate::onnx::OnnxFile;

/// One step of a network.
enum Stage {
    Conv {
        conv: Box<Conv>,
        input: String,
        output: String,
    },
    Rten {
        model: Box<Model>,
        inputs: Vec<(NodeId, String)>,
        outputs: Vec<(NodeId, String)>,
    },
}

/// A network as steps, one after the other.
pub(super) struct Split {
    stages: Vec<Stage>,
    /// Values that are not needed any more after a step.
    dead: Vec<Vec<String>>,
    input: String,
    outputs: Vec<String>,
}

/// Memory that steps and runs hand on: asking for it anew each time costs a tenth of the run.
#[derive(Default)]
pub(super) struct Spare {
    buffers: Vec<Vec<f32>>,
    scratch: Vec<f32>,
}

/// Most buffers that are kept between two steps: more would be most of a network's memory.
const SPARE: usize = 3;

/// Most values that are kept between two runs (256 MiB).
const KEPT: usize = 64 << 20;

impl Spare {
    /// Gives back what is too much to keep until the next run.
    fn trim(&mut self) {
        let mut room = KEPT;
        let mut fits = |buffer: &Vec<f32>| {
            let keep = buffer.capacity() <= room;
            room -= if keep { buffer.capacity() } else { 0 };
            keep
        };
        if !fits(&self.scratch) {
            self.scratch = Vec::new();
        }
        self.buffers.retain(fits);
    }
}

impl Split {
    /// Cuts a network. `None` where there is nothing to gain or something that is not understood: rten then runs all of it.
    pub(super) fn of(file: &OnnxFile, input: &str, outputs: &[&str]) -> Option<Self> {
        let graph = &file.graph;
        // Bodies of `If` and `Loop` refer to values outside.
        let has_bodies = graph
            .node
            .iter()
            .flat_map(|n| &n.attribute)
            .any(|a| a.g.is_some());
        if has_bodies {
            return None;
        }
        let tensors = file.constants();
        let mut uses: HashMap<&str, usize> = HashMap::new();
        for name in graph
            .node
            .iter()
            .flat_map(|n| &n.input)
            .map(String::as_str)
            .chain(outputs.iter().copied())
        {
            *uses.entry(name).or_default() += 1;
        }
        let mut group: Vec<&NodeProto> = Vec::new();
        let mut parts: Vec<Part<'_>> = Vec::new();
        // A rectifier that alone reads a convolution is done with it.
        let mut rectified: BTreeSet<&str> = BTreeSet::new();
        for node in graph
            .node
            .iter()
            .filter(|n| n.op_type.as_deref() != Some("Constant"))
        {
            if rectified.contains(node.output.first()?.as_str()) {
                continue;
            }
            let Some(mut conv) = Conv::of(node, |name| conv::constant(tensors.get(name)?)) else {
                group.push(node);
                continue;
            };
            if !group.is_empty() {
                parts.push(Part::Group(std::mem::take(&mut group)));
            }
            let mut output = node.output[0].as_str();
            let reader = graph
                .node
                .iter()
                .find(|n| n.input.iter().any(|i| i == output));
            if let Some(relu) = reader.filter(|n| n.op_type.as_deref() == Some("Relu"))
                && uses.get(output) == Some(&1)
            {
                conv.relu = true;
                output = relu.output.first()?;
                rectified.insert(output);
            }
            parts.push(Part::Conv(Box::new(conv), node.input.first()?, output));
        }
        if !group.is_empty() {
            parts.push(Part::Group(group));
        }
        if !parts.iter().any(|p| matches!(p, Part::Conv(..))) {
            return None;
        }
        Self::assemble(file, parts, input, outputs)
    }

    fn assemble(
        file: &OnnxFile,
        parts: Vec<Part<'_>>,
        input: &str,
        outputs: &[&str],
    ) -> Option<Self> {
        // What is read behind each part.
        let mut later: Vec<BTreeSet<&str>> = vec![outputs.iter().copied().collect()];
        for part in parts.iter().rev() {
            let mut read = later.last()?.clone();
            read.extend(part.reads());
            later.push(read);
        }
        later.reverse();
        let constants: BTreeSet<&str> = file.constants().into_keys().collect();
        let mut split = Self {
            stages: Vec::new(),
            dead: Vec::new(),
            input: input.to_owned(),
            outputs: outputs.iter().map(|&o| o.to_owned()).collect(),
        };
        let mut alive: BTreeSet<&str> = BTreeSet::from([input]);
        for (part, behind) in parts.into_iter().zip(later.iter().skip(1)) {
            let made: Vec<&str> = match part {
                Part::Conv(conv, from, to) => {
                    split.stages.push(Stage::Conv {
                        conv,
                        input: from.to_owned(),
                        output: to.to_owned(),
                    });
                    vec![to]
                }
                Part::Group(nodes) => {
                    let made: BTreeSet<&str> = nodes
                        .iter()
                        .flat_map(|n| &n.output)
                        .map(String::as_str)
                        .collect();
                    let given: Vec<&str> = made
                        .iter()
                        .copied()
                        .filter(|n| behind.contains(n))
                        .collect();
                    let read: BTreeSet<&str> = nodes
                        .iter()
                        .flat_map(|n| &n.input)
                        .map(String::as_str)
                        .filter(|n| !n.is_empty() && !made.contains(n) && !constants.contains(n))
                        .collect();
                    split.stages.push(rten_stage(file, &nodes, &read, &given)?);
                    given
                }
            };
            alive.extend(made);
            let over: Vec<&str> = alive
                .iter()
                .copied()
                .filter(|n| !behind.contains(n))
                .collect();
            for name in &over {
                alive.remove(name);
            }
            split
                .dead
                .push(over.into_iter().map(str::to_owned).collect());
        }
        Some(split)
    }

    /// Runs the steps in the rayon pool in which it is called, and rten's in the pool of `options`.
    pub(super) fn run(
        &self,
        input: Value,
        options: &RunOptions,
        spare: &mut Spare,
    ) -> Result<Vec<Value>, String> {
        let mut values: BTreeMap<&str, Value> = BTreeMap::from([(self.input.as_str(), input)]);
        let lost = |name: &str| format!("the value `{name}` is not there");
        for (stage, dead) in self.stages.iter().zip(&self.dead) {
            match stage {
                Stage::Conv {
                    conv,
                    input,
                    output,
                } => {
                    let Some(Value::FloatTensor(tensor)) = values.get(input.as_str()) else {
                        return Err(lost(input));
                    };
                    let out = convolve(conv, tensor, spare)?;
                    values.insert(output, out);
                }
                Stage::Rten {
                    model,
                    inputs,
                    outputs,
                } => {
                    let given = inputs
                        .iter()
                        .map(|(id, name)| {
                            Ok((
                                *id,
                                values.get(name.as_str()).ok_or_else(|| lost(name))?.into(),
                            ))
                        })
                        .collect::<Result<Vec<_>, String>>()?;
                    let wanted: Vec<NodeId> = outputs.iter().map(|(id, _)| *id).collect();
                    let made = model
                        .run(given, &wanted, Some(options.clone()))
                        .map_err(|e| e.to_string())?;
                    values.extend(outputs.iter().map(|(_, name)| name.as_str()).zip(made));
                }
            }
            for name in dead {
                if let Some(Value::FloatTensor(tensor)) = values.remove(name.as_str())
                    && spare.buffers.len() < SPARE
                {
                    spare.buffers.push(tensor.into_non_contiguous_data());
                }
            }
        }
        spare.trim();
        self.outputs
            .iter()
            .map(|name| values.remove(name.as_str()).ok_or_else(|| lost(name)))
            .collect()
    }
}

fn convolve(
    conv: &Conv,
    tensor: &rten_tensor::Tensor<f32>,
    spare: &mut Spare,
) -> Result<Value, String> {
    use rten_tensor::{AsView, Layout};
    let copied;
    let data = match tensor.data() {
        Some(data) => data,
        None => {
            copied = tensor.to_vec();
            &copied
        }
    };
    let shape = <[usize; 4]>::try_from(tensor.shape())
        .map_err(|_| format!("a convolution got the shape {:?}", tensor.shape()))?;
    let out_shape = conv.output_shape(&shape)?;
    let count = out_shape.iter().product();
    // The smallest that is large enough, else the largest.
    let fits = |b: &Vec<f32>| (b.capacity() < count, b.capacity().abs_diff(count));
    let best = spare
        .buffers
        .iter()
        .enumerate()
        .min_by_key(|(_, b)| fits(b))
        .map(|(i, _)| i);
    let mut out = best.map_or_else(Vec::new, |i| spare.buffers.swap_remove(i));
    out.resize(count, 0.0);
    conv.run(data, shape, &mut out, &mut spare.scratch);
    Value::from_shape(out_shape, out).map_err(|e| e.to_string())
}

/// A part of the graph.
enum Part<'g> {
    Conv(Box<Conv>, &'g str, &'g str),
    Group(Vec<&'g NodeProto>),
}

impl<'g> Part<'g> {
    fn reads(&self) -> Vec<&'g str> {
        match self {
            Self::Conv(_, from, _) => vec![from],
            Self::Group(nodes) => nodes
                .iter()
                .flat_map(|n| &n.input)
                .map(String::as_str)
                .collect(),
        }
    }
}

/// Nodes as a model of their own.
fn rten_stage(
    file: &OnnxFile,
    nodes: &[&NodeProto],
    read: &BTreeSet<&str>,
    given: &[&str],
) -> Option<Stage> {
    let named = |name: &&str| ValueInfoProto {
        name: Some((*name).to_owned()),
        ..ValueInfoProto::default()
    };
    let used: BTreeSet<&str> = nodes
        .iter()
        .flat_map(|n| &n.input)
        .map(String::as_str)
        .collect();
    let constants = file.graph.node.iter().filter(|n| {
        n.op_type.as_deref() == Some("Constant")
            && n.output.iter().any(|o| used.contains(o.as_str()))
    });
    let graph = GraphProto {
        node: constants
            .cloned()
            .chain(nodes.iter().map(|&n| n.clone()))
            .collect(),
        initializer: file
            .graph
            .initializer
            .iter()
            .filter(|t| t.name.as_deref().is_some_and(|n| used.contains(n)))
            .cloned()
            .collect(),
        input: read.iter().map(named).collect(),
        output: given.iter().map(named).collect(),
        ..GraphProto::default()
    };
    let model = ModelProto {
        ir_version: Some(8),
        graph: Some(graph),
        opset_import: file
            .opsets
            .iter()
            .map(|(domain, version)| OperatorSetIdProto {
                domain: Some(domain.clone()),
                version: Some(*version),
            })
            .collect(),
        ..ModelProto::default()
    };
    let mut options = ModelOptions::with_all_ops();
    options.prepack_weights(true);
    let model = options.load(model.write_buf().ok()?).ok()?;
    let ids = |names: &mut dyn Iterator<Item = &str>| -> Option<Vec<(NodeId, String)>> {
        names
            .map(|n| Some((model.find_node(n)?, n.to_owned())))
            .collect()
    };
    let inputs = ids(&mut read.iter().copied())?;
    let outputs = ids(&mut given.iter().copied())?;
    Some(Stage::Rten {
        model: Box::new(model),
        inputs,
        outputs,
    })
}
