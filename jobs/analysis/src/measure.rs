//! Tables of objects: the shape of each label and its intensities in any number of channels.
//!
//! Reproduces `skimage.measure.regionprops_table` of scikit-image 0.26: integers exactly, numbers to 1e-6 (relative) of what
//! it gives for `float64` images. Pixels are summed as `f64`, coordinates as integers.

// Views are two words and a pointer: they are passed as slices are.
#![allow(clippy::needless_pass_by_value)]

mod columns;
mod geometry;
mod hull;
mod instances;
mod intensity;
mod objects;
mod perimeter;
mod properties;

pub use columns::{ColumnValues, Intensity, Measurements, Selection, Shape};

pub use instances::{Features, instances};
pub use properties::properties;

use ndarray::ArrayView2;

use crate::{Error, Result};
use objects::Objects;

/// Measures every object of a label image (y, x; 0 = background) in every channel, in ascending order of the labels.
///
/// The columns are `label_id`, then the selected shapes, then for each channel the selected intensities. A label image
/// without objects gives columns without rows. A label of several parts is one object, as in scikit-image. A NaN pixel
/// makes the sum, mean, standard deviation, median and weighted centroid NaN, and does not count for minimum and maximum.
///
/// # Errors
/// [`Error::Shape`] if a channel differs in size from the label image; [`Error::Parameter`] if two channels have one name.
pub fn objects(
    labels: ArrayView2<'_, u32>,
    channels: &[(&str, ArrayView2<'_, f32>)],
    selection: &Selection,
) -> Result<Measurements> {
    for (i, (name, plane)) in channels.iter().enumerate() {
        if plane.dim() != labels.dim() {
            return Err(Error::Shape {
                left: labels.dim(),
                right: plane.dim(),
            });
        }
        if channels[..i].iter().any(|(other, _)| other == name) {
            return Err(Error::Parameter {
                name: "channels",
                value: (*name).to_owned(),
                expected: "a different name for each channel",
            });
        }
    }
    let objects = Objects::find(labels);
    let mut columns = vec![(
        "label_id".to_owned(),
        ColumnValues::Int(objects.labels.iter().map(|&l| l.into()).collect()),
    )];
    columns.extend(geometry::columns(&objects, labels, &selection.shapes));
    for (name, plane) in channels {
        columns.extend(intensity::columns(
            &objects,
            name,
            plane.view(),
            &selection.intensities,
        ));
    }
    Ok(Measurements {
        labels: objects.labels,
        columns,
    })
}

#[cfg(test)]
mod tests;
