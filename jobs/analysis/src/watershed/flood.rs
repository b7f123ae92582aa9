//! Flooding level by level, for as long as the order of markers of equal value cannot matter.

use ndarray::Array2;

use super::grid::{Grid, OPEN, bounds};
use super::queue::{HeapQueue, LevelQueue, SortedQueue};
use super::{Connectivity, Level, Marker, Piece, Plane};

/// Up to this many pixels a heap is faster than sorting them all.
const SMALL: usize = 4096;

/// The tag of a marker. A cell that was reached in an ambiguous level has that level's number; other cells have 0.
const MARKER: u32 = u32::MAX;

/// Floods components with several labels, given by their pieces and markers. Returns false, with `out` half done, if the result may
/// depend on the order of markers of equal value, which must then be that of scikit-image's heap ([`super::exact`]).
///
/// Costs never fall along a path, so the cells of one level form one first-in-first-out list, and the cells that a level
/// reaches enter their own lists together. Only the order of a level's markers is unknown. It cannot matter
/// - between markers of one label: what they reach gets the same label, and enters each list as one block;
/// - between labels that reach no common cell within the level: each reaches the same cells in any order.
///
/// What such a level reaches enters later lists as a block of unknown order; two labels in one block make that level
/// ambiguous in the same way.
pub(super) fn flood<T: Level>(
    plane: &Plane<'_, T>,
    mut pieces: Vec<Piece>,
    mut markers: Vec<Marker>,
    out: &mut Array2<u32>,
) -> bool {
    // By component, and still in raster order within each.
    pieces.sort_by_key(|piece| piece.component);
    markers.sort_by_key(|marker| marker.component);
    let boxes = pieces
        .chunk_by(|a, b| a.component == b.component)
        .map(|own| {
            let [top, bottom, left, right] = bounds(own);
            (bottom - top) * (right - left)
        });
    if boxes.sum::<usize>() > 4 * out.len() {
        // Long thin components, each in a box of its own, would take more time to clear than to flood.
        pieces.iter_mut().for_each(|piece| piece.component = 0);
        pieces.sort_by_key(|piece| (piece.y, piece.start));
        markers.iter_mut().for_each(|marker| marker.component = 0);
    }
    let mut markers = markers.as_slice();
    let mut basins = Basins {
        grid: Grid::new(),
        tags: Vec::new(),
    };
    for pieces in pieces.chunk_by(|a, b| a.component == b.component) {
        let component = pieces[0].component;
        let (own, rest) = markers.split_at(markers.partition_point(|m| m.component <= component));
        markers = rest;
        if !basins.flood_component(plane, pieces, own) {
            return false;
        }
        basins.grid.store(pieces, out);
    }
    true
}

struct Basins<T: Level> {
    grid: Grid<T>,
    tags: Vec<u32>,
}

impl<T: Level> Basins<T> {
    fn flood_component(
        &mut self,
        plane: &Plane<'_, T>,
        pieces: &[Piece],
        markers: &[Marker],
    ) -> bool {
        self.grid.load(plane, pieces);
        self.tags.clear();
        self.tags.resize(self.grid.cells.len(), 0);
        let mut sources = Vec::with_capacity(markers.len());
        for marker in markers {
            let at = self.grid.index(marker.y as usize, marker.x as usize);
            self.grid.cells[at] = marker.label;
            self.tags[at] = MARKER;
            sources.push(at);
        }
        // The inner pixels of a marker reach nothing.
        let neighbours = self.grid.neighbours(plane.connectivity);
        let cells = &self.grid.cells;
        let is_open = |at: usize, step: isize| cells[at.wrapping_add_signed(step)] == OPEN;
        sources.retain(|&at| neighbours.iter().any(|&step| is_open(at, step)));

        let (edges, corners) = (self.grid.edges(), self.grid.corners());
        let Grid { cells, levels, .. } = &mut self.grid;
        let mut front = Front {
            cells,
            tags: &mut self.tags,
            level: 0,
        };
        let pixels: usize = pieces.iter().map(|p| (p.end - p.start) as usize).sum();
        if pixels <= SMALL {
            let mut queue = HeapQueue::<T>::new(levels);
            match plane.connectivity {
                Connectivity::Edges => front.flood(&mut queue, &sources, edges),
                Connectivity::Corners => front.flood(&mut queue, &sources, corners),
            }
        } else {
            let open = (0..front.cells.len()).filter(|&at| front.cells[at] == OPEN);
            let open = open.chain(sources.iter().copied()).map(|at| at as u32);
            let mut queue = SortedQueue::new(levels, open.collect());
            match plane.connectivity {
                Connectivity::Edges => front.flood(&mut queue, &sources, edges),
                Connectivity::Corners => front.flood(&mut queue, &sources, corners),
            }
        }
    }
}

/// The cells reached so far.
struct Front<'a> {
    cells: &'a mut [u32],
    tags: &'a mut [u32],
    /// Counts the levels.
    level: u32,
}

impl Front<'_> {
    fn flood<const N: usize>(
        &mut self,
        queue: &mut impl LevelQueue,
        sources: &[usize],
        neighbours: [isize; N],
    ) -> bool {
        for &at in sources {
            queue.push(at);
        }
        let mut list = Vec::new();
        while queue.next_level(&mut list) {
            self.level += 1;
            let certain = if list.len() > 1 && self.is_ambiguous(&list) {
                self.spread::<N, true>(queue, &mut list, neighbours)
            } else {
                self.spread::<N, false>(queue, &mut list, neighbours)
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
    #[inline]
    fn spread<const N: usize, const AMBIGUOUS: bool>(
        &mut self,
        queue: &mut impl LevelQueue,
        list: &mut Vec<u32>,
        neighbours: [isize; N],
    ) -> bool {
        let mut head = 0;
        while head < list.len() {
            let at = list[head] as usize;
            head += 1;
            let label = self.cells[at];
            for step in neighbours {
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
