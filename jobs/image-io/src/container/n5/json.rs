//! `attributes.json`: attributes as JSON, as z5py writes them.

use std::path::Path;

use serde_json::{Map, Value};

use super::folder::Folder;
use super::{ATTRIBUTES, damaged, failed};
use crate::Result;
use crate::container::Attribute;

/// Larger files are neither read nor written.
pub const MOST_BYTES: u64 = 16 << 20;

/// Reads the attributes of a group or dataset; none if it has no such file. `at` is its path in the container `root`.
pub fn read(folder: &Folder, root: &Path, at: &str) -> Result<Option<Map<String, Value>>> {
    let at = format!("{}/{ATTRIBUTES}", at.trim_matches('/'));
    let at = at.trim_start_matches('/');
    let bytes = folder
        .read(ATTRIBUTES, MOST_BYTES)
        .map_err(|e| failed(root, at, e))?;
    let Some(bytes) = bytes else {
        return Ok(None);
    };
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|e| damaged(root, at, e))
}

/// A value as JSON. What is no number (NaN, infinite) becomes `null`, because JSON has no word for it. `None` for what cannot
/// be written.
pub fn from_attribute(value: &Attribute) -> Option<Value> {
    Some(match value {
        Attribute::Bool(v) => (*v).into(),
        Attribute::Int(v) => (*v).into(),
        Attribute::Float(v) => (*v).into(),
        Attribute::Text(v) => v.as_str().into(),
        Attribute::Ints(v) => v.as_slice().into(),
        Attribute::Floats(v) => v.as_slice().into(),
        Attribute::Texts(v) => v.as_slice().into(),
        Attribute::Unreadable(_) => return None,
    })
}

/// The attribute that a JSON value stands for.
pub fn to_attribute(value: &Value) -> Attribute {
    match value {
        Value::Null => Attribute::Float(f64::NAN),
        Value::Bool(v) => Attribute::Bool(*v),
        Value::Number(v) => match v.as_i64() {
            Some(whole) => Attribute::Int(whole),
            None => Attribute::Float(v.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(v) => Attribute::Text(v.clone()),
        Value::Array(list) => of_list(list),
        Value::Object(_) => Attribute::Unreadable("a JSON object".to_owned()),
    }
}

fn of_list(list: &[Value]) -> Attribute {
    let mut flat = Vec::new();
    flatten(list, &mut flat);
    if let Some(texts) = flat.iter().map(|v| v.as_str().map(str::to_owned)).collect()
        && !flat.is_empty()
    {
        return Attribute::Texts(texts);
    }
    let whole = |v: &&Value| v.as_i64().or_else(|| v.as_bool().map(i64::from));
    if let Some(ints) = flat.iter().map(whole).collect() {
        return Attribute::Ints(ints);
    }
    let real = |v: &&Value| match v {
        Value::Null => Some(f64::NAN),
        other => other.as_f64(),
    };
    match flat.iter().map(real).collect() {
        Some(floats) => Attribute::Floats(floats),
        None => Attribute::Unreadable("a list of unlike values".to_owned()),
    }
}

fn flatten<'v>(list: &'v [Value], out: &mut Vec<&'v Value>) {
    for value in list {
        match value {
            Value::Array(inner) => flatten(inner, out),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn attributes_come_back_with_their_types() {
        for attribute in [
            Attribute::Bool(true),
            Attribute::Int(-3),
            Attribute::Float(1.0),
            Attribute::Float(1e300),
            Attribute::from("DAPI µ \"x\""),
            Attribute::Ints(vec![1, 2]),
            Attribute::Floats(vec![7.0, 7.5]),
            Attribute::Texts(vec!["a".into(), "b".into()]),
        ] {
            let text = from_attribute(&attribute).unwrap().to_string();
            assert_eq!(
                to_attribute(&serde_json::from_str(&text).unwrap()),
                attribute,
                "{text}"
            );
        }
        let nan = from_attribute(&Attribute::Floats(vec![f64::NAN, 1.0])).unwrap();
        assert_eq!(nan.to_string(), "[null,1.0]");
        assert!(
            matches!(to_attribute(&nan), Attribute::Floats(v) if v[0].is_nan() && v.len() == 2)
        );
    }

    #[test]
    fn other_peoples_values_are_read() {
        let read = |text: &str| to_attribute(&serde_json::from_str(text).unwrap());
        assert_eq!(read("[[1, 2], [3]]"), Attribute::Ints(vec![1, 2, 3]));
        assert_eq!(read("[true, false]"), Attribute::Ints(vec![1, 0]));
        assert_eq!(read("[1, 0.5]"), Attribute::Floats(vec![1.0, 0.5]));
        assert_eq!(read("[]"), Attribute::Ints(vec![]));
        assert_eq!(
            read("18446744073709551615"),
            Attribute::Float(18_446_744_073_709_551_615.0)
        );
        for text in ["{}", "[1, \"a\"]", "[{}]"] {
            assert!(matches!(read(text), Attribute::Unreadable(_)), "{text}");
        }
    }
}
