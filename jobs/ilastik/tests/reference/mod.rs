//! Images of ilastik's reference projects, and what ilastik made of them. Also the GPU kernels are compared with these.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use ilastik::Image;
use image_io::PixelType;
use image_io::container::Tree;
use image_io::exchange::Axes;
use ndarray::{Array5, ArrayD, Axis, IxDyn};

pub fn dataset(path: &Path, name: &str) -> (ArrayD<f32>, PixelType) {
    let values = Tree::open(path).unwrap().numbers(name, 1 << 30).unwrap();
    let array = ArrayD::from_shape_vec(IxDyn(&values.shape), values.to_f32()).unwrap();
    (array, values.pixel_type)
}

pub fn image(path: &Path, axes: &str) -> Image {
    let (values, pixel_type) = match path.extension().unwrap().to_str().unwrap() {
        "h5" => dataset(path, "data"),
        "npy" => {
            let bytes = std::fs::read(path).unwrap();
            let values = bytes[bytes.len() - 64 * 64 * 64..]
                .iter()
                .map(|&b| f32::from(b));
            let values = ArrayD::from_shape_vec(IxDyn(&[64, 64, 64]), values.collect()).unwrap();
            (values, PixelType::U8)
        }
        _ => {
            let planes = image_io::acquisition::read_planes(path).unwrap();
            let pixel_type = planes[0].pixel_type();
            let planes: Vec<_> = planes.iter().map(image_io::Pixels::to_f32).collect();
            let views: Vec<_> = planes.iter().map(|p| p.view()).collect();
            (
                ndarray::stack(Axis(0), &views).unwrap().into_dyn(),
                pixel_type,
            )
        }
    };
    Image::new(values, axes.parse::<Axes>().unwrap(), pixel_type).unwrap()
}

/// A golden result as (t, c, z, y, x).
pub fn expected(path: &Path, axes: &str) -> Array5<f32> {
    let (values, pixel_type) = dataset(path, "exported_data");
    Image::new(values, axes.parse::<Axes>().unwrap(), pixel_type)
        .unwrap()
        .values
}
