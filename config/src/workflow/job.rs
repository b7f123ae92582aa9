//! One job of a workflow.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Names;
use crate::problem::Location;
use crate::schema::job_key_order;
use crate::value::ByteSize;

/// The keys that mean the same in every job; all others are parameters of its kind.
pub const JOB_KEYS: [&str; 15] = [
    "id",
    "kind",
    "scope",
    "each",
    "input",
    "output",
    "after",
    "enabled",
    "keep",
    "time_limit_secs",
    "memory_limit",
    "max_attempts",
    "limit",
    "status_name",
    "remove",
];

/// A step of the workflow. Every key that is not listed here is a parameter of the job's kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(transform = job_key_order)]
pub struct JobConfig {
    /// Name of the job, unique in the workflow: letters, digits, `-` and `_`, beginning with a letter.
    #[schemars(example = &"nuclei")]
    pub id: String,
    /// What the job does. `wellspring workflow kinds` lists all kinds with their parameters.
    #[serde(default)]
    #[schemars(example = &"predict.stardist")]
    pub kind: String,
    /// What one task of the job works on. By default the kind decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// Makes one job of each channel whose role fits, for example `serum_*`: `{each}` in the id, in `input` and in `output` is
    /// replaced by the role. (In lists of names, `"{serum_*}"` stands for all roles that fit.)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"serum_*")]
    pub each: Option<String>,
    /// What the job reads: the role of a channel or the output of another job. One name, a list of names, or a table
    /// such as `{ boundaries = "boundaries", seeds = "nuclei" }`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"nuclei")]
    pub input: Option<Names>,
    /// What the job writes, in the same forms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"nucleus_segmentation")]
    pub output: Option<Names>,
    /// Jobs that must run before, besides those whose outputs this one reads.
    #[serde(default)]
    pub after: Vec<String>,
    /// Turn off to leave the job out.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Whether the outputs are stored in the container, or only handed to later jobs.
    #[serde(default = "yes")]
    pub keep: bool,
    /// Longest time of one attempt, in seconds; by default the daemon's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1), example = 600)]
    pub time_limit_secs: Option<u64>,
    /// Memory that one attempt may use; by default the daemon's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = ByteSize::mib(4096))]
    pub memory_limit: Option<ByteSize>,
    /// How often the job is tried; by default the daemon's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1), example = 1)]
    pub max_attempts: Option<u32>,
    /// Name of a limit in the daemon's `[workers.limits]`, for what only so many may use at a time: a licence, a share that
    /// is slow, a network that fills the GPU. `wellspring run` knows no limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"licence")]
    pub limit: Option<String>,
    /// Name of the job in BatchLib's status files, where a root or `wellspring run` writes them. By default the name of the
    /// BatchLib class that the kind reproduces, with the channel of `each` behind it, else the job's id. Jobs of one name share a
    /// file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"CellLevelQCserum_IgG")]
    pub status_name: Option<String>,
    /// Drops an inherited job; only in a file that `extends` another. It is never set after loading.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub remove: bool,
    /// All other keys: what they mean depends on the kind.
    #[serde(flatten)]
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub parameters: toml::Table,
    /// Where each key was written; the job itself under the empty key.
    #[serde(skip)]
    #[schemars(skip)]
    pub(super) places: Places,
}

/// Places are not part of a job's meaning: two jobs are equal wherever they were written.
#[derive(Clone, Debug, Default)]
pub(super) struct Places(pub(super) BTreeMap<String, Location>);

impl PartialEq for Places {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

const fn yes() -> bool {
    true
}

impl JobConfig {
    /// Where a key of this job was written; the job itself where the key was not.
    #[must_use]
    pub fn location(&self, key: &str) -> Option<&Location> {
        self.places.0.get(key).or_else(|| self.places.0.get(""))
    }
}

/// What one task of a job works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Scope {
    /// All channels of one site at one timepoint.
    ImageSet,
    /// All sites of a well.
    Well,
    /// A whole plate, once it is complete.
    Plate,
    /// An ordered series of slices.
    Stack,
}

impl Scope {
    /// The word used in files and in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ImageSet => "image_set",
            Self::Well => "well",
            Self::Plate => "plate",
            Self::Stack => "stack",
        }
    }
}
