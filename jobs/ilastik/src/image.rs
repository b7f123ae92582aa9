//! An image to be predicted.

use image_io::PixelType;
use image_io::exchange::Axes;
use ndarray::{Array5, ArrayD, IxDyn};

/// The order in which axes are worked on.
pub(crate) const WORKING: [char; 5] = ['t', 'c', 'z', 'y', 'x'];

/// An image of any number of axes, held as (t, c, z, y, x), float32.
#[derive(Clone, Debug)]
pub struct Image {
    /// The values, as NumPy's `astype('float32')` gives them.
    pub values: Array5<f32>,
    /// The axes that the source had, in its order.
    pub axes: Axes,
    /// Type of the source's values.
    pub pixel_type: PixelType,
}

impl Image {
    /// Orders an array's axes.
    ///
    /// # Errors
    /// In words, if there are not as many axes as the array has.
    pub fn new(values: ArrayD<f32>, axes: Axes, pixel_type: PixelType) -> Result<Self, String> {
        if values.ndim() != axes.letters().len() {
            return Err(format!(
                "an array of {} axes is not `{axes}`",
                values.ndim()
            ));
        }
        let present: Vec<usize> = WORKING.iter().filter_map(|&a| axes.position(a)).collect();
        let shape: Vec<usize> = WORKING
            .iter()
            .map(|&a| axes.position(a).map_or(1, |i| values.shape()[i]))
            .collect();
        let ordered = values.permuted_axes(IxDyn(&present));
        let ordered = ordered.as_standard_layout().into_owned();
        let values = ordered
            .into_shape_with_order((shape[0], shape[1], shape[2], shape[3], shape[4]))
            .map_err(|e| e.to_string())?;
        Ok(Self {
            values,
            axes,
            pixel_type,
        })
    }

    /// An image that is (t, c, z, y, x) already; its axes count as those that are longer than 1.
    #[must_use]
    pub fn from_working(values: Array5<f32>, pixel_type: PixelType) -> Self {
        let long = WORKING.iter().zip(values.shape());
        let letters: String = long
            .filter(|(letter, length)| **length > 1 || matches!(letter, 'y' | 'x'))
            .map(|(letter, _)| letter)
            .collect();
        let Ok(axes) = letters.parse() else {
            unreachable!("distinct letters with y and x");
        };
        Self {
            values,
            axes,
            pixel_type,
        }
    }

    /// Number of channels.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.values.dim().1
    }
}

/// Brings a result (t, c, z, y, x) into the order of `axes`; those that `axes` does not name must have length 1.
///
/// # Errors
/// In words, if an axis that is not named is longer.
pub fn arranged<T: Clone>(values: Array5<T>, axes: &Axes) -> Result<ArrayD<T>, String> {
    let mut values = values.into_dyn();
    for (position, axis) in WORKING.iter().enumerate().rev() {
        if axes.position(*axis).is_none() {
            if values.shape()[position] != 1 {
                return Err(format!(
                    "`{axes}` leaves out the axis `{axis}`, which has {} values",
                    values.shape()[position]
                ));
            }
            values = values.index_axis_move(ndarray::Axis(position), 0);
        }
    }
    let left: Vec<char> = WORKING
        .into_iter()
        .filter(|&a| axes.position(a).is_some())
        .collect();
    let order: Vec<usize> = axes
        .letters()
        .chars()
        .filter_map(|axis| left.iter().position(|&l| l == axis))
        .collect();
    Ok(values
        .permuted_axes(IxDyn(&order))
        .as_standard_layout()
        .into_owned())
}
