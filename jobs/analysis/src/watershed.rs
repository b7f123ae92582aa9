//! Seeded watershed, as `skimage.segmentation.watershed` of scikit-image 0.26 computes it, label for label.

// Views are two words and a pointer: they are passed as slices are.
#![allow(clippy::needless_pass_by_value)]

mod cells;
mod declump;
mod exact;
mod flood;
mod grid;
mod level;
mod queue;

pub use cells::{Growth, grow_cells};
pub use declump::{Seeding, declump, place_markers};
pub use level::Level;

use ndarray::{Array2, ArrayView2};

use crate::components::Connectivity;
use crate::components::spans::Spans;
use crate::{Error, Result};

/// Floods `landscape` (y, x) from `markers` (0 = none) inside `mask` (`None`: everywhere), lowest values first.
///
/// Labels are identical to `skimage.segmentation.watershed(landscape, markers, connectivity, mask=mask)`, without
/// compactness and watershed lines: a pixel costs the highest value on its way from the marker (at least its own), equal
/// costs go to the pixel that was reached first, neighbours are visited in the order up, left, right, down, then the
/// corners. Even the order of markers of equal value, which there depends on the inner state of a binary heap, is
/// reproduced. Markers outside the mask are ignored; parts of the mask without a marker stay 0.
///
/// Comparing `f32` values equals what scikit-image does with the same values as `f64`. NaN is above every number.
///
/// How: mask components do not influence one another, so one with a single label is filled at once, and the others are
/// flooded level by level. Only where labels with markers of equal value meet at that very value (plateaus, whole numbers)
/// must the heap of scikit-image be followed step by step.
///
/// # Errors
/// [`Error::Shape`] if the planes differ in size; [`Error::Parameter`] if a marker is `u32::MAX`.
pub fn watershed<T: Level>(
    landscape: ArrayView2<'_, T>,
    markers: ArrayView2<'_, u32>,
    mask: Option<ArrayView2<'_, bool>>,
    connectivity: Connectivity,
) -> Result<Array2<u32>> {
    let (height, width) = landscape.dim();
    same_shape(landscape.dim(), markers.dim())?;
    // Cells and ages are counted in 32 bits.
    if (height + 2).saturating_mul(width + 1) >= grid::OPEN as usize {
        return Err(Error::Parameter {
            name: "landscape",
            value: format!("{height} x {width}"),
            expected: "of fewer than 4294967295 pixels: split it into tiles",
        });
    }
    let spans = match mask {
        Some(mask) => {
            same_shape(landscape.dim(), mask.dim())?;
            Spans::of_mask(mask)
        }
        None => Spans::of_plane(height, width),
    };
    let landscape = landscape.as_standard_layout();
    let landscape = landscape.as_slice().expect("standard layout");
    let (component, count) = spans.components(connectivity);
    let markers = Marker::find(markers, &spans, &component)?;

    let mut label_of = vec![0; count as usize + 1];
    let mut contested = vec![false; count as usize + 1];
    for marker in &markers {
        let label = &mut label_of[marker.component as usize];
        if *label == 0 {
            *label = marker.label;
        } else if *label != marker.label {
            contested[marker.component as usize] = true;
        }
    }
    let mut out = Array2::zeros((height, width));
    spans.fill(&mut out, |span| {
        let component = component[span] as usize;
        if contested[component] {
            0
        } else {
            label_of[component]
        }
    });
    let plane = Plane {
        landscape,
        width,
        connectivity,
    };
    let pieces = |open: &dyn Fn(u32) -> bool| {
        let mut pieces = Piece::of(&spans, &component);
        pieces.retain(|piece| open(piece.component));
        pieces
    };
    let rivals = pieces(&|component| contested[component as usize]);
    let rivalling = |m: &Marker| contested[m.component as usize];
    let rival_markers = markers.iter().copied().filter(rivalling).collect();
    if !flood::flood(&plane, rivals, rival_markers, &mut out) {
        let reached = pieces(&|component| label_of[component as usize] != 0);
        exact::flood(&plane, &reached, &markers, &mut out);
    }
    Ok(out)
}

fn same_shape(left: (usize, usize), right: (usize, usize)) -> Result<()> {
    if left == right {
        Ok(())
    } else {
        Err(Error::Shape { left, right })
    }
}

/// A marker pixel inside the mask.
#[derive(Clone, Copy, Debug)]
struct Marker {
    y: u32,
    x: u32,
    label: u32,
    component: u32,
}

impl Marker {
    /// The marker pixels inside the spans, in raster order.
    fn find(markers: ArrayView2<'_, u32>, spans: &Spans, component: &[u32]) -> Result<Vec<Self>> {
        let mut found = Vec::new();
        let (marks, labels) = Spans::of_labels(markers);
        if labels.contains(&grid::OPEN) {
            return Err(Error::Parameter {
                name: "markers",
                value: grid::OPEN.to_string(),
                expected: "below 4294967295",
            });
        }
        for y in 0..spans.height() {
            let mut allowed = spans.row(y).peekable();
            for mark in marks.row(y) {
                let (at, label) = (marks.get(mark), labels[mark]);
                for x in at.start..at.end {
                    while allowed.next_if(|&i| spans.get(i).end <= x).is_some() {}
                    if let Some(&i) = allowed.peek()
                        && spans.get(i).start <= x
                    {
                        found.push(Self {
                            y: y as u32,
                            x,
                            label,
                            component: component[i],
                        });
                    }
                }
            }
        }
        Ok(found)
    }
}

/// A part of a row in a component of the mask.
#[derive(Clone, Copy, Debug)]
struct Piece {
    y: u32,
    start: u32,
    end: u32,
    component: u32,
}

impl Piece {
    /// All spans, in raster order.
    fn of(spans: &Spans, component: &[u32]) -> Vec<Self> {
        let row = |y: usize| {
            spans.row(y).map(move |i| Self {
                y: y as u32,
                start: spans.get(i).start,
                end: spans.get(i).end,
                component: component[i],
            })
        };
        (0..spans.height()).flat_map(row).collect()
    }
}

/// What is flooded.
struct Plane<'a, T> {
    landscape: &'a [T],
    width: usize,
    connectivity: Connectivity,
}

#[cfg(test)]
mod tests;
