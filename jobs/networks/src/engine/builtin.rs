//! The engine that is part of the program: rten, with convolutions of our own.

mod conv;
mod split;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use ndarray::{ArrayD, IxDyn};
use rten::{Model, ModelOptions, NodeId, RunOptions, ThreadPool, Value};
use rten_onnx::onnx::{GraphProto, ModelProto, NodeProto, OperatorSetIdProto, ValueInfoProto};
use rten_tensor::{Layout, Tensor};

use self::split::{Spare, Split};
use super::{Engine, guarded};
use crate::error::{Error, Result};
use crate::onnx::{OnnxFile, operator_name};

/// The engine's name and version, as pinned in the workspace.
pub(super) const NAME: &str = "rten 0.27";

/// A whole network in rten.
struct Rten {
    model: Model,
    input: NodeId,
    outputs: Vec<NodeId>,
}

/// Pools by number of threads. rten runs in a pool of its own; while it does, the caller's waits, so that as many threads work as
/// the caller has.
fn pool(threads: usize) -> Arc<ThreadPool> {
    static POOLS: Mutex<BTreeMap<usize, Arc<ThreadPool>>> = Mutex::new(BTreeMap::new());
    let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(
        pools
            .entry(threads)
            .or_insert_with(|| Arc::new(ThreadPool::with_num_threads(threads))),
    )
}

pub(super) fn load(file: &OnnxFile, input: &str, outputs: &[&str]) -> Result<Box<dyn Engine>> {
    // Loaded whole even where it is cut afterwards: only this tells what is wrong with it.
    let loaded = guarded(|| whole(file, input, outputs)).map_err(|message| {
        let operators = unsupported(file);
        if operators.is_empty() {
            Error::Engine {
                path: file.path.clone(),
                engine: NAME.to_owned(),
                what: "load",
                message,
            }
        } else {
            Error::Operators {
                path: file.path.clone(),
                engine: NAME.to_owned(),
                operators,
            }
        }
    })?;
    Ok(match guarded(|| Ok(Split::of(file, input, outputs))) {
        Ok(Some(split)) => Box::new(Steps {
            split,
            spare: Mutex::default(),
        }),
        _ => Box::new(loaded),
    })
}

fn whole(file: &OnnxFile, input: &str, outputs: &[&str]) -> Result<Rten, String> {
    let mut options = ModelOptions::with_all_ops();
    for (name, bytes) in &file.external {
        options.external_data(name, bytes.clone());
    }
    let model = options
        .load(file.bytes.clone())
        .map_err(|e| e.to_string())?;
    let id = |name: &str| model.node_id(name).map_err(|e| e.to_string());
    let input = id(input)?;
    let outputs = outputs.iter().map(|o| id(o)).collect::<Result<_, _>>()?;
    Ok(Rten {
        model,
        input,
        outputs,
    })
}

impl Engine for Rten {
    fn name(&self) -> &str {
        NAME
    }

    fn run(&self, input: ArrayD<f32>, threads: usize) -> Result<Vec<ArrayD<f32>>, String> {
        guarded(|| {
            let shape = input.shape().to_vec();
            let values = input.as_standard_layout().into_owned();
            let (values, _) = values.into_raw_vec_and_offset();
            let input = Value::from_shape(&shape, values).map_err(|e| e.to_string())?;
            let options = RunOptions::default().with_thread_pool(Some(pool(threads)));
            let outputs = self
                .model
                .run(
                    vec![(self.input, input.into())],
                    &self.outputs,
                    Some(options),
                )
                .map_err(|e| e.to_string())?;
            outputs.into_iter().map(array).collect()
        })
    }
}

fn array(value: Value) -> Result<ArrayD<f32>, String> {
    let tensor: Tensor<f32> = value.try_into().map_err(|e| format!("{e:?}"))?;
    let shape = tensor.shape().to_vec();
    ArrayD::from_shape_vec(IxDyn(&shape), tensor.into_data()).map_err(|e| e.to_string())
}

/// A network cut at its convolutions.
struct Steps {
    split: Split,
    spare: Mutex<Spare>,
}

impl Engine for Steps {
    fn name(&self) -> &str {
        NAME
    }

    fn run(&self, input: ArrayD<f32>, threads: usize) -> Result<Vec<ArrayD<f32>>, String> {
        guarded(|| {
            let shape = input.shape().to_vec();
            let values = input.as_standard_layout().into_owned();
            let (values, _) = values.into_raw_vec_and_offset();
            let input = Value::from_shape(&shape, values).map_err(|e| e.to_string())?;
            let pool = pool(threads);
            let options = RunOptions::default().with_thread_pool(Some(Arc::clone(&pool)));
            let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
            let spare = &mut *spare;
            let outputs = pool.run(|| self.split.run(input, &options, spare))?;
            outputs.into_iter().map(array).collect()
        })
    }
}

/// Operators that rten cannot load. Each kind of node is tried once in a model of its own, since a load stops at the first.
pub(super) fn unsupported(file: &OnnxFile) -> Vec<String> {
    let mut missing: HashMap<String, ()> = HashMap::new();
    collect(&file.graph, &mut |node| {
        let name = operator_name(node);
        if node.op_type.as_deref() != Some("Constant")
            && !missing.contains_key(&name)
            && lacks(node, file)
        {
            missing.insert(name, ());
        }
    });
    let mut names: Vec<String> = missing.into_keys().collect();
    names.sort();
    names
}

fn collect(graph: &GraphProto, f: &mut impl FnMut(&NodeProto)) {
    for node in &graph.node {
        f(node);
        for body in node.attribute.iter().filter_map(|a| a.g.as_ref()) {
            collect(body, f);
        }
    }
}

fn lacks(node: &NodeProto, file: &OnnxFile) -> bool {
    let named = |name: &String| ValueInfoProto {
        name: Some(name.clone()),
        ..ValueInfoProto::default()
    };
    let mut alone = node.clone();
    // Bodies of `If` and `Loop` refer to values outside; they are looked at by themselves.
    alone.attribute.retain(|a| a.g.is_none());
    let graph = GraphProto {
        input: alone
            .input
            .iter()
            .filter(|n| !n.is_empty())
            .map(named)
            .collect(),
        output: alone
            .output
            .iter()
            .filter(|n| !n.is_empty())
            .map(named)
            .collect(),
        node: vec![alone],
        ..GraphProto::default()
    };
    let opset = |(domain, version): (&String, &i64)| OperatorSetIdProto {
        domain: Some(domain.clone()),
        version: Some(*version),
    };
    let model = ModelProto {
        ir_version: Some(8),
        graph: Some(graph),
        opset_import: file.opsets.iter().map(opset).collect(),
        ..ModelProto::default()
    };
    let tried = guarded(|| {
        let bytes = model.write_buf().map_err(|e| e.to_string())?;
        let mut options = ModelOptions::with_all_ops();
        options.enable_optimization(false);
        options.load(bytes).map(drop).map_err(|e| e.to_string())
    });
    // Other complaints (a shape that must be constant) are about the node torn out of its graph.
    tried.is_err_and(|message| {
        message.contains("not supported")
            || message.contains("not enabled")
            || message.contains("opset version")
    })
}
