//! Paths of lines and cubic curves.

use std::f64::consts::{FRAC_PI_2, TAU};

/// A step of a path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Segment {
    /// Begin a new part here.
    Move(f64, f64),
    /// A line to here.
    Line(f64, f64),
    /// A cubic curve: two control points and the end.
    Curve(f64, f64, f64, f64, f64, f64),
    /// Back to where the part began.
    Close,
}

/// An outline.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Path(pub Vec<Segment>);

impl Path {
    /// A line.
    #[must_use]
    pub fn line(from: (f64, f64), to: (f64, f64)) -> Self {
        Self(vec![
            Segment::Move(from.0, from.1),
            Segment::Line(to.0, to.1),
        ])
    }

    /// A cross whose arms reach `arm` from its middle in x and y.
    #[must_use]
    pub fn cross(x: f64, y: f64, arm: f64) -> Self {
        let mut path = Self::line((x - arm, y - arm), (x + arm, y + arm));
        path.0
            .extend(Self::line((x - arm, y + arm), (x + arm, y - arm)).0);
        path
    }

    /// A sector of a disc. Angles are in turns, from the top, clockwise.
    #[must_use]
    pub fn wedge(x: f64, y: f64, radius: f64, from: f64, to: f64) -> Self {
        let mut path = Self(vec![Segment::Move(x, y)]);
        let (start_x, start_y) = on_circle(x, y, radius, from);
        path.0.push(Segment::Line(start_x, start_y));
        path.arc(x, y, radius, from, to);
        path.0.push(Segment::Close);
        path
    }

    /// An arc from the current point, in pieces of at most a quarter.
    fn arc(&mut self, x: f64, y: f64, radius: f64, from: f64, to: f64) {
        let pieces = (((to - from) * 4.0).ceil()).max(1.0);
        let step = (to - from) / pieces;
        // The length of the control arms with which a cubic curve follows a circle.
        let arm = radius * 4.0 / 3.0 * (step * TAU / 4.0).tan();
        let mut at = from;
        for _ in 0..pieces as usize {
            let next = at + step;
            let (x0, y0) = on_circle(x, y, radius, at);
            let (x3, y3) = on_circle(x, y, radius, next);
            let (tx0, ty0) = tangent(at);
            let (tx3, ty3) = tangent(next);
            self.0.push(Segment::Curve(
                x0 + arm * tx0,
                y0 + arm * ty0,
                x3 - arm * tx3,
                y3 - arm * ty3,
                x3,
                y3,
            ));
            at = next;
        }
    }
}

/// The point of a circle at an angle in turns, from the top, clockwise.
pub fn on_circle(x: f64, y: f64, radius: f64, turns: f64) -> (f64, f64) {
    let angle = turns * TAU - FRAC_PI_2;
    (x + radius * angle.cos(), y + radius * angle.sin())
}

fn tangent(turns: f64) -> (f64, f64) {
    let angle = turns * TAU - FRAC_PI_2;
    (-angle.sin(), angle.cos())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wedge_follows_the_circle() {
        for (from, to) in [(0.0, 0.5), (0.25, 1.0), (0.0, 1.0 / 9.0)] {
            let path = Path::wedge(10.0, 20.0, 5.0, from, to);
            let mut current = (0.0, 0.0);
            for segment in path.0 {
                match segment {
                    Segment::Curve(x1, y1, x2, y2, x3, y3) => {
                        // The middle of the curve.
                        let mid =
                            |a: f64, b: f64, c: f64, d: f64| (a + 3.0 * b + 3.0 * c + d) / 8.0;
                        let x = mid(current.0, x1, x2, x3);
                        let y = mid(current.1, y1, y2, y3);
                        assert!(((x - 10.0).hypot(y - 20.0) - 5.0).abs() < 0.002);
                        current = (x3, y3);
                    }
                    Segment::Move(x, y) | Segment::Line(x, y) => current = (x, y),
                    Segment::Close => {}
                }
            }
            let end = on_circle(10.0, 20.0, 5.0, to);
            assert!((current.0 - end.0).abs() < 1e-9 && (current.1 - end.1).abs() < 1e-9);
        }
    }
}
