//! Planes between the types of files and the 32-bit values that kernels work on, and the flat field.
//!
//! A plane is uploaded as it lies in memory, (y, x) row by row without gaps: four 8-bit or two 16-bit pixels to a word, so that
//! no more bytes than needed go over the bus. [`on_device`] makes one 32-bit value a pixel of it, and packs results again.

mod flat_field;
pub mod on_device;
mod pixel;

pub use flat_field::flat_field;
pub use pixel::{Pixel, download, upload};
pub(crate) use pixel::{Values, append, planar, rows};

/// Reads pixels of packed words; for kernels with a buffer `source`.
pub(crate) const PACKED: &str = include_str!("convert/packed.wgsl");
