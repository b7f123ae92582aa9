//! Sidecars of all forms, and mistakes in them with their place.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "common/net.rs"]
mod net;

use std::path::PathBuf;
use std::sync::Arc;

use ndarray::{Array2, s};
use net::Net;
use networks::normalise::{Numbers, Scope, Step};
use networks::{Description, Error, Model, Options, Plan, predict};

struct Folder(tempfile::TempDir);

impl Folder {
    /// A folder with `model.onnx`, one channel in, two out.
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        Net::u_net(1, 2).write(&folder.path("model.onnx"));
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn with(&self, name: &str, text: &str) -> Result<Arc<Model>, Error> {
        std::fs::write(self.path(name), text).unwrap();
        Model::open(&self.path("model.onnx"), &Options::default())
    }

    fn described(&self, name: &str, text: &str) -> Description {
        self.with(name, text).unwrap().description().clone()
    }

    fn refuse(&self, name: &str, text: &str, said: &str) {
        let error = self.with(name, text).err().unwrap();
        assert_eq!(error.code(), "bad-sidecar", "{error}");
        let message = error.to_string();
        assert!(
            message.contains(name) && message.contains(said),
            "{message}\nlacks {said}"
        );
    }
}

const OWN: &str = r#"
name = "boundaries of cells"
tile = 512
halo = [24, 32]
multiple = 8
minimum = 64
normalise = ["standardise", { name = "clip", min = -3, max = 3 }]

[input]
axes = "bcyx"
channels = ["serum"]

[[output]]
name = "output"
channels = ["mask", "boundaries"]
activation = "sigmoid"

[star_convex]
n_rays = 32
prob_thresh = 0.4
nms_thresh = 0.5
"#;

#[test]
fn our_own_is_read() {
    let folder = Folder::new();
    let d = folder.described("model.toml", OWN);
    assert_eq!(d.name.as_deref(), Some("boundaries of cells"));
    assert_eq!(
        (d.tile, d.halo, d.multiple, d.minimum),
        (Some(512), [24, 32], [8, 8], [64, 64])
    );
    assert_eq!(d.outputs[0].channel_names, ["mask", "boundaries"]);
    assert_eq!(d.outputs[0].activation, [Step::Sigmoid]);
    assert_eq!(
        d.normalisation[0],
        Step::Standardise {
            eps: 1e-6,
            scope: Scope::Channel
        }
    );
    assert_eq!(d.star_convex.unwrap().prob_thresh, Some(0.4));
    assert_eq!(
        networks::files(&folder.path("model.onnx"), None),
        [folder.path("model.onnx"), folder.path("model.toml")]
    );
}

#[test]
fn mistakes_in_our_own_have_their_place() {
    let folder = Folder::new();
    folder.refuse("model.toml", "name = 3\n", "line 1");
    folder.refuse("model.toml", "\n\n[input]\naxis = \"bcyx\"\n", "line 4");
    folder.refuse(
        "model.toml",
        "[input]\naxes = \"bczyx\"\n",
        "only 2-D networks",
    );
    folder.refuse(
        "model.toml",
        "normalise = \"standardize_me\"\n",
        "unknown variant",
    );
    folder.refuse(
        "model.toml",
        "normalise = { name = \"percentile\", low = 1 }\n",
        "low",
    );
    folder.refuse(
        "model.toml",
        "[[output]]\nname = \"prob\"\n",
        "the model has no output `prob`; it has output",
    );
    folder.refuse(
        "model.toml",
        "[[output]]\nactivation = \"percentile\"\n",
        "pixel by pixel",
    );
    folder.refuse("model.toml", "halo = 1000000\n", "`halo` is 1000000");
    folder.refuse("model.toml", "multiple = 0\n", "`multiple` is 0");
}

const LETTERS: &str = r"
format_version: 0.4.9
type: model
name: a network of the zoo
authors: [{name: someone}]
inputs:
  - name: raw
    axes: bcyx
    data_type: float32
    shape: {min: [1, 1, 64, 64], step: [0, 0, 16, 16]}
    preprocessing:
      - name: scale_range
        kwargs: {mode: per_sample, axes: xy, min_percentile: 1, max_percentile: 99.8, eps: 1.e-20}
      - name: scale_linear
        kwargs: {axes: xy, gain: 2.0, offset: -1.0}
