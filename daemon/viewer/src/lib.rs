//! Asks for what lies in published results: pictures, tiles, label numbers and tables of containers.
//!
//! Containers are read by processes of their own (`wellspring render`, the crate `render`), because a damaged file can crash or
//! hang the library that reads it: that costs one answer, never the daemon. This crate has both sides' words
//! ([`Question`], [`Answer`]), how they travel ([`wire`]), and the daemon's side: [`Viewer`] keeps a few such
//! processes, gives each question a time limit, and remembers answers as long as the file is the same.

mod cache;
mod error;
mod identity;
mod process;
mod question;
mod viewer;
pub mod wire;

pub use error::{Error, ErrorClass, Result};
pub use identity::Identity;
pub use process::SpawnOptions;
pub use question::{
    Answer, Ask, Channel, Color, Encoding, HeatMapForm, HeatMapSite, Overlay, OverlayStyle, Part,
    Question, Refusal, TableFormat,
};
pub use viewer::Viewer;

/// Side of a tile in pixels; those at the right and lower edge of an image are smaller.
pub const TILE: usize = 512;
/// Longest side of a picture of a whole image, in pixels.
pub const LONGEST_SIDE: u32 = 4096;
