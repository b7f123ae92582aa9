//! The order of the fields as they stand in the source, which JSON objects do not keep.

use schemars::Schema;
use serde::de::{DeserializeOwned, Deserializer, Error as _, Visitor};
use serde_json::{Map, Value};

use crate::workflow::JOB_KEYS;

/// Where the order is stored in a schema.
const KEY: &str = "x-order";

/// A schemars transform: notes the order of the fields of `T`.
pub(crate) fn field_order<T: DeserializeOwned>(schema: &mut Schema) {
    let mut names: &'static [&'static str] = &[];
    // The deserialiser refuses by design, after it has been told the names.
    let _refused = T::deserialize(Probe(&mut names)).is_err();
    schema.insert(KEY.to_owned(), names.into());
}

/// The same for a job, whose open parameters hide its field names from serde.
pub(crate) fn job_key_order(schema: &mut Schema) {
    schema.insert(KEY.to_owned(), JOB_KEYS.as_slice().into());
}

/// The properties of an object schema in the order of the source.
pub(crate) fn properties(schema: &Value) -> Vec<(&str, &Value)> {
    let Some(map) = schema.get("properties").and_then(Value::as_object) else {
        return Vec::new();
    };
    match schema.get(KEY).and_then(Value::as_array) {
        Some(order) => order
            .iter()
            .filter_map(Value::as_str)
            .filter_map(|name| find(map, name))
            .collect(),
        None => map
            .iter()
            .map(|(name, value)| (name.as_str(), value))
            .collect(),
    }
}

fn find<'a>(map: &'a Map<String, Value>, name: &str) -> Option<(&'a str, &'a Value)> {
    map.get_key_value(name)
        .map(|(name, value)| (name.as_str(), value))
}

struct Probe<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = serde::de::value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(Self::Error::custom("only asked for field names"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        *self.0 = fields;
        self.deserialize_any(visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// A schema whose order left a field out would silently leave it out of the reference too.
    fn assert_complete(schema: &Value, at: &str) {
        if let Some(map) = schema.get("properties").and_then(Value::as_object) {
            assert_eq!(
                properties(schema).len(),
                map.len(),
                "order of `{at}` is incomplete"
            );
            for (name, value) in map {
                assert_complete(value, &format!("{at}.{name}"));
            }
        }
        for key in ["items", "anyOf", "oneOf"] {
            match schema.get(key) {
                Some(Value::Array(branches)) => {
                    branches.iter().for_each(|s| assert_complete(s, at));
                }
                Some(inner) => assert_complete(inner, at),
                None => {}
            }
        }
    }

    #[test]
    fn every_field_has_its_place() {
        assert_complete(crate::schema::daemon(), "");
        assert_complete(crate::schema::workflow(), "");
        let names: Vec<&str> = properties(&crate::schema::daemon()["properties"]["state"])
            .into_iter()
            .map(|(n, _)| n)
            .collect();
        assert_eq!(
            names,
            [
                "dir",
                "allow_network",
                "min_free",
                "keep_days",
                "keep_plates_days"
            ]
        );
    }
}
