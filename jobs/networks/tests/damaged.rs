//! Files that are no networks, damaged ones, and ones that are not supported: an error each, never a panic, never memory without end.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "common/net.rs"]
mod net;

use std::path::PathBuf;

use ndarray::Array2;
use net::{Net, int, ints, value};
use networks::{Error, Model, Options, Plan, predict};
use rten_onnx::onnx::{AttributeProto, DataLocation, DataType, NodeProto, StringStringEntryProto};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn open(&self, bytes: &[u8]) -> Result<std::sync::Arc<Model>, Error> {
        let path = self.path("model.onnx");
        std::fs::write(&path, bytes).unwrap();
        Model::open(&path, &Options::default())
    }

    fn refuse(&self, bytes: &[u8], code: &str, said: &str) {
        let error = self.open(bytes).err().unwrap();
        assert_eq!(error.code(), code, "{error}");
        assert!(error.to_string().contains(said), "{error}");
        assert!(error.to_string().contains("model.onnx"), "{error}");
    }
}

/// Opens what may be damaged and runs it, if it can be opened.
fn survive(folder: &Folder, bytes: &[u8]) -> bool {
    let Ok(model) = folder.open(bytes) else {
        return false;
    };
    let channels = model.description().input.channels.unwrap_or(1).min(4);
    let plane = Array2::from_elem((16, 16), 1.0);
    let views = vec![plane.view(); channels];
    predict(&model, &views, &Plan::default()).is_ok()
}

#[test]
fn no_truncation_gives_a_result() {
    let folder = Folder::new();
    let bytes = Net::u_net(1, 1).bytes();
    assert!(survive(&folder, &bytes));
    let ends = (0..bytes.len())
        .step_by(37)
        .chain(bytes.len() - 12..bytes.len());
    for end in ends {
        // Behind the graph only the operator set is left.
        let whole = folder.open(&bytes[..end]).is_ok();
        assert!(
            !whole || end > bytes.len() - 32,
            "cut at {end} of {}",
            bytes.len()
        );
    }
}

#[test]
fn flipped_bits_never_panic() {
    let folder = Folder::new();
    let whole = Net::u_net(1, 1).bytes();
    let mut state = 7u32;
    let mut usable = 0;
    for i in 0..1500 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let mut bytes = whole.clone();
        // The structure is spread between the weights, so every fourth byte is hit at random and the rest by bits in order.
        let at = if i % 4 == 0 {
            i * whole.len() / 1500
        } else {
            (state >> 4) as usize % whole.len()
        };
        bytes[at] ^= 1 << (state >> 29);
        usable += usize::from(survive(&folder, &bytes));
    }
    println!("{usable} of 1500 still run");
    assert!(usable > 100 && usable < 1500);
}

#[test]
fn other_files_are_no_onnx() {
    let folder = Folder::new();
    for bytes in [
        &b""[..],
        b"\0",
        b"II*\0\x08\0\0\0",
        b"\x89HDF\r\n\x1a\n",
        b"version https://git-lfs.github.com/spec/v1\n",
    ] {
        folder.refuse(bytes, "damaged-model", "is not a whole ONNX file");
    }
    let error = Model::open(&folder.path("absent.onnx"), &Options::default())
        .err()
        .unwrap();
    assert_eq!(error.code(), "file-access");
    let error = Model::open(folder.0.path(), &Options::default())
        .err()
        .unwrap();
    assert_eq!(error.code(), "file-access");
}

#[test]
fn lengths_and_nesting_are_bounded() {
    let folder = Folder::new();
    // A graph of 2^60 bytes, and one within one within one.
    folder.refuse(
        &[0x3a, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10],
        "damaged-model",
        "are not there",
    );
    let mut nested: Vec<u8> = Vec::new();
    for _ in 0..100_000 {
        // Attribute with a graph, node with that attribute, graph with that node.
        for tag in [0x32u8, 0x2a, 0x0a] {
            let mut outer = vec![tag];
            let mut length = nested.len();
            while length >= 0x80 {
                outer.push(length as u8 | 0x80);
                length >>= 7;
            }
            outer.push(length as u8);
            outer.extend_from_slice(&nested);
            nested = outer;
        }
        if nested.len() > 4000 {
            break;
        }
    }
    let mut file = vec![0x3a];
    file.extend([
        (nested.len() & 0x7f) as u8 | 0x80,
        (nested.len() >> 7) as u8,
    ]);
    file.extend(nested);
    folder.refuse(&file, "damaged-model", "nested deeper");
}

#[test]
fn tensors_claim_no_more_than_they_have() {
    let folder = Folder::new();
    for sizes in [
        vec![1 << 40, 1, 3, 3],
        vec![i64::MAX, i64::MAX],
        vec![-1, 1, 3, 3],
        vec![4, 1, 3, 4],
    ] {
        let mut net = Net::u_net(1, 1);
        net.graph.initializer[0].dims = sizes;
        folder.refuse(&net.bytes(), "damaged-model", "constant");
    }
    let mut net = Net::new(&[0, 1, 0, 0]);
    let shape = net.integers(&[1 << 20, 1 << 20]);
    let filled = net.node("ConstantOfShape", &[&shape], vec![]);
    let sum = net.node("ReduceSum", &[&filled], vec![]);
    let last = net.node("Add", &["input", &sum], vec![]);
    net.output(&last, "output", &[0, 1, 0, 0]);
    folder.refuse(&net.bytes(), "damaged-model", "makes a tensor of more than");
    let mut net = Net::new(&[0, 1, 0, 0]);
    let weights = net.floats(&[1, 1, 1, 1], &[1.0]);
    let conv = net.node(
        "Conv",
        &["input", &weights],
        vec![ints("pads", &[1 << 30; 4])],
    );
    net.output(&conv, "output", &[0, 1, 0, 0]);
    folder.refuse(&net.bytes(), "damaged-model", "beyond reason");
}