outputs:
  - name: result
    axes: bcyx
    data_type: float32
    halo: [0, 0, 16, 20]
    shape: {reference_tensor: raw, scale: [1.0, 0.0, 1.0, 1.0], offset: [0.0, 1.0, 0.0, 0.0]}
    postprocessing: [{name: sigmoid}]
weights:
  onnx: {source: ./model.onnx, opset_version: 15}
";

#[test]
fn the_zoos_older_format_is_read() {
    let folder = Folder::new();
    let d = folder.described("rdf.yaml", LETTERS);
    assert_eq!(d.name.as_deref(), Some("a network of the zoo"));
    assert_eq!(
        (d.multiple, d.minimum, d.halo),
        ([16, 16], [64, 64], [16, 20])
    );
    assert_eq!(d.outputs[0].activation, [Step::Sigmoid]);
    assert_eq!(
        d.normalisation,
        [
            Step::ScaleRange {
                min_percentile: 1.0,
                max_percentile: 99.8,
                eps: 1e-20,
                scope: Scope::Channel
            },
            Step::ScaleLinear {
                gain: Numbers::One(2.0),
                offset: Numbers::One(-1.0)
            },
        ]
    );
    // One that speaks of another model is not this one's.
    let other = LETTERS.replace("./model.onnx", "other.onnx");
    assert_eq!(folder.described("rdf.yaml", &other).sidecar, None);
}

const TABLES: &str = r"
format_version: 0.5.3
type: model
name: a newer one
inputs:
  - id: raw
    axes:
      - {type: batch}
      - {type: channel, channel_names: [nuclei]}
      - {type: space, id: y, size: {min: 32, step: 4}}
      - {type: space, id: x, size: {min: 48, step: 8}}
    preprocessing:
      - {id: ensure_dtype, kwargs: {dtype: float32}}
      - {id: zero_mean_unit_variance, kwargs: {axes: [channel, y, x]}}
outputs:
  - id: maps
    axes:
      - {type: batch}
      - {type: channel, channel_names: [foreground, boundary]}
      - {type: space, id: y, halo: 12, size: {tensor_id: raw, axis_id: y}}
      - {type: space, id: x, halo: 12, size: {tensor_id: raw, axis_id: x}}
    postprocessing:
      - {id: softmax, kwargs: {axis: channel}}
      - {id: binarize, kwargs: {threshold: 0.25}}
weights:
  onnx: {source: model.onnx, opset_version: 17}
";

#[test]
fn the_zoos_newer_format_is_read_and_done() {
    let folder = Folder::new();
    let model = folder.with("model.yaml", TABLES).unwrap();
    let d = model.description();
    assert_eq!(
        (d.multiple, d.minimum, d.halo),
        ([4, 8], [32, 48], [12, 12])
    );
    assert_eq!(d.input.channel_names, ["nuclei"]);
    assert_eq!(d.outputs[0].channel_names, ["foreground", "boundary"]);
    assert_eq!(
        d.normalisation,
        [Step::ZeroMeanUnitVariance {
            eps: 1e-6,
            scope: Scope::All
        }]
    );
    let plane = Array2::from_shape_fn((40, 50), |(y, x)| (y * x % 17) as f32 * 100.0);
    let maps = predict(&model, &[plane.view()], &Plan::default()).unwrap();
    assert!(maps.iter().all(|v| *v == 0.0 || *v == 1.0));
    // Of two channels that sum up to 1, at least one is above a quarter.
    assert!(
        (&maps.slice(s![0, .., ..]) + &maps.slice(s![1, .., ..]))
            .iter()
            .all(|v| *v >= 1.0)
    );
}

