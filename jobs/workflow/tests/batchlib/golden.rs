//! Every output of BatchLib's per-image jobs, in every file of a plate that BatchLib processed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use image_io::container::Container;
use image_io::table::Table;
use image_io::{Pixels, with_pixels};

use crate::site::{Site, numbers};

/// Jobs of both runs.
const BOTH: &str = r#"
[[job]]
id = "cells"
kind = "segment.watershed"
input = { boundaries = "boundaries", seeds = "nucleus_segmentation", mask = "mask" }
output = "cell_segmentation"
erode_mask = 20
dilate_seeds = 3
[[job]]
id = "edges"
kind = "labels.edges"
input = "cell_segmentation"
output = "cell_segmentation_edges"
[[job]]
id = "properties"
kind = "measure.properties"
input = "cell_segmentation"
output = "cell_segmentation/properties"
"#;

const PLAIN: &str = r#"
[[job]]
id = "tophat"
kind = "filter.white_tophat"
input = "marker"
output = "marker_tophat"
radius = 20
[[job]]
id = "denoised"
kind = "filter.opening"
input = "marker"
output = "marker_denoised"
radius = 3
[[job]]
id = "eroded"
kind = "labels.erode"
input = "cell_segmentation"
output = "cell_segmentation_eroded"
radius = 3
[[job]]
id = "rings"
kind = "segment.voronoi_ring"
input = "nucleus_segmentation"
output = "nucleus_rings"
ring_width = 4.0
[[job]]
id = "dilated"
kind = "segment.voronoi_ring"
input = "nucleus_segmentation"
output = "nucleus_dilated"
radius_factor = 0.5
remove_nucleus = false
[[job]]
id = "sizes"
kind = "labels.size_mask"
input = "cell_segmentation"
output = "cell_size_mask"
min = 250
max = 900
[[job]]
id = "nuclei_properties"
kind = "measure.properties"
input = "nucleus_segmentation"
output = "nucleus_segmentation/properties"
[[job]]
id = "features"
kind = "measure.instances"
input = { images = ["serum_IgG", "marker_tophat"], labels = "cell_segmentation" }
output = "cell_segmentation/{}"
quantiles = [0.95]
[[job]]
id = "nonuc"
kind = "measure.instances"
input = { images = ["serum_IgG", "marker_tophat"], labels = "cell_segmentation", ignore = "nucleus_segmentation" }
output = "cell_segmentation_nonuc/{}"
quantiles = [0.5, 0.95]
[[job]]
id = "eroded_features"
kind = "measure.instances"
input = { images = ["marker_tophat"], labels = "cell_segmentation_eroded" }
output = "cell_segmentation_eroded/{}"
quantiles = [0.95]
[[job]]
id = "pixels"
kind = "analyse.pixel_level"
input = { serum = "serum_IgG", infected = "local_infected", not_infected = "local_not_infected", mask = "mask" }
output = "pixelwise_analysis"
"#;

const CORRECTED: &str = r#"
[[job]]
id = "denoised"
kind = "filter.opening"
input = "marker"
output = "marker_denoised"
radius = 1
[[job]]
id = "tophat"
kind = "filter.white_tophat"
input = "marker_denoised"
output = "marker_denoised_tophat"
radius = 20
[[job]]
id = "eroded"
kind = "labels.erode"
input = "cell_segmentation"
output = "cell_segmentation_for_infected_classification"
radius = 3
[[job]]
id = "features"
kind = "measure.instances"
input = { images = ["serum_IgG", "serum_IgA", "marker_denoised_tophat"], labels = "cell_segmentation" }
output = "cell_segmentation/{}"
quantiles = [0.95]
[[job]]
id = "infected_features"
kind = "measure.instances"
input = { images = ["marker_denoised_tophat"], labels = "cell_segmentation_for_infected_classification" }
output = "cell_segmentation_for_infected_classification/{}"
quantiles = [0.95]
"#;

/// What the jobs are given.
const GIVEN: [&str; 8] = [
    "boundaries",
    "local_infected",
    "local_not_infected",
    "marker",
    "mask",
    "nucleus_segmentation",
    "serum_IgA",
    "serum_IgG",
];

/// The containers of a run, sorted; `None`, with a line that says so, where they are absent.
fn containers(run: &str) -> Option<Vec<PathBuf>> {
    let folder = Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/golden/batchlib/runs"
    ))
    .join(run);
    if !folder.exists() {
        println!("skipped: ../shared/golden/batchlib/runs/{run} is absent");
        return None;
    }
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "h5"))
        .collect();
    found.sort();
    Some(found)
}

/// How often each output was compared.
type Counts = BTreeMap<String, usize>;

fn compare(run: &str, jobs: &str, more: impl Fn(&Path, &Container, &mut Counts)) -> Option<Counts> {
    let mut counts = Counts::new();
    for path in containers(run)? {
        let file = path.file_name().unwrap().to_string_lossy();
        let golden = Container::open(&path).unwrap();
        let mut site = Site::new();
        for name in GIVEN.into_iter().filter(|name| golden.has_image(name)) {
            site = site.with(name, &golden.read_image(name, 0).unwrap());
        }
        let found = site.results(&format!("{BOTH}{jobs}"));
        for name in found.images().unwrap() {
            if !GIVEN.contains(&name.as_str()) && golden.has_image(&name) {
                let [wanted, found] = [&golden, &found].map(|c| c.read_image(&name, 0).unwrap());
                same_pixels(&format!("{file}: {name}"), &found, &wanted);
                *counts.entry(name).or_default() += 1;
            }
        }
        for name in found.tables().unwrap() {
            if golden.has_table(&name) {
                let [wanted, found] = [&golden, &found].map(|c| c.read_table(&name).unwrap());
                same_table(&format!("{file}: {name}"), &found, &wanted);
                *counts.entry(name).or_default() += 1;
            }
        }
        more(&path, &found, &mut counts);
    }
    Some(counts)
}

