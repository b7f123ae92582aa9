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
    if seed.iter().zip(mask).any(|(s, m)| s > m) {
        return Err(Error::Parameter {
            name: "seed",
            value: "above the mask".into(),
            expected: "at most the mask",
        });
    }
    let (height, width) = seed.dim();
    let stride = width + 1;
    // A border of the lowest value, which raises nothing and cannot be raised.
    let padded = |plane: ArrayView2<'_, T>| {
        let mut cells = vec![T::LOWEST; (height + 2) * stride + 1];
        for (y, row) in plane.rows().into_iter().enumerate() {
            let at = (y + 1) * stride + 1;
            cells[at..at + width]
                .iter_mut()
                .zip(row)
                .for_each(|(cell, &v)| *cell = v);
        }
        cells
    };
    let (mut cells, limit) = (padded(seed), padded(mask));
    let s = stride as isize;
    let before: &[isize] = match connectivity {
        Connectivity::Edges => &[-s, -1],
        Connectivity::Corners => &[-s - 1, -s, -s + 1, -1],
    };
    let rows = || (1..=height).map(|y| y * stride + 1..y * stride + 1 + width);
    for at in rows().flatten() {
        cells[at] = highest(&cells, at, before.iter().copied(), limit[at]);
    }
    let mut queue = VecDeque::new();
    for at in rows().rev().flat_map(Iterator::rev) {
        cells[at] = highest(&cells, at, before.iter().map(|step| -step), limit[at]);
        let can_rise = |&step: &isize| {
            let next = at.wrapping_add_signed(-step);
            cells[next] < cells[at] && cells[next] < limit[next]
        };
        if before.iter().any(can_rise) {
            queue.push_back(at);
        }
    }
    while let Some(at) = queue.pop_front() {
        for step in before.iter().flat_map(|&step| [step, -step]) {
            let next = at.wrapping_add_signed(step);
            if cells[next] < cells[at] && cells[next] < limit[next] {
                cells[next] = if cells[at] < limit[next] {
                    cells[at]
                } else {
                    limit[next]
                };
                queue.push_back(next);
            }
        }
    }
    Ok(Array2::from_shape_fn((height, width), |(y, x)| {
        cells[(y + 1) * stride + 1 + x]
    }))
}

/// The highest of a cell and its neighbours, cut at `limit`.
fn highest<T: Level>(cells: &[T], at: usize, steps: impl Iterator<Item = isize>, limit: T) -> T {
    let max = steps
        .map(|step| cells[at.wrapping_add_signed(step)])
        .fold(cells[at], |a, b| if b > a { b } else { a });
    if max < limit { max } else { limit }
}
