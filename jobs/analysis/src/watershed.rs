//! Seeded watershed, as `skimage.segmentation.watershed` of scikit-image 0.26 computes it, label for label.

// Views are two words and a pointer: they are passed as slices are.
#![allow(clippy::needless_pass_by_value)]

mod declump;
mod exact;
mod flood;
mod level;
mod queue;

pub use declump::{Seeding, declump, place_markers};
pub use level::Level;

use ndarray::{Array2, ArrayView2};

use crate::components::Connectivity;
use crate::components::spans::Spans;
use crate::{Error, Result};

/// A pixel of the working grid that may be flooded and has no label yet. 0 is a pixel outside the mask.
const OPEN: u32 = u32::MAX;

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
    if (height + 2).saturating_mul(width + 1) >= OPEN as usize {
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
    if contested.iter().any(|&c| c) {
        let open = |span: usize| contested[component[span] as usize];
        let mut grid = Grid::new(landscape, (height, width), &spans, connectivity, open);
        let rivals = markers
            .iter()
            .filter(|m| contested[m.component as usize])
            .copied()
            .collect();
        let mut pixels = vec![0; count as usize + 1];
        for index in (0..height).flat_map(|y| spans.row(y)) {
            pixels[component[index] as usize] +=
                (spans.get(index).end - spans.get(index).start) as usize;
        }
        if !flood::flood(&mut grid, rivals, &pixels) {
            grid = Grid::new(landscape, (height, width), &spans, connectivity, |span| {
                label_of[component[span] as usize] != 0
            });
            exact::flood(&mut grid, &markers);
        }
        grid.copy_to(&mut out, &spans, open);
    }
    spans.fill(&mut out, |span| {
        let component = component[span] as usize;
        if contested[component] {
            0
        } else {
            label_of[component]
        }
    });
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
        if labels.contains(&OPEN) {
            return Err(Error::Parameter {
                name: "markers",
                value: OPEN.to_string(),
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

/// Labels and levels with a closed border around them, so that no neighbour needs a bounds check of its own.
struct Grid<T: Level> {
    /// 0: closed, [`OPEN`], or a label.
    cells: Vec<u32>,
    levels: Vec<T::Order>,
    /// Cells a row: one more than the plane has, closed, between the end of a row and the start of the next.
    stride: usize,
    connectivity: Connectivity,
}

impl<T: Level> Grid<T> {
    fn new(
        landscape: &[T],
        (height, width): (usize, usize),
        spans: &Spans,
        connectivity: Connectivity,
        open: impl Fn(usize) -> bool,
    ) -> Self {
        let stride = width + 1;
        let size = (height + 2) * stride + 1;
        let mut grid = Self {
            cells: vec![0; size],
            levels: vec![T::Order::default(); size],
            stride,
            connectivity,
        };
        for y in 0..height {
            for index in spans.row(y).filter(|&i| open(i)) {
                let (start, end) = (
                    spans.get(index).start as usize,
                    spans.get(index).end as usize,
                );
                let at = grid.index(y, start);
                grid.cells[at..at + end - start].fill(OPEN);
                let from = &landscape[y * width + start..y * width + end];
                for (level, value) in grid.levels[at..].iter_mut().zip(from) {
                    *level = value.order();
                }
            }
        }
        grid
    }

    fn index(&self, y: usize, x: usize) -> usize {
        (y + 1) * self.stride + x + 1
    }

    fn copy_to(&self, out: &mut Array2<u32>, spans: &Spans, open: impl Fn(usize) -> bool) {
        for (y, mut row) in out.rows_mut().into_iter().enumerate() {
            let row = row
                .as_slice_mut()
                .expect("a new array is in standard layout");
            for index in spans.row(y).filter(|&i| open(i)) {
                let (start, end) = (
                    spans.get(index).start as usize,
                    spans.get(index).end as usize,
                );
                let at = self.index(y, start);
                row[start..end].copy_from_slice(&self.cells[at..at + end - start]);
            }
        }
    }

    /// The steps to the neighbours by an edge, in the order in which scikit-image visits them.
    fn edges(&self) -> [isize; 4] {
        let s = self.stride as isize;
        [-s, -1, 1, s]
    }

    /// The steps to all neighbours, in the order in which scikit-image visits them.
    fn corners(&self) -> [isize; 8] {
        let s = self.stride as isize;
        [-s, -1, 1, s, -s - 1, -s + 1, s - 1, s + 1]
    }

    fn neighbours(&self) -> Vec<isize> {
        match self.connectivity {
            Connectivity::Edges => self.edges().to_vec(),
            Connectivity::Corners => self.corners().to_vec(),
        }
    }
}

#[cfg(test)]
mod tests;
