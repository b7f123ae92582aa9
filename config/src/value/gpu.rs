//! Which accelerator the workers may use.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// `"auto"`, `"off"`, or (a part of) the name of an adapter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Gpu {
    /// The best real GPU, or none; never a software renderer.
    #[default]
    Auto,
    /// The CPU only.
    Off,
    /// The adapter whose name contains this text.
    Named(String),
}

impl From<&str> for Gpu {
    /// `auto` and `off` in any case; everything else is a name.
    fn from(text: &str) -> Self {
        if text.eq_ignore_ascii_case("auto") {
            Self::Auto
        } else if text.eq_ignore_ascii_case("off") {
            Self::Off
        } else {
            Self::Named(text.to_owned())
        }
    }
}

impl FromStr for Gpu {
    type Err = &'static str;

    /// For the command line, where an empty variable must not mean the first adapter of all.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.trim().is_empty() {
            return Err("write auto, off or a part of the adapter's name");
        }
        Ok(text.into())
    }
}

impl fmt::Display for Gpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Off => "off",
            Self::Named(name) => name,
        })
    }
}

impl Serialize for Gpu {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Gpu {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // An empty one is refused with its place, where the whole configuration is checked.
        Ok(String::deserialize(deserializer)?.as_str().into())
    }
}

impl JsonSchema for Gpu {
    fn schema_name() -> Cow<'static, str> {
        "Gpu".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}
