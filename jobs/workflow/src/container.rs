//! Names of the files that a plate's results are kept in.

use std::path::{Path, PathBuf};

/// Extension under which the name of an image set's container is kept, whatever its format.
pub const CONTAINER_EXTENSION: &str = "h5";

/// An image set's container in a format. Names are kept with [`CONTAINER_EXTENSION`], so that a workflow may change its format.
#[must_use]
pub fn container_file(name: &Path, format: config::ContainerFormat) -> PathBuf {
    name.with_extension(format.extension())
}

/// BatchLib's plate table: `<folder>/<folder's name>_table.hdf5`. PlateViewer looks for exactly this name; `.hdf5`
/// keeps it out of globs for `*.h5`.
#[must_use]
pub fn plate_table_file(plate_dir: &Path) -> PathBuf {
    plate_file(plate_dir, "table")
}

/// A file of the whole plate: `<folder>/<folder's name>_<what>.hdf5`.
#[must_use]
pub fn plate_file(plate_dir: &Path, what: &str) -> PathBuf {
    let mut name = plate_dir.file_name().unwrap_or_default().to_owned();
    name.push(format!("_{what}.hdf5"));
    plate_dir.join(name)
}
