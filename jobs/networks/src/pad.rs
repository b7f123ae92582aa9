//! Padding by reflection.

use ndarray::{Array3, ArrayView3, s};

/// The source index of a position that may lie outside, mirrored at the borders without repeating them (numpy's `reflect`).
fn mirror(position: usize, length: usize) -> usize {
    if length == 1 {
        return 0;
    }
    let period = 2 * (length - 1);
    let p = position % period;
    if p < length { p } else { period - p }
}

/// (channel, y, x) enlarged at the bottom and at the right to `height` x `width`, by reflection; as
/// `numpy.pad(image, …, mode="reflect")`, also where more is added than the image has.
#[must_use]
pub fn reflect(image: ArrayView3<'_, f32>, height: usize, width: usize) -> Array3<f32> {
    let (channels, h, w) = image.dim();
    let (height, width) = (height.max(h), width.max(w));
    let mut out = Array3::zeros((channels, height, width));
    if image.is_empty() {
        return out;
    }
    out.slice_mut(s![.., ..h, ..w]).assign(&image);
    for x in w..width {
        let from = image.slice(s![.., .., mirror(x, w)]);
        out.slice_mut(s![.., ..h, x]).assign(&from);
    }
    for y in h..height {
        let (filled, mut rest) = out.view_mut().split_at(ndarray::Axis(1), y);
        rest.slice_mut(s![.., 0, ..])
            .assign(&filled.slice(s![.., mirror(y, h), ..]));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirrors_as_numpy_does() {
        let image = Array3::from_shape_fn((1, 2, 3), |(_, y, x)| (10 * y + x) as f32);
        let padded = reflect(image.view(), 5, 8);
        let first: Vec<f32> = padded.slice(s![0, 0, ..]).to_vec();
        assert_eq!(first, [0., 1., 2., 1., 0., 1., 2., 1.]);
        let column: Vec<f32> = padded.slice(s![0, .., 0]).to_vec();
        assert_eq!(column, [0., 10., 0., 10., 0.]);
        assert_eq!(padded[[0, 3, 5]], 11.0);
        let one = reflect(Array3::from_elem((2, 1, 1), 7.0).view(), 3, 2);
        assert!(one.iter().all(|v| *v == 7.0));
    }
}
