//! Polygons from rays.

use std::f64::consts::PI;

/// Corners (y, x) of the polygon around `point`: each product is rounded to single precision before the centre is added,
/// as numpy does in `dist_to_coord`. `factor` enlarges the polygon and its place.
pub(super) fn corners(
    point: [u32; 2],
    rays: impl ExactSizeIterator<Item = f32>,
    factor: f64,
) -> Vec<[f32; 2]> {
    let n = rays.len() as f64;
    let [y, x] = point.map(|v| f64::from(v) * factor);
    rays.enumerate()
        .map(|(k, d)| {
            // `np.linspace(0, 2 * pi, n, endpoint=False)`
            let (sin, cos) = (k as f64 * (2.0 * PI / n)).sin_cos();
            let place = |centre: f64, part: f64| {
                let along = (f64::from(d) * part) as f32;
                let along = (f64::from(along) * factor) as f32;
                (f64::from(along) + centre) as f32
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
    /// Smallest and largest x, y, x + y and x - y of the corners: an octagon around the polygon.
    pub low: [i32; 4],
    pub high: [i32; 4],
    /// The corners go around the centre once and in order, so that `area` is the area of the covered region.
    pub in_order: bool,
    /// Area in pixels.
    pub area: f64,
}

impl Bounds {
    pub fn of(point: [u32; 2], corners: &[Corner]) -> Self {
        let (mut low, mut high) = ([i32::MAX; 4], [i32::MIN; 4]);
        let (mut double_area, mut in_order, mut turns) = (0, true, 0);
        let [cy, cx] = point.map(i64::from);
        let relative = |c: &Corner| [i64::from(c[0]) - cx, i64::from(c[1]) - cy];
        let mut a = relative(&corners[corners.len() - 1]);
        for corner in corners {
            let [x, y] = *corner;
            for (axis, value) in [x, y, x + y, x - y].into_iter().enumerate() {
                low[axis] = low[axis].min(value);
                high[axis] = high[axis].max(value);
            }
            let b = relative(corner);
            let cross = a[0] * b[1] - a[1] * b[0];
            double_area += cross;
            in_order &= cross >= 0;
            turns += u32::from(a[1] < 0 && b[1] >= 0);
            a = b;
        }
        Self {
            low,
            high,
            in_order: in_order && turns == 1,
            area: double_area.unsigned_abs() as f64 / 2.0,
        }
    }

    /// Area of the box in which both boxes lie.
    pub fn common_box(&self, other: &Self) -> f64 {
        let side = |a: usize| self.high[a].min(other.high[a]) - self.low[a].max(other.low[a]);
        f64::from(side(0).max(0)) * f64::from(side(1).max(0))
    }

    /// Area of the octagon around both polygons.
    pub fn octagon_around(&self, other: &Self) -> f64 {
        let low = |a: usize| f64::from(self.low[a].min(other.low[a]));
        let high = |a: usize| f64::from(self.high[a].max(other.high[a]));
        let (left, right, top, bottom) = (low(0), high(0), low(1), high(1));
        // The corners of the box are cut off diagonally.
        let cuts = [
            right + bottom - high(2),
            low(2) - (left + top),
            right - top - high(3),
            low(3) - (left - bottom),
        ];
        (right - left) * (bottom - top) - cuts.iter().map(|c| 0.5 * c * c).sum::<f64>()
    }
}
