//! What people are shown and given of a finished plate: heat maps, tables as files, and a summary.
//!
//! | what | where |
//! |---|---|
//! | a picture of one column over the plate, as SVG | [`heatmap()`] |
//! | the same picture as PNG | [`heatmap_png`] |
//! | its values, taken from the image and well tables | [`PlateTables`] |
//! | tables as CSV, TSV, XLSX and Parquet, under BatchLib's names | [`export`] |
//! | the plate in words and numbers: Markdown, HTML, JSON | [`summary`] |
//!
//! The crate reads tables and writes files; it knows no jobs, no queue and no pixels.

mod columns;
mod drawing;
mod error;
pub mod export;
mod heatmap;
mod number;
mod plate_tables;
pub mod summary;

pub use columns::{Wanted, matches, wanted_columns};
pub use error::{Error, ErrorClass, Result};
pub use heatmap::scale::{Colors, Range, Scale};
pub use heatmap::{HeatMap, Image, Style, Value, Well, heatmap, heatmap_png, picture_stem};
pub use number::short;
pub use plate_tables::{PlateTables, Site};
