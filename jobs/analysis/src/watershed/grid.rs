//! The working copy of a part of the plane.

use ndarray::Array2;

use super::{Connectivity, Level, Piece, Plane};

/// A cell that may be flooded and has no label yet.
pub(super) const OPEN: u32 = u32::MAX;

/// A closed border lies around the cells, so that no neighbour needs a check of its own. A grid is as large as what it
/// holds and is used again for the next component: it stays in the cache, and the system need not clear new memory.
pub(super) struct Grid<T: Level> {
    /// 0: closed, [`OPEN`], or a label.
    pub cells: Vec<u32>,
    pub levels: Vec<T::Order>,
    /// Cells a row: one more than needed, closed, between the end of a row and the start of the next.
    stride: usize,
    top: usize,
    left: usize,
}

impl<T: Level> Grid<T> {
    pub fn new() -> Self {
        Self {
            cells: Vec::new(),
            levels: Vec::new(),
            stride: 0,
            top: 0,
            left: 0,
        }
    }

    /// Opens the cells of the pieces (which are in raster order), and no others.
    pub fn load(&mut self, plane: &Plane<'_, T>, pieces: &[Piece]) {
        let [top, bottom, left, right] = bounds(pieces);
        (self.top, self.left, self.stride) = (top, left, right - left + 1);
        let size = (bottom - top + 2) * self.stride + 1;
        self.cells.clear();
        self.cells.resize(size, 0);
        // The levels of closed cells are never looked at.
        self.levels.resize(size, T::Order::default());
        for piece in pieces {
            let (y, start, end) = (piece.y as usize, piece.start as usize, piece.end as usize);
            let at = self.index(y, start);
            self.cells[at..at + end - start].fill(OPEN);
            let from = &plane.landscape[y * plane.width + start..y * plane.width + end];
            for (level, value) in self.levels[at..].iter_mut().zip(from) {
                *level = value.order();
            }
        }
    }

    /// Copies the labels of the pieces out.
    pub fn store(&self, pieces: &[Piece], out: &mut Array2<u32>) {
        let width = out.ncols();
        let out = out
            .as_slice_mut()
            .expect("a new array is in standard layout");
        for piece in pieces {
            let (y, start, end) = (piece.y as usize, piece.start as usize, piece.end as usize);
            let at = self.index(y, start);
            out[y * width + start..y * width + end]
                .copy_from_slice(&self.cells[at..at + end - start]);
        }
    }

    pub fn index(&self, y: usize, x: usize) -> usize {
        (y - self.top + 1) * self.stride + x - self.left + 1
    }

    /// The steps to the neighbours by an edge, in the order in which scikit-image visits them.
    pub fn edges(&self) -> [isize; 4] {
        let s = self.stride as isize;
        [-s, -1, 1, s]
    }

    /// The steps to all neighbours, in the order in which scikit-image visits them.
    pub fn corners(&self) -> [isize; 8] {
        let s = self.stride as isize;
        [-s, -1, 1, s, -s - 1, -s + 1, s - 1, s + 1]
    }

    pub fn neighbours(&self, connectivity: Connectivity) -> Vec<isize> {
        match connectivity {
            Connectivity::Edges => self.edges().to_vec(),
            Connectivity::Corners => self.corners().to_vec(),
        }
    }
}

/// The first and one past the last row, then column.
pub(super) fn bounds(pieces: &[Piece]) -> [usize; 4] {
    let (Some(first), Some(last)) = (pieces.first(), pieces.last()) else {
        return [0; 4];
    };
    let left = pieces.iter().map(|p| p.start).min().unwrap_or(0);
    let right = pieces.iter().map(|p| p.end).max().unwrap_or(0);
    [first.y, last.y + 1, left, right].map(|v| v as usize)
}
