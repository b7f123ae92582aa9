//! Nuclei and the cells in which they lie.

use std::collections::BTreeMap;

use ndarray::{Array2, ArrayView2, Zip};

use crate::components::{relabel_sequential, sizes};
use crate::{Error, Result};

/// Gives each nucleus and its cell the same number, and every pixel of a nucleus to its own cell.
///
/// Reproduces `resolve_cell_and_nucleus_boundaries` of InstanSeg, exactly. A nucleus lies in a cell if more than half of its
/// pixels do. Numbering: pairs of a cell and its largest nucleus by the nucleus's number, then the other nuclei (they become
/// cells of their own), then cells without a nucleus, whose numbers have gaps. If there are no nuclei the cells stay as they
/// are; if there are no cells the nuclei are the cells.
///
/// # Errors
/// [`Error::Shape`] when the planes differ in size.
pub fn match_cells(
    nuclei: ArrayView2<'_, u32>,
    cells: ArrayView2<'_, u32>,
) -> Result<(Array2<u32>, Array2<u32>)> {
    if nuclei.dim() != cells.dim() {
        return Err(Error::Shape {
            left: nuclei.dim(),
            right: cells.dim(),
        });
    }
    let has_objects = |plane: &ArrayView2<'_, u32>| plane.iter().any(|&l| l != 0);
    if !has_objects(&nuclei) {
        return Ok((nuclei.to_owned(), cells.to_owned()));
    }
    if !has_objects(&cells) {
        return Ok((nuclei.to_owned(), nuclei.to_owned()));
    }
    let nuclei = relabel_sequential(nuclei).0;
    let cells = relabel_sequential(cells).0;
    let numbers = Numbers::of(&nuclei, &cells);
    if numbers.pairs == 0 {
        // InstanSeg keeps only what has a partner here, which is nothing.
        return Ok((Array2::zeros(nuclei.dim()), Array2::zeros(cells.dim())));
    }
    let nuclei = nuclei.mapv(|l| numbers.of_nucleus[l as usize]);
    let mut out = nuclei.clone();
    Zip::from(&mut out).and(&cells).for_each(|out, &cell| {
        if *out == 0 {
            *out = numbers.of_cell[cell as usize];
        }
    });
    // Cells without a nucleus are numbered from the highest number in use.
    let highest = out.iter().copied().max().unwrap_or(0);
    Zip::from(&mut out).and(&cells).for_each(|out, &cell| {
        if *out == 0 && cell != 0 {
            *out = highest + cell;
        }
    });
    Ok((nuclei, out))
}

struct Numbers {
    /// How many cells have a nucleus.
    pairs: u32,
    of_nucleus: Vec<u32>,
    /// 0 for a cell without a nucleus.
    of_cell: Vec<u32>,
}

impl Numbers {
    fn of(nuclei: &Array2<u32>, cells: &Array2<u32>) -> Self {
        let area = sizes(nuclei.view());
        let cell_count = cells.iter().copied().max().unwrap_or(0) as usize;
        let mut shared: BTreeMap<(u32, u32), u64> = BTreeMap::new();
        for (&nucleus, &cell) in nuclei.iter().zip(cells) {
            if nucleus != 0 && cell != 0 {
                *shared.entry((nucleus, cell)).or_default() += 1;
            }
        }
        // At most one cell holds more than half of a nucleus.
        let homes: Vec<(u32, u32)> = shared
            .into_iter()
            .filter(|((nucleus, _), n)| 2 * n > area[*nucleus as usize])
            .map(|(pair, _)| pair)
            .collect();
        let mut largest = vec![0; cell_count + 1];
        for &(nucleus, cell) in &homes {
            let best = &mut largest[cell as usize];
            *best = area[nucleus as usize].max(*best);
        }
        let mut of_nucleus = vec![0; area.len()];
        let mut of_cell = vec![0; cell_count + 1];
        let mut pairs = 0;
        for (nucleus, cell) in homes {
            if area[nucleus as usize] == largest[cell as usize] {
                pairs += 1;
                of_nucleus[nucleus as usize] = pairs;
                // Of two equally large nuclei the first gives the cell its number.
                if of_cell[cell as usize] == 0 {
                    of_cell[cell as usize] = pairs;
                }
            }
        }
        let mut next = pairs;
        for number in &mut of_nucleus[1..] {
            if *number == 0 {
                next += 1;
                *number = next;
            }
        }
        Self {
            pairs,
            of_nucleus,
            of_cell,
        }
    }
}
