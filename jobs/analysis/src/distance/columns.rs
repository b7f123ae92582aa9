//! The first half of the transform: the distance to the nearest background pixel of the same column.

use multiversion::multiversion;

/// No background pixel in the column.
pub(super) const NONE: u16 = u16::MAX;

/// The vertical distance of every pixel, or `None` when the whole mask is foreground.
///
/// Distances fit 16 bits because sides are limited to 46,340 pixels.
pub(super) fn distances(mask: &[bool], width: usize) -> Option<Vec<u16>> {
    let mut columns = Vec::with_capacity(mask.len());
    downwards(mask, width, &mut columns);
    let bottom = &columns[columns.len() - width..];
    if bottom.iter().all(|&distance| distance == NONE) {
        return None;
    }
    upwards(&mut columns, width);
    Some(columns)
}

/// The distance to the nearest background pixel above.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn downwards(mask: &[bool], width: usize, columns: &mut Vec<u16>) {
    let mut above = vec![NONE; width];
    for row in mask.chunks_exact(width) {
        for (above, &inside) in above.iter_mut().zip(row) {
            // A mask of all ones or all zeros instead of a branch; NONE stays NONE.
            *above = above.saturating_add(1) & u16::from(inside).wrapping_neg();
        }
        columns.extend_from_slice(&above);
    }
}

/// Lowers each distance to that from the row below plus one.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn upwards(columns: &mut [u16], width: usize) {
    let mut rows = columns.chunks_exact_mut(width).rev();
    let Some(mut below) = rows.next() else {
        return;
    };
    for row in rows {
        for (here, &below) in row.iter_mut().zip(&*below) {
            *here = (*here).min(below.saturating_add(1));
        }
        below = row;
    }
}
