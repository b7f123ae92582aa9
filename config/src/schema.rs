//! JSON schemas of both kinds of file, and the questions that the rest of the crate asks them.

mod option;
mod order;
mod unknown;

use std::sync::OnceLock;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

pub(crate) use option::{Kind, SchemaOption, options, section_description, words};
pub(crate) use order::{field_order, job_key_order};
pub(crate) use unknown::unknown_keys;

use crate::daemon::DaemonConfig;
use crate::workflow::WorkflowFile;

/// The JSON schema (draft 2020-12) of the daemon's configuration, for editors and for the reference.
#[must_use]
pub fn schema_daemon() -> Value {
    daemon().clone()
}

/// The JSON schema (draft 2020-12) of a workflow file. The parameters of a job depend on its kind and are left open.
#[must_use]
pub fn schema_workflow() -> Value {
    workflow().clone()
}

pub(crate) fn daemon() -> &'static Value {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    SCHEMA.get_or_init(generate::<DaemonConfig>)
}

pub(crate) fn workflow() -> &'static Value {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    SCHEMA.get_or_init(generate::<WorkflowFile>)
}

/// Everything inline: no file type contains itself, and a tree without references is easier to walk.
fn generate<T: JsonSchema>() -> Value {
    SchemaSettings::draft2020_12()
        .with(|s| s.inline_subschemas = true)
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}
