//! The pixels of one seed.

use std::ops::Range;

use ndarray::{Array2, ArrayView3, s};

use super::{Head, sigmoid};

/// Probabilities around a seed: 0 outside its mask.
pub(super) struct Window {
    pub rows: Range<usize>,
    pub columns: Range<usize>,
    /// (row, column) within the window.
    pub probabilities: Vec<f32>,
}

/// What a pixel of the window is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Below the threshold, not yet known to be outside.
    Low,
    /// Above the threshold, not yet known to hang together with the seed.
    High,
    Object,
    Outside,
}

impl Window {
    /// Classifies the pixels around `seed` (y, x), keeps the 8-connected part that holds the seed, and fills its holes.
    pub fn around(head: &Head, features: ArrayView3<'_, f32>, seed: (usize, usize)) -> Self {
        let (count, height, width) = features.dim();
        let rows = clamped(seed.0, head.window, height);
        let columns = clamped(seed.1, head.window, width);
        let n = rows.len() * columns.len();
        let mut values: Vec<f32> = Vec::with_capacity(n * count);
        values.extend(features.slice(s![.., rows.clone(), columns.clone()]));
        for map in 0..2 {
            let place = features[[map, seed.0, seed.1]];
            for value in &mut values[map * n..(map + 1) * n] {
                *value -= place;
            }
        }
        head.classifier.logits(n, &mut values, &mut Vec::new());
        values.truncate(n);
        let mut window = Self {
            rows,
            columns,
            probabilities: values,
        };
        window.keep_object(head.mask_threshold, seed);
        window
    }

    /// Turns logits into probabilities, those outside the object into 0.
    fn keep_object(&mut self, threshold: f32, seed: (usize, usize)) {
        // The exponential is only taken where it can matter.
        let surely_low = (threshold / (1.0 - threshold)).ln() - 0.01;
        let mut kinds = vec![Kind::Low; self.probabilities.len()];
        for (value, kind) in self.probabilities.iter_mut().zip(&mut kinds) {
            *value = if *value > surely_low {
                sigmoid(*value)
            } else {
                0.0
            };
            if *value >= threshold {
                *kind = Kind::High;
            }
        }
        let width = self.columns.len();
        let at = (seed.0 - self.rows.start) * width + seed.1 - self.columns.start;
        self.flood(&mut kinds, &[at], Kind::High, Kind::Object);
        if kinds[at] != Kind::Object {
            self.probabilities.fill(0.0);
            return;
        }
        for kind in &mut kinds {
            if *kind == Kind::High {
                *kind = Kind::Low;
            }
        }
        let height = self.rows.len();
        let border: Vec<usize> = (0..width)
            .flat_map(|x| [x, (height - 1) * width + x])
            .chain((0..height).flat_map(|y| [y * width, y * width + width - 1]))
            .collect();
        self.flood(&mut kinds, &border, Kind::Low, Kind::Outside);
        for (value, kind) in self.probabilities.iter_mut().zip(&kinds) {
            match kind {
                Kind::Object => {}
                Kind::Low => *value = threshold, // a hole
                Kind::High | Kind::Outside => *value = 0.0,
            }
        }
    }

    /// Turns what is 8-connected to one of `from` over pixels of kind `over` into `into`.
    fn flood(&self, kinds: &mut [Kind], from: &[usize], over: Kind, into: Kind) {
        let (height, width) = (self.rows.len(), self.columns.len());
        let mut open = Vec::new();
        for &start in from {
            if kinds[start] == over {
                kinds[start] = into;
                open.push(start);
            }
        }
        while let Some(at) = open.pop() {
            let (y, x) = (at / width, at % width);
            for row in y.saturating_sub(1)..(y + 2).min(height) {
                for next in (x.saturating_sub(1)..(x + 2).min(width)).map(|x| row * width + x) {
                    if kinds[next] == over {
                        kinds[next] = into;
                        open.push(next);
                    }
                }
            }
        }
    }

    /// Writes `label` wherever this object is more probable than what was there; of equals the first stays.
    pub fn paint(&self, label: u32, best: &mut Array2<f32>, labels: &mut Array2<u32>) {
        let window = s![self.rows.clone(), self.columns.clone()];
        let (mut best, mut labels) = (best.slice_mut(window), labels.slice_mut(window));
        for ((&p, best), old) in self.probabilities.iter().zip(&mut best).zip(&mut labels) {
            if p > *best {
                *best = p;
                *old = label;
            }
        }
    }
}

/// `size` places around `centre`, or fewer if the axis is shorter, moved inside the axis.
fn clamped(centre: usize, size: usize, length: usize) -> Range<usize> {
    let size = size.min(length);
    let start = centre.saturating_sub(size / 2).min(length - size);
    start..start + size
}
