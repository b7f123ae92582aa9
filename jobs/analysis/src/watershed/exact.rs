//! Flooding in the exact order of scikit-image's binary heap, which decides between markers of equal value.

use ndarray::Array2;

use super::grid::{Grid, OPEN};
use super::{Level, Marker, Piece, Plane};

/// Floods all components that have a marker, given by their `pieces` and `markers` in raster order. There, all markers have
/// age 0, so those of equal value leave the heap in an order that depends on every push and pop before them: the whole
/// plane must be followed, with the same heap.
pub(super) fn flood<T: Level>(
    plane: &Plane<'_, T>,
    pieces: &[Piece],
    markers: &[Marker],
    out: &mut Array2<u32>,
) {
    let mut grid = Grid::<T>::new();
    grid.load(plane, pieces);
    let neighbours = grid.neighbours(plane.connectivity);
    let mut cell_of_age: Vec<u32> = Vec::with_capacity(markers.len());
    let mut heap = Heap::<T> {
        keys: Vec::with_capacity(markers.len()),
        markers: markers.len() as u32,
    };
    for marker in markers {
        let at = grid.index(marker.y as usize, marker.x as usize);
        grid.cells[at] = marker.label;
    }
    for marker in markers {
        let at = grid.index(marker.y as usize, marker.x as usize);
        heap.push(T::key(grid.levels[at], cell_of_age.len() as u32));
        cell_of_age.push(at as u32);
    }
    while let Some(key) = heap.pop() {
        let (level, age) = T::unkey(key);
        let at = cell_of_age[age as usize] as usize;
        let label = grid.cells[at];
        for &step in &neighbours {
            let to = at.wrapping_add_signed(step);
            if grid.cells[to] == OPEN {
                grid.cells[to] = label;
                heap.push(T::key(grid.levels[to].max(level), cell_of_age.len() as u32));
                cell_of_age.push(to as u32);
            }
        }
    }
    grid.store(pieces, out);
}

/// The textbook binary heap, with scikit-image's choices where the textbook leaves some.
struct Heap<T: Level> {
    keys: Vec<T::Key>,
    /// Keys with a lower age than this are markers: of one age.
    markers: u32,
}

impl<T: Level> Heap<T> {
    fn precedes(&self, a: T::Key, b: T::Key) -> bool {
        // Nothing precedes a marker within its level: what is not a marker is older, and two markers are a tie.
        a < if T::unkey(b).1 < self.markers {
            T::floor(b)
        } else {
            b
        }
    }

    fn push(&mut self, key: T::Key) {
        let mut hole = self.keys.len();
        self.keys.push(key);
        while hole > 0 {
            let parent = (hole - 1) / 2;
            if !self.precedes(key, self.keys[parent]) {
                break;
            }
            self.keys[hole] = self.keys[parent];
            hole = parent;
        }
        self.keys[hole] = key;
    }

    fn pop(&mut self) -> Option<T::Key> {
        let key = self.keys.pop()?;
        let len = self.keys.len();
        if len == 0 {
            return Some(key);
        }
        let first = std::mem::replace(&mut self.keys[0], key);
        let mut hole = 0;
        loop {
            // The left child wins a tie with the right one, and the parent wins a tie with either.
            let left = 2 * hole + 1;
            if left >= len {
                break;
            }
            let right = (left + 1).min(len - 1);
            let child = if self.precedes(self.keys[right], self.keys[left]) {
                right
            } else {
                left
            };
            if !self.precedes(self.keys[child], key) {
                break;
            }
            self.keys[hole] = self.keys[child];
            hole = child;
        }
        self.keys[hole] = key;
        Some(first)
    }
}
