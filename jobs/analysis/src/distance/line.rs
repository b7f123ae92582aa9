//! The second half of the transform: the lowest parabola over each pixel of a row.
//!
//! The background pixels that end a span of foreground are parabolas of height 0. Whatever lies beyond one of them is
//! farther away than it is, so every span is transformed on its own, and the background costs nothing.

use std::ops::Range;

use multiversion::multiversion;

use super::columns::NONE;

/// Larger than any squared distance inside the limits, and still far from overflow when a square is added.
const FAR: u32 = u32::MAX / 2;
/// Spans whose distances reach farther than this are transformed through the lower envelope of the parabolas, whose cost
/// does not depend on the distances; measured.
const MAX_SCAN: usize = 48;

/// Buffers for one row.
pub(super) struct Line {
    /// The heights of the parabolas of a row, 0 on the background, with room on both sides.
    heights: Vec<u32>,
    squares: Vec<u32>,
    envelope: Vec<Parabola>,
}

/// A parabola of the lower envelope, and where it begins to be the lowest.
#[derive(Clone, Copy, Default)]
struct Parabola {
    apex: i64,
    height: i64,
    start: i64,
}

impl Line {
    pub fn new(width: usize) -> Self {
        Self {
            heights: vec![FAR; width + 2 * MAX_SCAN],
            squares: vec![0; width],
            envelope: Vec::with_capacity(width + 2),
        }
    }

    /// The squared distances of a row of vertical distances; only those inside `spans`, the foreground, are valid.
    pub fn squares(
        &mut self,
        columns: &[u16],
        spans: impl Iterator<Item = Range<usize>>,
    ) -> &[u32] {
        let width = columns.len();
        raise(columns, &mut self.heights[MAX_SCAN..MAX_SCAN + width]);
        for span in spans {
            let squares = &mut self.squares[span.clone()];
            let bounded = [span.start > 0, span.end < width];
            // No distance is longer than the way to a background pixel at the ends of the span.
            let across = match bounded {
                [true, true] => span.len().div_ceil(2),
                [false, false] => usize::MAX,
                _ => span.len(),
            };
            let columns = &columns[span.clone()];
            let around = &self.heights[span.start..span.end + 2 * MAX_SCAN];
            if !scan(columns, around, across, squares) {
                envelope(columns, bounded, &mut self.envelope, squares);
            }
        }
        &self.squares
    }
}

/// The heights of the parabolas: the squares of the vertical distances.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn raise(columns: &[u16], heights: &mut [u32]) {
    for (height, &distance) in heights.iter_mut().zip(columns) {
        let square = u32::from(distance) * u32::from(distance);
        *height = if distance == NONE { FAR } else { square };
    }
}

/// The lowest of the parabolas that are near enough to matter; `false` if that is too far. `around` are the heights of the
/// span and of [`MAX_SCAN`] pixels to each side.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn scan(columns: &[u16], around: &[u32], across: usize, squares: &mut [u32]) -> bool {
    // No distance in the span is longer than its longest vertical one either.
    let vertical = columns.iter().fold(0, |max, &distance| distance.max(max));
    let reach = usize::from(vertical).min(across);
    if reach > MAX_SCAN {
        return false;
    }
    let len = squares.len();
    squares.copy_from_slice(&around[MAX_SCAN..MAX_SCAN + len]);
    for distance in 1..=reach {
        let rise = (distance * distance) as u32;
        let left = &around[MAX_SCAN - distance..][..len];
        let right = &around[MAX_SCAN + distance..][..len];
        for (square, (&left, &right)) in squares.iter_mut().zip(left.iter().zip(right)) {
            *square = (*square).min(left.min(right) + rise);
        }
    }
    true
}

/// The lower envelope of the parabolas (Felzenszwalb and Huttenlocher; integer arithmetic after Meijster).
fn envelope(columns: &[u16], bounded: [bool; 2], hull: &mut Vec<Parabola>, squares: &mut [u32]) {
    hull.clear();
    let len = columns.len() as i64;
    let ends = [(-1, bounded[0]), (len, bounded[1])];
    let end = |side: usize| ends[side].1.then_some((ends[side].0, 0));
    let inside = columns
        .iter()
        .enumerate()
        .filter(|&(_, &distance)| distance != NONE);
    let inside =
        inside.map(|(at, &distance)| (at as i64, i64::from(distance) * i64::from(distance)));
    for (apex, height) in end(0).into_iter().chain(inside).chain(end(1)) {
        let start = loop {
            let Some(last) = hull.last() else {
                break 0;
            };
            // The first pixel at which the new parabola is lower than the last one.
            let rise = (apex * apex + height) - (last.apex * last.apex + last.height);
            let start = rise.div_euclid(2 * (apex - last.apex)) + 1;
            if start > last.start {
                break start;
            }
            hull.pop();
        };
        if start < len {
            hull.push(Parabola {
                apex,
                height,
                start,
            });
        }
    }
    let mut parabolas = hull.iter().peekable();
    let mut lowest = Parabola::default();
    for (at, square) in squares.iter_mut().enumerate() {
        let at = at as i64;
        while let Some(next) = parabolas.next_if(|next| next.start <= at) {
            lowest = *next;
        }
        let away = at - lowest.apex;
        *square = (away * away + lowest.height) as u32;
    }
}

/// The distances of squared distances, rounded once.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
pub(super) fn roots(squares: &[u32], out: &mut [f64]) {
    for (root, &square) in out.iter_mut().zip(squares) {
        *root = f64::from(square).sqrt();
    }
}
