//! Fields of a real plate, from the raw images to the table of nuclei.

use std::path::{Path, PathBuf};

use analysis::components::{Connectivity, clear_border, label};
use analysis::correct::{IlluminationSum, correct};
use analysis::distance::edt;
use analysis::gaussian::gaussian;
use analysis::measure::objects;
use analysis::morphology::{SizeLimit, fill_holes, remove_small_objects};
use analysis::peaks::{PeakOptions, h_maxima, peak_local_max};
use analysis::propagate::propagate;
use analysis::threshold::{above, otsu};
use analysis::watershed::{Seeding, declump, watershed};
use ndarray::Array2;
use serde_json::Value;

use crate::reference::Group;
use crate::synthetic::positions;
use crate::table::{compare, everything};

/// The folder of the plate, where it exists.
pub fn folder() -> Option<PathBuf> {
    let folder = Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/data/sbs_plate"
    ));
    folder.exists().then(|| folder.to_owned())
}

/// The pixels of an uncompressed 640x640 8-bit TIFF of one strip.
fn read(path: &Path) -> Array2<u8> {
    let bytes = std::fs::read(path).unwrap();
    let at = |at: usize, n: usize| {
        bytes[at..at + n]
            .iter()
            .fold(0, |v, &b| v << 8 | usize::from(b))
    };
    assert_eq!(&bytes[..4], b"MM\0*", "{}", path.display());
    let directory = at(4, 4);
    let entries = (0..at(directory, 2)).map(|i| directory + 2 + 12 * i);
    // The tag of the strip's place; it is a long number.
    let entry = entries.into_iter().find(|&e| at(e, 2) == 273).unwrap();
    let strip = at(entry + 8, 4);
    Array2::from_shape_vec((640, 640), bytes[strip..strip + 640 * 640].to_vec()).unwrap()
}

/// The corrected planes of one channel.
fn corrected(folder: &Path, channel: u8, fields: &[&str]) -> Vec<Array2<f32>> {
    let raw: Vec<Array2<u8>> = fields
        .iter()
        .map(|field| read(&folder.join(format!("Channel{channel}-{field}.tif"))))
        .collect();
    let mut sum = IlluminationSum::new(raw[0].dim());
    raw.iter().for_each(|plane| sum.add(plane.view()).unwrap());
    let function = sum.function(50.0).unwrap();
    raw.iter()
        .map(|plane| correct(plane.view(), function.view(), 5.0).unwrap().plane)
        .collect()
}

#[test]
fn nuclei_and_cells_of_a_plate_are_those_of_scikit_image() {
    let Some(folder) = folder() else {
        println!("skipped: ../shared is absent");
        return;
    };
    let reference: Value =
        serde_json::from_str(include_str!("../reference/objects_plate.json")).unwrap();
    let reference = reference.as_object().unwrap();
    let fields: Vec<&str> = reference.keys().map(String::as_str).collect();
    let markers = corrected(&folder, 1, &fields);
    let nuclei = corrected(&folder, 2, &fields);
    for ((field, marker), nuclei) in fields.iter().zip(&markers).zip(&nuclei) {
        let group = Group::new((*field).to_owned(), &reference[*field]);
        check_field(&group, marker, nuclei);
        if let Some(table) = reference[*field].get("table") {
            group.value("table");
            let segmented = segment(nuclei).2;
            let channels = [("GFP", marker.view()), ("DNA", nuclei.view())];
            let found = objects(segmented.view(), &channels, &everything()).unwrap();
            compare(&found, table, field);
        }
    }
}

/// The mask of the nuclei, the smoothed distance to the background, the nuclei.
fn segment(nuclei: &Array2<f32>) -> (Array2<bool>, Array2<f64>, Array2<u32>) {
    let smooth = gaussian(nuclei.view(), 1.0).unwrap();
    let bright = above(smooth.view(), otsu(smooth.view()).unwrap());
    let filled = fill_holes(bright.view());
    let mask = remove_small_objects(filled.view(), SizeLimit::AtMost(30), Connectivity::Edges);
    let distance = gaussian(edt(mask.view()).unwrap().view(), 1.0).unwrap();
    let seeding = Seeding::Peaks { min_distance: 5 };
    let segmented = declump(mask.view(), distance.view(), seeding).unwrap();
    (mask, distance, segmented)
}

fn check_field(group: &Group, marker: &Array2<f32>, nuclei: &Array2<f32>) {
    group.exact("marker", marker);
    group.exact("nuclei", nuclei);
    let (mask, distance, segmented) = segment(nuclei);
    group.exact("mask", &mask);
    group.exact("distance", &distance);
    group.exact("segmented", &segmented);

    let parts = label(mask.view(), Connectivity::Corners).0;
    let options = PeakOptions {
        min_distance: 5,
        ..PeakOptions::default()
    };
    let peaks = peak_local_max(distance.view(), Some(parts.view()), options).unwrap();
    assert_eq!(group.value("number"), peaks.len());
    group.exact("peaks", &positions(&peaks));
    let single = distance.mapv(|v| v as f32);
    let peaks = peak_local_max(single.view(), Some(parts.view()), options).unwrap();
    group.exact("peaks of f32", &positions(&peaks));
    group.exact("h maxima", &h_maxima(distance.view(), 0.5).unwrap());
    let by_h = declump(mask.view(), distance.view(), Seeding::HMaxima { h: 0.5 }).unwrap();
    group.exact("segmented by h", &by_h);
    group.exact("inner", &clear_border(segmented.view(), 0).unwrap());

    let cells = gaussian(marker.view(), 2.0).unwrap().mapv(|v| -v);
    let whole = cells.mapv(f32::round_ties_even);
    let flood = |landscape: &Array2<f32>, connectivity| {
        watershed(landscape.view(), segmented.view(), None, connectivity).unwrap()
    };
    group.exact("cells", &flood(&cells, Connectivity::Edges));
    group.exact("cells 8", &flood(&cells, Connectivity::Corners));
    group.exact(
        "cells of whole numbers",
        &flood(&whole, Connectivity::Edges),
    );
    let unit = marker.mapv(|v| v / 256.0);
    group.exact(
        "grown",
        &propagate(unit.view(), segmented.view(), None, 0.05).unwrap(),
    );
}
