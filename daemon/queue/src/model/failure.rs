//! What a worker reports about a task.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::TaskId;
use crate::states::FailureClass;

/// Why a task failed, in a form that a person can act on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Whether trying again can help.
    pub class: FailureClass,
    /// A stable word for programs, for example `tiff_truncated`.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it; empty where there is no advice.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remedy: String,
    /// The file at fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

impl Failure {
    /// A failure with neither remedy nor path.
    #[must_use]
    pub fn new(class: FailureClass, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            class,
            code: code.into(),
            message: message.into(),
            remedy: String::new(),
            path: None,
        }
    }

    /// Adds what a person can do.
    #[must_use]
    pub fn with_remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }

    /// Adds the file at fault; bytes that are not UTF-8 are replaced.
    #[must_use]
    pub fn with_path(mut self, path: impl Into<PathBuf>) -> Self {
        self.path = Some(path.into().to_string_lossy().into_owned());
        self
    }
}

/// How one task of a pass ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// Its result is published.
    Succeeded {
        /// What the job recorded about its result.
        result: Value,
    },
    /// An error was reported; its class decides about a retry.
    Failed {
        /// The error.
        failure: Failure,
    },
    /// It was not started, because an upstream task of the pass did not succeed.
    Skipped,
    /// The worker process died while it worked on this task.
    Crashed {
        /// The signal, where one is known.
        signal: Option<i32>,
        /// What is known beside it: exit status, last stage, peak memory.
        detail: String,
    },
    /// It did not end, through no fault of its own (shutdown, another task crashed the worker).
    Interrupted {
        /// Why.
        reason: String,
    },
    /// It was stopped by a person.
    Cancelled,
}

/// The outcome of one task of a pass, with what the worker left behind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskReport {
    /// The task.
    pub task: TaskId,
    /// How it ended.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// What the worker wrote to stderr during the task; the last 64 KiB are kept.
    #[serde(default)]
    pub log: Option<String>,
    /// Seconds by stage, or whatever the worker measured.
    #[serde(default)]
    pub timings: Option<Value>,
    /// Largest resident size of the worker, bytes.
    #[serde(default)]
    pub peak_rss: Option<u64>,
}

impl TaskReport {
    /// A report with neither log nor measurements.
    #[must_use]
    pub const fn new(task: TaskId, outcome: Outcome) -> Self {
        Self {
            task,
            outcome,
            log: None,
            timings: None,
            peak_rss: None,
        }
    }
}
