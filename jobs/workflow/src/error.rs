//! Failures of a task and mistakes in a workflow, each with its remedy.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Decides what the queue does with a failed task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FailureClass {
    /// May work if tried again.
    Transient,
    /// The surroundings must change first (disk full, share gone); resumes by itself.
    Environment,
    /// Trying again cannot help.
    Permanent,
}

/// Why a task failed, in a form that travels from the worker to the queue and the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// Whether trying again can help.
    pub class: FailureClass,
    /// A short stable word for programs, for example `damaged-file`.
    pub code: String,
    /// What happened, naming the file.
    pub message: String,
    /// What a person can do.
    pub remedy: String,
    /// The file that is to blame, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

impl Failure {
    /// A failure that trying again cannot help.
    pub fn permanent(code: &str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            class: FailureClass::Permanent,
            code: code.to_owned(),
            message: message.into(),
            remedy: remedy.into(),
            path: None,
        }
    }
}

impl From<image_io::Error> for Failure {
    fn from(error: image_io::Error) -> Self {
        use image_io::Error as E;
        let (code, path): (&str, &PathBuf) = match &error {
            E::Io { path, source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                ("file-missing", path)
            }
            E::Io { path, .. } => ("file-access", path),
            E::Damaged { path, .. } => ("damaged-file", path),
            E::Unsupported { path, .. } => ("unsupported-file", path),
            E::Limit { path, .. } => ("file-too-large", path),
            E::Missing { path, .. } => ("missing-data", path),
            E::Hdf5 { path, .. } => ("hdf5", path),
            other => return Self::permanent("file", other.to_string(), other.remedy()),
        };
        let class = match error.class() {
            image_io::ErrorClass::Transient => FailureClass::Transient,
            image_io::ErrorClass::Environment => FailureClass::Environment,
            image_io::ErrorClass::Permanent => FailureClass::Permanent,
        };
        Self {
            class,
            code: code.to_owned(),
            path: Some(path.display().to_string()),
            message: error.to_string(),
            remedy: error.remedy().to_owned(),
        }
    }
}

impl From<analysis::Error> for Failure {
    fn from(error: analysis::Error) -> Self {
        Self::permanent(
            "bad-parameter",
            error.to_string(),
            "correct the job's parameters in the workflow, then requeue",
        )
    }
}

impl From<networks::Error> for Failure {
    fn from(error: networks::Error) -> Self {
        use std::io::ErrorKind;
        let (class, code) = match &error {
            networks::Error::Io { source, .. } if source.kind() == ErrorKind::NotFound => {
                (FailureClass::Permanent, "file-missing")
            }
            networks::Error::Io { source, .. } if source.kind() != ErrorKind::PermissionDenied => {
                (FailureClass::Environment, error.code())
            }
            _ => (FailureClass::Permanent, error.code()),
        };
        Self {
            class,
            code: code.to_owned(),
            path: error.path().map(|p| p.display().to_string()),
            message: error.to_string(),
            remedy: error.remedy().to_owned(),
        }
    }
}

/// A mistake in a workflow file, found before anything runs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("job `{job}`: {message}")]
pub struct WorkflowError {
    /// The job's id; the workflow's name for mistakes outside a job.
    pub job: String,
    /// What is wrong and what would be right.
    pub message: String,
}

/// A sentence with the closest known name, if one is close.
pub(crate) fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    known
        .into_iter()
        .map(|k| (strsim::jaro_winkler(word, k), k))
        .filter(|(score, _)| *score > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map_or_else(String::new, |(_, k)| format!("; did you mean `{k}`?"))
}
