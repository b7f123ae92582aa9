//! Morphological reconstruction (Vincent 1993, the hybrid algorithm: two raster scans, then a queue for what is left).

use std::collections::VecDeque;

use ndarray::{Array2, ArrayView2};

use crate::components::Connectivity;
use crate::watershed::Level;
use crate::{Error, Result};

/// The largest plane below `mask` that grows from `seed` by dilation: bright parts of `mask` are cut to the height of the
/// seeds that reach them.
///
/// Equal to `skimage.morphology.reconstruction(seed, mask, method='dilation')`, whose default neighbourhood is
/// [`Connectivity::Corners`].
///
/// # Errors
/// [`Error::Shape`] if the planes differ in size; [`Error::Parameter`] if a seed is above the mask.
pub fn reconstruct_by_dilation<T: Level>(
    seed: ArrayView2<'_, T>,
    mask: ArrayView2<'_, T>,
    connectivity: Connectivity,
) -> Result<Array2<T>> {
    if seed.dim() != mask.dim() {
        return Err(Error::Shape {
            left: seed.dim(),
            right: mask.dim(),
        });
    }
    let mut plane = Array2::from_shape_fn(seed.dim(), |at| seed[at]);
    let mask = mask.as_standard_layout();
    let limit = mask.as_slice().expect("standard layout");
    let cells = plane
        .as_slice_mut()
        .expect("a new array is in standard layout");
    if cells.iter().zip(limit).any(|(s, m)| s > m) {
        return Err(Error::Parameter {
            name: "seed",
            value: "above the mask".into(),
            expected: "at most the mask",
        });
    }
    let (height, width) = seed.dim();
    if cells.is_empty() {
        return Ok(plane);
    }
    let mut rows = Rows {
        width,
        connectivity,
        reached: Vec::new(),
    };
    rows.scan(&mut cells[..width], &limit[..width], None, false);
    for y in 1..height {
        let (above, here) = cells.split_at_mut(y * width);
        let limit = &limit[y * width..(y + 1) * width];
        let above = Some(&above[(y - 1) * width..]);
        rows.scan(&mut here[..width], limit, above, false);
    }
    let mut queue = VecDeque::new();
    for y in (0..height).rev() {
        let (here, below) = cells.split_at_mut((y + 1) * width);
        let here = &mut here[y * width..];
        let below = (y + 1 < height).then(|| &below[..width]);
        let own_limit = &limit[y * width..(y + 1) * width];
        rows.scan(here, own_limit, below, true);
        let below = below.map(|below| (below, &limit[(y + 1) * width..(y + 2) * width]));
        rows.find_sources(here, own_limit, below, |x| queue.push_back((y, x)));
    }
    while let Some((y, x)) = queue.pop_front() {
        let value = cells[y * width + x];
        for ny in y.saturating_sub(1)..(y + 2).min(height) {
            for nx in x.saturating_sub(1)..(x + 2).min(width) {
                let at = ny * width + nx;
                let near = connectivity == Connectivity::Corners || ny == y || nx == x;
                if near && cells[at] < value && cells[at] < limit[at] {
                    cells[at] = lower(value, limit[at]);
                    queue.push_back((ny, nx));
                }
            }
        }
    }
    Ok(plane)
}

fn higher<T: PartialOrd>(a: T, b: T) -> T {
    if b > a { b } else { a }
}

fn lower<T: PartialOrd>(a: T, b: T) -> T {
    if b < a { b } else { a }
}

/// The scans, row by row: what comes from the row before can be computed for all pixels at once.
struct Rows<T> {
    width: usize,
    connectivity: Connectivity,
    reached: Vec<T>,
}

impl<T: Level> Rows<T> {
    /// The highest (by `better`) of the neighbours that each pixel has in another row.
    fn gather(&mut self, row: &[T], better: impl Fn(T, T) -> T) {
        self.reached.clear();
        self.reached.extend_from_slice(row);
        if self.connectivity == Connectivity::Corners && self.width > 1 {
            let (last, reached) = (self.width - 1, &mut self.reached);
            for ((best, &left), &right) in reached[1..].iter_mut().zip(row).zip(&row[2..]) {
                *best = better(better(*best, left), right);
            }
            reached[0] = better(row[0], row[1]);
            reached[last] = better(row[last], row[last - 1]);
        }
    }

    /// Raises the pixels of a row to the neighbours in the row before and the pixel before, up to their limit.
    fn scan(&mut self, here: &mut [T], limit: &[T], before: Option<&[T]>, backwards: bool) {
        self.gather(before.unwrap_or(here), higher);
        let mut last = T::LOWEST;
        let raise = |((cell, &reached), &limit): ((&mut T, &T), &T)| {
            last = lower(higher(last, higher(*cell, reached)), limit);
            *cell = last;
        };
        let pixels = here.iter_mut().zip(&self.reached).zip(limit);
        if backwards {
            pixels.rev().for_each(raise);
        } else {
            pixels.for_each(raise);
        }
    }

    /// Finds the pixels from which the second scan did not reach all: a pixel after it is lower, and below its limit.
    fn find_sources(
        &mut self,
        here: &[T],
        limit: &[T],
        below: Option<(&[T], &[T])>,
        mut found: impl FnMut(usize),
    ) {
        let open = |(&cell, &limit): (&T, &T)| if cell < limit { cell } else { T::HIGHEST };
        match below {
            Some((below, limit)) => {
                let row: Vec<T> = below.iter().zip(limit).map(open).collect();
                self.gather(&row, lower);
            }
            None => self.reached.fill(T::HIGHEST),
        }
        for (x, &cell) in here.iter().enumerate() {
            let after = here
                .get(x + 1)
                .zip(limit.get(x + 1))
                .map_or(T::HIGHEST, open);
            if lower(after, self.reached[x]) < cell {
                found(x);
            }
        }
    }
}
