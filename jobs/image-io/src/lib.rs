//! Reads acquisition files and reads and publishes containers and tables.
//!
//! All arrays are two-dimensional planes in (y, x) order unless a function says otherwise.

pub mod acquisition;
pub mod container;
mod error;
pub mod exchange;
mod pixels;
pub mod publish;
pub mod table;

pub use error::{Error, ErrorClass, Result};
pub use pixels::{PixelType, Pixels};

/// Version of the HDF5 library that is built in: major, minor, patch.
#[must_use]
pub fn hdf5_version() -> (u8, u8, u8) {
    hdf5::library_version()
}
