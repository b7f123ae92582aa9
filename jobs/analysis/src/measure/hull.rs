//! Convex hull images and the largest diameter, in exact integer arithmetic.

use super::objects::Objects;

/// For each object the pixels of its convex hull image: the first and last of each line of its bounding box.
pub(super) struct Hulls {
    /// The lines of object `i` are `lines[starts[i]..starts[i + 1]]`.
    starts: Vec<usize>,
    lines: Vec<Line>,
}

/// First and last pixel of a line; none if the first is above the last.
#[derive(Clone, Copy, Debug)]
struct Line {
    first: i64,
    last: i64,
}

const EMPTY: Line = Line {
    first: i64::MAX,
    last: i64::MIN,
};

/// A point in half pixels, y then x.
type Point = (i64, i64);

impl Hulls {
    /// `extents` are the first line and one past the last of each object.
    pub fn new(objects: &Objects, extents: impl Iterator<Item = (u32, u32)>) -> Self {
        let mut starts = vec![0];
        let mut tops = Vec::new();
        for (top, bottom) in extents {
            tops.push(top as usize);
            starts.push(starts[starts.len() - 1] + (bottom - top) as usize);
        }
        let mut lines = vec![EMPTY; starts[starts.len() - 1]];
        for (y, span, row) in objects.spans() {
            let line = &mut lines[starts[row] + y - tops[row]];
            line.first = line.first.min(span.start.into());
            line.last = line.last.max(i64::from(span.end) - 1);
        }
        for object in starts.windows(2) {
            fill(&mut lines[object[0]..object[1]]);
        }
        Self { starts, lines }
    }

    fn objects(&self) -> impl Iterator<Item = &[Line]> {
        self.starts
            .windows(2)
            .map(|object| &self.lines[object[0]..object[1]])
    }

    /// Pixels of each convex hull image.
    pub fn areas(&self) -> Vec<i64> {
        self.objects()
            .map(|lines| lines.iter().map(|l| l.last - l.first + 1).sum())
            .collect()
    }

    /// The largest distance between two outline points (the middles of the pixels' edges) of each convex hull image.
    pub fn diameters(&self) -> Vec<f64> {
        let diameter = |lines: &[Line]| {
            let (left, right) = chains(lines);
            let square = |a: &Point, b: &Point| (a.0 - b.0).pow(2) + (a.1 - b.1).pow(2);
            let corners: Vec<Point> = left.into_iter().chain(right).collect();
            let pairs = corners
                .iter()
                .flat_map(|a| corners.iter().map(|b| square(a, b)));
            (pairs.max().unwrap_or(0) as f64).sqrt() / 2.0
        };
        self.objects().map(diameter).collect()
    }
}

/// Widens the lines of an object to those of its convex hull image: all pixels whose centre lies in the hull of the
/// middles of the edges of its pixels, its border included.
fn fill(lines: &mut [Line]) {
    let (left, right) = chains(lines);
    let (mut l, mut r) = (0, 0);
    for (y, line) in (0..).step_by(2).zip(lines) {
        while left[l + 1].0 < y {
            l += 1;
        }
        while right[r + 1].0 < y {
            r += 1;
        }
        // x of the chain at this y is a / b half pixels.
        let at = |from: Point, to: Point| {
            (
                from.1 * (to.0 - from.0) + (to.1 - from.1) * (y - from.0),
                to.0 - from.0,
            )
        };
        let (a, b) = at(left[l], left[l + 1]);
        line.first = -(-a).div_euclid(2 * b);
        let (a, b) = at(right[r], right[r + 1]);
        line.last = a.div_euclid(2 * b);
    }
}

/// The left and right side of the convex hull, from top to bottom, without points within a straight line. The first and
/// last lines must not be empty.
fn chains(lines: &[Line]) -> (Vec<Point>, Vec<Point>) {
    let (mut left, mut right) = (Vec::new(), Vec::new());
    let none = EMPTY;
    // Half lines: between two lines of pixels lie the middles of the edges that are below one and above the other.
    for y in -1..2 * lines.len() as i64 {
        let (first, last) = if y % 2 == 0 {
            let line = lines[y as usize / 2];
            if line.first > line.last {
                continue;
            }
            (2 * line.first - 1, 2 * line.last + 1)
        } else {
            let above = if y > 0 { lines[y as usize / 2] } else { none };
            let below = lines.get((y + 1) as usize / 2).copied().unwrap_or(none);
            let (first, last) = (above.first.min(below.first), above.last.max(below.last));
            if first > last {
                continue;
            }
            (2 * first, 2 * last)
        };
        extend(&mut left, (y, first), |turn| turn >= 0);
        extend(&mut right, (y, last), |turn| turn <= 0);
    }
    (left, right)
}

/// Appends a point, dropping those before it that then lie inside the hull or within an edge.
fn extend(chain: &mut Vec<Point>, point: Point, inside: impl Fn(i64) -> bool) {
    while let [.., a, b] = chain[..] {
        let turn = (b.1 - a.1) * (point.0 - a.0) - (point.1 - a.1) * (b.0 - a.0);
        if !inside(turn) {
            break;
        }
        chain.pop();
    }
    chain.push(point);
}
