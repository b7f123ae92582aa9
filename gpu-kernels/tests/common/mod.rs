//! What the parity tests share: a device, and images.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod forests;

use gpu_kernels::{Gpu, Options};

/// Software Vulkan, or the adapter that `WELLSPRING_TEST_GPU` names; `None` (said on stderr) where the machine has none, which
/// `WELLSPRING_TEST_GPU` makes an error.
pub fn gpu() -> Option<Gpu> {
    open(Options::default())
}

/// As [`gpu`], with other options.
pub fn open(options: Options) -> Option<Gpu> {
    let wanted = std::env::var("WELLSPRING_TEST_GPU").ok();
    match Gpu::open(wanted.as_deref().unwrap_or("llvmpipe"), options) {
        Ok(gpu) => Some(gpu),
        Err(error) if wanted.is_none() => {
            eprintln!("skipped: {error} (install mesa-vulkan-drivers)");
            None
        }
        Err(error) => panic!("WELLSPRING_TEST_GPU is set: {error}"),
    }
}

/// Numbers that look random and are the same each time.
pub struct Dice(u64);

impl Dice {
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as u32
    }

    /// From 0 up to, but not including, `end`.
    pub fn below(&mut self, end: u32) -> u32 {
        self.next() % end
    }
}

/// Sizes (y, x) that have broken kernels before: one pixel, lines, one less and one more than a workgroup.
pub const SIZES: [(usize, usize); 9] = [
    (1, 1),
    (1, 7),
    (9, 1),
    (2, 3),
    (15, 17),
    (16, 16),
    (33, 64),
    (65, 127),
    (130, 257),
];
