//! What keeps the engine from starting or going on.

use std::path::PathBuf;

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What keeps the engine from starting or going on. Failures of single images are never errors here: they are states of tasks.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The queue refused or failed.
    #[error(transparent)]
    Queue(#[from] queue::Error),
    /// A watched folder cannot be watched.
    #[error(transparent)]
    Watch(#[from] watch::Error),
    /// A naming scheme, a rule or a mapping is wrong.
    #[error(transparent)]
    Plate(#[from] plate::Error),
    /// A workflow cannot run.
    #[error("workflow `{name}` cannot run: {}", mistakes.join("; "))]
    Workflow {
        /// The workflow's name.
        name: String,
        /// Everything that is wrong with it.
        mistakes: Vec<String>,
    },
    /// Another daemon writes its results there.
    #[error("`{}` receives the results of another daemon: {holder}", path.display())]
    OutputInUse {
        /// The output folder.
        path: PathBuf,
        /// Who has it.
        holder: String,
    },
    /// A folder cannot be used.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// The system's answer.
        source: std::io::Error,
    },
}

impl Error {
    /// What a person can do, in one sentence.
    #[must_use]
    pub fn remedy(&self) -> Option<String> {
        match self {
            Self::Queue(error) => error.remedy(),
            Self::Watch(error) => Some(error.remedy().to_owned()),
            Self::OutputInUse { .. } => Some(
                "stop the other daemon, or give the roots of this one another `output`; several daemons may watch one root"
                    .to_owned(),
            ),
            _ => None,
        }
    }

    /// Whether the disk of the queue did not take a change, so that trying a smaller one makes no sense.
    pub(crate) const fn is_disk(&self) -> bool {
        matches!(self, Self::Queue(queue::Error::NotCommitted { .. }))
    }
}
