//! Flooding level by level, for as long as the order of markers of equal value cannot matter.

use super::queue::{HeapQueue, LevelQueue, SortedQueue};
use super::{Connectivity, Grid, Level, Marker, OPEN};

/// Components with at most this many pixels are flooded with a heap of their own, larger ones with one sorted queue.
const SMALL: usize = 4096;

/// The tag of a marker. A cell that was reached in an ambiguous level has that level's number; other cells have 0.
const MARKER: u32 = u32::MAX;

/// Floods the open cells. `pixels` are the sizes of the components. Returns false, with the grid half done, if the result
/// may depend on the order of markers of equal value, which must then be that of scikit-image's heap ([`super::exact`]).
///
/// Costs never fall along a path, so the cells of one level form one first-in-first-out list, and the cells that a level
/// reaches enter their own lists together. Only the order of a level's markers is unknown. It cannot matter
/// - between markers of one label: what they reach gets the same label, and enters each list as one block;
/// - between labels that reach no common cell within the level: each reaches the same cells in any order.
///
/// What such a level reaches enters later lists as a block of unknown order; two labels in one block make that level
/// ambiguous in the same way.
pub(super) fn flood<T: Level>(
    grid: &mut Grid<T>,
    mut markers: Vec<Marker>,
    pixels: &[usize],
) -> bool {
    let neighbours = grid.neighbours();
    let mut tags = vec![0; grid.cells.len()];
    for marker in &markers {
        let at = grid.index(marker.y as usize, marker.x as usize);
        grid.cells[at] = marker.label;
        tags[at] = MARKER;
    }
    // The inner pixels of a marker reach nothing.
    markers.retain(|m| {
        let at = grid.index(m.y as usize, m.x as usize);
        neighbours
            .iter()
            .any(|&step| grid.cells[at.wrapping_add_signed(step)] == OPEN)
    });
    markers.sort_by_key(|m| (pixels[m.component as usize] > SMALL, m.component));
    let small = markers.partition_point(|m| pixels[m.component as usize] <= SMALL);
    let large = markers.split_off(small);
    match grid.connectivity {
        Connectivity::Edges => flood_all(grid, &markers, &large, tags, grid.edges()),
        Connectivity::Corners => flood_all(grid, &markers, &large, tags, grid.corners()),
    }
}

fn flood_all<T: Level, const N: usize>(
    grid: &mut Grid<T>,
    small: &[Marker],
    large: &[Marker],
    tags: Vec<u32>,
    neighbours: [isize; N],
) -> bool {
    let indices = |markers: &[Marker]| -> Vec<usize> {
        markers
            .iter()
            .map(|m| grid.index(m.y as usize, m.x as usize))
            .collect()
    };
    let components = small
        .chunk_by(|a, b| a.component == b.component)
        .map(indices)
        .collect::<Vec<_>>();
    let large = indices(large);
    let mut basins = Basins {
        cells: &mut grid.cells,
        tags,
        level: 0,
        neighbours,
    };
    let mut queue = HeapQueue::<T>::new(&grid.levels);
    if !components
        .iter()
        .all(|markers| basins.flood(&mut queue, markers))
    {
        return false;
    }
    if large.is_empty() {
        return true;
    }
    let open = (0..basins.cells.len())
        .filter(|&at| basins.cells[at] == OPEN)
        .chain(large.iter().copied());
    let mut queue = SortedQueue::new(&grid.levels, open.map(|at| at as u32).collect());
    basins.flood(&mut queue, &large)
}

struct Basins<'a, const N: usize> {
    cells: &'a mut [u32],
    tags: Vec<u32>,
    /// Counts the levels.
    level: u32,
    neighbours: [isize; N],
}

impl<const N: usize> Basins<'_, N> {
    fn flood(&mut self, queue: &mut impl LevelQueue, markers: &[usize]) -> bool {
        for &at in markers {
            queue.push(at);
        }
        let mut list = Vec::new();
        while queue.next_level(&mut list) {
            self.level += 1;
            let certain = if list.len() > 1 && self.is_ambiguous(&list) {
                self.spread::<true>(queue, &mut list)
            } else {
                self.spread::<false>(queue, &mut list)
            };
            if !certain {
                return false;
            }
        }
        true
    }

    /// Whether the order of two labels in the list is unknown.
    fn is_ambiguous(&self, list: &[u32]) -> bool {
        list.windows(2).any(|pair| {
            let (a, b) = (pair[0] as usize, pair[1] as usize);
            self.tags[a] != 0 && self.tags[a] == self.tags[b] && self.cells[a] != self.cells[b]
        })
    }

    /// Reaches out from all cells of a level. False if two labels of an ambiguous level reach one cell.
    fn spread<const AMBIGUOUS: bool>(
        &mut self,
        queue: &mut impl LevelQueue,
        list: &mut Vec<u32>,
    ) -> bool {
        let mut head = 0;
        while head < list.len() {
            let at = list[head] as usize;
            head += 1;
            let label = self.cells[at];
            for step in self.neighbours {
                let to = at.wrapping_add_signed(step);
                let there = self.cells[to];
                if there != OPEN {
                    if AMBIGUOUS && there != label && self.tags[to] == self.level {
                        return false;
                    }
                    continue;
                }
                self.cells[to] = label;
                if AMBIGUOUS {
                    self.tags[to] = self.level;
                }
                if queue.is_at_level(to) {
                    list.push(to as u32);
                } else {
                    queue.push(to);
                }
            }
        }
        true
    }
}
