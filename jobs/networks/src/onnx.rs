//! What an ONNX file holds, read before any engine sees it.

mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use rten_onnx::onnx::{
    AttributeProto, DataLocation, DataType, GraphProto, ModelProto, NodeProto, TensorProto,
    ValueInfoProto,
};
use serde::Serialize;

use crate::error::{Error, Result};

/// Largest file that is read, in bytes: protobuf's own limit.
pub const MAX_BYTES: u64 = 2 << 30;

/// Most elements that a constant may be filled with while a file is loaded.
const MAX_FILLED: u64 = 1 << 28;

/// An input or output as the file declares it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Declared {
    /// Its name.
    pub name: String,
    /// Element type, as ONNX names it; float32 is `FLOAT`.
    pub element: String,
    /// Sizes by axis; `None` where the file leaves it open.
    pub shape: Vec<Option<usize>>,
    /// The file's name of each axis without a size.
    pub symbols: Vec<Option<String>>,
}

/// A whole ONNX file.
pub(crate) struct OnnxFile {
    pub path: PathBuf,
    pub bytes: Vec<u8>,
    pub graph: GraphProto,
    /// Version of the operator set by domain; ONNX's own is "".
    pub opsets: BTreeMap<String, i64>,
    pub producer: Option<String>,
    /// Files with weights beside the model, with their content.
    pub external: Vec<(String, Vec<u8>)>,
}

/// Parses a model whose bytes were checked.
fn parse(bytes: &[u8]) -> Result<ModelProto, String> {
    wire::check(bytes)?;
    crate::engine::guarded(|| ModelProto::parse_buf(bytes).map_err(|e| e.to_string()))
}

/// Names of the files that hold weights of a model.
pub(crate) fn weight_files(bytes: &[u8]) -> Result<Vec<String>, String> {
    // Most models have none, and are not worth parsing for it.
    const KEY: &[u8] = b"location";
    if !bytes.windows(KEY.len()).any(|w| w == KEY) {
        return Ok(Vec::new());
    }
    let graph = parse(bytes)?.graph.unwrap_or_default();
    Ok(external_names(&graph).into_iter().collect())
}

fn external_names(graph: &GraphProto) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for_each_tensor(graph, &mut |tensor| {
        if tensor.data_location == Some(DataLocation::EXTERNAL) {
            let location = tensor
                .external_data
                .iter()
                .find(|e| e.key.as_deref() == Some("location"))
                .and_then(|e| e.value.clone());
            names.insert(location.unwrap_or_default());
        }
    });
    names
}

