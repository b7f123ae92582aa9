//! Planes of every pixel type.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::cast_possible_truncation
)]

use analysis::accelerator::{Plane, PlaneBuf};
use gpu_kernels::Options;
use gpu_kernels::kernels::convert::Pixel;
use ndarray::Array2;

use super::common::Dice;

pub const PIXELS: [Pixel; 4] = [Pixel::U8, Pixel::U16, Pixel::U32, Pixel::F32];

/// What a plane holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    Random,
    Zero,
    Saturated,
}

pub const FILLS: [Fill; 3] = [Fill::Random, Fill::Zero, Fill::Saturated];

/// Floats are whole numbers and fractions of both signs.
pub fn plane(pixel: Pixel, shape: (usize, usize), fill: Fill, seed: u64) -> PlaneBuf {
    let mut dice = Dice::new(seed);
    let mut bits = || match fill {
        Fill::Random => dice.next() << 1 ^ dice.next(),
        Fill::Zero => 0,
        Fill::Saturated => u32::MAX,
    };
    match pixel {
        Pixel::U8 => PlaneBuf::U8(Array2::from_shape_simple_fn(shape, || bits() as u8)),
        Pixel::U16 => PlaneBuf::U16(Array2::from_shape_simple_fn(shape, || bits() as u16)),
        Pixel::U32 => PlaneBuf::U32(Array2::from_shape_simple_fn(shape, bits)),
        Pixel::F32 => PlaneBuf::F32(Array2::from_shape_simple_fn(shape, || match fill {
            Fill::Random => (f64::from(bits().cast_signed()) / 65_536.0) as f32,
            Fill::Zero => 0.0,
            Fill::Saturated => 65_535.0,
        })),
    }
}

/// The same plane in the other order of axes.
pub fn transposed<'a>(plane: &'a PlaneBuf) -> Plane<'a> {
    match plane {
        PlaneBuf::U8(a) => Plane::U8(a.t()),
        PlaneBuf::U16(a) => Plane::U16(a.t()),
        PlaneBuf::U32(a) => Plane::U32(a.t()),
        PlaneBuf::F32(a) => Plane::F32(a.t()),
    }
}

/// Bit for bit.
pub fn assert_same(ours: &PlaneBuf, reference: &PlaneBuf, what: &str) {
    match (ours, reference) {
        (PlaneBuf::F32(a), PlaneBuf::F32(b)) => {
            assert_eq!(a.dim(), b.dim(), "{what}");
            for (at, (a, b)) in a.iter().zip(b).enumerate() {
                assert_eq!(a.to_bits(), b.to_bits(), "{what}: {a} is not {b} at {at}");
            }
        }
        _ => assert!(ours == reference, "{what}:\n{ours:?}\n{reference:?}"),
    }
}

/// A device on which nothing of more than a few thousand bytes fits as a whole.
pub fn narrow(bytes: u64) -> Options {
    Options {
        largest_binding: bytes,
        memory: 1 << 20,
        ..Options::default()
    }
}

/// A device with little memory, in buffers of any size.
pub fn scarce(bytes: u64) -> Options {
    Options {
        memory: bytes,
        ..Options::default()
    }
}
