//! `predict.network` through a pass: from TIFF files to the container.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../../networks/tests/common/net.rs"]
mod net;

use std::path::PathBuf;
use std::sync::Arc;

use image_io::Pixels;
use image_io::container::Container;
use ndarray::{Array2, Axis};
use net::Net;
use networks::normalise::{Scope, Step, Steps};
use networks::{Model, Options, Plan, predict};
use workflow::pass::{JobOutcome, JobRequest, PassReport, PassRequest, PlaneRef};
use workflow::{Compiled, Workflow};

struct Bench(tempfile::TempDir);

const SIZE: (usize, usize) = (75, 90);

fn pixels(seed: usize) -> Array2<u16> {
    Array2::from_shape_fn(SIZE, |(y, x)| {
        (((y * 13 + x * 7 + seed) * (x + 3)) % 4001) as u16
    })
}

impl Bench {
    /// A folder with two planes, a network of two outputs, and a workflow.
    fn new(workflow: &str) -> Self {
        let bench = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(bench.path("raw")).unwrap();
        for (i, name) in ["serum.tif", "marker.tif"].into_iter().enumerate() {
            let file = std::fs::File::create(bench.path("raw").join(name)).unwrap();
            let plane = pixels(i);
            let (height, width) = SIZE;
            let mut encoder = tiff::encoder::TiffEncoder::new(file).unwrap();
            encoder
                .write_image::<tiff::encoder::colortype::Gray16>(
                    width as u32,
                    height as u32,
                    plane.as_slice().unwrap(),
                )
                .unwrap();
        }
        Net::u_net(1, 2).write(&bench.path("unet.onnx"));
        bench.write(workflow);
        bench
    }

