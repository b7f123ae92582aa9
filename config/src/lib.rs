//! What people write: the daemon's configuration and workflow files, as typed TOML.
//!
//! * [`DaemonConfig`] is `/etc/wellspring/wellspring.toml` with its `conf.d/*.toml`, the environment and the command
//!   line on top; [`DaemonConfig::load`] also says where each value came from ([`Loaded::origins`]).
//! * [`WorkflowFile`] is one workflow, with the file that it `extends` already folded in.
//!
//! Both answer a mistake with a [`Problem`]: file, line, column, the line itself with a caret, what is wrong, and what to
//! write instead. All mistakes of a file are reported together.
//!
//! The doc comments of the fields are the only text about an option: [`reference_markdown`], [`commented_default`] and
//! the JSON schemas ([`schema_daemon`], [`schema_workflow`]) are all rendered from them.

mod commented;
mod daemon;
mod document;
mod error;
mod private_file;
mod problem;
mod reference;
mod schema;
mod suggest;
mod value;
mod workflow;

pub use commented::commented_default;
pub use daemon::{
    DaemonConfig, Email, Entry, Existing, Layout, LoadOptions, Loaded, Log, LogFormat, MailTls,
    Occasion, Origin, Recipient, Root, Server, State, WatchMode, WebhookFormat, Workers,
    WorkflowRef,
};
pub use error::{ConfigError, ErrorClass};
pub use private_file::{Unfit, first_line_of_private_file};
pub use problem::{Location, Place, Problem, Severity};
pub use reference::reference_markdown;
pub use schema::{schema_daemon, schema_workflow};
pub use suggest::did_you_mean;
pub use value::{ByteSize, Count, Gpu, Secret};
pub use workflow::{
    ChannelRole, Container, ContainerFormat, JOB_KEYS, JobConfig, Names, Projection, Scope,
    WorkflowFile, ZSlices,
};
