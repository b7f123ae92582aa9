//! Small images of many shapes, smooth and with plateaus.

use analysis::components::{
    Connectivity, clear_border, label, label_regions, relabel_sequential, remove_small,
    remove_small_labels,
};
use analysis::measure::objects;
use analysis::peaks::{PeakOptions, h_maxima, peak_local_max, reconstruct_by_dilation};
use analysis::propagate::propagate;
use analysis::watershed::{Level, place_markers, watershed};
use bytemuck::NoUninit;
use ndarray::{Array2, ArrayView2};
use serde_json::Value;

use crate::images::{image, speckle};
use crate::reference::Group;
use crate::table::{compare, everything};

const CONNECTIVITIES: [(u8, Connectivity); 2] =
    [(1, Connectivity::Edges), (2, Connectivity::Corners)];

/// The positions as the reference stores them: two numbers a row.
pub fn positions(peaks: &[(usize, usize)]) -> Array2<u32> {
    Array2::from_shape_fn((peaks.len(), 2), |(row, axis)| {
        let (y, x) = peaks[row];
        (if axis == 0 { y } else { x }) as u32
    })
}

struct Case {
    u16: Array2<u16>,
    blobs: Array2<bool>,
    holes: Array2<bool>,
    plateaus: Array2<u32>,
}

fn cases() -> Vec<(Case, Value, String)> {
    let cases: Value = serde_json::from_str(include_str!("../reference/objects.json")).unwrap();
    let make = |case: &Value| {
        let shape = (
            case["shape"][0].as_u64().unwrap() as usize,
            case["shape"][1].as_u64().unwrap() as usize,
        );
        let seed = case["seed"].as_u64().unwrap();
        let u16 = image(shape, seed);
        Group::unchecked(format!("{shape:?}"), case).exact("image", &u16);
        let made = Case {
            blobs: u16.mapv(|v| v > 2500),
            holes: speckle(shape, seed),
            plateaus: u16.mapv(|v| u32::from(v) / 1500),
            u16,
        };
        (made, case.clone(), format!("{shape:?}"))
    };
    cases.as_array().unwrap().iter().map(make).collect()
}

/// Runs a check for each pixel type and kind of landscape.
macro_rules! for_each_plane {
    ($case:expr, $check:expr, $group:expr) => {
        $check($case, $group, "f32", $case.u16.mapv(f32::from).view());
        $check(
            $case,
            $group,
            "f64",
            $case.u16.mapv(|v| f64::from(v) / 7.0).view(),
        );
        $check(
            $case,
            $group,
            "plateaus",
            $case.plateaus.mapv(|v| v as f32).view(),
        );
    };
}

#[test]
fn components_are_those_of_scikit_image() {
    for (case, reference, name) in cases() {
        let group = Group::new(name, &reference["components"]);
        for (mask_name, mask) in [("blobs", &case.blobs), ("holes", &case.holes)] {
            for (c, connectivity) in CONNECTIVITIES {
                let (labels, count) = label(mask.view(), connectivity);
                group.exact(&format!("label {mask_name} {c}"), &labels);
                assert_eq!(group.value(&format!("count {mask_name} {c}")), count);
                let cleaned = remove_small(mask.view(), 5, connectivity);
                group.exact(&format!("remove small {mask_name} {c}"), &cleaned);
            }
        }
        for (c, connectivity) in CONNECTIVITIES {
            let regions = label_regions(case.plateaus.view(), connectivity).0;
            group.exact(&format!("regions {c}"), &regions);
        }
        let (parts, _) = label(case.holes.view(), Connectivity::Edges);
        group.exact("remove small labels", &remove_small_labels(parts.view(), 3));
        for buffer in 0..2 {
            match clear_border(parts.view(), buffer) {
                Ok(cleared) => group.exact(&format!("clear border {buffer}"), &cleared),
                Err(_) => assert!(buffer >= parts.nrows().min(parts.ncols())),
            }
        }
        let sparse = parts.mapv(|l| l % 5 * 1000 + l % 3);
        group.exact("relabel", &relabel_sequential(sparse.view()).0);
    }
}

#[test]
fn peaks_are_those_of_scikit_image() {
    for (case, reference, name) in cases() {
        let group = Group::new(name, &reference["peaks"]);
        for_each_plane!(&case, check_peaks, &group);
    }
}