    fn write(&self, workflow: &str) {
        std::fs::write(self.path("workflow.toml"), workflow).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn compile(&self) -> Result<Workflow, String> {
        let mut source = config::WorkflowFile::load(&self.path("workflow.toml")).unwrap();
        workflow::resolve_files(&mut source);
        Workflow::compile(&source).map_err(|e| {
            e.iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("; ")
        })
    }

    fn run(&self) -> PassReport {
        let workflow = Arc::new(self.compile().unwrap());
        let plane = |name: &str, channel: &str| PlaneRef {
            root: self.path("raw"),
            path: PathBuf::from(name),
            plane: 0,
            channel: channel.to_owned(),
            z: None,
        };
        let request = serde_json::json!({
            "pass": 1, "plate": "plate", "plate_dir": self.path("plate"),
            "subject": {
                "subject": "image_set", "name": "A01-0001", "inputs": [], "input_hash": "hash",
                "planes": [plane("serum.tif", "serum"), plane("marker.tif", "marker")],
                "container": self.path("out.h5"),
            },
            "jobs": [],
        });
        let mut request: PassRequest = serde_json::from_value(request).unwrap();
        let asked = |job: &workflow::Job| JobRequest {
            job: job.id.clone(),
            key: "key".to_owned(),
        };
        request.jobs = workflow.jobs.iter().map(asked).collect();
        workflow::pass::run(&workflow, &request, &mut |_| {})
    }

    fn stored(&self, name: &str) -> Pixels {
        let container = Container::open(&self.path("out.h5")).unwrap();
        container.read_image(name, 0).unwrap()
    }

    fn float(&self, name: &str) -> Array2<f32> {
        match self.stored(name) {
            Pixels::F32(a) => a,
            other => panic!("{name} holds {}", other.pixel_type().name()),
        }
    }

    fn mask(&self, name: &str) -> Array2<u8> {
        match self.stored(name) {
            Pixels::U8(a) => a,
            other => panic!("{name} holds {}", other.pixel_type().name()),
        }
    }
}

fn failure(report: &PassReport, job: &str) -> workflow::Failure {
    match &report.outcomes[job] {
        JobOutcome::Failed { failure } => failure.clone(),
        other => panic!("{job}: {other:?}"),
    }
}

/// What docs/guide/networks.md shows as BatchLib's TorchPrediction.
const TORCH_PREDICTION: &str = r#"
name = "torch"
version = "1"
[container]
scale_factors = [1]
[[job]]
id = "boundaries"
kind = "predict.network"
model = "unet.onnx"
input = "serum"
output = { masks = ["mask"], images = ["boundary"] }
channels = ["mask", "boundary"]
normalise = "standardise"
batch = 4
"#;

#[test]
fn batchlibs_torch_prediction_in_eight_lines() {
    let bench = Bench::new(TORCH_PREDICTION);
    let report = bench.run();
    assert_eq!(report.outcomes["boundaries"], JobOutcome::Succeeded);
    let model = Model::open(&bench.path("unet.onnx"), &Options::default()).unwrap();
    let raw = pixels(0).mapv(f32::from);
    let standardise = Step::Standardise {
        eps: 1e-6,
        scope: Scope::Channel,
    };
    let plan = Plan {
        normalisation: Some(Steps(vec![standardise])),
        ..Plan::default()
    };
    let maps = predict(&model, &[raw.view()], &plan).unwrap();
    assert_eq!(bench.float("boundary"), maps.index_axis(Axis(0), 1));
    let expected = maps.index_axis(Axis(0), 0).mapv(|v| u8::from(v > 0.5));
    assert!(expected.iter().any(|v| *v == 0) && expected.iter().any(|v| *v == 1));
    assert_eq!(bench.mask("mask"), expected);
    // Which engine it was stands with the job's provenance.
    let container = Container::open(&bench.path("out.h5")).unwrap();
    let made_by = container
        .attribute("/", "wellspring_job_boundaries")
        .unwrap()
        .unwrap();
    let made_by: serde_json::Value = serde_json::from_str(made_by.as_text().unwrap()).unwrap();
    assert_eq!(made_by["engine"], networks::engine::builtin_name());
}

#[test]
fn the_workflow_overrides_the_sidecar() {
    let text = TORCH_PREDICTION
        .replace("channels = [\"mask\", \"boundary\"]\n", "")
        .replace("normalise = \"standardise\"\n", "");
    let bench = Bench::new(&text);
    // Without names nobody knows which channel is the mask.
    let told = failure(&bench.run(), "boundaries");
    assert_eq!(told.code, "bad-channels");
    assert!(told.message.contains("need names"), "{told:?}");
    let sidecar = "normalise = \"min_max\"\n[[output]]\nchannels = [\"mask\", \"boundary\"]\nactivation = \"sigmoid\"\n";
    std::fs::write(bench.path("unet.toml"), sidecar).unwrap();
    assert_eq!(bench.run().outcomes["boundaries"], JobOutcome::Succeeded);
    let model = Model::open(&bench.path("unet.onnx"), &Options::default()).unwrap();
    let raw = pixels(0).mapv(f32::from);
    let maps = predict(&model, &[raw.view()], &Plan::default()).unwrap();
    assert_eq!(bench.float("boundary"), maps.index_axis(Axis(0), 1));
    // Tiles, thresholds and another activation from the workflow.
    let more = "tile = 24\noverlap = 32\nthresholds = { mask = 0.009 }\nactivation = { name = \"scale_linear\", gain = 0.01 }\n";
    bench.write(&(text + more));
    assert_eq!(bench.run().outcomes["boundaries"], JobOutcome::Succeeded);
    let plan = Plan {
        activation: Some(
            serde_json::from_str(r#"{"name": "scale_linear", "gain": 0.01}"#).unwrap(),
        ),
        ..Plan::default()
    };
    let maps = predict(&model, &[raw.view()], &plan).unwrap();
    let expected = maps.index_axis(Axis(0), 0).mapv(|v| u8::from(v > 0.009));
    assert!(expected.iter().any(|v| *v == 0) && expected.iter().any(|v| *v == 1));
    let found = bench.mask("mask");
    let wrong = found.iter().zip(&expected).filter(|(a, b)| a != b).count();
    // Tiled sums differ in the last bit, which may matter just at the threshold.
    assert!(wrong <= 2, "{wrong} pixels differ");
    let off = (&bench.float("boundary") - &maps.index_axis(Axis(0), 1)).mapv(f32::abs);
    assert!(off.iter().all(|v| *v < 1e-5));
}

#[test]
fn a_changed_model_or_sidecar_is_another_key() {
    let bench = Bench::new(TORCH_PREDICTION);
    let files = || match &bench.compile().unwrap().jobs[0].operation {
        Compiled::Image(operation) => operation.files(),
        Compiled::Plate(_) => panic!("an image-set job"),
    };
    assert_eq!(files(), [bench.path("unet.onnx")]);
    std::fs::write(bench.path("unet.toml"), "tile = 64\n").unwrap();
    assert_eq!(files(), [bench.path("unet.onnx"), bench.path("unet.toml")]);
    bench.write(&TORCH_PREDICTION.replace("batch = 4", "sidecar = \"told/other.toml\""));
    assert_eq!(
        files(),
        [bench.path("unet.onnx"), bench.path("told/other.toml")]
    );
}

#[test]
fn one_bad_model_fails_alone_and_says_why() {
    let second = "[[job]]\nid = \"smooth\"\nkind = \"filter.gaussian\"\ninput = \"marker\"\noutput = \"smooth\"\n";
    let bench = Bench::new(&(TORCH_PREDICTION.to_owned() + second));
    let whole = std::fs::read(bench.path("unet.onnx")).unwrap();
    std::fs::write(bench.path("unet.onnx"), &whole[..whole.len() / 2]).unwrap();
    let report = bench.run();
    assert_eq!(report.outcomes["smooth"], JobOutcome::Succeeded);
    let told = failure(&report, "boundaries");
    assert_eq!(told.code, "damaged-model");
    assert_eq!(told.class, workflow::FailureClass::Permanent);
    assert!(
        told.message.contains("unet.onnx") && told.remedy.contains("export"),
        "{told:?}"
    );
    std::fs::remove_file(bench.path("unet.onnx")).unwrap();
    assert_eq!(failure(&bench.run(), "boundaries").code, "file-missing");
    let warned = bench.compile().unwrap().warnings();
    assert_eq!((warned.len(), warned[0].job.as_str()), (1, "boundaries"));
    Net::u_net(2, 2).write(&bench.path("unet.onnx"));
    let told = failure(&bench.run(), "boundaries");
    assert_eq!(told.code, "wrong-input");
    assert!(told.message.contains("takes 2 channels, not 1"), "{told:?}");
}

#[test]
fn mistakes_are_found_before_anything_runs() {
    for (from, to, expected) in [
        (
            "images = [\"boundary\"]",
            "images = [\"boundry\"]",
            "did you mean `boundary`?",
        ),
        ("batch = 4", "batch = 0", "`batch` must be between"),
        (
            "batch = 4",
            "thresholds = { boundary = 0.5 }",
            "no output of the port `masks`",
        ),
        (
            "normalise = \"standardise\"",
            "normalise = \"standardice\"",
            "standardise",
        ),
        ("batch = 4", "bach = 4", "did you mean `batch`?"),
        ("model = \"unet.onnx\"\n", "", "missing field `model`"),
        (
            "output = { masks = [\"mask\"], images = [\"boundary\"] }\n",
            "",
            "needs an output",
        ),
    ] {
        let text = TORCH_PREDICTION.replacen(from, to, 1);
        assert_ne!(text, TORCH_PREDICTION);
        let message = Bench::new(&text).compile().map(drop).unwrap_err();
        assert!(message.contains(expected), "{message}");
    }
}
