//! What can be wrong with a project, or with an image for it.

use std::path::PathBuf;

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a project cannot be used, or not on this image.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] image_io::Error),
    /// The project is not one that can be run here.
    #[error("the ilastik project `{}` {reason}", path.display())]
    Project {
        /// The project.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
        /// What a person can do.
        remedy: String,
    },
    /// The result cannot be exported as asked.
    #[error("{0}")]
    Export(String),
    /// The image does not fit the project.
    #[error("the ilastik project `{}` cannot be applied: {reason}", path.display())]
    Image {
        /// The project.
        path: PathBuf,
        /// What does not fit.
        reason: String,
        /// What a person can do.
        remedy: String,
    },
}

impl Error {
    /// What a person can do.
    #[must_use]
    pub fn remedy(&self) -> &str {
        match self {
            Self::File(error) => error.remedy(),
            Self::Export(_) => {
                "correct the export options, or the export settings that are saved in the project"
            }
            Self::Project { remedy, .. } | Self::Image { remedy, .. } => remedy,
        }
    }
}
