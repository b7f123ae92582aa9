//! A workflow file: a named, versioned graph of jobs.

mod canonical;
mod channel;
mod container;
mod extends;
mod job;
mod names;
mod validate;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use channel::ChannelRole;
pub use container::{Container, ContainerFormat, Projection, ZSlices};
pub use job::{JOB_KEYS, JobConfig, Scope};
pub use names::Names;

use crate::document::Document;
use crate::error::ConfigError;
use crate::schema::field_order;

/// A workflow: what is done with the images of a plate. One file holds one workflow.
///
/// Relative paths are relative to the folder of the file in which they are written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(transform = field_order::<Self>)]
pub struct WorkflowFile {
    /// Name of the workflow, required: letters, digits, `-`, `_` and `.`. Roots refer to it by this name, and the file is called
    /// `<name>.toml`.
    #[schemars(example = &"nuclei")]
    pub name: String,
    /// Version, as its author counts, required. It is stored with every result; what must be recomputed after a change is found
    /// out without it.
    #[schemars(example = &"1")]
    pub version: String,
    /// Another workflow file that this one builds on. Everything is taken over from it; what is written here wins. A job
    /// with the `id` of an inherited one changes only the keys that it names (a new `kind` drops the inherited
    /// parameters), a job with a new `id` is added, and `remove = true` drops one. Results that do not change are reused.
    #[schemars(with = "Option<String>", example = &"base.toml", extend("format" = "path"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extends: Option<PathBuf>,
    /// One sentence for people.
    pub description: String,
    /// Name of the workflow in BatchLib's status and log files, where a root or `wellspring run` writes them; by default `name`.
    #[schemars(example = &"CellAnalysisWorkflow")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_name: Option<String>,
    /// Name of a channel at the microscope, and its role here (`nuclei`, `marker`, `serum_IgG`); `false` or `""` drops the
    /// channel. Without this table every channel keeps its name. A `channel_mapping.json` in the plate's folder wins.
    pub channels: BTreeMap<String, ChannelRole>,
    /// How results are stored.
    pub container: Container,
    /// What is done with several z-slices.
    pub z: ZSlices,
    /// A step of the workflow. Write one `[[job]]` block for each. Jobs run in the order of their inputs and outputs, not
    /// of the file.
    #[serde(rename = "job")]
    pub jobs: Vec<JobConfig>,
    // The two folder fields travel with the workflow to the worker processes. The schema does not know them, so a file
    // cannot set them.
    #[serde(skip_serializing_if = "is_empty")]
    #[schemars(skip)]
    base_dir: PathBuf,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(skip)]
    inherited_dirs: BTreeMap<String, PathBuf>,
    #[serde(skip)]
    #[schemars(skip)]
    sources: Vec<PathBuf>,
    /// Where each key outside the jobs was written.
    #[serde(skip)]
    #[schemars(skip)]
    places: job::Places,
}

fn is_empty(path: &Path) -> bool {
    path.as_os_str().is_empty()
}

impl WorkflowFile {
    /// Reads a workflow file and those that it extends.
    ///
    /// # Errors
    /// [`ConfigError::Read`] if a file cannot be read, else [`ConfigError::Invalid`] with every mistake found.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        extends::assemble(
            &Document::read(path)?,
            path.parent().unwrap_or(Path::new("")),
        )
    }

    /// Reads a workflow from text; relative paths in it are relative to `base_dir`.
    ///
    /// # Errors
    /// As [`Self::load`]; an `extends` in the text is followed.
    pub fn from_str(text: &str, base_dir: &Path) -> Result<Self, ConfigError> {
        extends::assemble(&Document::from_text(text), base_dir)
    }

    /// The folder of the file. For a path in a job use [`Self::dir_of`], because the job may be inherited.
    #[must_use]
    pub fn base_dir(&self) -> &Path {
        &self.base_dir
    }

    /// The folder against which a relative path in this key of this job is meant: that of the file in which the key was
    /// written.
    #[must_use]
    pub fn dir_of(&self, job: &str, key: &str) -> &Path {
        self.inherited_dirs
            .get(&format!("{job}.{key}"))
            .unwrap_or(&self.base_dir)
    }

    /// The files that the workflow was read from: its own, then those that it extends.
    #[must_use]
    pub fn sources(&self) -> &[PathBuf] {
        &self.sources
    }

    /// The job of this id.
    #[must_use]
    pub fn job(&self, id: &str) -> Option<&JobConfig> {
        self.jobs.iter().find(|job| job.id == id)
    }
}
