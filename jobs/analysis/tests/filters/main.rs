//! Gaussian, histogram, threshold, morphology, distance and correction against numpy, scipy and scikit-image.
//!
//! `../reference/filters.py` makes the reference values, from the same images as [`images`].

#![allow(clippy::unwrap_used, clippy::needless_pass_by_value)]

mod grey;
mod images;
mod plate;
mod properties;
mod reference;
mod synthetic;
