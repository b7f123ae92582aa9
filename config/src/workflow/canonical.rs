//! One text for one meaning.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use super::WorkflowFile;

impl WorkflowFile {
    /// The workflow as JSON in one canonical form: defaults filled in, keys sorted, no spaces.
    /// Two files with the same meaning give the same text.
    ///
    /// It holds neither `extends` (which is folded in) nor the places of the files, so a relative path in a parameter is
    /// told apart by its text only.
    #[must_use]
    pub fn to_canonical_json(&self) -> String {
        let plain = Self {
            extends: None,
            base_dir: PathBuf::new(),
            inherited_dirs: BTreeMap::new(),
            ..self.clone()
        };
        // Through TOML, whose numbers JSON would lose; a job is the only place with open values.
        let value = toml::Value::try_from(&plain).expect("a workflow was TOML before");
        let mut out = String::new();
        write(&json(&value), &mut out);
        out
    }
}

fn json(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.as_str().into(),
        toml::Value::Integer(n) => (*n).into(),
        // Validation refuses those that JSON does not have; if one came another way, it must not vanish.
        toml::Value::Float(x) => {
            if x.is_finite() {
                (*x).into()
            } else {
                x.to_string().into()
            }
        }
        toml::Value::Boolean(b) => (*b).into(),
        toml::Value::Datetime(d) => d.to_string().into(),
        toml::Value::Array(items) => items.iter().map(json).collect(),
        toml::Value::Table(table) => table.iter().map(|(k, v)| (k.clone(), json(v))).collect(),
    }
}

/// `serde_json` sorts keys only as long as no crate of the whole build asks it not to.
fn write(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort_unstable();
            out.push('{');
            for (i, key) in keys.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                write(&map[key], out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}
