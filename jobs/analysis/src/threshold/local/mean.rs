//! The mean of a square block: `scipy.ndimage.uniform_filter(…, mode='reflect')` in single precision.

use multiversion::multiversion;
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
    let reach = size / 2;
    let mut line = vec![0.0; width + 2 * reach];
    let mut along = vec![0.0; width];
    let mut row_means = vec![0.0; width];
    let reflected: Vec<(usize, usize)> = (0..reach)
        .chain(reach + width..width + 2 * reach)
        .map(|at| {
            (
                at,
                reach + Mode::Reflect.resolve(at.cast_signed() - radius, width),
            )
        })
        .collect();
    let mut out = Vec::with_capacity(source.len());
    for y in 0..height.cast_signed() {
        if y > 0 {
            slide(&mut sums, row(y + radius), row(y - 1 - radius));
        }
        means(&sums, divisor, &mut row_means);
        for (value, &mean) in line[reach..].iter_mut().zip(&row_means) {
            *value = f64::from(mean);
        }
        for &(beyond, inside) in &reflected {
            line[beyond] = line[inside];
        }
        let mut sum: f64 = line[..size].iter().fold(0.0, |sum, value| sum + value);
        along[0] = sum;
        let entering_leaving = line[size..].iter().zip(&line);
        for (to, (entering, leaving)) in along[1..].iter_mut().zip(entering_leaving) {
            sum += entering - leaving;
            *to = sum;
        }
        means(&along, divisor, &mut row_means);
        out.extend_from_slice(&row_means);
    }
    out
}

/// Moves the window of each column's sum down by one row.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn slide(sums: &mut [f64], entering: &[f32], leaving: &[f32]) {
    for (sum, (&entering, &leaving)) in sums.iter_mut().zip(entering.iter().zip(leaving)) {
        *sum += f64::from(entering) - f64::from(leaving);
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn means(sums: &[f64], divisor: f64, means: &mut [f32]) {
    for (mean, sum) in means.iter_mut().zip(sums) {
        *mean = (sum / divisor) as f32;
    }
}
