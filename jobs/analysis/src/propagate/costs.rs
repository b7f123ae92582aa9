//! What each step between neighbours costs.

use multiversion::multiversion;
use ndarray::ArrayView2;

/// The costs of the steps from each pixel right, down and left, down, down and right; those the other way are the same.
pub(super) struct StepCosts {
    stride: usize,
    costs: Vec<[f64; 4]>,
    mean: f64,
}

impl StepCosts {
    /// Cells a row: the pixels and a border on each side.
    pub fn stride(width: usize) -> usize {
        width + 2
    }

    pub fn new(image: ArrayView2<'_, f32>, regularisation: f64) -> Self {
        let (height, width) = image.dim();
        let stride = Self::stride(width);
        // Two pixels beyond the border: the 3x3 neighbourhood of a neighbour beyond it is computed too, but never used.
        let wide = width + 4;
        let mut padded = vec![0f32; (height + 4) * wide];
        for (y, line) in padded.chunks_mut(wide).enumerate() {
            let row = image.row(y.saturating_sub(2).min(height - 1));
            for (x, value) in line.iter_mut().enumerate() {
                *value = row[x.saturating_sub(2).min(width - 1)];
            }
        }
        let mut costs = vec![[0.0; 4]; (height + 2) * stride];
        let squared = regularisation * regularisation;
        let mut scratch = vec![0f64; width + 2];
        for y in 0..height {
            let rows = [0, 1, 2, 3].map(|i| &padded[(y + 1 + i) * wide..(y + 2 + i) * wide]);
            let at = (y + 1) * stride + 1;
            row_costs(rows, squared, &mut scratch, &mut costs[at..at + width]);
        }
        let sum: f64 = costs.iter().flatten().sum();
        Self {
            stride,
            mean: sum / (4 * height * width) as f64,
            costs,
        }
    }

    /// The mean cost of a step.
    pub fn typical_step(&self) -> f64 {
        self.mean
    }

    /// The eight neighbours of a cell and the cost of the step to each.
    #[inline]
    pub fn steps(&self, at: usize) -> [(usize, f64); 8] {
        let s = self.stride;
        let [right, down_left, down, down_right] = self.costs[at];
        [
            (at - s - 1, self.costs[at - s - 1][3]),
            (at - s, self.costs[at - s][2]),
            (at - s + 1, self.costs[at - s + 1][1]),
            (at - 1, self.costs[at - 1][0]),
            (at + 1, right),
            (at + s - 1, down_left),
            (at + s, down),
            (at + s + 1, down_right),
        ]
    }
}

/// The costs of a row of pixels. `rows` are the padded rows from the one above it to the second below it.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2", "aarch64+neon"))]
fn row_costs(rows: [&[f32]; 4], squared: f64, scratch: &mut [f64], out: &mut [[f64; 4]]) {
    let width = out.len();
    // Direction: rows down, columns right (-1 to 1), straight (1) or diagonal (2).
    for (direction, (down, shift, n)) in [(0, 2, 1.0), (1, 0, 2.0), (1, 1, 1.0), (1, 2, 2.0)]
        .into_iter()
        .enumerate()
    {
        scratch.fill(0.0);
        for row in 0..3 {
            let from = &rows[row][1..width + 3];
            let to = &rows[row + down][shift..shift + width + 2];
            for ((sum, &a), &b) in scratch.iter_mut().zip(from).zip(to) {
                *sum += (f64::from(a) - f64::from(b)).abs();
            }
        }
        for (x, out) in out.iter_mut().enumerate() {
            let difference = scratch[x] + scratch[x + 1] + scratch[x + 2];
            out[direction] = (difference * difference + n * squared).sqrt();
        }
    }
}
