//! The innermost loops of a convolution.

use rten_simd::ops::{BitOps, NumOps};
use rten_simd::{Isa, SimdOp};

/// Output channels of a block of weights.
pub(super) const LANES: usize = 8;

/// Vectors of columns that are computed at once.
const VECTORS: usize = 2;

/// Most columns that are computed at once: two vectors of 512 bits.
pub(super) const MOST_COLUMNS: usize = 32;

/// One block of output channels over a band of rows.
pub(super) struct Band<'b, 'o> {
    /// The padded image: channels of `plane` values in rows of `stride`.
    pub input: &'b [f32],
    pub plane: usize,
    pub stride: usize,
    pub kernel: [usize; 2],
    pub dilation: [usize; 2],
    /// [input channel][kernel row][kernel column][lane].
    pub weights: &'b [f32],
    pub bias: [f32; LANES],
    pub relu: bool,
    /// First row of the band.
    pub first: usize,
    /// Columns of the output.
    pub columns: usize,
    /// The band's rows of each output channel.
    pub parts: Vec<&'o mut [f32]>,
}

impl SimdOp for Band<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(mut self, isa: I) {
        // As many sums as there are registers for, beside the inputs that are added to them.
        if isa.f32().len() >= 16 {
            self.rows::<I, 8>(isa);
        } else {
            self.rows::<I, 4>(isa);
        }
    }
}

impl Band<'_, '_> {
    #[inline(always)]
    fn rows<I: Isa, const O: usize>(&mut self, isa: I) {
        let ops = isa.f32();
        let step = VECTORS * ops.len();
        let rows = self.parts.first().map_or(0, |p| p.len() / self.columns);
        let mut rest = [0.0; MOST_COLUMNS];
        for row in 0..rows {
            for x in (0..self.columns).step_by(step) {
                let count = step.min(self.columns - x);
                let at = row * self.columns + x;
                for lane in (0..self.parts.len()).step_by(O) {
                    let sums = self.sums::<I, O>(isa, self.first + row, x, lane);
                    for (part, sums) in self.parts[lane..].iter_mut().zip(sums) {
                        let to = &mut part[at..at + count];
                        // The last columns of a row may be fewer than a vector.
                        let target = if count == step {
                            &mut *to
                        } else {
                            &mut rest[..step]
                        };
                        for (i, sum) in sums.into_iter().enumerate() {
                            ops.store(sum, &mut target[i * ops.len()..]);
                        }
                        if count < step {
                            to.copy_from_slice(&rest[..count]);
                        }
                    }
                }
            }
        }
    }

    /// Two vectors of columns from (`y`, `x`) on of `O` output channels from `lane` on.
    #[inline(always)]
    // Counted loops over arrays of vectors are what stays in registers.
    #[allow(clippy::needless_range_loop)]
    fn sums<I: Isa, const O: usize>(
        &self,
        isa: I,
        y: usize,
        x: usize,
        lane: usize,
    ) -> [[I::F32; VECTORS]; O] {
        let ops = isa.f32();
        let mut sums = [[ops.zero(); VECTORS]; O];
        for o in 0..O {
            sums[o] = [ops.splat(self.bias[lane + o]); VECTORS];
        }
        let [high, wide] = self.kernel;
        let [down, across] = self.dilation;
        let start = y * self.stride + x;
        let reach = (wide - 1) * across + VECTORS * ops.len();
        let mut weights = self.weights.chunks_exact(LANES);
        for plane in self.input.chunks_exact(self.plane) {
            for ky in 0..high {
                let from = start + ky * down * self.stride;
                let row = &plane[from..from + reach];
                for kx in 0..wide {
                    let Some(weights) = weights.next() else {
                        return sums;
                    };
                    let values: [I::F32; VECTORS] = ops.load_many(&row[kx * across..]);
                    for o in 0..O {
                        let weight = ops.splat(weights[lane + o]);
                        for v in 0..VECTORS {
                            sums[o][v] = ops.mul_add(weight, values[v], sums[o][v]);
                        }
                    }
                }
            }
        }
        if self.relu {
            for o in 0..O {
                for v in 0..VECTORS {
                    sums[o][v] = ops.max(sums[o][v], ops.zero());
                }
            }
        }
        sums
    }
}
