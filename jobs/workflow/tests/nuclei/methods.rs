//! The methods that are compared on nuclei with ground truth, each as the jobs of a workflow.
#![allow(dead_code)]

use std::path::{Path, PathBuf};

use ndarray::Array2;

use crate::common::{compile, labels, reference, run};
use crate::precision::Precision;

/// Smoothing, Otsu, filling, cleaning, splitting by distance: what a lab writes with scikit-image.
pub const CLASSICAL: &str = r#"
[[job]]
id = "smooth"
kind = "filter.gaussian"
input = "DAPI"
output = "smooth"
sigma = 1.0
keep = false
[[job]]
id = "mask"
kind = "segment.threshold"
input = "smooth"
output = "mask"
keep = false
[[job]]
id = "filled"
kind = "mask.fill_holes"
input = "mask"
output = "filled"
keep = false
[[job]]
id = "clean"
kind = "mask.remove_small"
input = "filled"
output = "clean"
max_size = 30
keep = false
[[job]]
id = "nuclei"
kind = "segment.declump"
input = "clean"
output = "nuclei"
min_distance = 5
"#;

/// A StarDist network of the shared data; files are relative to its folder.
pub const STARDIST: &str = r#"
[[job]]
id = "nuclei"
kind = "predict.stardist"
model = "model.onnx"
input = "DAPI"
output = "nuclei"
"#;

/// InstanSeg's network; `scale` is put in.
pub fn instanseg(scale: &str) -> String {
    format!(
        r#"
[[job]]
id = "nuclei"
kind = "predict.instanseg"
model = "instanseg_fluorescence_nuclei_and_cells.onnx"
input = "DAPI"
output = "nuclei"
scale = {scale}
"#
    )
}

/// Images and labels of dsb2018/test, in the order of their names.
pub fn images(folder: &Path) -> Vec<(PathBuf, Array2<u32>)> {
    let mut images: Vec<PathBuf> = std::fs::read_dir(folder.join("images"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    images.sort();
    images
        .into_iter()
        .map(|image| {
            let truth = folder.join("labels").join(image.file_name().unwrap());
            (image.clone(), reference(&truth, 0))
        })
        .collect()
}

/// Runs the jobs on all images.
pub fn measure(images: &[(PathBuf, Array2<u32>)], jobs: &str, folder: &Path) -> Precision {
    let workflow = compile(jobs, folder);
    let mut precision = Precision::default();
    for (image, truth) in images {
        let stored = run(&workflow, image).unwrap();
        precision.add(truth, &labels(&stored, "nuclei"));
    }
    precision
}

/// As [`measure`], with InstanSeg on each image at the magnification at which its nuclei (by the truth) have a median diameter of
/// 14 pixels.
pub fn measure_instanseg(images: &[(PathBuf, Array2<u32>)], models: &Path) -> Precision {
    let mut precision = Precision::default();
    for (image, truth) in images {
        let scale = 14.0 / median_diameter(truth);
        let workflow = compile(&instanseg(&scale.to_string()), models);
        let stored = run(&workflow, image).unwrap();
        precision.add(truth, &labels(&stored, "nuclei"));
    }
    precision
}

/// Diameter in pixels of a disk as large as the median nucleus.
pub fn median_diameter(truth: &Array2<u32>) -> f64 {
    let mut areas = std::collections::BTreeMap::new();
    for &label in truth.iter().filter(|&&l| l != 0) {
        *areas.entry(label).or_insert(0u64) += 1;
    }
    let mut areas: Vec<u64> = areas.into_values().collect();
    areas.sort_unstable();
    let last = areas.len() - 1;
    let median = (areas[last / 2] + areas[last.div_ceil(2)]) as f64 / 2.0;
    (4.0 * median / std::f64::consts::PI).sqrt()
}
