//! Which workflow a root uses.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A workflow by its name (looked up in `workflow_dirs`) or by its path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum WorkflowRef {
    /// A name.
    Name(String),
    /// The path of a workflow file.
    Path(PathBuf),
}

impl From<&str> for WorkflowRef {
    /// Text with a `/` or the ending `.toml` is a path, anything else a name.
    fn from(text: &str) -> Self {
        let is_path =
            text.contains('/') || Path::new(text).extension().is_some_and(|e| e == "toml");
        if is_path {
            Self::Path(text.into())
        } else {
            Self::Name(text.to_owned())
        }
    }
}

impl fmt::Display for WorkflowRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Path(path) => path.display().fmt(f),
        }
    }
}

impl Serialize for WorkflowRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for WorkflowRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self::from(text.as_str()))
    }
}

impl JsonSchema for WorkflowRef {
    fn schema_name() -> Cow<'static, str> {
        "WorkflowRef".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}