/// Reads a file of at most `limit` bytes.
pub(crate) fn read(path: &Path, limit: u64) -> Result<Vec<u8>> {
    use std::io::Read;
    let io = |source| Error::Io {
        path: path.to_owned(),
        source,
    };
    // Opening a pipe would wait for its writer.
    if !std::fs::metadata(path).map_err(io)?.is_file() {
        return Err(io(std::io::Error::other("it is not a regular file")));
    }
    let file = std::fs::File::open(path).map_err(io)?;
    let metadata = file.metadata().map_err(io)?;
    if !metadata.is_file() {
        return Err(io(std::io::Error::other("it is not a file")));
    }
    let too_large = |bytes| Error::TooLarge {
        path: path.to_owned(),
        bytes,
        limit,
    };
    if metadata.len() > limit {
        return Err(too_large(metadata.len()));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
    file.take(limit + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > limit {
        return Err(too_large(bytes.len() as u64));
    }
    Ok(bytes)
}

impl OnnxFile {
    /// Reads and checks a file, with the files of weights that it names.
    ///
    /// # Errors
    /// Not readable, too large, not ONNX, damaged.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = read(path, MAX_BYTES)?;
        let damaged = |reason: String| Error::Damaged {
            path: path.to_owned(),
            reason,
        };
        let model = parse(&bytes).map_err(damaged)?;
        let graph = model
            .graph
            .filter(|g| !g.node.is_empty() && !g.output.is_empty())
            .ok_or_else(|| damaged("it has no graph".to_owned()))?;
        let opsets = model
            .opset_import
            .iter()
            .map(|o| {
                let domain = o.domain.clone().unwrap_or_default();
                let own = if domain == "ai.onnx" {
                    String::new()
                } else {
                    domain
                };
                (own, o.version.unwrap_or(1))
            })
            .collect();
        let mut file = Self {
            path: path.to_owned(),
            bytes,
            graph,
            opsets,
            producer: model.producer_name,
            external: Vec::new(),
        };
        file.read_external()?;
        file.check_sizes().map_err(damaged)?;
        Ok(file)
    }

    /// Weights in files of their own: only beside the model, never elsewhere.
    fn read_external(&mut self) -> Result<()> {
        let names = external_names(&self.graph);
        let mut room = MAX_BYTES;
        for name in names {
            let plain = Path::new(&name);
            let mut components = plain.components();
            let simple = matches!(components.next(), Some(Component::Normal(_)))
                && components.next().is_none();
            if !simple {
                return Err(Error::Form {
                    path: self.path.clone(),
                    reason: format!(
                        "its weights are in `{name}`; they must lie in a file beside it"
                    ),
                });
            }
            let file = self.path.with_file_name(plain);
            // A link could lead out of the folder.
            let is_link = std::fs::symlink_metadata(&file).is_ok_and(|m| m.is_symlink());
            if is_link {
                return Err(Error::Form {
                    path: self.path.clone(),
                    reason: format!(
                        "its weights are in `{name}`, which is a link; put the file itself there"
                    ),
                });
            }
            let bytes = read(&file, room)?;
            room -= bytes.len() as u64;
            self.external.push((name, bytes));
        }
        let mut wrong = None;
        let external = &self.external;
        for_each_tensor_mut(&mut self.graph, &mut |tensor| {
            if let Err(message) = bring_in(tensor, external) {
                wrong.get_or_insert(message);
            }
        });
        wrong.map_or(Ok(()), |reason| {
            Err(Error::Damaged {
                path: self.path.clone(),
                reason,
            })
        })
    }

    /// That no tensor claims more elements than the file has data for, and none is filled beyond reason.
    fn check_sizes(&self) -> Result<(), String> {
        let mut wrong = None;
        for_each_tensor(&self.graph, &mut |tensor| {
            if let Err(message) = check_tensor(tensor) {
                wrong.get_or_insert(message);
            }
        });
        if let Some(message) = wrong {
            return Err(message);
        }
        let constants: BTreeMap<&str, &TensorProto> = self.constants();
        for node in &self.graph.node {
            check_window(node, &constants)?;
            let shape = match node.op_type.as_deref() {
                Some("ConstantOfShape") => node.input.first(),
                Some("Expand" | "Tile") => node.input.get(1),
                _ => None,
            };
            let filled = shape
                .and_then(|name| constants.get(name.as_str()))
                .and_then(|tensor| integers(tensor))
                .map(|sizes| product(&sizes));
            if filled.is_some_and(|n| n.is_none_or(|n| n > MAX_FILLED)) {
                return Err(format!(
                    "node `{}` makes a tensor of more than {MAX_FILLED} elements",
                    node.name.as_deref().unwrap_or_default()
                ));
            }
        }
        Ok(())
    }

    /// Constant tensors by name.
    pub fn constants(&self) -> BTreeMap<&str, &TensorProto> {
        let initializers = self
            .graph
            .initializer
            .iter()
            .filter_map(|t| Some((t.name.as_deref()?, t)));
        let nodes = self
            .graph
            .node
            .iter()
            .filter(|n| n.op_type.as_deref() == Some("Constant"))
            .filter_map(|n| {
                let tensor = n.attribute.iter().find_map(|a| a.t.as_ref())?;
                Some((n.output.first()?.as_str(), tensor))
            });
        initializers.chain(nodes).collect()
    }

    /// Inputs that must be given, without those that have a constant of the same name.
    pub fn inputs(&self) -> Vec<Declared> {
        let constants = self.constants();
        self.graph
            .input
            .iter()
            .filter(|v| {
                v.name
                    .as_deref()
                    .is_some_and(|n| !constants.contains_key(n))
            })
            .map(declared)
            .collect()
    }

    /// Outputs.
    pub fn outputs(&self) -> Vec<Declared> {
        self.graph.output.iter().map(declared).collect()
    }

    /// How often each operator is used; those of other domains than ONNX's as `domain::Name`.
    pub fn operators(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        count(&self.graph, &mut counts);
        counts
    }

    /// Number of weights.
    pub fn parameters(&self) -> u64 {
        self.graph
            .initializer
            .iter()
            .filter(|t| t.data_type != Some(DataType::INT64))
            .filter_map(|t| product(&t.dims))
            .sum()
    }
}

/// That no convolution, pooling, padding or resizing makes something huge out of a tile.
fn check_window(node: &NodeProto, constants: &BTreeMap<&str, &TensorProto>) -> Result<(), String> {
    const LARGEST: i64 = 1 << 12;
    let kind = node.op_type.as_deref().unwrap_or_default();
    let windows = [
        "Conv",
        "ConvTranspose",
        "MaxPool",
        "AveragePool",
        "LpPool",
        "Pad",
    ];
    let inside = |v: &i64| (-LARGEST..=LARGEST).contains(v);
    let beyond = if windows.contains(&kind) {
        let pads = (kind == "Pad")
            .then(|| {
                constants
                    .get(node.input.get(1)?.as_str())
                    .copied()
                    .and_then(integers)
            })
            .flatten()
            .unwrap_or_default();
        let attributes = node.attribute.iter().flat_map(|a| &a.ints);
        !attributes.chain(&pads).all(inside)
    } else if matches!(kind, "Resize" | "Upsample") {
        let scales = node
            .input
            .iter()
            .skip(1)
            .filter_map(|name| constants.get(name.as_str()).copied().and_then(floats));
        let own = node.attribute.iter().flat_map(|a| a.floats.clone());
        let sizes = node
            .input
            .get(3)
            .and_then(|n| constants.get(n.as_str()).copied().and_then(integers));
        !scales.flatten().chain(own).all(|v| v.abs() <= 64.0)
            || !sizes.unwrap_or_default().iter().all(|v| *v <= 1 << 16)
    } else {
        false
    };
    if beyond {
        return Err(format!(
            "node `{}` ({kind}) has numbers beyond reason",
            node.name.as_deref().unwrap_or_default()
        ));
    }
    Ok(())
}

fn check_tensor(tensor: &TensorProto) -> Result<(), String> {
    let name = tensor.name.as_deref().unwrap_or_default();
    let wanted = product(&tensor.dims)
        .ok_or_else(|| format!("tensor `{name}` has the sizes {:?}", tensor.dims))?;
    let width: u64 = match tensor.data_type {
        Some(DataType::FLOAT | DataType::INT32 | DataType::UINT32) => 4,
        Some(DataType::DOUBLE | DataType::INT64 | DataType::UINT64) => 8,
        Some(DataType::FLOAT16 | DataType::BFLOAT16 | DataType::INT16 | DataType::UINT16) => 2,
        // Types below a byte, and those that no engine reads.
        _ => 0,
    };
    let typed = tensor
        .float_data
        .len()
        .max(tensor.int32_data.len())
        .max(tensor.int64_data.len())
        .max(tensor.double_data.len());
    let (have, per) = if let Some(raw) = &tensor.raw_data {
        (raw.borrow().len() as u64, width)
    } else {
        (typed as u64, 1)
    };
    let needed = wanted
        .checked_mul(per)
        .ok_or_else(|| format!("tensor `{name}` is too large"))?;
    if needed > have {
        return Err(format!(
            "tensor `{name}` of {:?} elements has too little data",
            tensor.dims
        ));
    }
    Ok(())
}

fn count(graph: &GraphProto, counts: &mut BTreeMap<String, usize>) {
    for node in &graph.node {
        *counts.entry(operator_name(node)).or_default() += 1;
        for body in node.attribute.iter().filter_map(|a| a.g.as_ref()) {
            count(body, counts);
        }
    }
}

/// `Conv`, or `domain::Name` where the domain is not ONNX's own.
pub(crate) fn operator_name(node: &NodeProto) -> String {
    let name = node.op_type.as_deref().unwrap_or("?");
    match node.domain.as_deref() {
        None | Some("" | "ai.onnx") => name.to_owned(),
        Some(domain) => format!("{domain}::{name}"),
    }
}

fn for_each_tensor(graph: &GraphProto, f: &mut impl FnMut(&TensorProto)) {
    graph.initializer.iter().for_each(&mut *f);
    for attribute in graph.node.iter().flat_map(|n| &n.attribute) {
        if let Some(tensor) = &attribute.t {
            f(tensor);
        }
        if let Some(body) = &attribute.g {
            for_each_tensor(body, f);
        }
    }
}

fn for_each_tensor_mut(graph: &mut GraphProto, f: &mut impl FnMut(&mut TensorProto)) {
    graph.initializer.iter_mut().for_each(&mut *f);
    for attribute in graph.node.iter_mut().flat_map(|n| &mut n.attribute) {
        if let Some(tensor) = &mut attribute.t {
            f(tensor);
        }
        if let Some(body) = &mut attribute.g {
            for_each_tensor_mut(body, f);
        }
    }
}

/// Takes the weights of a tensor from their file into the tensor.
fn bring_in(tensor: &mut TensorProto, external: &[(String, Vec<u8>)]) -> Result<(), String> {
    if tensor.data_location != Some(DataLocation::EXTERNAL) {
        return Ok(());
    }
    let entry = |key: &str| {
        let found = tensor
            .external_data
            .iter()
            .find(|e| e.key.as_deref() == Some(key));
        found.and_then(|e| e.value.as_deref())
    };
    let number = |key: &str| {
        entry(key)
            .map(|v| v.parse::<usize>().map_err(|_| v.to_owned()))
            .transpose()
    };
    let name = tensor.name.clone().unwrap_or_default();
    let bad = |what: String| format!("tensor `{name}` has the odd place `{what}`");
    let start = number("offset").map_err(bad)?.unwrap_or(0);
    let length = number("length").map_err(bad)?;
    let file = entry("location").and_then(|l| external.iter().find(|(n, _)| n == l));
    let bytes = file.and_then(|(_, bytes)| match length {
        Some(length) => bytes.get(start..start.checked_add(length)?),
        None => bytes.get(start..),
    });
    let bytes = bytes.ok_or_else(|| format!("tensor `{name}` has too little data in its file"))?;
    tensor.raw_data = Some(std::cell::RefCell::new(bytes.to_vec()));
    tensor.data_location = None;
    tensor.external_data.clear();
    Ok(())
}

fn product(sizes: &[i64]) -> Option<u64> {
    sizes.iter().try_fold(1u64, |all, size| {
        all.checked_mul(u64::try_from(*size).ok()?)
    })
}

/// The values of a constant of integers.
pub(crate) fn integers(tensor: &TensorProto) -> Option<Vec<i64>> {
    let raw = tensor.raw_data.as_ref().map(std::cell::RefCell::borrow);
    match tensor.data_type? {
        DataType::INT64 => Some(match raw {
            Some(raw) => raw
                .chunks_exact(8)
                .map(|c| i64::from_le_bytes(c.try_into().unwrap_or_default()))
                .collect(),
            None => tensor.int64_data.clone(),
        }),
        DataType::INT32 => Some(match raw {
            Some(raw) => raw
                .chunks_exact(4)
                .map(|c| i64::from(i32::from_le_bytes(c.try_into().unwrap_or_default())))
                .collect(),
            None => tensor.int32_data.iter().map(|v| i64::from(*v)).collect(),
        }),
        _ => None,
    }
}

/// The values of a constant of float32.
pub(crate) fn floats(tensor: &TensorProto) -> Option<Vec<f32>> {
    (tensor.data_type? == DataType::FLOAT).then(|| match &tensor.raw_data {
        Some(raw) => raw
            .borrow()
            .chunks_exact(4)
            .map(|c| f32::from_le_bytes(c.try_into().unwrap_or_default()))
            .collect(),
        None => tensor.float_data.clone(),
    })
}

/// An attribute by name.
pub(crate) fn attribute<'n>(node: &'n NodeProto, name: &str) -> Option<&'n AttributeProto> {
    node.attribute
        .iter()
        .find(|a| a.name.as_deref() == Some(name))
}

fn declared(value: &ValueInfoProto) -> Declared {
    let tensor = value.r#type.as_ref().and_then(|t| t.tensor_type.as_ref());
    let dims = tensor
        .and_then(|t| t.shape.as_ref())
        .map(|s| s.dim.as_slice())
        .unwrap_or_default();
    Declared {
        name: value.name.clone().unwrap_or_default(),
        element: tensor.and_then(|t| t.elem_type).map_or_else(
            || "no tensor".to_owned(),
            |t| t.name().unwrap_or("unknown").to_owned(),
        ),
        shape: dims
            .iter()
            .map(|d| {
                d.dim_value
                    .and_then(|v| usize::try_from(v).ok())
                    .filter(|v| *v > 0)
            })
            .collect(),
        symbols: dims.iter().map(|d| d.dim_param.clone()).collect(),
    }
}
