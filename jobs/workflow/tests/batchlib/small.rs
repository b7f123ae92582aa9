//! What the plate does not show: parameters, small images, mistakes.

use image_io::Pixels;
use image_io::container::Container;
use ndarray::{Array2, array};

use crate::site::{Site, numbers};

fn job(kind: &str, rest: &str) -> String {
    format!("[[job]]\nid = \"it\"\nkind = \"{kind}\"\noutput = \"out\"\n{rest}\n")
}

fn image(container: &Container) -> Pixels {
    container.read_image("out", 0).unwrap()
}

fn ones_and_zeros(mask: &Array2<u8>) -> Pixels {
    Pixels::U8(mask.clone())
}

/// A cross of five pixels, a bar of 3 x 5, a single pixel; background probabilities of them.
fn background() -> Array2<f32> {
    let mut plane = Array2::from_elem((9, 14), 0.9);
    for (y, x) in [(2, 3), (1, 3), (3, 3), (2, 2), (2, 4), (7, 12)] {
        plane[[y, x]] = 0.1;
    }
    plane.slice_mut(ndarray::s![5..8, 5..10]).fill(0.2);
    plane[[0, 0]] = 0.5;
    plane
}

#[test]
fn a_mask_from_background_probabilities_is_batchlibs() {
    let site = Site::new().with("background", &Pixels::F32(background()));
    let jobs = r#"
[[job]]
id = "below"
kind = "segment.threshold"
input = "background"
output = "foreground"
method = "fixed"
value = 0.5
below = true
[[job]]
id = "open"
kind = "mask.open"
input = "foreground"
output = "opened"
cross = 1
[[job]]
id = "close"
kind = "mask.close"
input = "foreground"
output = "closed"
cross = 2
"#;
    let results = site.results(jobs);
    let read = |name| match results.read_image(name, 0).unwrap() {
        Pixels::U8(mask) => mask,
        other => panic!("{other:?}"),
    };
    // 0.5 is not below 0.5.
    assert_eq!(read("foreground"), background().mapv(|p| u8::from(p < 0.5)));
    // The single pixel is gone, and so are the corners of the bar.
    let mut opened = read("foreground");
    for (y, x) in [(7, 12), (5, 5), (5, 9), (7, 5), (7, 9)] {
        opened[[y, x]] = 0;
    }
    assert_eq!(read("opened"), opened);
    // Closing is of scipy's kind: two pixels at the border are lost.
    let closed = read("closed");
    assert!(closed.slice(ndarray::s![7.., ..]).iter().all(|&v| v == 0));
    assert_eq!(closed[[5, 7]], 1);
}

#[test]
fn masks_are_closed_with_a_disk_too() {
    // A square with a hole, away from the border.
    let mut hole = Array2::zeros((9, 9));
    hole.slice_mut(ndarray::s![2..7, 2..7]).fill(1);
    let full = hole.clone();
    hole[[4, 4]] = 0;
    let site = Site::new().with("mask", &ones_and_zeros(&hole));
    let closed = image(&site.results(&job("mask.close", "input = \"mask\"")));
    assert_eq!(closed, Pixels::U8(full));
}

#[test]
fn thresholds_have_two_sides() {
    let plane = Array2::from_shape_fn((60, 60), |(y, x)| if y + x < 60 { 10.0 } else { 90.0 });
    let site = Site::new().with("image", &Pixels::F32(plane.clone()));
    for method in ["otsu", "local"] {
        let of = |below| {
            let rest = format!("input = \"image\"\nmethod = \"{method}\"\nbelow = {below}");
            match image(&site.results(&job("segment.threshold", &rest))) {
                Pixels::U8(mask) => mask,
                other => panic!("{other:?}"),
            }
        };
        let (above, below) = (of(false), of(true));
        assert!(above.iter().any(|&v| v == 1) && below.iter().any(|&v| v == 1));
        // No pixel is on both sides.
        assert!(above.iter().zip(&below).all(|(a, b)| a + b <= 1));
    }
}

#[test]
fn grey_filters_keep_the_images_type() {
    let bright = |(y, x)| u16::from((y, x) == (2, 2)) * 200 + 20;
    let plane = Array2::from_shape_fn((5, 6), bright);
    for pixels in [
        Pixels::U8(plane.mapv(|v| v as u8)),
        Pixels::U16(plane.clone()),
        Pixels::F32(plane.mapv(f32::from)),
    ] {
        let site = Site::new().with("image", &pixels);
        let run = |kind| image(&site.results(&job(kind, "input = \"image\"\nradius = 1")));
        let (opened, spots) = (run("filter.opening"), run("filter.white_tophat"));
        assert_eq!(opened.pixel_type(), pixels.pixel_type());
        assert_eq!(spots.pixel_type(), pixels.pixel_type());
        assert!(opened.to_f32().iter().all(|&v| v == 20.0));
        let spots = spots.to_f32();
        assert_eq!((spots[[2, 2]], spots.sum()), (200.0, 200.0));
    }
}

