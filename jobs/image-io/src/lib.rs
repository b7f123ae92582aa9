//! Reads acquisition files and reads and publishes containers and tables.
//!
//! All arrays are two-dimensional planes in (y, x) order unless a function says otherwise.

pub mod acquisition;
pub mod container;
mod error;
mod pixels;
pub mod publish;
pub mod table;

pub use error::{Error, ErrorClass, Result};
pub use pixels::{PixelType, Pixels};
