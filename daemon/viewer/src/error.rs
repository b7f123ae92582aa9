//! Why there is no answer.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::Refusal;

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Whose fault it is that there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// There is no such file, image, level, tile, table or column.
    Missing,
    /// What is asked for cannot be done with what is there, for example a colour scale of texts.
    Unsuitable,
    /// The file is damaged, or of a kind that is not read.
    Damaged,
    /// It may work later.
    Later,
}

/// Why there is no answer.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The container is not there.
    #[error("there is no `{}`", path.display())]
    NoContainer {
        /// Where it should be.
        path: PathBuf,
    },
    /// The process that reads containers said no.
    #[error("{}", .0.detail)]
    Refused(Refusal),
    /// Reading took too long, or crashed the process that reads.
    #[error("`{}` could not be read: {reason}", path.display())]
    Died {
        /// The container.
        path: PathBuf,
        /// How it ended.
        reason: String,
    },
    /// The system refused something.
    #[error("cannot {action}: {source}")]
    Io {
        /// What was tried.
        action: String,
        /// The system's answer.
        source: std::sync::Arc<std::io::Error>,
    },
}

impl Error {
    pub(crate) fn io(action: impl Into<String>, source: std::io::Error) -> Self {
        Self::Io {
            action: action.into(),
            source: std::sync::Arc::new(source),
        }
    }

    /// Whose fault it is.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::NoContainer { .. } => ErrorClass::Missing,
            Self::Refused(refusal) => refusal.class,
            Self::Died { .. } => ErrorClass::Damaged,
            Self::Io { .. } => ErrorClass::Later,
        }
    }

    /// What a person can do about it.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::NoContainer { .. } => {
                "nothing is published there yet, the results folder is not mounted, or the file was moved".to_owned()
            }
            Self::Refused(refusal) => refusal.remedy.clone(),
            Self::Died { .. } => {
                "look at it with `wellspring inspect`; if it is damaged, requeue its image set".to_owned()
            }
            Self::Io { .. } => "look at the daemon's log, and try again".to_owned(),
        }
    }
}
