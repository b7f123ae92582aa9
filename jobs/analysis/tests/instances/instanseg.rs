//! InstanSeg's network for nuclei and cells on one image of two channels.

use analysis::embedding::{Classifier, Head, Layer, match_cells};
use ndarray::{Array2, Ix3, s};
use serde_json::Value;

use crate::{labels, models, numpy};

fn numbers(value: &Value) -> Vec<f32> {
    let all = value.as_array().unwrap().iter();
    all.map(|v| v.as_f64().unwrap() as f32).collect()
}

fn classifier(text: &str) -> Classifier {
    let file: Value = serde_json::from_str(text).unwrap();
    let layers = ["fc1", "fc2", "fc3"].map(|name| {
        let rows = file[format!("{name}.weight")].as_array().unwrap();
        let weight: Vec<f32> = rows.iter().flat_map(numbers).collect();
        let shape = (rows.len(), weight.len() / rows.len());
        Layer {
            weight: Array2::from_shape_vec(shape, weight).unwrap(),
            bias: numbers(&file[format!("{name}.bias")]),
        }
    });
    Classifier::new(layers.into()).unwrap()
}

/// The reference of the network's output is rounded to float16, which changes no pixel of the result.
#[test]
fn nuclei_and_cells_are_those_of_instanseg() {
    let (Some(file), Some(folder)) = (
        models("instanseg_pixel_classifier.json"),
        models("instanseg_ref"),
    ) else {
        return;
    };
    let head = Head::new(classifier(&std::fs::read_to_string(file).unwrap()));
    let maps = numpy::read(&folder.join("ref_backbone_f16.npy"));
    let maps = maps.into_dimensionality::<Ix3>().unwrap();
    assert_eq!(head.maps(), 5);
    let nuclei = head.objects(maps.slice(s![..5, .., ..])).unwrap();
    let cells = head.objects(maps.slice(s![5.., .., ..])).unwrap();
    let (nuclei, cells) = match_cells(nuclei.view(), cells.view()).unwrap();
    let reference = folder.join("ref_labels_nuclei_cells.tif");
    assert_eq!(nuclei, labels(&reference, 0));
    assert_eq!(cells, labels(&reference, 1));
}
