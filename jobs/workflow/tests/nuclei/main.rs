//! `predict.stardist` and `predict.instanseg` as a worker runs them: reference outputs, nuclei with ground truth, mistakes.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;
mod methods;
mod mistakes;
mod precision;
mod references;
mod truth;
