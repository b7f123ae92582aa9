//! Files that a workflow names: ilastik projects, arrays of other programs.

use ilastik::{Image, Project, Source};
use image_io::PixelType;
use image_io::exchange::{Wanted, read_array, read_plane};
use ndarray::Array5;

use super::{put, with_folder};

/// Reads a project and runs it on a small image.
pub(super) fn project(input: &[u8]) {
    with_folder(|folder| {
        let path = folder.join("input.ilp");
        put(&path, input);
        let Ok(project) = Project::open(&path) else {
            return;
        };
        let values = Array5::from_shape_fn((1, 1, 1, 24, 20), |(_, _, _, y, x)| (y * x) as f32);
        let image = Image::from_working(values, PixelType::U8);
        if let Ok(found) = project.predict(&image, Source::Probabilities) {
            assert_eq!(found.values.dim().3, 24);
        }
    });
}

/// Reads an array whole, and a plane of it.
pub(super) fn array(input: &[u8]) {
    with_folder(|folder| {
        let path = folder.join("input.npy");
        put(&path, input);
        if let Ok(array) = read_array(&path, None) {
            let values: usize = array.values.shape.iter().product();
            assert_eq!(array.values.to_f32().len(), values);
        }
        let axes = "yxc".parse().ok();
        let wanted = Wanted {
            axes: axes.as_ref(),
            channel: Some(0),
            ..Wanted::default()
        };
        if let Ok(plane) = read_plane(&path, &wanted) {
            assert!(plane.shape().0 > 0);
        }
    });
}
