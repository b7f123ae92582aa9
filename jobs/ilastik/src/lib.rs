//! Runs ilastik's pixel classification projects (`.ilp`) without ilastik.
//!
//! A project is read once ([`Project::open`]); then it predicts as many images as come. Pixel Classification and two-stage Autocontext of
//! ilastik 0.6 to 1.4 are understood. Nothing but the features, the forests and the export settings of a project is read: the training
//! data need not be there, and nothing that was pickled is ever unpickled.
//!
//! Results are ilastik's, bit for bit on x86-64 with AVX2 and FMA; see [`analysis::pixel_features`].

// A view is a pointer and a few numbers: ndarray passes it by value.
#![allow(clippy::needless_pass_by_value)]

mod autocontext;
mod error;
mod export;
mod forests;
mod image;
mod predict;
mod project;
mod stage;
mod write;

pub use error::{Error, Result};
pub use export::{DataType, ExportSettings, Source, rescaler};
pub use image::{Image, arranged};
pub use predict::Prediction;
pub use project::{Project, TrainingImage, WorkflowKind};
pub use stage::{FeatureTable, Stage};
pub use write::{InputName, output_path, write};
