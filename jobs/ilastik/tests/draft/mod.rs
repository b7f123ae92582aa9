//! Writes small projects in all the forms in which ilastik has written them.
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::str::FromStr;

use hdf5::types::{FixedAscii, FixedUnicode, VarLenAscii, VarLenUnicode};
use hdf5::{File, Group};
use ndarray::{Array2, arr1};

/// How texts are stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Texts {
    FixedAscii,
    FixedUnicode,
    VarLenAscii,
    VarLenUnicode,
}

/// A project to be written.
pub struct Draft {
    pub texts: Texts,
    pub version: &'static str,
    pub workflow: &'static str,
    /// Truth values as numbers, not as h5py's enumeration.
    pub plain_bools: bool,
    pub compute_in_2d: Option<bool>,
    pub known_labels: Option<Vec<u32>>,
    pub pickled_type: Option<&'static str>,
    pub labels: Vec<&'static str>,
    /// Selected sigma of Gaussian Smoothing.
    pub sigma: f64,
    pub channels: usize,
    pub shape: Option<Vec<i64>>,
    pub trained: bool,
    pub node_type: i32,
    pub stages: usize,
}

impl Default for Draft {
    fn default() -> Self {
        Self {
            texts: Texts::VarLenAscii,
            version: "1.4.0",
            workflow: "Pixel Classification",
            plain_bools: false,
            compute_in_2d: Some(true),
            known_labels: Some(vec![1, 2]),
            pickled_type: Some(
                "clazyflow.classifiers.parallelVigraRfLazyflowClassifier\nParallelVigraRfLazyflowClassifier\np0\n.",
            ),
            labels: vec!["dark", "bright"],
            sigma: 1.0,
            channels: 1,
            shape: None,
            trained: true,
            node_type: 0,
            stages: 1,
        }
    }
}

fn write_texts(group: &Group, name: &str, texts: &[&str], kind: Texts) {
    let builder = |g: &Group| g.clone();
    let group = builder(group);
    match kind {
        Texts::FixedAscii => {
            let values: Vec<FixedAscii<32>> = texts
                .iter()
                .map(|t| FixedAscii::from_ascii(t).unwrap())
                .collect();
            group
                .new_dataset_builder()
                .with_data(&arr1(&values))
                .create(name)
                .unwrap();
        }
        Texts::FixedUnicode => {
            let values: Vec<FixedUnicode<32>> = texts
                .iter()
                .map(|t| FixedUnicode::from_str(t).unwrap())
                .collect();
            group
                .new_dataset_builder()
                .with_data(&arr1(&values))
                .create(name)
                .unwrap();
        }
        Texts::VarLenAscii => {
            let values: Vec<VarLenAscii> = texts
                .iter()
                .map(|t| VarLenAscii::from_ascii(t).unwrap())
                .collect();
            group
                .new_dataset_builder()
                .with_data(&arr1(&values))
                .create(name)
                .unwrap();
        }
        Texts::VarLenUnicode => {
            let values: Vec<VarLenUnicode> = texts
                .iter()
                .map(|t| VarLenUnicode::from_str(t).unwrap())
                .collect();
            group
                .new_dataset_builder()
                .with_data(&arr1(&values))
                .create(name)
                .unwrap();
        }
    }
}

fn write_text(group: &Group, name: &str, text: &str, kind: Texts) {
    match kind {
        Texts::VarLenUnicode | Texts::FixedUnicode => {
            let text = VarLenUnicode::from_str(text).unwrap();
            group
                .new_dataset::<VarLenUnicode>()
                .create(name)
                .unwrap()
                .write_scalar(&text)
                .unwrap();
        }
        _ => {
            let text = VarLenAscii::from_ascii(text).unwrap();
            group
                .new_dataset::<VarLenAscii>()
                .create(name)
                .unwrap()
                .write_scalar(&text)
                .unwrap();
        }
    }
}

const FEATURES: [&str; 6] = [
    "GaussianSmoothing",
    "LaplacianOfGaussian",
    "GaussianGradientMagnitude",
    "DifferenceOfGaussians",
    "StructureTensorEigenvalues",
    "HessianOfGaussianEigenvalues",
];

