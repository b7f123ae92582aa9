//! Mistakes in workflows and files that do not fit: each says what is wrong, and nothing panics.

use std::path::Path;

use config::WorkflowFile;
use ndarray::Array2;
use workflow::Workflow;

use crate::common::{compile, run, shared};

/// A grey image of 48 x 40 pixels.
fn image(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("image.tif");
    let file = std::fs::File::create(&path).unwrap();
    let pixels: Vec<u8> = (0..48 * 40).map(|i| (i * 7 % 251) as u8).collect();
    let mut writer = tiff::encoder::TiffEncoder::new(file).unwrap();
    writer
        .write_image::<tiff::encoder::colortype::Gray8>(40, 48, &pixels)
        .unwrap();
    path
}

fn job(kind: &str, parameters: &str) -> String {
    format!(
        "[[job]]\nid = \"a\"\nkind = \"{kind}\"\ninput = \"DAPI\"\noutput = \"nuclei\"\nmodel = \"model.onnx\"\n{parameters}\n"
    )
}

#[test]
fn impossible_parameters_are_told_before_anything_runs() {
    let text = |job: &str| format!("name = \"t\"\nversion = \"1\"\n{job}");
    for (kind, parameters, says) in [
        (
            "predict.stardist",
            "prob_thresh = 1.5",
            "`prob_thresh` must be between 0 and 1",
        ),
        ("predict.stardist", "nms_thresh = -0.1", "`nms_thresh`"),
        ("predict.stardist", "scale = 0.0", "`scale` must be above 0"),
        ("predict.stardist", "scale = \"large\"", "variant"),
        ("predict.stardist", "diameter = 0.0", "`diameter`"),
        ("predict.stardist", "tile = 8", "`tile` must be between 64"),
        (
            "predict.stardist",
            "probthresh = 0.5",
            "did you mean `prob_thresh`?",
        ),
        ("predict.stardist", "normalise = \"percentil\"", "percentil"),
        (
            "predict.instanseg",
            "pixel_size = 0.3\nscale = 0.5",
            "give one of them",
        ),
        (
            "predict.instanseg",
            "pixel_size = 0.0",
            "`pixel_size` must be",
        ),
        (
            "predict.instanseg",
            "mask_threshold = 1.0",
            "`mask_threshold`",
        ),
        ("predict.instanseg", "window = 0", "`window` must be"),
        (
            "predict.instanseg",
            "peak_distance = 9999",
            "`peak_distance` must be",
        ),
        ("predict.instanseg", "overlap = 100000", "`overlap` must be"),
    ] {
        let source = WorkflowFile::from_str(&text(&job(kind, parameters)), Path::new("/")).unwrap();
        let Err(errors) = Workflow::compile(&source) else {
            panic!("{parameters} was accepted");
        };
        let said: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert!(
            said.iter().any(|s| s.contains(says)),
            "{parameters}: {said:?}"
        );
    }
}

#[test]
fn missing_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let image = image(folder.path());
    for (kind, code) in [
        ("predict.stardist", "file-missing"),
        ("predict.instanseg", "file-missing"),
    ] {
        let workflow = compile(&job(kind, ""), folder.path());
        let said = run(&workflow, &image).unwrap_err();
        assert!(
            said.contains(code) && said.contains(&folder.path().display().to_string()),
            "{said}"
        );
        assert!(!workflow.warnings().is_empty());
    }
    std::fs::write(folder.path().join("model.onnx"), b"no network").unwrap();
    let said = run(
        &compile(&job("predict.stardist", ""), folder.path()),
        &image,
    )
    .unwrap_err();
    assert!(said.contains("damaged-model"), "{said}");
}

#[test]
fn networks_that_do_not_fit_are_refused() {
    let Some(models) = shared("models") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let grey = image(folder.path());
    let tiny = models.join("stardist_dsb2018_tiny/model.onnx");
    let classifier = models.join("instanseg_pixel_classifier.json");
    let sidecar = |rays: usize| {
        let path = folder.path().join("config.json");
        std::fs::write(
            &path,
            format!("{{\"n_rays\": {rays}, \"grid\": [2, 2], \"unet_n_depth\": 3}}"),
        )
        .unwrap();
        path
    };
    let with = |kind: &str, model: &Path, more: &str| {
        job(kind, more).replace("model.onnx", &model.display().to_string())
    };
    let refused = |job: String, image: &Path, says: &str| {
        let said = run(&compile(&job, folder.path()), image).unwrap_err();
        assert!(said.contains(says), "{says}: {said}");
    };
    // The sidecar promises another number of rays.
    let other = format!("sidecar = \"{}\"", sidecar(64).display());
    refused(
        with("predict.stardist", &tiny, &other),
        &grey,
        "n_rays = 64",
    );
    // Two channels for a network that takes one.
    let two = with("predict.stardist", &tiny, "").replace("\"DAPI\"", "[\"DAPI\", \"GFP\"]");
    let sample = models.join("instanseg_ref/sample_2c.tif");
    refused(two, &sample, "takes 1 channels, not 2");
    // Each network as if it were the other.
    let backbone = models.join("instanseg_fluorescence_nuclei_and_cells.onnx");
    refused(
        with(
            "predict.instanseg",
            &tiny,
            &format!("classifier = \"{}\"", classifier.display()),
        ),
        &grey,
        "wrong-output",
    );
    let said = run(
        &compile(&with("predict.stardist", &backbone, ""), folder.path()),
        &grey,
    );
    assert!(said.is_err() || said.unwrap()["nuclei"].shape() == (48, 40));
    // A classifier for another number of maps.
    let odd = folder.path().join("odd.json");
    std::fs::write(&odd, r#"{"fc1.weight": [[1, 2, 3]], "fc1.bias": [0]}"#).unwrap();
    refused(
        with(
            "predict.instanseg",
            &backbone,
            &format!("classifier = \"{}\"", odd.display()),
        ),
        &grey,
        "takes 4 for one kind",
    );
}

/// A network is free to find nothing.
#[test]
fn images_without_nuclei_have_empty_labels() {
    let Some(models) = shared("models") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let flat = folder.path().join("flat.tif");
    let file = std::fs::File::create(&flat).unwrap();
    let mut writer = tiff::encoder::TiffEncoder::new(file).unwrap();
    writer
        .write_image::<tiff::encoder::colortype::Gray8>(33, 7, &vec![5; 33 * 7])
        .unwrap();
    for (model, more) in [
        ("stardist_dsb2018_tiny/model.onnx", "scale = \"auto\""),
        ("stardist_dsb2018_tiny/model.onnx", "scale = 0.3"),
    ] {
        let model = models.join(model).display().to_string();
        let job = job("predict.stardist", more).replace("model.onnx", &model);
        let stored = run(&compile(&job, folder.path()), &flat).unwrap();
        assert_eq!(
            crate::common::labels(&stored, "nuclei"),
            Array2::<u32>::zeros((7, 33))
        );
    }
}
