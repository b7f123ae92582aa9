//! Shape columns: everything that follows from the spans of an object.

use std::f64::consts::{FRAC_PI_4, PI};

use ndarray::ArrayView2;

use super::columns::{ColumnValues, Shape};
use super::hull::Hulls;
use super::objects::Objects;
use super::perimeter::perimeters;

/// The exact sums over the pixels of an object.
#[derive(Clone, Copy, Debug)]
struct Sums {
    area: u64,
    y: u64,
    x: u64,
    yy: u128,
    xx: u128,
    xy: u128,
    /// First and one past the last, in y and x.
    top: u32,
    bottom: u32,
    left: u32,
    right: u32,
}

impl Sums {
    const NONE: Self = Self {
        area: 0,
        y: 0,
        x: 0,
        yy: 0,
        xx: 0,
        xy: 0,
        top: u32::MAX,
        bottom: 0,
        left: u32::MAX,
        right: 0,
    };

    fn add(&mut self, y: usize, start: u32, end: u32) {
        let (y, first, end64) = (y as u64, u64::from(start), u64::from(end));
        let n = end64 - first;
        let x = (first + end64 - 1) * n / 2;
        // The sum of the squares below m.
        let squares = |m: u64| {
            u128::from(m) * u128::from(m.saturating_sub(1)) * u128::from((2 * m).saturating_sub(1))
                / 6
        };
        self.area += n;
        self.y += y * n;
        self.x += x;
        self.yy += u128::from(y * y) * u128::from(n);
        self.xx += squares(end64) - squares(first);
        self.xy += u128::from(y) * u128::from(x);
        self.top = self.top.min(y as u32);
        self.bottom = self.bottom.max(y as u32 + 1);
        self.left = self.left.min(start);
        self.right = self.right.max(end);
    }

    fn area(&self) -> f64 {
        self.area as f64
    }

    /// `area² x` the variances of y and x and their covariance: integers, so nothing is lost to cancellation.
    fn second_moments(&self) -> [i128; 3] {
        let product = |a: u64, b: u64| i128::from(a) * i128::from(b);
        let scaled = |sum: u128| i128::from(self.area) * sum as i128;
        [
            scaled(self.yy) - product(self.y, self.y),
            scaled(self.xx) - product(self.x, self.x),
            scaled(self.xy) - product(self.y, self.x),
        ]
    }

    /// The eigenvalues of the inertia tensor, the larger one first.
    fn eigenvalues(&self) -> (f64, f64) {
        let [yy, xx, xy] = self.second_moments();
        let scale = self.area() * self.area();
        let (half_sum, half_difference) = ((yy + xx) as f64 / 2.0, (yy - xx) as f64 / 2.0);
        let large = half_sum + half_difference.hypot(xy as f64);
        if large == 0.0 {
            return (0.0, 0.0);
        }
        // The small one from the determinant, which is exactly 0 for a straight line.
        let exact = yy
            .checked_mul(xx)
            .zip(xy.checked_mul(xy))
            .map(|(a, b)| (a - b) as f64);
        let determinant = exact
            .unwrap_or_else(|| yy as f64 * xx as f64 - (xy as f64).powi(2))
            .max(0.0);
        (large / scale, determinant / large / scale)
    }

    fn eccentricity(&self) -> f64 {
        match self.eigenvalues() {
            (0.0, _) => 0.0,
            (large, small) => (1.0 - small / large).max(0.0).sqrt(),
        }
    }

    fn orientation(&self) -> f64 {
        let [yy, xx, xy] = self.second_moments();
        if yy == xx {
            if xy > 0 { FRAC_PI_4 } else { -FRAC_PI_4 }
        } else {
            0.5 * (2.0 * xy as f64).atan2((yy - xx) as f64)
        }
    }

    fn extent(&self) -> f64 {
        self.area() / (f64::from(self.bottom - self.top) * f64::from(self.right - self.left))
    }
}

/// The selected shape columns.
pub(super) fn columns(
    objects: &Objects,
    labels: ArrayView2<'_, u32>,
    shapes: &[Shape],
) -> Vec<(String, ColumnValues)> {
    let mut sums = vec![Sums::NONE; objects.count()];
    for (y, span, row) in objects.spans() {
        sums[row].add(y, span.start, span.end);
    }
    let any = |wanted: &[Shape]| shapes.iter().any(|shape| wanted.contains(shape));
    let hulls = any(&[Shape::AreaConvex, Shape::Solidity, Shape::FeretDiameterMax])
        .then(|| Hulls::new(objects, sums.iter().map(|s| (s.top, s.bottom))));
    let hulls = hulls.as_ref();
    let mut out = Vec::new();
    for &shape in shapes {
        let int = |f: fn(&Sums) -> i64| ColumnValues::Int(sums.iter().map(f).collect());
        let float = |f: fn(&Sums) -> f64| ColumnValues::Float(sums.iter().map(f).collect());
        let convex = || hulls.map_or_else(Vec::new, Hulls::areas);
        let values = match shape {
            Shape::Area => int(|s| s.area as i64),
            Shape::Bbox => {
                out.push(("bbox_min_y".to_owned(), int(|s| s.top.into())));
                out.push(("bbox_min_x".to_owned(), int(|s| s.left.into())));
                out.push(("bbox_max_y".to_owned(), int(|s| s.bottom.into())));
                out.push(("bbox_max_x".to_owned(), int(|s| s.right.into())));
                continue;
            }
            Shape::Centroid => {
                out.push(("centroid_y".to_owned(), float(|s| s.y as f64 / s.area())));
                out.push(("centroid_x".to_owned(), float(|s| s.x as f64 / s.area())));
                continue;
            }
            Shape::Eccentricity => float(Sums::eccentricity),
            Shape::AxisMajorLength => float(|s| 4.0 * s.eigenvalues().0.sqrt()),
            Shape::AxisMinorLength => float(|s| 4.0 * s.eigenvalues().1.sqrt()),
            Shape::Orientation => float(Sums::orientation),
            Shape::Perimeter => ColumnValues::Float(perimeters(objects, labels)),
            Shape::Extent => float(Sums::extent),
            Shape::EquivalentDiameter => float(|s| (4.0 * s.area() / PI).sqrt()),
            Shape::AreaConvex => ColumnValues::Int(convex()),
            Shape::Solidity => ColumnValues::Float(
                sums.iter()
                    .zip(convex())
                    .map(|(s, hull)| s.area() / hull as f64)
                    .collect(),
            ),
            Shape::FeretDiameterMax => {
                ColumnValues::Float(hulls.map_or_else(Vec::new, Hulls::diameters))
            }
            Shape::EulerNumber => ColumnValues::Int(objects.euler_numbers()),
        };
        out.push((shape.name().to_owned(), values));
    }
    out
}
