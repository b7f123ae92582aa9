//! What keeps the engine from starting or going on.

use std::path::PathBuf;

use queue::PlateState;

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
    /// The plate still has something to run.
    #[error("plate `{plate}` is {}: its jobs have not ended", state.as_str())]
    NotDone {
        /// The plate's name.
        plate: String,
        /// Where it stands.
        state: PlateState,
    },
    /// BatchLib's status files have no place to go.
    #[error("the status files of plate `{plate}` cannot be written: {reason}")]
    StatusFiles {
        /// The plate's name.
        plate: String,
        /// Why.
        reason: String,
    },
    /// A job that the workflow does not have.
    #[error("workflow `{workflow}` has no job `{job}`; its jobs are {}", jobs.join(", "))]
    UnknownJob {
        /// The workflow's name.
        workflow: String,
        /// What was asked for.
        job: String,
        /// What there is.
        jobs: Vec<String>,
    },
    /// A file cannot be written.
    #[error(transparent)]
    File(#[from] image_io::Error),
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
            Self::NotDone { .. } => Some(
                "wait until it is done: `wellspring plates wait PLATE`".to_owned(),
            ),
            Self::File(error) => Some(error.remedy().to_owned()),
            _ => None,
        }
    }

    /// Whether the disk of the queue did not take a change, so that trying a smaller one makes no sense.
    pub(crate) const fn is_disk(&self) -> bool {
        matches!(self, Self::Queue(queue::Error::NotCommitted { .. }))
    }
}
