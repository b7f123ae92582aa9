//! A schema as the flat list of options that people see.

use serde_json::Value;

use super::order::properties;

/// One option: a key that holds a value, not a section.
#[derive(Debug)]
pub(crate) struct SchemaOption<'a> {
    /// Dotted key; an element of an array of tables is `[]`: `root[].path`.
    pub(crate) key: String,
    /// The option's own schema.
    pub(crate) schema: &'a Value,
    /// Whether a file without it is refused.
    pub(crate) required: bool,
}

/// What a value may be written as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) boolean: bool,
    pub(crate) integer: bool,
    pub(crate) text: bool,
    pub(crate) list: bool,
}

/// All options of a schema, in the order of the source.
pub(crate) fn options(schema: &Value) -> Vec<SchemaOption<'_>> {
    let mut out = Vec::new();
    collect(schema, "", &mut out);
    out
}

fn collect<'a>(schema: &'a Value, prefix: &str, out: &mut Vec<SchemaOption<'a>>) {
    let required = schema.get("required").and_then(Value::as_array);
    for (name, property) in properties(schema) {
        let key = if prefix.is_empty() {
            name.to_owned()
        } else {
            format!("{prefix}.{name}")
        };
        if let Some(section) = section(property) {
            collect(section, &key, out);
        } else if let Some(element) = property.get("items").and_then(section) {
            collect(element, &format!("{key}[]"), out);
        } else {
            let required = required.is_some_and(|list| list.iter().any(|r| r == name));
            out.push(SchemaOption {
                key,
                schema: property,
                required,
            });
        }
    }
}

/// The schema of a table with known keys: the schema itself, or the one branch of an optional table.
pub(crate) fn section(schema: &Value) -> Option<&Value> {
    if schema.get("properties").is_some() {
        return Some(schema);
    }
    let branches = schema.get("anyOf").and_then(Value::as_array)?;
    let optional = branches
        .iter()
        .any(|b| b.get("type").is_some_and(|t| t == "null"));
    branches
        .iter()
        .find(|b| optional && b.get("properties").is_some())
}

/// The text of a section such as `server`, `root[]` or `root[].layout`.
pub(crate) fn section_description<'a>(schema: &'a Value, place: &str) -> &'a str {
    let mut description = "";
    let mut inside = Some(schema);
    for part in place.split('.') {
        let Some(property) =
            inside.and_then(|schema| schema.get("properties")?.get(part.trim_end_matches("[]")))
        else {
            return "";
        };
        description = property
            .get("description")
            .and_then(Value::as_str)
            .unwrap_or_default();
        inside = property.get("items").or_else(|| section(property));
    }
    description
}

/// The words that a value must be one of, with what each means; `None` where the value is free.
pub(crate) fn words(schema: &Value) -> Option<Vec<(&str, &str)>> {
    if let Some(list) = schema.get("enum").and_then(Value::as_array) {
        return Some(
            list.iter()
                .filter_map(Value::as_str)
                .map(|word| (word, ""))
                .collect(),
        );
    }
    if let Some(word) = schema.get("const").and_then(Value::as_str) {
        return Some(vec![(
            word,
            schema
                .get("description")
                .and_then(Value::as_str)
                .unwrap_or_default(),
        )]);
    }
    let branches = ["oneOf", "anyOf"]
        .iter()
        .find_map(|key| schema.get(key).and_then(Value::as_array))?;
    let mut all = Vec::new();
    for branch in branches
        .iter()
        .filter(|b| b.get("type").is_none_or(|t| t != "null"))
    {
        all.extend(words(branch)?);
    }
    Some(all)
}

impl SchemaOption<'_> {
    /// What the value may be written as.
    pub(crate) fn kind(&self) -> Kind {
        let mut kind = Kind::default();
        note(self.schema, &mut kind);
        kind
    }

    /// The text of the option.
    pub(crate) fn description(&self) -> &str {
        self.schema
            .get("description")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// The default; `None` where there is none.
    pub(crate) fn default(&self) -> Option<&Value> {
        self.schema
            .get("default")
            .filter(|v| !v.is_null() && *v != "")
    }

    /// A value to show where there is no default.
    pub(crate) fn example(&self) -> Option<&Value> {
        self.schema.get("examples").and_then(|e| e.get(0))
    }

    /// The last part of the key.
    pub(crate) fn name(&self) -> &str {
        self.key.rsplit('.').next().unwrap_or(&self.key)
    }
}

fn note(schema: &Value, kind: &mut Kind) {
    let types = match schema.get("type") {
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(one)) => vec![one.as_str()],
        _ => Vec::new(),
    };
    for name in types {
        match name {
            "boolean" => kind.boolean = true,
            "integer" => kind.integer = true,
            "string" => kind.text = true,
            "array" => kind.list = true,
            _ => {}
        }
    }
    kind.text |= schema.get("const").is_some_and(Value::is_string) || schema.get("enum").is_some();
    for branch in ["oneOf", "anyOf"]
        .iter()
        .filter_map(|key| schema.get(key).and_then(Value::as_array))
        .flatten()
    {
        note(branch, kind);
    }
}
