//! Pure, deterministic image operations and measurements on `ndarray` planes: the CPU reference of everything.
//!
//! Arrays are (y, x), C order. Distances are in pixels. Each function names the function that it reproduces and the
//! tolerance to which it does.

pub mod accelerator;
pub mod cell_scores;
pub mod components;
pub mod correct;
pub mod distance;
pub mod embedding;
mod error;
pub mod forest;
pub mod gaussian;
pub mod histogram;
pub mod labels;
pub mod measure;
pub mod morphology;
pub mod peaks;
pub mod pixel_classification;
pub mod pixel_features;
pub mod pixel_level;
pub mod pooled;
pub mod propagate;
pub mod rescale;
pub mod star_convex;
pub mod statistics;
pub mod threshold;
pub mod watershed;

pub use error::{Error, Result};
