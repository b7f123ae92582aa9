//! Polygons from rays.

use std::f64::consts::PI;

/// Corners (y, x) of the polygon around `point`: each product is rounded to single precision before the centre is added,
/// as numpy does in `dist_to_coord`.
pub(super) fn corners(
    point: [u32; 2],
    rays: impl ExactSizeIterator<Item = f32>,
) -> Vec<[f32; 2]> {
    let n = rays.len() as f64;
    let [y, x] = point.map(f64::from);
    rays.enumerate()
        .map(|(k, d)| {
            // `np.linspace(0, 2 * pi, n, endpoint=False)`
            let (sin, cos) = (k as f64 * (2.0 * PI / n)).sin_cos();
            let place = |centre: f64, part: f64| {
                (f64::from((f64::from(d) * part) as f32) + centre) as f32
            };
            [place(y, sin), place(x, cos)]
        })
        .collect()
}

/// Unit vectors of the rays as the suppression of StarDist computes them: angle, sine and cosine in single precision.
pub(super) fn directions(rays: usize) -> Vec<[f32; 2]> {
    let step = (2.0 * PI / rays as f64) as f32;
    (0..rays)
        .map(|k| {
            let angle = f64::from(step * k as f32);
            [angle.sin() as f32, angle.cos() as f32]
        })
        .collect()
}

/// A corner in whole pixels: (x, y).
pub(super) type Corner = [i32; 2];

/// Writes the corners in whole pixels, cut towards zero as StarDist does for the suppression.
pub(super) fn whole_pixels(
    point: [u32; 2],
    rays: &[f32],
    directions: &[[f32; 2]],
    out: &mut Vec<Corner>,
) {
    let [y, x] = point.map(|v| v as f32);
    out.clear();
    out.extend(
        rays.iter()
            .zip(directions)
            .map(|(&d, &[sin, cos])| [(x + d * cos) as i32, (y + d * sin) as i32]),
    );
}

/// What bounds a polygon, for quick decisions about a pair.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Smallest and largest corner: [x, y].
    pub low: Corner,
    pub high: Corner,
    /// Area in pixels.
    pub area: f64,
    /// A disk of this radius around the centre lies in the polygon; 0 when that is not certain.
    pub inner: f32,
}

impl Bounds {
    pub fn of(point: [u32; 2], corners: &[Corner]) -> Self {
        let (mut low, mut high) = ([i32::MAX; 2], [i32::MIN; 2]);
        let (mut double_area, mut nearest, mut turns_one_way) = (0i64, f64::INFINITY, true);
        let [cy, cx] = point.map(i64::from);
        let relative = |c: &Corner| [i64::from(c[0]) - cx, i64::from(c[1]) - cy];
        let mut a = relative(&corners[corners.len() - 1]);
        for corner in corners {
            for axis in 0..2 {
                low[axis] = low[axis].min(corner[axis]);
                high[axis] = high[axis].max(corner[axis]);
            }
            let b = relative(corner);
            let cross = a[0] * b[1] - a[1] * b[0];
            double_area += cross;
            turns_one_way &= cross >= 0;
            nearest = nearest.min(distance_to_segment(a, b, cross));
            a = b;
        }
        Self {
            low,
            high,
            area: double_area.unsigned_abs() as f64 / 2.0,
            // With corners in angular order the border winds once around every point nearer than all edges.
            inner: if turns_one_way && double_area > 0 {
                nearest as f32
            } else {
                0.0
            },
        }
    }
}

/// Distance of the origin to the segment from `a` to `b`, whose cross product is given.
fn distance_to_segment(a: [i64; 2], b: [i64; 2], cross: i64) -> f64 {
    let along = [b[0] - a[0], b[1] - a[1]];
    let dot = |u: [i64; 2], v: [i64; 2]| (u[0] * v[0] + u[1] * v[1]) as f64;
    let (from_a, to_b) = (-dot(a, along), dot(b, along));
    if from_a > 0.0 && to_b > 0.0 {
        cross.unsigned_abs() as f64 / dot(along, along).sqrt()
    } else {
        dot(a, a).min(dot(b, b)).sqrt()
    }
}
