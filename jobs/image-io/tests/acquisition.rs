//! Reading acquisition files: what tifffile says of real, odd and broken files; every layout that we can write; damage.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "acquisition/builder.rs"]
mod builder;
#[path = "acquisition/damage.rs"]
mod damage;
#[path = "acquisition/instruments.rs"]
mod instruments;
#[path = "acquisition/layouts.rs"]
mod layouts;
#[path = "acquisition/odd_tiff.rs"]
mod odd_tiff;
#[path = "acquisition/png_files.rs"]
mod png_files;
#[path = "acquisition/sha256.rs"]
mod sha256;
#[path = "acquisition/stacks.rs"]
mod stacks;
#[path = "acquisition/support.rs"]
mod support;
