//! Components, peaks, watershed, propagation and measurements against scipy, scikit-image and centrosome.
//!
//! `../reference/objects.py` makes the reference values, from the same images as [`images`].

#![allow(clippy::unwrap_used, clippy::needless_pass_by_value)]

#[path = "../filters/images.rs"]
mod images;
mod live;
mod plate;
#[allow(dead_code)]
#[path = "../filters/reference.rs"]
mod reference;
mod synthetic;
mod table;
