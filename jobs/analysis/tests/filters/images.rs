//! The images of `filters.py`.

use ndarray::Array2;

/// Knuth's MMIX generator, the upper 31 bits.
pub struct Random(u64);

impl Random {
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self, below: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

/// Bright round spots on a noisy background.
pub fn image((height, width): (usize, usize), seed: u64) -> Array2<u16> {
    let mut random = Random::new(seed);
    let mut plane = Array2::<i64>::zeros((height, width));
    for _ in 0..1 + height * width / 120 {
        let cy = random.next(height as u64) as i64;
        let cx = random.next(width as u64) as i64;
        let square = (2 + random.next(6) as i64).pow(2);
        let peak = 1000 + random.next(20_000) as i64;
        for ((y, x), value) in plane.indexed_iter_mut() {
            let away = (y as i64 - cy).pow(2) + (x as i64 - cx).pow(2);
            if away < square {
                *value += peak * (square - away) / square;
            }
        }
    }
    plane.mapv(|value| (value + 200 + random.next(800) as i64).min(65_535) as u16)
}

/// A random mask, two thirds foreground: full of holes.
pub fn speckle(shape: (usize, usize), seed: u64) -> Array2<bool> {
    let mut random = Random::new(seed);
    Array2::from_shape_simple_fn(shape, || random.next(3) > 0)
}
