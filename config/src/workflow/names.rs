//! What a job reads or writes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Names of images, label images or tables: one, several for the job's first port, or a table from port to name.
///
/// `input = "nuclei"`, `input = ["marker", "serum_IgG"]`, `input = { seeds = "nuclei", images = ["a", "b"] }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Names {
    /// One name for the first port.
    One(String),
    /// Several names for the first port.
    Many(Vec<String>),
    /// The names of each port; a single name is a list of one.
    Ports(BTreeMap<String, Vec<String>>),
}

impl Names {
    /// All names, those of a table in the order of its ports' names.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let (one, many, ports) = match self {
            Self::One(name) => (Some(name), None, None),
            Self::Many(list) => (None, Some(list), None),
            Self::Ports(table) => (None, None, Some(table)),
        };
        one.into_iter()
            .chain(many.into_iter().flatten())
            .chain(ports.into_iter().flat_map(|table| table.values().flatten()))
            .map(String::as_str)
    }
}

impl Serialize for Names {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::One(name) => serializer.serialize_str(name),
            Self::Many(list) => list.serialize(serializer),
            Self::Ports(table) => serializer.collect_map(
                table
                    .iter()
                    .map(|(port, list)| (port, OneOrMany(list.clone()))),
            ),
        }
    }
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyNames;
        impl<'de> Visitor<'de> for AnyNames {
            type Value = Names;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name, a list of names, or a table such as { seeds = \"nuclei\" }")
            }
            fn visit_str<E: Error>(self, name: &str) -> Result<Names, E> {
                Ok(Names::One(name.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Names, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(Names::Many)
            }
            fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<Names, A::Error> {
                let table =
                    BTreeMap::<String, OneOrMany>::deserialize(MapAccessDeserializer::new(table))?;
                Ok(Names::Ports(
                    table
                        .into_iter()
                        .map(|(port, names)| (port, names.0))
                        .collect(),
                ))
            }
        }
        deserializer.deserialize_any(AnyNames)
    }
}

impl JsonSchema for Names {
    fn schema_name() -> Cow<'static, str> {
        "Names".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let name = json_schema!({ "type": "string" });
        let list = json_schema!({ "type": "array", "items": { "type": "string" } });
        json_schema!({ "anyOf": [name, list, { "type": "object", "additionalProperties": { "anyOf": [name, list] } }] })
    }
}

/// A single name is a list of one.
struct OneOrMany(Vec<String>);

impl Serialize for OneOrMany {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [one] => serializer.serialize_str(one),
            list => list.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOrList;
        impl<'de> Visitor<'de> for NameOrList {
            type Value = OneOrMany;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name or a list of names")
            }
            fn visit_str<E: Error>(self, name: &str) -> Result<OneOrMany, E> {
                Ok(OneOrMany(vec![name.to_owned()]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<OneOrMany, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(OneOrMany)
            }
        }
        deserializer.deserialize_any(NameOrList)
    }
}
