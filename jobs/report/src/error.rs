//! What can go wrong while a report is made, who can mend it, and how.

use std::path::{Path, PathBuf};

pub use image_io::ErrorClass;

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a report could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] image_io::Error),
    /// More rows than a sheet of a spreadsheet has.
    #[error(
        "`{}` would have {rows} rows, a sheet of XLSX has at most {most}",
        path.display()
    )]
    TooManyRows {
        /// The file that was not written.
        path: PathBuf,
        /// Rows of the table.
        rows: usize,
        /// Rows that a sheet takes, without the header.
        most: usize,
    },
    /// More columns than a sheet of a spreadsheet has.
    #[error(
        "`{}` would have {columns} columns, a sheet of XLSX has at most {most}",
        path.display()
    )]
    TooManyColumns {
        /// The file that was not written.
        path: PathBuf,
        /// Columns of the table.
        columns: usize,
        /// Columns that a sheet takes.
        most: usize,
    },
    /// A library could not make the file.
    #[error("cannot make `{}`: {message}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// The library's words.
        message: String,
    },
    /// A table that the plate does not have.
    #[error("plate `{plate}` has no table `{table}`")]
    NoTable {
        /// The plate.
        plate: String,
        /// The table's name.
        table: String,
    },
    /// A table that became another one while it was read.
    #[error("table `{table}` of image `{image}` changed while it was exported")]
    Changed {
        /// The image set.
        image: String,
        /// The table's name.
        table: String,
    },
    /// A folder that holds no plate.
    #[error("`{}` holds no plate: {reason}", path.display())]
    NoPlate {
        /// The folder.
        path: PathBuf,
        /// What is missing.
        reason: String,
    },
}

impl Error {
    /// Whether and when trying again can help.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::File(error) => error.class(),
            Self::Changed { .. } => ErrorClass::Transient,
            _ => ErrorClass::Permanent,
        }
    }

    /// What a person can do about it.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::File(error) => error.remedy(),
            Self::TooManyRows { .. } | Self::TooManyColumns { .. } => {
                "write this table as csv or parquet; all that fitted was written"
            }
            Self::Format { .. } => "choose another format, and report this as a defect",
            Self::NoTable { .. } => {
                "see with `wellspring inspect` which tables the plate and its images have, and correct the name"
            }
            Self::Changed { .. } => "export again when the plate is at rest",
            Self::NoPlate { .. } => {
                "name the folder that holds <plate>_table.hdf5 and the containers of the plate"
            }
        }
    }

    /// A failed write.
    pub(crate) fn write(path: &Path, source: std::io::Error) -> Self {
        Self::File(image_io::Error::Io {
            path: path.to_owned(),
            action: "write",
            source,
        })
    }
}
