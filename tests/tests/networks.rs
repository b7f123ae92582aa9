//! Networks through the real program: `model check`, `run`, `doctor`, and an onnxruntime library that is none.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "../../jobs/networks/tests/common/net.rs"]
mod net;

use std::path::PathBuf;
use std::process::Output;

use black_box::binary::{json, run};
use black_box::synthetic::{PlateSpec, write_plate};
use net::Net;
use serde_json::Value;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        Net::u_net(1, 2).write(&folder.0.path().join("unet.onnx"));
        folder
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.path().join(name), text).unwrap();
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_model_is_checked() {
    let folder = Folder::new();
    folder.write(
        "unet.toml",
        "normalise = \"standardise\"\n[[output]]\nchannels = [\"mask\", \"boundary\"]\n",
    );
    let model = folder.path("unet.onnx");
    let output = run([
        "model",
        "check",
        "--json",
        "--size",
        "96",
        "--threads",
        "1",
        &model,
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let report = json(&output);
    assert_eq!(report["usable"], true);
    assert_eq!(
        report["file"]["inputs"][0]["shape"],
        serde_json::json!([null, 1, null, null])
    );
    assert_eq!(report["file"]["operators"]["ConvTranspose"], 1);
    assert_eq!(report["description"]["multiple"], serde_json::json!([4, 4]));
    assert_eq!(
        report["description"]["normalisation"][0]["name"],
        "standardise"
    );
    assert_eq!(
        report["trial"]["outputs"][0]["shape"],
        serde_json::json!([2, 96, 96])
    );
    assert!(report["trial"]["secs_per_megapixel"].as_f64().unwrap() > 0.0);
    let output = run(["model", "check", "--size", "64", &model]);
    let text = String::from_utf8_lossy(&output.stdout);
    for part in [
        "input      input [d0, 1, d2, d3] FLOAT",
        "takes      bcyx, 1 channels",
        "(mask, boundary)",
        "engine     rten",
        "a megapixel",
    ] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn an_unusable_model_ends_with_one_and_a_reason() {
    let folder = Folder::new();
    let whole = std::fs::read(folder.path("unet.onnx")).unwrap();
    std::fs::write(folder.path("half.onnx"), &whole[..whole.len() / 2]).unwrap();
    let output = run(["model", "check", &folder.path("half.onnx")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output).contains("half.onnx") && said(&output).contains("hint: "),
        "{}",
        said(&output)
    );
    let mut net = Net::new(&[0, 1, 0, 0]);
    let odd = net.node("Conjure", &["input"], vec![]);
    net.output(&odd, "output", &[0, 1, 0, 0]);
    net.write(folder.path("odd.onnx").as_ref());
    let output = run(["model", "check", "--json", &folder.path("odd.onnx")]);
    assert_eq!(output.status.code(), Some(1));
    let report = json(&output);
    assert_eq!(report["usable"], false);
    assert_eq!(report["error"]["code"], "unsupported-operators");
    assert_eq!(
        report["file"]["not_built_in"],
        serde_json::json!(["Conjure"])
    );
}

#[test]
fn a_library_that_is_none_is_told() {
    let folder = Folder::new();
    folder.write("libonnxruntime.so", "no library");
    let library = folder.path("libonnxruntime.so");
    for arguments in [
        vec![
            "model",
            "check",
            "--onnxruntime",
            &library,
            &folder.path("unet.onnx"),
        ],
        vec!["model", "engines", "--onnxruntime", &library],
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(1));
        assert!(
            said(&output).contains("libonnxruntime.so"),
            "{}",
            said(&output)
        );
    }
    let config = format!(
        "[state]\ndir = \"{}\"\n[workers]\nonnxruntime = \"libonnxruntime.so\"\n",
        folder.path("state")
    );
    folder.write("wellspring.toml", &config);
    let output = run(["doctor", "--json", "-c", &folder.path("wellspring.toml")]);
    assert_eq!(output.status.code(), Some(1));
    let checks = json(&output)["checks"].as_array().unwrap().clone();
    let found = checks.iter().find(|c| c["name"] == "networks").unwrap();
    assert_eq!(found["verdict"], "problem");
    assert!(
        found["detail"]
            .as_str()
            .unwrap()
            .contains("runs the networks instead"),
        "{found}"
    );
}

const WORKFLOW: &str = r#"
name = "network"
version = "1"
[container]
scale_factors = [1]
[[job]]
id = "unet"
kind = "predict.network"
model = "unet.onnx"
input = "DAPI"
output = { masks = ["mask"], images = ["boundaries"] }
channels = ["mask", "boundaries"]
"#;

#[test]
fn a_plate_is_predicted_and_again_when_the_sidecar_changes() {
    let folder = Folder::new();
    folder.write("unet.toml", "normalise = \"standardise\"\n");
    folder.write("network.toml", WORKFLOW);
    let spec = PlateSpec {
        rows: 1,
        columns: 2,
        sites: 1,
        side: 128,
        nuclei: 5,
        dead_well: None,
        seed: 3,
    };
    let files: Vec<PathBuf> = write_plate(&spec, folder.path("plate").as_ref()).unwrap();
    assert!(!files.is_empty());
    let process = |more: &[&str]| -> (i32, Value) {
        let fixed = [
            "run",
            "--json",
            "--workers",
            "1",
            &folder.path("network.toml"),
            &folder.path("plate"),
            "-o",
            &folder.path("results"),
        ]
        .map(str::to_owned);
        let output = run(fixed.into_iter().chain(more.iter().map(|&m| m.to_owned())));
        assert!(!output.stdout.is_empty(), "{}", said(&output));
        (output.status.code().unwrap(), json(&output))
    };
    let (code, first) = process(&[]);
    assert_eq!(
        (code, &first["tasks"]["succeeded"]),
        (0, &2.into()),
        "{first}"
    );
    let results = std::fs::read_dir(folder.path("results/plate")).unwrap();
    let container = results
        .map(|e| e.unwrap().path())
        .find(|p| p.extension().is_some_and(|e| e == "h5"))
        .unwrap();
    let container = container.display().to_string();
    let tree = json(&run(["inspect", "--json", &container]));
    assert!(
        tree.to_string().contains("boundaries") && tree.to_string().contains("rten"),
        "{tree}"
    );
    assert_eq!(process(&["--dry-run"]).1["planned"], serde_json::json!([]));
    folder.write("unet.toml", "normalise = \"min_max\"\n");
    let planned = process(&["--dry-run"]).1["planned"].clone();
    assert_eq!(planned.as_array().map(Vec::len), Some(2), "{planned}");
    assert!(
        planned[0]["reason"].as_str().unwrap().contains("unet.toml"),
        "{planned}"
    );
}
