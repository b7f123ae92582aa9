//! Real networks against the outputs of the programs that they come from.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::{difference, npy, plane, shared};
use ndarray::{ArrayD, Axis, s};
use networks::normalise::{Scope, Step, Steps};
use networks::{Model, Options, Plan, normalised, tile};

#[test]
fn stardist_gives_the_reference_outputs() {
    for name in ["stardist_dsb2018", "stardist_dsb2018_tiny"] {
        let Some(folder) = shared(&format!("models/{name}")) else {
            return;
        };
        let model = Model::open(&folder.join("model.onnx"), &Options::default()).unwrap();
        let description = model.description();
        assert_eq!(description.input.axes.to_string(), "byxc");
        assert_eq!(description.multiple, [16, 16]);
        assert_eq!(description.outputs[0].grid, [2, 2]);
        assert_eq!(description.outputs[1].channels, Some(32));
        let star = description.star_convex.clone().unwrap();
        assert_eq!((star.n_rays, star.nms_thresh), (32, Some(0.3)));
        let image = plane(&folder.join("sample.tif"), 0);
        let plan = Plan::default();
        let input = normalised(&model, &[image.view()], &plan).unwrap();
        let outputs = tile::run(&model, input.view(), &plan).unwrap();
        let dist = npy(&folder.join("ref_dist.npy"));
        let prob = npy(&folder.join("ref_prob.npy"));
        let found = outputs[0].data.index_axis(Axis(0), 0).to_owned().into_dyn();
        let d = difference(&found, &prob);
        println!("{name}: prob differs by at most {d:e}");
        assert!(d < 1e-4);
        // The reference is (y, x, ray), and at least 1e-3.
        let found = outputs[1].data.view().permuted_axes([1, 2, 0]);
        let found = found.mapv(|v| v.max(1e-3)).into_dyn();
        let d = beyond_half(&found, &dist);
        println!("{name}: dist differs by at most {d:e} pixels beyond float16's rounding");
        assert!(d < 1e-4);
    }
}

/// The largest difference to a reference that was stored as float16, which keeps 11 bits.
fn beyond_half(found: &ArrayD<f32>, reference: &ArrayD<f32>) -> f32 {
    assert_eq!(found.shape(), reference.shape());
    found
        .iter()
        .zip(reference)
        .map(|(f, r)| (f - r).abs() - r.abs().max(2f32.powi(-14)) / 2048.0)
        .fold(0.0f32, f32::max)
}

#[test]
fn instanseg_backbone_gives_the_reference_output() {
    let Some(folder) = shared("models") else {
        return;
    };
    let path = folder.join("instanseg_fluorescence_nuclei_and_cells.onnx");
    let model = Model::open(&path, &Options::default()).unwrap();
    let sample = folder.join("instanseg_ref/sample_2c.tif");
    let planes = [plane(&sample, 0), plane(&sample, 1)];
    let steps = vec![
        Step::ScaleRange {
            min_percentile: 0.1,
            max_percentile: 99.9,
            eps: 1e-6,
            scope: Scope::Channel,
        },
        Step::Clip {
            min: -2.0,
            max: 3.0,
        },
    ];
    let plan = Plan {
        normalisation: Some(Steps(steps)),
        multiple: Some([16, 16]),
        ..Plan::default()
    };
    let input = normalised(&model, &[planes[0].view(), planes[1].view()], &plan).unwrap();
    let outputs = tile::run(&model, input.view(), &plan).unwrap();
    let reference = npy(&folder.join("instanseg_ref/ref_backbone_f16.npy"));
    let found = outputs[0].data.slice(s![.., .., ..]).to_owned().into_dyn();
    let worst = beyond_half(&found, &reference);
    println!("instanseg: differs by at most {worst:e} beyond float16's rounding");
    assert!(worst < 1e-4);
}
