//! The mean of a square block: `scipy.ndimage.uniform_filter(…, mode='reflect')` in single precision.

use ndarray::ArrayView2;

use crate::gaussian::Mode;

/// Along y, then along x, each a running mean in double precision in scipy's order, rounded to single precision.
pub(super) fn filter(plane: ArrayView2<'_, f32>, size: usize) -> Vec<f32> {
    let (height, width) = plane.dim();
    if height == 0 || width == 0 {
        return Vec::new();
    }
    let plane = plane.as_standard_layout();
    let Some(source) = plane.as_slice() else {
        unreachable!("the standard layout is contiguous");
    };
    let radius = (size / 2).cast_signed();
    let row = |y: isize| {
        let y = Mode::Reflect.resolve(y, height);
        &source[y * width..(y + 1) * width]
    };
    let mut sums = vec![0.0; width];
    for y in -radius..=radius {
        for (sum, &value) in sums.iter_mut().zip(row(y)) {
            *sum += f64::from(value);
        }
    }
    let divisor = size as f64;
    let mut line = vec![0.0; width + 2 * radius.cast_unsigned()];
    let mut out = Vec::with_capacity(source.len());
    for y in 0..height.cast_signed() {
        if y > 0 {
            let entering_leaving = row(y + radius).iter().zip(row(y - 1 - radius));
            for (sum, (&entering, &leaving)) in sums.iter_mut().zip(entering_leaving) {
                *sum += f64::from(entering) - f64::from(leaving);
            }
        }
        for (x, value) in line.iter_mut().enumerate() {
            let sum = sums[Mode::Reflect.resolve(x.cast_signed() - radius, width)];
            *value = f64::from((sum / divisor) as f32);
        }
        let mut sum: f64 = line[..size].iter().fold(0.0, |sum, value| sum + value);
        out.push((sum / divisor) as f32);
        for (entering, leaving) in line[size..].iter().zip(&line) {
            sum += entering - leaving;
            out.push((sum / divisor) as f32);
        }
    }
    out
}
