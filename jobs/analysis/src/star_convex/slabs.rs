//! A polygon with whole-pixel corners, cut into trapezoids along whole rows.
//!
//! No corner lies inside a row, so that between y and y + 1 a border is straight: two of these decompositions are
//! intersected row by row, without a search for crossings of edges.

use super::polygon::Corner;

/// The part of a polygon between two horizontal lines and two straight borders.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Trapezoid {
    /// Top and bottom.
    pub y: [f64; 2],
    /// Left border at top and bottom.
    pub left: [f64; 2],
    /// Right border at top and bottom.
    pub right: [f64; 2],
}

/// An edge within one row: x at top and bottom, and +1 or -1 for downward and upward.
#[derive(Clone, Copy, Debug)]
struct Border {
    x: [f64; 2],
    winding: i32,
}

impl Border {
    fn at(&self, t: f64) -> f64 {
        self.x[0] + (self.x[1] - self.x[0]) * t
    }
}

/// The trapezoids of a polygon under the non-zero winding rule, by row. Made to be filled again and again.
#[derive(Debug, Default)]
pub(super) struct Slabs {
    first_row: i32,
    /// The trapezoids of row `r` are `trapezoids[starts[r]..starts[r + 1]]`.
    starts: Vec<u32>,
    trapezoids: Vec<Trapezoid>,
    /// Working memory: borders of each row as a chain through `next`.
    heads: Vec<u32>,
    borders: Vec<(Border, u32)>,
    row: Vec<Border>,
    cuts: Vec<f64>,
}

const NONE: u32 = u32::MAX;

impl Slabs {
    /// Decomposes a polygon.
    pub fn fill(&mut self, corners: &[Corner]) {
        let rows = corners.iter().map(|c| c[1]);
        let (first, last) = (rows.clone().min().unwrap_or(0), rows.max().unwrap_or(0));
        self.first_row = first;
        self.heads.clear();
        self.heads.resize((last - first) as usize, NONE);
        self.borders.clear();
        let mut a = corners[corners.len() - 1];
        for &b in corners {
            self.add_edge(a, b);
            a = b;
        }
        self.starts.clear();
        self.trapezoids.clear();
        for row in 0..self.heads.len() {
            self.starts.push(self.trapezoids.len() as u32);
            self.row.clear();
            let mut at = self.heads[row];
            while at != NONE {
                let (border, next) = self.borders[at as usize];
                self.row.push(border);
                at = next;
            }
            self.fill_row(f64::from(first) + row as f64);
        }
        self.starts.push(self.trapezoids.len() as u32);
    }

    fn add_edge(&mut self, a: Corner, b: Corner) {
        if a[1] == b[1] {
            return;
        }
        let (top, bottom, winding) = if a[1] < b[1] { (a, b, 1) } else { (b, a, -1) };
        let slope = f64::from(bottom[0] - top[0]) / f64::from(bottom[1] - top[1]);
        let mut x = f64::from(top[0]);
        for y in top[1]..bottom[1] {
            let below = f64::from(top[0]) + f64::from(y + 1 - top[1]) * slope;
            let row = (y - self.first_row) as usize;
            let border = Border {
                x: [x, below],
                winding,
            };
            self.borders.push((border, self.heads[row]));
            self.heads[row] = self.borders.len() as u32 - 1;
            x = below;
        }
    }

    /// The trapezoids of `self.row`, which begins at `y`.
    fn fill_row(&mut self, y: f64) {
        if let &[a, b] = self.row.as_slice() {
            let (left, right) = if a.x[0] + a.x[1] <= b.x[0] + b.x[1] {
                (a.x, b.x)
            } else {
                (b.x, a.x)
            };
            if left[0] <= right[0] && left[1] <= right[1] {
                self.trapezoids.push(Trapezoid {
                    y: [y, y + 1.0],
                    left,
                    right,
                });
                return;
            }
        }
        self.cut_at_crossings();
        for i in 1..self.cuts.len() {
            let (from, to) = (self.cuts[i - 1], self.cuts[i]);
            let middle = f64::midpoint(from, to);
            self.row
                .sort_by(|a, b| a.at(middle).total_cmp(&b.at(middle)));
            let mut winding = 0;
            let mut left = 0;
            for (at, border) in self.row.iter().enumerate() {
                let before = winding;
                winding += border.winding;
                if before == 0 {
                    left = at;
                } else if winding == 0 {
                    let side = |b: &Border| [b.at(from), b.at(to)];
                    self.trapezoids.push(Trapezoid {
                        y: [y + from, y + to],
                        left: side(&self.row[left]),
                        right: side(border),
                    });
                }
            }
        }
    }

    /// Fills `self.cuts` with 0, 1 and the heights between at which borders of `self.row` cross.
    fn cut_at_crossings(&mut self) {
        self.cuts.clear();
        self.cuts.extend([0.0, 1.0]);
        for (i, a) in self.row.iter().enumerate() {
            for b in &self.row[..i] {
                let (top, bottom) = (a.x[0] - b.x[0], a.x[1] - b.x[1]);
                if top * bottom < 0.0 {
                    self.cuts.push(top / (top - bottom));
                }
            }
        }
        self.cuts.sort_by(f64::total_cmp);
    }

    fn row(&self, y: i32) -> &[Trapezoid] {
        let row = (y - self.first_row) as usize;
        &self.trapezoids[self.starts[row] as usize..self.starts[row + 1] as usize]
    }

    fn end_row(&self) -> i32 {
        self.first_row + self.heads.len() as i32
    }

    /// Area of the intersection with another polygon, exact but for the rounding of double precision.
    pub fn intersection(&self, other: &Self) -> f64 {
        let first = self.first_row.max(other.first_row);
        let end = self.end_row().min(other.end_row());
        let mut area = 0.0;
        for y in first..end {
            for a in self.row(y) {
                for b in other.row(y) {
                    area += super::overlap::area(a, b);
                }
            }
        }
        area
    }
}
