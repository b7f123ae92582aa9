//! The grid cells that may be centres of objects.

use ndarray::{ArrayView2, ArrayView3};

use super::LONGEST_RAY;
use crate::{Error, Result};

/// How the network's output lies over the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Pixels between two cells along (y, x).
    pub step: (usize, usize),
    /// (rows, columns) of cells over the whole image as the network sees it, padding included.
    pub cells: (usize, usize),
    /// (height, width) of the image without padding: cells beyond it are no candidates.
    pub image: (usize, usize),
    /// Cells next to the border of the (padded) grid that are no candidates: StarDist takes 2.
    pub border: usize,
}

/// Grid cells above the threshold, with their rays. Tiles may be added in any order.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidates {
    pub(super) rays: usize,
    /// Centres (y, x) in pixels.
    pub(super) points: Vec<[u32; 2]>,
    pub(super) prob: Vec<f32>,
    /// `rays` distances for each point, in pixels, at least 0.001.
    pub(super) dist: Vec<f32>,
}

impl Candidates {
    /// No candidates yet, for a network with this number of rays.
    ///
    /// # Errors
    /// [`Error::Parameter`] for fewer than 3 rays.
    pub fn new(rays: usize) -> Result<Self> {
        if rays < 3 {
            return Err(Error::Parameter {
                name: "rays",
                value: rays.to_string(),
                expected: "at least 3",
            });
        }
        Ok(Self {
            rays,
            points: Vec::new(),
            prob: Vec::new(),
            dist: Vec::new(),
        })
    }

    /// The number of candidates.
    #[must_use]
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Whether there is no candidate.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// Adds the cells of a tile whose probability is above `threshold`.
    ///
    /// `prob` is (row, column), `dist` (row, column, ray) in pixels of the image; the tile's first cell is cell `origin`
    /// (row, column) of `grid`. A whole image is one tile at (0, 0). NaN is not above any threshold.
    ///
    /// # Errors
    /// [`Error::Shape`] when the two differ in size, [`Error::Parameter`] when the number of rays is another, the tile
    /// lies outside the grid, or a distance of a candidate is not finite or longer than [`LONGEST_RAY`].
    pub fn collect(
        &mut self,
        prob: ArrayView2<'_, f32>,
        dist: ArrayView3<'_, f32>,
        grid: Grid,
        origin: (usize, usize),
        threshold: f32,
    ) -> Result<()> {
        let (rows, columns, rays) = dist.dim();
        if prob.dim() != (rows, columns) {
            return Err(Error::Shape {
                left: prob.dim(),
                right: (rows, columns),
            });
        }
        if rays != self.rays {
            return Err(Error::Parameter {
                name: "rays",
                value: rays.to_string(),
                expected: "the number of rays of the other tiles",
            });
        }
        let inside =
            |origin: usize, n: usize, of: usize| origin.checked_add(n).is_some_and(|e| e <= of);
        if !inside(origin.0, rows, grid.cells.0) || !inside(origin.1, columns, grid.cells.1) {
            return Err(Error::Parameter {
                name: "origin",
                value: format!("{origin:?}"),
                expected: "a place at which the tile lies inside the grid",
            });
        }
        let row_range = allowed(grid.cells.0, grid.border, grid.step.0, grid.image.0)?;
        let column_range = allowed(grid.cells.1, grid.border, grid.step.1, grid.image.1)?;
        for row in clip(row_range, origin.0, rows) {
            for column in clip(column_range.clone(), origin.1, columns) {
                let p = prob[[row, column]];
                if p > threshold {
                    for &d in dist.slice(ndarray::s![row, column, ..]) {
                        self.dist.push(sound(d)?);
                    }
                    self.prob.push(p);
                    let at = |cell: usize, step: usize| (cell * step) as u32;
                    self.points.push([
                        at(origin.0 + row, grid.step.0),
                        at(origin.1 + column, grid.step.1),
                    ]);
                }
            }
        }
        Ok(())
    }
}

/// The cells along one axis that are off the border and whose pixel is inside the image.
fn allowed(
    cells: usize,
    border: usize,
    step: usize,
    image: usize,
) -> Result<std::ops::Range<usize>> {
    if step == 0 || cells.checked_mul(step).is_none_or(|n| n > 1 << 24) {
        // Beyond 2^24 a pixel's place is no exact f32 any more.
        return Err(Error::Parameter {
            name: "grid",
            value: format!("{cells} cells of {step} pixels"),
            expected: "at least 1 pixel a cell and at most 16,777,216 pixels a side",
        });
    }
    let end = cells.saturating_sub(border).min(image.div_ceil(step));
    Ok(border.min(end)..end)
}

/// The part of a range of cells that lies in a tile, counted from the tile's first cell.
fn clip(range: std::ops::Range<usize>, origin: usize, n: usize) -> std::ops::Range<usize> {
    let start = range.start.max(origin) - origin;
    let end = range.end.min(origin + n).max(origin) - origin;
    start.min(end)..end
}

/// StarDist lifts distances to 0.001.
fn sound(distance: f32) -> Result<f32> {
    if distance.is_finite() && distance <= LONGEST_RAY {
        Ok(distance.max(1e-3))
    } else {
        Err(Error::Parameter {
            name: "distance",
            value: distance.to_string(),
            expected: "finite and at most 32768 pixels; the network's output is not one of radial distances",
        })
    }
}
