//! Both forms of a table in an HDF5 file.

mod read;
mod write;

pub(super) use read::{read_cells, read_typed};
pub(super) use write::{write_cells, write_typed};
