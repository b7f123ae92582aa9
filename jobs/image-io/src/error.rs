//! What can go wrong while a file is read or written, who can mend it, and how.

use std::path::PathBuf;

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Decides what the queue does with a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ErrorClass {
    /// May work if tried again.
    Transient,
    /// The surroundings must change first (disk full, share gone); resumes by itself.
    Environment,
    /// Trying again cannot help: corrupt file, unsupported format, bad parameter.
    Permanent,
}

/// A failure to read or write a file. Every variant names the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused an operation.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried, as a verb: "open", "read", "rename".
        action: &'static str,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The bytes are not what the format promises.
    #[error("`{}` is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A valid file of a kind that is not read here.
    #[error("`{}` cannot be read: {reason}", path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// Which feature is missing.
        reason: String,
    },
    /// The file asks for more memory than is allowed.
    #[error("`{}` is too large: {reason}", path.display())]
    Limit {
        /// The file.
        path: PathBuf,
        /// Which limit it passes, with both numbers.
        reason: String,
    },
    /// A name, plane, level or column that the file does not have.
    #[error("`{}` has no {what}", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// What was asked for.
        what: String,
    },
    /// The HDF5 library reported an error.
    #[error("HDF5 error in `{}` while trying to {action}: {message}", path.display())]
    Hdf5 {
        /// The file.
        path: PathBuf,
        /// What was tried.
        action: String,
        /// The library's words.
        message: String,
    },
}

impl Error {
    /// Whether and when trying again can help.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        use std::io::ErrorKind as K;
        match self {
            // A file that is gone while its folder is there was moved or deleted; without the folder the share is gone.
            Self::Io { source, path, .. }
                if source.kind() == K::NotFound
                    && path.parent().is_some_and(std::path::Path::is_dir) =>
            {
                ErrorClass::Permanent
            }
            Self::Io { source, .. } => match source.kind() {
                K::StorageFull
                | K::QuotaExceeded
                | K::NotFound
                | K::StaleNetworkFileHandle
                | K::NetworkUnreachable
                | K::HostUnreachable
                | K::NotConnected
                | K::ReadOnlyFilesystem => ErrorClass::Environment,
                K::PermissionDenied | K::IsADirectory | K::NotADirectory => ErrorClass::Permanent,
                K::UnexpectedEof => ErrorClass::Permanent,
                _ => ErrorClass::Transient,
            },
            Self::Hdf5 { message, .. } if message.contains("No space left") => {
                ErrorClass::Environment
            }
            Self::Hdf5 { .. } => ErrorClass::Transient,
            Self::Damaged { .. }
            | Self::Unsupported { .. }
            | Self::Limit { .. }
            | Self::Missing { .. } => ErrorClass::Permanent,
        }
    }

    /// What a person can do about it.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        use std::io::ErrorKind as K;
        match self {
            Self::Io { source, .. } => match source.kind() {
                K::StorageFull | K::QuotaExceeded => "free some space; work resumes by itself",
                K::NotFound => {
                    "check that the share is mounted and the file was not moved; then requeue"
                }
                K::PermissionDenied => "give the service's user access to the file, then requeue",
                K::ReadOnlyFilesystem => {
                    "mount the file system writable or choose another output folder"
                }
                _ => "check the disk and the network; the task is tried again",
            },
            Self::Damaged { .. } => "copy the file again from the instrument, then requeue",
            Self::Unsupported { .. } => {
                "export the image as an uncompressed, LZW or deflate TIFF, then requeue"
            }
            Self::Limit { .. } => {
                "check the file: it asks for more than such an image needs; split it if it is really that large"
            }
            Self::Missing { .. } => {
                "check the workflow's names against the file with `wellspring inspect`"
            }
            Self::Hdf5 { .. } => {
                "check the free space and the file with `wellspring inspect`; then requeue"
            }
        }
    }
}