#[test]
fn mistakes_in_the_zoos_have_their_place() {
    let folder = Folder::new();
    for (old, new, said) in [
        (
            "format_version: 0.4.9",
            "format_version: 0.9.0",
            "format_version: format 0.9.0 is not known",
        ),
        (
            "axes: bcyx\n    data_type: float32\n    shape: {min",
            "axes: bczyx\n    data_type: float32\n    shape: {min",
            "inputs[0].axes: `bczyx`",
        ),
        (
            "mode: per_sample",
            "mode: per_dataset",
            "inputs[0].preprocessing[0].kwargs.mode: `per_dataset`",
        ),
        (
            "name: scale_linear",
            "name: cellpose_flow",
            "inputs[0].preprocessing[1].name: `cellpose_flow` is not supported",
        ),
        (
            "offset: [0.0, 1.0, 0.0, 0.0]",
            "offset: [0.0, 1.0, -8.0, -8.0]",
            "smaller than the input",
        ),
        (
            "scale: [1.0, 0.0, 1.0, 1.0]",
            "scale: [1.0, 0.0, 0.3, 1.0]",
            "a scale of 0.3",
        ),
        (
            "eps: 1.e-20",
            "eps: tiny",
            "inputs[0].preprocessing[0].kwargs.eps: must be a number",
        ),
        ("inputs:\n", "inputs: [\n", "line"),
    ] {
        assert!(LETTERS.contains(old), "{old}");
        folder.refuse("model.yaml", &LETTERS.replacen(old, new, 1), said);
    }
    // Aliases that grow without end.
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for i in 1..40 {
        bomb += &format!(
            "a{i}: &a{i} [*a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}]\n",
            i - 1
        );
    }
    folder.refuse("model.yaml", &bomb, "");
    folder.refuse("model.yaml", &"[".repeat(100_000), "");
    let large = format!("name: {}", "x".repeat(2 << 20));
    let error = folder.with("model.yaml", &large).err().unwrap();
    assert_eq!(error.code(), "file-too-large");
}

#[test]
fn stardists_own_files_are_read() {
    let folder = Folder::new();
    let mut net = Net::new(&[0, 0, 0, 1]);
    net.graph.node.clear();
    let turned = net.node(
        "Transpose",
        &["input"],
        vec![net::ints("perm", &[0, 3, 1, 2])],
    );
    let a = net.conv(&turned, (1, 8), 3);
    let a = net.pool(&a);
    let prob = net.conv(&a, (8, 1), 1);
    let back = net.node(
        "Transpose",
        &[&prob],
        vec![net::ints("perm", &[0, 2, 3, 1])],
    );
    net.output(&back, "prob", &[0, 0, 0, 1]);
    let dist = net.conv(&a, (8, 16), 1);
    let back = net.node(
        "Transpose",
        &[&dist],
        vec![net::ints("perm", &[0, 2, 3, 1])],
    );
    net.output(&back, "dist", &[0, 0, 0, 16]);
    net.write(&folder.path("model.onnx"));
    std::fs::write(
        folder.path("thresholds.json"),
        r#"{"prob": 0.62, "nms": 0.3}"#,
    )
    .unwrap();
    let config =
        r#"{"n_dim": 2, "n_rays": 16, "grid": [2, 2], "unet_n_depth": 3, "unet_pool": [2, 2]}"#;
    let d = folder.described("config.json", config);
    let star = d.star_convex.unwrap();
    assert_eq!(
        (star.n_rays, star.prob_thresh, star.nms_thresh),
        (16, Some(0.62), Some(0.3))
    );
    assert_eq!((d.multiple, d.outputs[1].grid), ([16, 16], [2, 2]));
    assert_eq!(d.input.axes.to_string(), "byxc");
    let files = networks::files(&folder.path("model.onnx"), None);
    assert!(
        files.contains(&folder.path("thresholds.json"))
            && files.contains(&folder.path("config.json"))
    );
    // A model that is open already is opened again when its thresholds change, or go away.
    let open = || Model::open(&folder.path("model.onnx"), &Options::default()).unwrap();
    let thresholds = |model: &Model| model.description().star_convex.clone().unwrap().prob_thresh;
    assert_eq!(thresholds(&open()), Some(0.62));
    std::fs::write(
        folder.path("thresholds.json"),
        r#"{"prob": 0.625, "nms": 0.3}"#,
    )
    .unwrap();
    assert_eq!(thresholds(&open()), Some(0.625));
    std::fs::remove_file(folder.path("thresholds.json")).unwrap();
    assert_eq!(thresholds(&open()), None);
    folder.refuse(
        "config.json",
        r#"{"n_rays": "many"}"#,
        "n_rays: must be a whole number",
    );
    folder.refuse("config.json", r#"{"n_rays": 16, "n_dim": 3}"#, "3-D");
}

#[test]
fn a_named_sidecar_wins() {
    let folder = Folder::new();
    std::fs::write(folder.path("model.toml"), "name = \"beside\"").unwrap();
    std::fs::write(folder.path("other.toml"), "name = \"named\"").unwrap();
    let options = Options {
        sidecar: Some(folder.path("other.toml")),
        ..Options::default()
    };
    let model = Model::open(&folder.path("model.onnx"), &options).unwrap();
    assert_eq!(model.description().name.as_deref(), Some("named"));
}
