//! Painting of polygons with the pixel rule of `skimage.draw.polygon`.

use std::ops::Range;

use ndarray::Array2;
use rayon::prelude::*;

use super::Instances;

/// Rows that one task paints.
const BAND: usize = 64;

/// Corners that near to a pixel's centre count as lying on it (scikit-image's tolerance).
const ON_CORNER: f64 = 1e-12;

pub(super) fn label_image(
    instances: &Instances,
    shape: (usize, usize),
    factor: f64,
) -> Array2<u32> {
    let mut plane = Array2::zeros(shape);
    if plane.is_empty() {
        return plane;
    }
    let outlines: Vec<Outline> = (0..instances.len())
        .map(|object| Outline::of(&instances.scaled_polygon(object, factor), shape))
        .collect();
    // Least probable first; of equals the lower label first.
    let mut order: Vec<usize> = (0..instances.len()).collect();
    order.sort_by(|&a, &b| instances.probabilities[a].total_cmp(&instances.probabilities[b]));
    let mut bands = vec![Vec::new(); shape.0.div_ceil(BAND)];
    for &object in &order {
        let rows = &outlines[object].rows;
        if !rows.is_empty() {
            for band in &mut bands[rows.start / BAND..=(rows.end - 1) / BAND] {
                band.push(object);
            }
        }
    }
    let pixels = plane
        .as_slice_mut()
        .expect("a new array is in standard layout");
    pixels
        .par_chunks_mut(BAND * shape.1)
        .zip(bands)
        .enumerate()
        .for_each(|(band, (pixels, objects))| {
            let (first, end) = (band * BAND, band * BAND + pixels.len() / shape.1);
            let mut ends = Ends::default();
            for object in objects {
                let outline = &outlines[object];
                for y in outline.rows.start.max(first)..outline.rows.end.min(end) {
                    let row = &mut pixels[(y - first) * shape.1..(y - first + 1) * shape.1];
                    outline.spans(y, shape.1, &mut ends, |span| {
                        row[span].fill(object as u32 + 1);
                    });
                }
            }
        });
    plane
}

/// A polygon and the rows of the plane that it may reach.
struct Outline {
    corners: Vec<[f64; 2]>,
    rows: Range<usize>,
}

/// Working memory: columns at which the crossings to the right and to the left of a pixel change.
#[derive(Default)]
struct Ends {
    right: Vec<usize>,
    left: Vec<usize>,
}

impl Outline {
    fn of(corners: &[[f32; 2]], (height, _): (usize, usize)) -> Self {
        let corners: Vec<[f64; 2]> = corners.iter().map(|c| c.map(f64::from)).collect();
        let ys = corners.iter().map(|c| c[0]);
        let (low, high) = ys.fold((f64::MAX, f64::MIN), |(l, h), y| (l.min(y), h.max(y)));
        // A float becomes the nearest number that the type holds.
        let first = low.max(0.0) as usize;
        let end = if high < 0.0 {
            0
        } else {
            high.ceil() as usize + 1
        };
        Self {
            corners,
            rows: first.min(height)..end.min(height),
        }
    }

    /// Calls `paint` with the columns of row `y` that belong to the polygon.
    ///
    /// scikit-image counts the edges that cross the row to the right and to the left of a pixel; the pixel belongs to the
    /// polygon if either number is odd, or a corner lies on it. The counts change only where an edge crosses the row.
    fn spans(&self, y: usize, width: usize, ends: &mut Ends, mut paint: impl FnMut(Range<usize>)) {
        ends.right.clear();
        ends.left.clear();
        let row = y as f64;
        let mut a = self.corners[self.corners.len() - 1];
        for &b in &self.corners {
            let (y0, y1) = (b[0] - row, a[0] - row);
            if (y0 > 0.0) != (y1 > 0.0) {
                // The pixels before this column have the crossing to their right.
                ends.right
                    .push(first_column(a, b, row, width, |cross| cross <= 0.0));
            }
            if (y0 < 0.0) != (y1 < 0.0) {
                // The pixels from this column on have the crossing to their left.
                ends.left
                    .push(first_column(a, b, row, width, |cross| cross < 0.0));
            }
            if y0.abs() < ON_CORNER {
                let x = b[1].round();
                if (b[1] - x).abs() < ON_CORNER && x >= 0.0 && x < width as f64 {
                    paint(x as usize..x as usize + 1);
                }
            }
            a = b;
        }
        ends.right.sort_unstable();
        ends.left.sort_unstable();
        for pair in ends.right.chunks_exact(2) {
            paint(pair[0]..pair[1]);
        }
        // Both are the same unless an edge crosses the row in the centre of a pixel or ends on the row.
        if ends.left != ends.right {
            for pair in ends.left.chunks_exact(2) {
                paint(pair[0]..pair[1]);
            }
        }
    }
}

/// The first column for which `holds` of scikit-image's number whose sign tells on which side of the pixel the edge from
/// `a` to `b` crosses `row`; the number falls from column to column.
fn first_column(
    a: [f64; 2],
    b: [f64; 2],
    row: f64,
    width: usize,
    holds: impl Fn(f64) -> bool,
) -> usize {
    let (y0, y1) = (b[0] - row, a[0] - row);
    let number = |column: f64| {
        let (x0, x1) = (b[1] - column, a[1] - column);
        (x0 * y1 - x1 * y0) / (y1 - y0)
    };
    // At column 0 it is the crossing itself. One column further the rounding is far smaller than the number.
    let near = number(0.0).floor();
    let mut column = near - 1.0;
    while column <= near + 2.0 && !holds(number(column)) {
        column += 1.0;
    }
    column.max(0.0).min(width as f64) as usize
}