#[test]
fn operators_that_are_lacking_are_listed_by_name() {
    let folder = Folder::new();
    let mut net = Net::new(&[0, 1, 0, 0]);
    let a = net.node("Conjure", &["input"], vec![]);
    let b = net.node("Relu", &[&a], vec![]);
    net.graph.node.push(NodeProto {
        domain: Some("com.example".to_owned()),
        op_type: Some("Deform".to_owned()),
        input: vec![b],
        output: vec!["deformed".to_owned()],
        ..NodeProto::default()
    });
    net.opsets.push(("com.example".to_owned(), 1));
    net.output("deformed", "output", &[0, 1, 0, 0]);
    folder.refuse(
        &net.bytes(),
        "unsupported-operators",
        "Conjure, com.example::Deform",
    );
}

#[test]
fn other_forms_of_networks_are_refused() {
    let folder = Folder::new();
    let mut net = Net::u_net(1, 1);
    net.graph.input.push(value("second", DataType::FLOAT, &[1]));
    folder.refuse(
        &net.bytes(),
        "unsupported-model",
        "takes 2 inputs (input, second)",
    );
    let mut net = Net::u_net(1, 1);
    net.graph.input[0] = value("input", DataType::FLOAT16, &[0, 1, 0, 0]);
    folder.refuse(&net.bytes(), "unsupported-model", "`input` holds FLOAT16");
    let mut net = Net::new(&[0, 1, 0, 0, 0]);
    net.output("input", "output", &[0, 1, 0, 0, 0]);
    folder.refuse(&net.bytes(), "unsupported-model", "only 2-D networks");
    // A circle of nodes.
    let mut net = Net::new(&[0, 1, 0, 0]);
    let a = net.node("Add", &["input", "later"], vec![]);
    net.output(&a, "output", &[0, 1, 0, 0]);
    net.graph.node.insert(
        0,
        NodeProto {
            op_type: Some("Relu".to_owned()),
            input: vec![a],
            output: vec!["later".to_owned()],
            ..NodeProto::default()
        },
    );
    assert!(!survive(&folder, &net.bytes()));
}

fn with_external(location: &str) -> Net {
    let mut net = Net::u_net(1, 1);
    let tensor = &mut net.graph.initializer[0];
    tensor.raw_data = None;
    tensor.data_location = Some(DataLocation::EXTERNAL);
    let entry = |key: &str, value: &str| StringStringEntryProto {
        key: Some(key.to_owned()),
        value: Some(value.to_owned()),
    };
    tensor.external_data = vec![
        entry("location", location),
        entry("offset", "0"),
        entry("length", "144"),
    ];
    net
}

#[test]
fn weights_may_lie_beside_the_model_and_nowhere_else() {
    let folder = Folder::new();
    let whole = Net::u_net(1, 1);
    let weights = whole.graph.initializer[0]
        .raw_data
        .as_ref()
        .unwrap()
        .borrow()
        .clone();
    assert_eq!(weights.len(), 144);
    std::fs::write(folder.path("model.onnx.data"), &weights).unwrap();
    let beside = folder
        .open(&with_external("model.onnx.data").bytes())
        .unwrap();
    assert_eq!(
        networks::files(&folder.path("model.onnx"), None),
        [folder.path("model.onnx"), folder.path("model.onnx.data")]
    );
    let plane = Array2::from_elem((16, 16), 1.0);
    let a = predict(&beside, &[plane.view()], &Plan::default()).unwrap();
    let b = predict(
        &folder.open(&whole.bytes()).unwrap(),
        &[plane.view()],
        &Plan::default(),
    )
    .unwrap();
    assert_eq!(a, b);
    for elsewhere in ["../secret", "/etc/passwd", "sub/file.data", ""] {
        folder.refuse(
            &with_external(elsewhere).bytes(),
            "unsupported-model",
            "must lie in a file beside it",
        );
    }
    std::os::unix::fs::symlink("/etc/hostname", folder.path("link.data")).unwrap();
    folder.refuse(
        &with_external("link.data").bytes(),
        "unsupported-model",
        "is a link",
    );
    // Too short for what the tensor claims.
    std::fs::write(folder.path("short.data"), &weights[..100]).unwrap();
    folder.refuse(
        &with_external("short.data").bytes(),
        "damaged-model",
        "too little data",
    );
}

#[test]
fn bodies_of_loops_are_looked_at() {
    let folder = Folder::new();
    let mut net = Net::new(&[0, 1, 0, 0]);
    let mut body = Net::new(&[]);
    body.graph.input.clear();
    let inside = body.node("Conjure", &["input"], vec![]);
    body.output(&inside, "branch", &[]);
    let condition = net.tensor(&[], DataType::BOOL, vec![1]);
    let branch = |name: &str| AttributeProto {
        name: Some(name.to_owned()),
        g: Some(body.graph.clone()),
        r#type: Some(rten_onnx::onnx::AttributeType::GRAPH),
        ..AttributeProto::default()
    };
    let last = net.node(
        "If",
        &[&condition],
        vec![branch("then_branch"), branch("else_branch"), int("x", 1)],
    );
    net.output(&last, "output", &[0, 1, 0, 0]);
    folder.refuse(&net.bytes(), "unsupported-operators", "Conjure");
}
