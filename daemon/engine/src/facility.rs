//! The watched folders with everything about them resolved: naming scheme, rules, workflow.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use config::{ChannelRole, WorkflowFile};
use plate::{ChannelMapping, CompleteRule, Layout, NamingScheme, PlateFormat};
use queue::RootId;
use workflow::Workflow;

use crate::error::{Error, Result};
use crate::hash::hash_bytes;
use crate::lock::lock;
use crate::output::Output;

/// A workflow in the two forms that are needed: compiled for planning, as a file for the workers.
pub struct Prepared {
    /// Hash of the file's canonical form.
    pub id: String,
    /// The file, `extends` resolved.
    pub file: WorkflowFile,
    /// The compiled form.
    pub workflow: Arc<Workflow>,
}

impl Prepared {
    /// Compiles a workflow file.
    ///
    /// # Errors
    /// All mistakes of the file.
    pub fn new(mut file: WorkflowFile) -> Result<Self> {
        workflow::resolve_files(&mut file);
        let workflow = Workflow::compile(&file).map_err(|errors| Error::Workflow {
            name: file.name.clone(),
            mistakes: errors.iter().map(ToString::to_string).collect(),
        })?;
        let id = hash_bytes(file.to_canonical_json().as_bytes());
        Ok(Self {
            id,
            file,
            workflow: Arc::new(workflow),
        })
    }
}

/// One watched folder.
pub struct RootSettings {
    /// Its number in the queue.
    pub id: RootId,
    /// The folder.
    pub path: PathBuf,
    /// Where results go.
    pub output: PathBuf,
    /// How file names are read.
    pub naming: NamingScheme,
    /// When a plate has all it will get.
    pub rules: Vec<CompleteRule>,
    /// What a complete plate looks like, where that is configured.
    pub layout: Option<Layout>,
    /// The size of its plates, where the layout says it.
    pub format: Option<PlateFormat>,
    /// What is done with the images.
    pub prepared: Arc<Prepared>,
    /// Files last written before this time (when the root was first watched; nanoseconds since 1970) are left alone; `None`: all
    /// are taken.
    pub ignore_before: Option<i64>,
    /// Tasks with a larger one are run first.
    pub priority: i64,
    /// Whether BatchLib's status files are written for plates that have ended.
    pub status_files: bool,
    /// Attempts before a transient failure is final, where the job does not say.
    pub max_attempts: u32,
    /// The folder that receives its results, where it is guarded.
    pub guard: Option<Arc<Output>>,
    /// Whether somebody watches the folder, and so finds out what became of a file that is missing.
    pub watched: bool,
}

type Variant = (u64, SystemTime, Arc<Prepared>);

/// All watched folders.
#[derive(Default)]
pub struct Facility {
    roots: Vec<Arc<RootSettings>>,
    variants: Mutex<HashMap<(RootId, PathBuf), Variant>>,
}

impl Facility {
    /// A facility of these folders.
    #[must_use]
    pub fn new(roots: Vec<RootSettings>) -> Self {
        Self {
            roots: roots.into_iter().map(Arc::new).collect(),
            variants: Mutex::default(),
        }
    }

    /// The folders.
    #[must_use]
    pub fn roots(&self) -> &[Arc<RootSettings>] {
        &self.roots
    }

    /// One folder.
    #[must_use]
    pub fn root(&self, id: RootId) -> Option<&Arc<RootSettings>> {
        self.roots.iter().find(|r| r.id == id)
    }

    /// The workflow as it applies to a plate: a `channel_mapping.json` in the plate's folder wins over `[channels]`.
    ///
    /// # Errors
    /// The mapping cannot be read, or the workflow does not fit it; the text names the file.
    pub fn workflow_for(
        &self,
        root: &RootSettings,
        directory: &Path,
    ) -> Result<Arc<Prepared>, String> {
        let folder = root.path.join(directory);
        let Ok(meta) = std::fs::metadata(folder.join(plate::channel_mapping::FILE_NAME)) else {
            return Ok(Arc::clone(&root.prepared));
        };
        let stamp = (
            meta.len(),
            meta.modified().unwrap_or(SystemTime::UNIX_EPOCH),
        );
        let key = (root.id, directory.to_owned());
        let mut variants = lock(&self.variants);
        if let Some((size, at, prepared)) = variants.get(&key)
            && (*size, *at) == stamp
        {
            return Ok(Arc::clone(prepared));
        }
        let mapping = ChannelMapping::read(&folder).map_err(|e| e.to_string())?;
        let mut file = root.prepared.file.clone();
        file.channels = mapping
            .iter()
            .map(|(channel, role)| {
                (
                    channel.to_owned(),
                    role.map_or(ChannelRole::Drop, |r| ChannelRole::Role(r.to_owned())),
                )
            })
            .collect();
        let prepared = Prepared::new(file).map_err(|e| {
            format!(
                "with the channels of `{}`: {e}",
                folder.join(plate::channel_mapping::FILE_NAME).display()
            )
        })?;
        let prepared = Arc::new(prepared);
        variants.insert(key, (stamp.0, stamp.1, Arc::clone(&prepared)));
        Ok(prepared)
    }
}
