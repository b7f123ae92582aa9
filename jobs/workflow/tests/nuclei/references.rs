//! The label images that StarDist and InstanSeg themselves make, pixel by pixel.

use image_io::Pixels;

use crate::common::{compile, labels, reference, run, shared};
use crate::methods::STARDIST;

#[test]
fn stardist_labels_are_exactly_those_of_stardist() {
    for name in ["stardist_dsb2018", "stardist_dsb2018_tiny"] {
        let Some(folder) = shared(&format!("models/{name}")) else {
            return;
        };
        let job = format!("{STARDIST}\n").replace(
            "output = \"nuclei\"",
            "output = { labels = \"nuclei\", probabilities = \"prob\" }",
        );
        let stored = run(&compile(&job, &folder), &folder.join("sample.tif")).unwrap();
        let expected = reference(&folder.join("ref_labels.tif"), 0);
        assert_eq!(labels(&stored, "nuclei"), expected, "{name}");
        let Pixels::F32(prob) = &stored["prob"] else {
            panic!("{:?}", stored["prob"].pixel_type());
        };
        assert_eq!(prob.dim(), (256, 256));
        // The most probable object is label 1, and both lie on the grid of 2 x 2 pixels.
        let (place, best) = prob
            .indexed_iter()
            .max_by(|a, b| a.1.total_cmp(b.1))
            .unwrap();
        assert_eq!((expected[place], place.0 % 2, place.1 % 2), (1, 1, 1));
        assert!(
            (best - [0.884_764_3, 0.841_453_5][usize::from(name.ends_with("tiny"))]).abs() < 1e-4
        );
    }
}

/// Large tiles give what the whole gives; small ones what the whole gives but where the network looks farther than the overlap.
#[test]
fn tiles_do_not_cut_objects() {
    let Some(folder) = shared("models/stardist_dsb2018_tiny") else {
        return;
    };
    let image = folder.join("sample.tif");
    let whole = run(&compile(STARDIST, &folder), &image).unwrap();
    let tiled = format!("{STARDIST}tile = 96\n");
    let tiled = run(&compile(&tiled, &folder), &image).unwrap();
    assert_eq!(labels(&tiled, "nuclei"), labels(&whole, "nuclei"));
}

#[test]
fn instanseg_labels_are_exactly_those_of_instanseg() {
    let Some(models) = shared("models") else {
        return;
    };
    let both = r#"
[[job]]
id = "nuclei"
kind = "predict.instanseg"
model = "instanseg_fluorescence_nuclei_and_cells.onnx"
input = ["DAPI", "GFP"]
output = { nuclei = "nuclei", cells = "cells" }
"#;
    let folder = models.join("instanseg_ref");
    let stored = run(&compile(both, &models), &folder.join("sample_2c.tif")).unwrap();
    let expected = folder.join("ref_labels_nuclei_cells.tif");
    assert_eq!(labels(&stored, "nuclei"), reference(&expected, 0));
    assert_eq!(labels(&stored, "cells"), reference(&expected, 1));

    let one = both.replace(", \"GFP\"", "");
    let stored = run(
        &compile(&one, &models),
        &models.join("stardist_dsb2018/sample.tif"),
    )
    .unwrap();
    let expected = reference(&folder.join("ref_labels_bb481eae.tif"), 0);
    assert_eq!(labels(&stored, "nuclei"), expected);
}