/// Equal values in every pixel. Intensities must have the type of BatchLib's, labels (int32 or uint64 there) are uint32.
fn same_pixels(what: &str, found: &Pixels, wanted: &Pixels) {
    assert_eq!(found.shape(), wanted.shape(), "{what}");
    match wanted {
        Pixels::I32(_) | Pixels::U64(_) => assert!(matches!(found, Pixels::U32(_)), "{what}"),
        _ => assert_eq!(found.pixel_type(), wanted.pixel_type(), "{what}"),
    }
    // The cast does nothing for one of the ten types.
    #[allow(clippy::unnecessary_cast)]
    let values = |pixels: &Pixels| -> Vec<f64> {
        with_pixels!(pixels, a => a.iter().map(|&v| v as f64).collect())
    };
    let pairs = values(found).into_iter().zip(values(wanted));
    let different = pairs.filter(|(a, b)| a != b).count();
    assert_eq!(different, 0, "{what}: so many pixels differ");
}

fn same_table(what: &str, found: &Table, wanted: &Table) {
    let names =
        |table: &Table| -> Vec<String> { table.columns.iter().map(|c| c.name.clone()).collect() };
    assert_eq!(names(found), names(wanted), "{what}");
    for name in names(wanted) {
        let tolerance = match name.as_str() {
            // Added up in another order and precision.
            "sums" | "means" => 1e-6,
            "anchor_y" | "anchor_x" => 1e-12,
            _ if name.starts_with("quantile") => 1e-12,
            _ => 0.0,
        };
        let (found, wanted) = (numbers(found, &name), numbers(wanted, &name));
        assert_eq!(found.len(), wanted.len(), "{what}: rows");
        for (row, (found, wanted)) in found.into_iter().zip(wanted).enumerate() {
            assert!(
                same(found, wanted, tolerance),
                "{what}: {name} of row {row} is {found}, not {wanted}"
            );
        }
    }
}

fn same(found: f64, wanted: f64, tolerance: f64) -> bool {
    found.is_nan() && wanted.is_nan() || (found - wanted).abs() <= tolerance * wanted.abs()
}

fn same_scores(path: &Path, found: &Container, counts: &mut Counts) {
    let name = path.with_extension("json");
    let name = name.file_name().unwrap();
    let json = path.parent().unwrap().join("pixelwise_analysis").join(name);
    // Python writes NaN, which is not JSON.
    let text = std::fs::read_to_string(json)
        .unwrap()
        .replace("NaN", "null");
    let wanted: BTreeMap<String, Option<f64>> = serde_json::from_str(&text).unwrap();
    let table = found.read_table("pixelwise_analysis").unwrap();
    assert_eq!((table.rows(), table.columns.len()), (1, 13));
    for column in &table.columns {
        let found = numbers(&table, &column.name)[0];
        // BatchLib leaves out tests that it does not make.
        let wanted = wanted
            .get(&column.name)
            .copied()
            .flatten()
            .unwrap_or(f64::NAN);
        let near = if column.name.ends_with("p_value") {
            same(found, wanted, 0.01) || (found - wanted).abs() < 1e-300
        } else {
            same(found, wanted, 1e-9)
        };
        assert!(
            near,
            "{}: {} is {found}, not {wanted}",
            name.display(),
            column.name
        );
    }
    *counts.entry("pixelwise_analysis".to_owned()).or_default() += 1;
}

/// That each output was compared as often as BatchLib wrote it.
fn check(counts: Option<Counts>, wanted: &[(&str, usize)]) {
    if let Some(counts) = counts {
        let wanted: Counts = wanted
            .iter()
            .map(|&(name, n)| (name.to_owned(), n))
            .collect();
        assert_eq!(counts, wanted);
    }
}

#[test]
fn the_plain_run_is_reproduced() {
    let counts = compare("plain/goldA", PLAIN, same_scores);
    check(
        counts,
        &[
            ("cell_segmentation", 24),
            ("cell_segmentation/marker_tophat", 24),
            ("cell_segmentation/properties", 24),
            ("cell_segmentation/serum_IgG", 24),
            ("cell_segmentation_edges", 24),
            ("cell_segmentation_eroded", 24),
            ("cell_segmentation_eroded/marker_tophat", 24),
            ("cell_segmentation_nonuc/marker_tophat", 24),
            ("cell_segmentation_nonuc/serum_IgG", 24),
            ("cell_size_mask", 8),
            ("marker_denoised", 8),
            ("marker_tophat", 24),
            ("nucleus_dilated", 8),
            ("nucleus_rings", 8),
            ("nucleus_segmentation/properties", 24),
            ("pixelwise_analysis", 24),
        ],
    );
}

#[test]
fn the_corrected_run_is_reproduced() {
    let counts = compare("corrected/goldAcorr", CORRECTED, |_, _, _| {});
    check(
        counts,
        &[
            ("cell_segmentation", 6),
            ("cell_segmentation/marker_denoised_tophat", 6),
            ("cell_segmentation/properties", 6),
            ("cell_segmentation/serum_IgA", 6),
            ("cell_segmentation/serum_IgG", 6),
            ("cell_segmentation_edges", 6),
            ("cell_segmentation_for_infected_classification", 6),
            (
                "cell_segmentation_for_infected_classification/marker_denoised_tophat",
                6,
            ),
            ("marker_denoised", 6),
            ("marker_denoised_tophat", 6),
        ],
    );
}
