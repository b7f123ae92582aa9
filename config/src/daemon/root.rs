//! A watched folder.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::daemon::WorkflowRef;
use crate::schema::field_order;

/// A watched folder. Write one `[[root]]` block for each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = field_order::<Self>)]
pub struct Root {
    /// The folder into which the instrument writes. It is only ever read.
    #[schemars(with = "String", example = &"/data/acquisition", extend("format" = "path"))]
    pub path: PathBuf,
    /// The folder that receives the results. It must not lie inside a watched folder.
    #[schemars(with = "String", example = &"/data/results", extend("format" = "path"))]
    pub output: PathBuf,
    /// What to do with the images: the name of a workflow in `workflow_dirs`, or the path of a workflow file (anything
    /// with a `/` in it or ending in `.toml`).
    #[schemars(example = &"nuclei-and-cells")]
    pub workflow: WorkflowRef,
    /// How file names are read: a preset, or a regular expression with the named groups `plate`, `well` (or `row` and
    /// `column`), `site`, `channel`, `z`, `t`. `wellspring names test <folder>` shows what a scheme makes of a folder.
    #[serde(default = "default_naming")]
    pub naming: String,
    /// When a plate has all that it will get; the first rule that holds decides. `manifest`: everything in the vendor's
    /// index of the plate is there. `expected`: everything in `[root.layout]` is there. `sentinel:<glob>`: a file of this
    /// name is in the plate's folder. `quiet:<seconds>`: nothing has arrived for so long. `manual`: only a person says so.
    #[serde(default = "default_plate_complete")]
    pub plate_complete: Vec<String>,
    /// How long a file must be left alone before it counts as whole, in seconds. Raise it for shares that Windows
    /// machines write to.
    #[serde(default = "default_settle_secs")]
    pub settle_secs: u64,
    /// How new files are noticed.
    #[serde(default)]
    pub mode: WatchMode,
    /// Pause between two looks at a folder that is polled, in seconds.
    #[serde(default = "default_poll_secs")]
    #[schemars(range(min = 1))]
    pub poll_secs: u64,
    /// Pause between two complete scans of a folder that is watched natively, in seconds. The scan finds what the
    /// kernel's notification lost.
    #[serde(default = "default_rescan_secs")]
    #[schemars(range(min = 1))]
    pub rescan_secs: u64,
    /// What happens with files that are there before the folder is watched for the first time.
    #[serde(default)]
    pub existing: Existing,
    /// Files and folders to leave alone, as globs on the path below the root. The usual junk (`.DS_Store`, `Thumbs.db`,
    /// `*.part`, hidden files, thumbnails) is left alone anyway.
    #[serde(default)]
    #[schemars(example = vec!["*_thumb*", "calibration/**"])]
    pub ignore: Vec<String>,
    /// Tasks of a root with a larger number are run first. A plate can be given its own.
    #[serde(default)]
    pub priority: i32,
    /// Write BatchLib's status and log files into `batchlib/` in each plate's results, when the plate is done. They are made from
    /// the queue and never read.
    #[serde(default)]
    pub status_files: bool,
    /// Turn off to keep the block but not watch the folder.
    #[serde(default = "default_enabled")]
    pub enabled: bool,
    /// What a complete plate looks like, for the rule `expected`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<Layout>,
}

fn default_naming() -> String {
    "batchlib".to_owned()
}

fn default_plate_complete() -> Vec<String> {
    vec!["manifest".to_owned(), "quiet:900".to_owned()]
}

const fn default_settle_secs() -> u64 {
    5
}

const fn default_poll_secs() -> u64 {
    10
}

const fn default_rescan_secs() -> u64 {
    300
}

const fn default_enabled() -> bool {
    true
}

impl Root {
    /// A root with every optional value at its default.
    #[must_use]
    pub fn new(
        path: impl Into<PathBuf>,
        output: impl Into<PathBuf>,
        workflow: WorkflowRef,
    ) -> Self {
        Self {
            path: path.into(),
            output: output.into(),
            workflow,
            naming: default_naming(),
            plate_complete: default_plate_complete(),
            settle_secs: default_settle_secs(),
            mode: WatchMode::default(),
            poll_secs: default_poll_secs(),
            rescan_secs: default_rescan_secs(),
            existing: Existing::default(),
            ignore: Vec::new(),
            priority: 0,
            status_files: false,
            enabled: default_enabled(),
            layout: None,
        }
    }
}

/// How new files are noticed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum WatchMode {
    /// `native` on a local disk, `poll` on a network file system.
    #[default]
    Auto,
    /// The kernel's notification, with a scan from time to time.
    Native,
    /// Looking again and again; for network shares.
    Poll,
}

/// What happens with files that are there before the folder is watched for the first time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Existing {
    /// They are processed like new ones.
    #[default]
    Process,
    /// They are left alone.
    Ignore,
}

/// What a complete plate looks like. Give `wells`, or `rows` and `columns`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(transform = field_order::<Self>)]
pub struct Layout {
    /// The wells that are imaged.
    #[schemars(example = vec!["A01", "A02", "B01"])]
    pub wells: Vec<String>,
    /// Rows of the plate, if all its wells are imaged: 8 for 96 wells, 16 for 384.
    #[schemars(range(min = 1, max = 702), example = 8)]
    pub rows: Option<u32>,
    /// Columns of the plate, if all its wells are imaged: 12 for 96 wells, 24 for 384.
    #[schemars(range(min = 1, max = 999), example = 12)]
    pub columns: Option<u32>,
    /// Sites (fields of view) of a well.
    #[schemars(range(min = 1), example = 9)]
    pub sites: Option<u32>,
    /// Channels of a site.
    #[schemars(range(min = 1), example = 3)]
    pub channels: Option<u32>,
    /// Z-slices of a channel.
    #[schemars(range(min = 1), example = 1)]
    pub z_slices: Option<u32>,
    /// Timepoints of the plate.
    #[schemars(range(min = 1), example = 1)]
    pub timepoints: Option<u32>,
}
