//! The daemon's configuration.

mod check;
mod complete_rule;
mod environment;
mod load;
mod loaded;
mod merge;
mod overlap;
mod recipient;
mod resolve;
mod root;
mod sections;
mod validate;
mod workflow_ref;

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use environment::environment_variables;

pub use load::LoadOptions;
pub use loaded::{Entry, Loaded, Origin};
pub use recipient::{Email, MailTls, Occasion, Recipient, WebhookFormat};
pub use root::{Existing, Layout, Root, WatchMode};
pub use sections::{Log, LogFormat, Server, State, Workers};
pub use workflow_ref::WorkflowRef;

use crate::schema::field_order;

/// The daemon's configuration: `/etc/wellspring/wellspring.toml`, then `conf.d/*.toml` beside it in the order of their
/// names. A later file overrides single options and adds its `[[root]]` and
/// `[[notify]]` blocks to those before.
///
/// Relative paths are relative to the folder of the file in which they are written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(transform = field_order::<Self>)]
pub struct DaemonConfig {
    /// Folders in which a workflow that is given by its name is looked up, the first that has `<name>.toml` wins.
    #[schemars(with = "Vec<String>")]
    pub workflow_dirs: Vec<PathBuf>,
    /// Where the daemon keeps its queue and its caches.
    pub state: State,
    /// The HTTP API and the web page.
    pub server: Server,
    /// The processes that do the work, and the limits of one attempt.
    pub workers: Workers,
    /// What the daemon tells about its work.
    pub log: Log,
    /// A watched folder. Write one `[[root]]` block for each.
    #[serde(rename = "root")]
    pub roots: Vec<Root>,
    /// Who is told what becomes of the plates. Write one `[[notify]]` block for each, with one of `webhook_file`, `webhook` and
    /// `[notify.email]`. A message is kept in the queue until it is delivered; what cannot be delivered is tried again, for
    /// about three days. No plate waits for it. `wellspring notify test` sends a test message.
    #[serde(rename = "notify")]
    pub recipients: Vec<Recipient>,
}

impl Default for DaemonConfig {
    fn default() -> Self {
        Self {
            workflow_dirs: vec![
                "/etc/wellspring/workflows".into(),
                "/usr/share/wellspring/workflows".into(),
            ],
            state: State::default(),
            server: Server::default(),
            workers: Workers::default(),
            log: Log::default(),
            roots: Vec::new(),
            recipients: Vec::new(),
        }
    }
}

impl DaemonConfig {
    /// Where a workflow is: the path itself, or the first `<name>.toml` in [`Self::workflow_dirs`] that exists.
    #[must_use]
    pub fn find_workflow(&self, workflow: &WorkflowRef) -> Option<PathBuf> {
        match workflow {
            WorkflowRef::Path(path) => path.is_file().then(|| path.clone()),
            WorkflowRef::Name(name) => self
                .workflow_dirs
                .iter()
                .map(|dir| dir.join(format!("{name}.toml")))
                .find(|path| path.is_file()),
        }
    }
}
