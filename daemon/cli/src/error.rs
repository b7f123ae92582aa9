//! What can go wrong, with the exit code that says so and what to do about it.

use std::process::ExitCode;

use crate::wire::Problem;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All went well.
    Success = 0,
    /// Something failed.
    Failure = 1,
    /// The command makes no sense.
    Usage = 2,
    /// The daemon does not answer.
    Unreachable = 3,
    /// What was named does not exist.
    NotFound = 4,
    /// It is not possible now.
    Conflict = 5,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Result of this crate.
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Error {
    /// How the program ends because of it.
    pub exit: Exit,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Whether asking again later may help, as while the daemon restarts.
    pub passing: bool,
}

impl Error {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            hint: None,
            passing: exit == Exit::Unreachable,
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The reader of stdout has gone, as in `| head`: nothing to complain about.
    pub(crate) fn reader_gone() -> Self {
        Self::new(Exit::Success, "")
    }

    /// What the daemon says is wrong.
    pub(crate) fn refused(problem: Problem) -> Self {
        let exit = match problem.status {
            404 => Exit::NotFound,
            409 => Exit::Conflict,
            _ => Exit::Failure,
        };
        let hint = match (problem.status, problem.remedy) {
            // What the daemon says is about headers; a person has a file.
            (401, _) => Some(
                "give the file with the daemon's token with --token-file FILE, or in WELLSPRING_TOKEN_FILE"
                    .to_owned(),
            ),
            (_, remedy) => remedy.filter(|remedy| !remedy.is_empty()),
        };
        let message = match problem.detail {
            detail if detail.is_empty() => {
                format!("the daemon refused: {} {}", problem.status, problem.title)
            }
            detail => detail,
        };
        Self {
            hint,
            passing: problem.status == 503,
            ..Self::new(exit, message)
        }
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::new(
            Exit::Failure,
            format!("the daemon's answer cannot be read: {error}"),
        )
        .hint(
            "check with `wellspring status --json` that the daemon has the version of this program",
        )
    }
}
