//! Two images of a real plate, through the steps of nucleus segmentation.

use std::path::Path;

use analysis::components::Connectivity;
use analysis::correct::{IlluminationSum, correct};
use analysis::distance::edt;
use analysis::gaussian::gaussian;
use analysis::histogram::{Pixel, percentiles};
use analysis::morphology::{
    Element, Outside, SizeLimit, binary_erosion, binary_opening, fill_holes, remove_small_objects,
    white_tophat,
};
use analysis::threshold::{Li, above, li, otsu, triangle, yen};
use ndarray::{Array2, ArrayView2};
use serde_json::Value;

use crate::reference::Group;

const QS: [f64; 9] = [0.0, 0.1, 1.0, 5.0, 50.0, 63.7, 99.0, 99.8, 100.0];

/// The pixels of an uncompressed, big-endian, single-strip 8-bit TIFF, which is what this plate consists of.
fn read(path: &Path) -> Array2<u8> {
    let bytes = std::fs::read(path).unwrap();
    let u16_at = |at: usize| u16::from_be_bytes(bytes[at..at + 2].try_into().unwrap()) as usize;
    let u32_at = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    assert_eq!(&bytes[..4], b"MM\0*", "{}", path.display());
    let directory = u32_at(4);
    let tag = |wanted: usize| {
        let entry = (0..u16_at(directory))
            .map(|i| directory + 2 + 12 * i)
            .find(|&entry| u16_at(entry) == wanted)
            .unwrap();
        if u16_at(entry + 2) == 3 {
            u16_at(entry + 8)
        } else {
            u32_at(entry + 8)
        }
    };
    let (height, width, strip) = (tag(257), tag(256), tag(273));
    Array2::from_shape_vec(
        (height, width),
        bytes[strip..strip + height * width].to_vec(),
    )
    .unwrap()
}

fn check_thresholds<T: Pixel + Li>(group: &Group, plane: ArrayView2<T>, range: f64) {
    group.number("otsu", otsu(plane).unwrap(), 0.0);
    group.number("triangle", triangle(plane).unwrap(), 0.0);
    group.number("yen", yen(plane).unwrap(), 0.0);
    group.number("li", li(plane).unwrap(), 1e-6 * range);
}

#[test]
fn segmentation_steps_are_bit_for_bit_those_of_scipy() {
    let folder = Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/data/sbs_plate"
    ));
    if !folder.exists() {
        println!("skipped: ../shared is absent");
        return;
    }
    let text = include_str!("../reference/filters_plate.json");
    let images: Value = serde_json::from_str(text).unwrap();
    for (name, image) in images.as_object().unwrap() {
        let group = Group::new(name.clone(), image);
        let raw = read(&folder.join(name));
        group.exact("image", &raw);

        let mut sum = IlluminationSum::new(raw.dim());
        sum.add(raw.view()).unwrap();
        let illumination = sum.function(50.0).unwrap();
        group.exact("illumination", &illumination);

        let corrected = correct(raw.view(), illumination.view(), 5.0).unwrap();
        group.number("background", f64::from(corrected.background), 0.0);
        group.exact("corrected", &corrected.plane);

        let smooth = gaussian(corrected.plane.view(), 1.0).unwrap();
        group.exact("smooth", &smooth);
        let found = percentiles(smooth.view(), &QS).unwrap();
        group.numbers("percentiles", &found);
        check_thresholds(&group, smooth.view(), found[8] - found[0]);
        check_thresholds(&group.group("u8"), raw.view(), 255.0);

        let filled = fill_holes(above(smooth.view(), otsu(smooth.view()).unwrap()).view());
        group.exact("filled", &filled);
        let mask = remove_small_objects(filled.view(), SizeLimit::AtMost(30), Connectivity::Edges);
        group.exact("mask", &mask);
        let distance = edt(mask.view()).unwrap();
        group.exact("distance", &distance);
        group.exact("smooth distance", &gaussian(distance.view(), 1.0).unwrap());

        group.exact("tophat u8", &white_tophat(raw.view(), 5).unwrap());
        group.exact("tophat f32", &white_tophat(smooth.view(), 5).unwrap());
        let twice = Element::Cross { iterations: 2 };
        group.exact(
            "opened mask",
            &binary_opening(mask.view(), twice, Outside::Background).unwrap(),
        );
        group.exact(
            "eroded mask",
            &binary_erosion(mask.view(), Element::Disk(3), Outside::Ignored).unwrap(),
        );
    }
}
