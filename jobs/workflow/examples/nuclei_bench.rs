//! Nuclei with ground truth: average precision and time of Otsu + watershed, StarDist and InstanSeg as jobs, and the time of
//! StarDist's suppression and painting alone. `cargo run --release -p workflow --example nuclei_bench [LIBONNXRUNTIME]`; needs
//! `../shared`. Without a library the built-in engine runs the networks.
//!
//! Ends with an error if a method is not within 0.005 of what the original program reaches.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../tests/nuclei/common.rs"]
mod common;
#[path = "../tests/nuclei/methods.rs"]
mod methods;
#[path = "../tests/nuclei/precision.rs"]
mod precision;

use std::path::{Path, PathBuf};

use analysis::star_convex::{Candidates, Grid};
use methods::{CLASSICAL, STARDIST, images, instanseg, measure, measure_instanseg};
use ndarray::{Array2, Axis};
use networks::tile::{self, Windows};
use networks::{Model, Options, Plan, normalised};
use precision::Precision;

/// CPU seconds that this process has used, all threads together.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    // The name of the program may hold spaces; behind it come state, and 11 numbers later user and system time in 1/100 s.
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

struct Row {
    name: &'static str,
    original: [f64; 3],
    precision: Precision,
    seconds: f64,
}

fn main() {
    let (Some(data), Some(models)) = (
        common::shared("data/dsb2018/test"),
        common::shared("models"),
    ) else {
        return;
    };
    if let Some(library) = std::env::args_os().nth(1) {
        let library = std::fs::canonicalize(library).unwrap();
        println!(
            "onnxruntime {}",
            networks::engine::check_library(&library).unwrap()
        );
        networks::engine::use_library(Some(library));
    }
    let images = images(&data);
    let megapixels: f64 = images.iter().map(|(_, t)| t.len() as f64 / 1e6).sum();
    let timed = |name, original, f: &dyn Fn() -> Precision| {
        let before = cpu();
        let precision = f();
        Row {
            name,
            original,
            precision,
            seconds: (cpu() - before) / megapixels,
        }
    };
    // Loading is not measured: a worker loads a model once.
    let star = |name: &str| measure(&images, STARDIST, &models.join(name));
    for name in ["stardist_dsb2018", "stardist_dsb2018_tiny"] {
        measure(&images[..1], STARDIST, &models.join(name));
    }
    measure(&images[..1], &instanseg("0.5"), &models);
    let mut rows = vec![
        timed("Otsu + watershed", [0.732, 0.520, 0.487], &|| {
            measure(&images, CLASSICAL, &data)
        }),
        timed("StarDist, small", [0.734, 0.456, 0.412], &|| {
            star("stardist_dsb2018_tiny")
        }),
        timed("StarDist", [0.796, 0.606, 0.544], &|| {
            star("stardist_dsb2018")
        }),
        timed("InstanSeg, scale = auto", [0.735, 0.523, 0.482], &|| {
            measure(&images, &instanseg("\"auto\""), &models)
        }),
        timed("InstanSeg, as it is", [0.590, 0.443, 0.400], &|| {
            measure(&images, &instanseg("1.0"), &models)
        }),
    ];
    // Nobody knows the truth beforehand: this one is for comparison only.
    let gated = rows.len();
    rows.push(timed(
        "InstanSeg, scale by the truth",
        [0.735, 0.523, 0.482],
        &|| measure_instanseg(&images, &models),
    ));
    println!(
        "{} images, {megapixels:.2} megapixels; average precision at 0.5 / at 0.7 / mean of 0.5 to 0.9",
        images.len()
    );
    println!(
        "{:<30} {:<26} {:<26} CPU s / megapixel",
        "method", "Wellspring", "original"
    );
    for row in &rows {
        let [a, b, c] = row.original;
        println!(
            "{:<30} {:<26} {:<26} {:.3}",
            row.name,
            row.precision.summary(),
            format!("{a:.3} / {b:.3} / {c:.3}"),
            row.seconds
        );
    }
    for name in ["stardist_dsb2018", "stardist_dsb2018_tiny"] {
        heads(name, &images, &models.join(name));
    }
    let off = |row: &&Row| (row.precision.at(0) - row.original[0]).abs() > 0.005;
    let wrong: Vec<&str> = rows[..gated].iter().filter(off).map(|r| r.name).collect();
    assert!(
        wrong.is_empty(),
        "not within 0.005 of the original: {}",
        wrong.join(", ")
    );
}

/// Suppression and painting alone, from the network's outputs.
fn heads(name: &str, images: &[(PathBuf, Array2<u32>)], folder: &Path) {
    const REPEATS: u32 = 10;
    let model = Model::open(&folder.join("model.onnx"), &Options::default()).unwrap();
    let star = model.description().star_convex.clone().unwrap();
    let plan = Plan::default();
    let (mut suppression, mut painting, mut megapixels, mut count) = (0.0, 0.0, 0.0, 0);
    for (path, _) in images {
        let plane = image_io::acquisition::read_plane(path, 0).unwrap().to_f32();
        let (height, width) = plane.dim();
        let image = normalised(&model, &[plane.view()], &plan).unwrap();
        let outputs = tile::run(&model, image.view(), &plan).unwrap();
        let windows = Windows::new(model.description(), &plan, [height, width]);
        let grid = Grid {
            step: (2, 2),
            cells: (windows.y.padded / 2, windows.x.padded / 2),
            image: (height, width),
            border: 2,
        };
        let prob = outputs[0].data.index_axis(Axis(0), 0);
        let dist = outputs[1].data.view().permuted_axes([1, 2, 0]);
        for _ in 0..REPEATS {
            let begin = std::time::Instant::now();
            let mut candidates = Candidates::new(star.n_rays).unwrap();
            candidates
                .collect(prob, dist, grid, (0, 0), star.prob_thresh.unwrap() as f32)
                .unwrap();
            let found = candidates.suppress(star.nms_thresh.unwrap() as f32);
            suppression += begin.elapsed().as_secs_f64();
            let begin = std::time::Instant::now();
            std::hint::black_box(found.label_image((height, width)));
            painting += begin.elapsed().as_secs_f64();
            count += candidates.len();
        }
        megapixels += (height * width) as f64 / 1e6 * f64::from(REPEATS);
    }
    println!(
        "{name}: {:.0} candidates a megapixel; suppression {:.2}, painting {:.2} ms / megapixel on {} threads",
        count as f64 / megapixels,
        suppression / megapixels * 1e3,
        painting / megapixels * 1e3,
        rayon::current_num_threads()
    );
}