#[test]
fn the_watershed_without_new_parameters_is_as_before() {
    let site = Site::new()
        .with("boundaries", &Pixels::U16(array![[0, 0, 9, 0, 0, 0]]))
        .with("seeds", &Pixels::U32(array![[3, 0, 0, 0, 5, 0]]))
        .with("mask", &Pixels::U8(array![[1, 1, 1, 1, 1, 0]]));
    let input = "input = { boundaries = \"boundaries\", seeds = \"seeds\", mask = \"mask\" }";
    let plain = job("segment.watershed", input);
    let parameters = site.compiled(&plain).unwrap().jobs[0]
        .parameters
        .to_string();
    assert_eq!(parameters, "{\"invert\":false}");
    let labels = image(&site.results(&plain));
    assert_eq!(labels, Pixels::U32(array![[3, 3, 3, 5, 5, 0]]));
    // With the background as an object, too, which the last pixel is seeded with.
    let rest = format!("{input}\nerode_mask = 0\nsigma = 0.0");
    let labels = image(&site.results(&job("segment.watershed", &rest)));
    assert_eq!(labels, Pixels::U32(array![[3, 3, 3, 5, 5, 0]]));
    for (rest, mistake) in [
        (
            "input = { boundaries = \"boundaries\", seeds = \"seeds\" }\nerode_mask = 2",
            "needs the input",
        ),
        (
            "input = { boundaries = \"boundaries\", seeds = \"seeds\" }\nsigma = -1.0",
            "0 or more",
        ),
    ] {
        let found = site
            .compiled(&job("segment.watershed", rest))
            .err()
            .unwrap();
        assert!(found.contains(mistake), "{found}");
    }
}

#[test]
fn an_image_without_objects_has_empty_results() {
    let nothing = Pixels::U32(Array2::zeros((7, 5)));
    let site = Site::new()
        .with("nothing", &nothing)
        .with("image", &Pixels::U16(Array2::from_elem((7, 5), 40)));
    for (kind, rest) in [
        ("segment.voronoi_ring", "radius_factor = 0.5"),
        ("labels.erode", "radius = 2"),
        ("labels.size_mask", ""),
    ] {
        let rest = format!("input = \"nothing\"\n{rest}");
        assert_eq!(image(&site.results(&job(kind, &rest))), nothing, "{kind}");
    }
    let features = "input = { images = [\"image\"], labels = \"nothing\" }\nquantiles = [0.25]";
    let table = site.results(&job("measure.instances", features));
    let table = table.read_table("out").unwrap();
    let row: Vec<f64> = table
        .columns
        .iter()
        .map(|column| numbers(&table, &column.name)[0])
        .collect();
    // label_id, sums, means, medians, mads, sizes, top10, top30, top50, quantile0.25
    assert_eq!(
        row,
        [0.0, 1400.0, 40.0, 40.0, 0.0, 35.0, 40.0, 40.0, 0.0, 40.0]
    );
    let properties = site.results(&job("measure.properties", "input = \"nothing\""));
    let properties = properties.read_table("out").unwrap();
    assert_eq!((properties.rows(), properties.columns.len()), (1, 8));
}

#[test]
fn mistakes_in_parameters_are_found_before_a_run() {
    let site = Site::new()
        .with("image", &Pixels::U16(Array2::zeros((3, 3))))
        .with("labels", &Pixels::U32(Array2::zeros((3, 3))));
    let features = "input = { images = [\"image\"], labels = \"labels\" }";
    for (kind, rest, mistake) in [
        ("segment.voronoi_ring", "input = \"labels\"", "either"),
        (
            "segment.voronoi_ring",
            "input = \"labels\"\nring_width = 3.0\nradius_factor = 1.0",
            "either",
        ),
        (
            "segment.voronoi_ring",
            "input = \"labels\"\nring_width = -3.0",
            "0 or more",
        ),
        (
            "measure.instances",
            &format!("{features}\ntop = [0]"),
            "1 or more",
        ),
        (
            "measure.instances",
            &format!("{features}\nquantiles = [95.0]"),
            "between 0 and 1",
        ),
        ("mask.close", "input = \"labels\"\nradiu = 3", "radius"),
    ] {
        let found = site
            .compiled(&job(kind, rest))
            .err()
            .unwrap_or_else(|| panic!("{kind} {rest}"));
        assert!(found.contains(mistake), "{found}");
    }
    // A radius that no image can have.
    let failure = site.failure(&job("filter.opening", "input = \"image\"\nradius = 100000"));
    assert!(failure.message.contains("radius"), "{}", failure.message);
}
