//! Neural networks from ONNX files: reads the file and its sidecar, runs it with the built-in engine (rten) or with an onnxruntime
//! library, and carries whole images through it tile by tile.
//!
//! A model file is foreign: sizes and nesting are checked before anything is built from it, operators that the engine lacks are
//! listed by name, and a panic of an engine becomes an error.
//!
//! ```no_run
//! # fn main() -> networks::Result<()> {
//! use networks::{Model, Options, Plan, predict};
//! let model = Model::open("unet.onnx".as_ref(), &Options::default())?;
//! let image = ndarray::Array2::<f32>::zeros((1024, 1024));
//! let maps = predict(&model, &[image.view()], &Plan::default())?; // (channel, y, x)
//! # Ok(()) }
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used))]
// Views are passed by value, as everywhere in `analysis`.
#![allow(clippy::needless_pass_by_value)]

pub mod axes;
mod description;
pub mod engine;
mod error;
mod files;
mod model;
pub mod normalise;
mod onnx;
mod options;
pub mod pad;
mod plan;
mod predict;
mod reach;
pub mod report;
pub mod sidecar;
pub mod tile;

pub use description::{Description, StarConvex, Tensor};
pub use error::{Error, Result};
pub use files::files;
pub use model::{Model, NamedOutput};
pub use onnx::{Declared, MAX_BYTES};
pub use options::{Choice, Options};
pub use plan::{Blend, Plan};
pub use predict::{normalised, predict};
