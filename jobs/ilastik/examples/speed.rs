//! CPU seconds a megapixel of a project: `cargo run --release -p ilastik --example speed -- PROJECT IMAGE [REPEATS]`.
#![allow(clippy::unwrap_used)]
use std::path::Path;
use std::time::Instant;

use ilastik::{Image, Project};
use image_io::exchange::Axes;
use ndarray::Axis;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (project, picture) = (arguments.next().unwrap(), arguments.next().unwrap());
    let repeats = arguments.next().map_or(5, |n| n.parse().unwrap());
    let project = Project::open(Path::new(&project)).unwrap();
    let planes = image_io::acquisition::read_planes(Path::new(&picture)).unwrap();
    let pixel_type = planes[0].pixel_type();
    let planes: Vec<_> = planes.iter().map(image_io::Pixels::to_f32).collect();
    let views: Vec<_> = planes.iter().map(|p| p.view()).collect();
    let values = ndarray::stack(Axis(0), &views).unwrap().into_dyn();
    let image = Image::new(values, "cyx".parse::<Axes>().unwrap(), pixel_type).unwrap();
    let megapixels = image.values.len() as f64 / 1e6;
    for _ in 0..repeats {
        let begin = Instant::now();
        let f = if std::env::var_os("FEATURES").is_some() {
            Some(project.features(&image).unwrap())
        } else {
            None
        };
        let features = begin.elapsed().as_secs_f64();
        drop(f);
        let begin = Instant::now();
        project.probabilities(&image).unwrap();
        let whole = begin.elapsed().as_secs_f64();
        println!(
            "features {:.3} s/MP, whole {:.3} s/MP",
            features / megapixels,
            whole / megapixels
        );
    }
}