fn check_peaks<T: Level + NoUninit>(
    case: &Case,
    group: &Group,
    name: &str,
    plane: ArrayView2<'_, T>,
) {
    let default = PeakOptions::default();
    let blobs = label(case.blobs.view(), Connectivity::Corners).0;
    for min_distance in [0, 1, 2, 5] {
        let options = PeakOptions {
            min_distance,
            ..default
        };
        let peaks = peak_local_max(plane, Some(blobs.view()), options).unwrap();
        group.exact(
            &format!("{name} {min_distance} by blob"),
            &positions(&peaks),
        );
    }
    let options = PeakOptions {
        min_distance: 3,
        exclude_border: 1,
        num_peaks_per_label: Some(2),
        ..default
    };
    let peaks = peak_local_max(plane, Some(case.plateaus.view()), options).unwrap();
    group.exact(&format!("{name} 3 by plateau"), &positions(&peaks));
    let options = PeakOptions {
        min_distance: 2,
        threshold_rel: Some(0.2),
        num_peaks: Some(7),
        ..default
    };
    let peaks = peak_local_max(plane, None, options).unwrap();
    group.exact(&format!("{name} 2 everywhere"), &positions(&peaks));
    for h in [1, 900] {
        let maxima = h_maxima(plane, f64::from(h)).unwrap();
        group.exact(&format!("{name} h {h}"), &maxima);
    }
    for (c, connectivity) in CONNECTIVITIES {
        let lowered = plane.mapv(|v| v - T::from_f64(700.0));
        let grown = reconstruct_by_dilation(lowered.view(), plane, connectivity).unwrap();
        group.exact(&format!("{name} reconstruction {c}"), &grown);
    }
}

#[test]
fn watersheds_are_those_of_scikit_image() {
    for (case, reference, name) in cases() {
        let group = Group::new(name, &reference["watershed"]);
        for_each_plane!(&case, check_watershed, &group);
    }
}

fn check_watershed<T: Level>(case: &Case, group: &Group, name: &str, plane: ArrayView2<'_, T>) {
    let blobs = label(case.blobs.view(), Connectivity::Corners).0;
    let peaks = peak_local_max(plane, Some(blobs.view()), PeakOptions::default()).unwrap();
    let points = place_markers(&peaks, plane.dim());
    let areas = label(
        plane.mapv(|v| v.to_f64() % 16.0 == 3.0).view(),
        Connectivity::Edges,
    );
    let landscape = plane.mapv(|v| T::ZERO - v);
    for (marker_name, markers) in [("points", &points), ("areas", &areas.0)] {
        let masks = [
            ("blobs", Some(&case.blobs)),
            ("holes", Some(&case.holes)),
            ("everywhere", None),
        ];
        for (mask_name, mask) in masks {
            for (c, connectivity) in CONNECTIVITIES {
                let mask = mask.map(|mask| mask.view());
                let flooded =
                    watershed(landscape.view(), markers.view(), mask, connectivity).unwrap();
                group.exact(&format!("{name} {marker_name} {mask_name} {c}"), &flooded);
            }
        }
    }
}

/// The objects of the reference: blobs split at their brightest pixels.
fn nuclei(case: &Case) -> (Array2<u32>, Array2<u32>) {
    let plane = case.u16.mapv(f32::from);
    let blobs = label(case.blobs.view(), Connectivity::Corners).0;
    let peaks = peak_local_max(plane.view(), Some(blobs.view()), PeakOptions::default()).unwrap();
    let seeds = place_markers(&peaks, plane.dim());
    let landscape = plane.mapv(|v| -v);
    let mask = Some(case.blobs.view());
    let nuclei = watershed(landscape.view(), seeds.view(), mask, Connectivity::Edges).unwrap();
    (seeds, nuclei)
}

#[test]
fn grown_cells_are_those_of_centrosome() {
    for (case, reference, name) in cases() {
        let group = Group::new(name, &reference["propagate"]);
        let unit = case.u16.mapv(|v| f32::from(v) / 65536.0);
        let (seeds, _) = nuclei(&case);
        for weight in [0.001, 0.05, 10.0] {
            for (name, mask) in [("everywhere", None), ("holes", Some(case.holes.view()))] {
                let grown = propagate(unit.view(), seeds.view(), mask, weight).unwrap();
                group.exact(&format!("{name} {weight}"), &grown);
            }
        }
    }
}

#[test]
fn tables_are_those_of_scikit_image() {
    let mut tables = 0;
    for (case, reference, name) in cases() {
        if reference.get("table").is_none() {
            continue;
        }
        tables += 1;
        let (_, nuclei) = nuclei(&case);
        let other = image(case.u16.dim(), reference["seed"].as_u64().unwrap() + 100);
        let (a, b) = (case.u16.mapv(f32::from), other.mapv(f32::from));
        let channels = [("a", a.view()), ("b", b.view())];
        let table = objects(nuclei.view(), &channels, &everything()).unwrap();
        compare(&table, &reference["table"], &name);
        let parts = objects(case.plateaus.view(), &channels[..1], &everything()).unwrap();
        compare(&parts, &reference["table of parts"], &name);
    }
    assert!(tables > 3, "{tables}");
}