pub fn write(draft: &Draft, path: &Path) {
    let file = File::create(path).unwrap();
    write_text(&file, "ilastikVersion", draft.version, draft.texts);
    write_text(&file, "workflowName", draft.workflow, draft.texts);
    for stage in 0..draft.stages {
        let suffix = if stage == 0 {
            String::new()
        } else {
            format!("{stage:02}")
        };
        let features = file
            .create_group(&format!("FeatureSelections{suffix}"))
            .unwrap();
        write_texts(&features, "FeatureIds", &FEATURES, draft.texts);
        features
            .new_dataset_builder()
            .with_data(&arr1(&[draft.sigma, 3.5]))
            .create("Scales")
            .unwrap();
        let mut ticked = Array2::from_elem((6, 2), false);
        ticked[[0, 0]] = true;
        if draft.plain_bools {
            features
                .new_dataset_builder()
                .with_data(&ticked.mapv(u8::from))
                .create("SelectionMatrix")
                .unwrap();
        } else {
            features
                .new_dataset_builder()
                .with_data(&ticked)
                .create("SelectionMatrix")
                .unwrap();
        }
        if let Some(flat) = draft.compute_in_2d {
            features
                .new_dataset_builder()
                .with_data(&arr1(&[flat, flat]))
                .create("ComputeIn2d")
                .unwrap();
        }
        let pixels = file
            .create_group(&format!("PixelClassification{suffix}"))
            .unwrap();
        write_texts(&pixels, "LabelNames", &draft.labels, draft.texts);
        if draft.trained {
            write_forests(draft, &pixels, draft.channels + 2 * stage);
        }
    }
    let raw = file
        .create_group("Input Data/infos/lane0000/Raw Data")
        .unwrap();
    write_text(&raw, "filePath", "/nowhere/training.png", draft.texts);
    let tags = r#"{"axes": [{"key": "y", "typeFlags": 2}, {"key": "x", "typeFlags": 2}, {"key": "c", "typeFlags": 1}]}"#;
    write_text(&raw, "axistags", tags, draft.texts);
    if let Some(shape) = &draft.shape {
        raw.new_dataset_builder()
            .with_data(&arr1(shape))
            .create("shape")
            .unwrap();
    }
}

/// Two forests of one and two trees: bright where the first channel's smoothed value is at least 100.
fn write_forests(draft: &Draft, pixels: &Group, columns: usize) {
    let forests = pixels.create_group("ClassifierForests").unwrap();
    if let Some(known) = &draft.known_labels {
        forests
            .new_dataset_builder()
            .with_data(&arr1(known))
            .create("known_labels")
            .unwrap();
    }
    if let Some(kind) = draft.pickled_type {
        write_text(&forests, "pickled_type", kind, draft.texts);
    }
    for (name, trees) in [("Forest0000", 1), ("Forest0001", 2)] {
        let forest = forests.create_group(name).unwrap();
        forest
            .new_attr::<f64>()
            .create("vigra_random_forest_version")
            .unwrap()
            .write_scalar(&0.1)
            .unwrap();
        let number = |group: &str, name: &str, value: f64| {
            let path = format!("{group}/{name}");
            forest
                .new_dataset_builder()
                .with_data(&arr1(&[value]))
                .create(path.as_str())
                .unwrap();
        };
        forest.create_group("_options").unwrap();
        forest.create_group("_ext_param").unwrap();
        number("_options", "predict_weighted_", 0.0);
        number("_options", "tree_count_", f64::from(trees));
        number("_ext_param", "column_count_", columns as f64);
        number("_ext_param", "class_count_", 2.0);
        for tree in 0..trees {
            let tree = forest.create_group(&format!("Tree_{tree}")).unwrap();
            let leaf = 0x4000_0000;
            let topology = [
                columns as i32,
                2,
                draft.node_type,
                0,
                7,
                9,
                0,
                leaf,
                2,
                leaf,
                5,
            ];
            tree.new_dataset_builder()
                .with_data(&arr1(&topology))
                .create("topology")
                .unwrap();
            let parameters = [1.0, 100.0, 9.0, 1.0, 0.0, 8.0, 0.0, 1.0];
            tree.new_dataset_builder()
                .with_data(&arr1(&parameters))
                .create("parameters")
                .unwrap();
        }
    }
}

pub fn project(draft: &Draft) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("project.ilp");
    write(draft, &path);
    (folder, path)
}
