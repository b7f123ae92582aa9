//! The role of a microscope channel.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a microscope channel is called in the workflow, or that it is dropped.
///
/// TOML has no `null`, which is how BatchLib's `channel_mapping.json` drops a channel: `false` and `""` stand for it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ChannelRole {
    /// The channel takes this role.
    Role(String),
    /// The channel is not used.
    Drop,
}

impl ChannelRole {
    /// The role; `None` where the channel is dropped.
    #[must_use]
    pub fn role(&self) -> Option<&str> {
        match self {
            Self::Role(role) => Some(role),
            Self::Drop => None,
        }
    }
}

impl Serialize for ChannelRole {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Role(role) => serializer.serialize_str(role),
            Self::Drop => serializer.serialize_bool(false),
        }
    }
}

impl<'de> Deserialize<'de> for ChannelRole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RoleOrFalse;
        impl Visitor<'_> for RoleOrFalse {
            type Value = ChannelRole;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a role in quotes, or `false` to drop the channel")
            }
            fn visit_str<E: Error>(self, role: &str) -> Result<ChannelRole, E> {
                Ok(if role.is_empty() {
                    ChannelRole::Drop
                } else {
                    ChannelRole::Role(role.to_owned())
                })
            }
            fn visit_bool<E: Error>(self, keep: bool) -> Result<ChannelRole, E> {
                if keep {
                    Err(E::invalid_value(Unexpected::Bool(true), &self))
                } else {
                    Ok(ChannelRole::Drop)
                }
            }
        }
        deserializer.deserialize_any(RoleOrFalse)
    }
}

impl JsonSchema for ChannelRole {
    fn schema_name() -> Cow<'static, str> {
        "ChannelRole".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "string" }, { "const": false }] })
    }
}
