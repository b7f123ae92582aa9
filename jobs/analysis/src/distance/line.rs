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
    /// The heights of the parabolas, padded on both sides.
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
            heights: Vec::new(),
            squares: vec![0; width],
            envelope: Vec::with_capacity(width + 2),
        }
    }

    /// Calls `store(span, squared distances)` for each span of foreground in a row of vertical distances.
    pub fn for_each_span(&mut self, row: &[u16], mut store: impl FnMut(Range<usize>, &[u32])) {
        let mut end = 0;
        while let Some(skipped) = row[end..].iter().position(|&distance| distance != 0) {
            let start = end + skipped;
            end = row[start..]
                .iter()
                .position(|&distance| distance == 0)
                .map_or(row.len(), |len| start + len);
            let squares = self.span(row, start..end);
            store(start..end, squares);
        }
    }

    fn span(&mut self, row: &[u16], span: Range<usize>) -> &[u32] {
        let len = span.len();
        let columns = &row[span.clone()];
        let bounded = [span.start > 0, span.end < row.len()];
        // No distance in the span is longer than its vertical one, nor than the way to a background pixel at its ends.
        let vertical = columns.iter().fold(0, |max, &distance| distance.max(max));
        let across = match bounded {
            [true, true] => len.div_ceil(2),
            [false, false] => usize::MAX,
            _ => len,
        };
        let reach = usize::from(vertical).min(across);
        let squares = &mut self.squares[..len];
        if reach <= MAX_SCAN {
            self.heights.clear();
            let pad = |bounded: bool| std::iter::once(if bounded { 0 } else { FAR });
            let far = || std::iter::repeat_n(FAR, reach.saturating_sub(1));
            self.heights.extend(far().chain(pad(bounded[0])));
            self.heights
                .extend(columns.iter().map(|&distance| square(distance)));
            self.heights.extend(pad(bounded[1]).chain(far()));
            scan(&self.heights, reach.max(1), squares);
        } else {
            envelope(columns, bounded, &mut self.envelope, squares);
        }
        squares
    }
}

fn square(distance: u16) -> u32 {
    if distance == NONE {
        FAR
    } else {
        u32::from(distance) * u32::from(distance)
    }
}

/// The lowest of the parabolas up to `reach` pixels away; `heights` is padded by `reach` on both sides.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn scan(heights: &[u32], reach: usize, squares: &mut [u32]) {
    let len = squares.len();
    squares.copy_from_slice(&heights[reach..reach + len]);
    for distance in 1..=reach {
        let rise = (distance * distance) as u32;
        let left = &heights[reach - distance..][..len];
        let right = &heights[reach + distance..][..len];
        for (square, (&left, &right)) in squares.iter_mut().zip(left.iter().zip(right)) {
            *square = (*square).min(left.min(right) + rise);
        }
    }
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
