//! Says which parts of two JSON values differ: which ingredient of a key changed.

use std::collections::BTreeSet;

use serde_json::Value;

/// Dotted names of the parts that differ, in order, for example `parameters.sigma` or `inputs.2`.
///
/// Objects and arrays are compared part by part; a part that one side lacks counts as different. The whole
/// value differing is reported as an empty name.
#[must_use]
pub fn difference(before: &Value, after: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare(before, after, &mut String::new(), &mut found);
    found
}

fn compare(before: &Value, after: &Value, name: &mut String, found: &mut Vec<String>) {
    if before == after {
        return;
    }
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
            for key in keys {
                let parts = (
                    before.get(key).unwrap_or(&Value::Null),
                    after.get(key).unwrap_or(&Value::Null),
                );
                within(name, key, |name| compare(parts.0, parts.1, name, found));
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            for index in 0..before.len().max(after.len()) {
                let parts = (
                    before.get(index).unwrap_or(&Value::Null),
                    after.get(index).unwrap_or(&Value::Null),
                );
                within(name, &index.to_string(), |name| {
                    compare(parts.0, parts.1, name, found);
                });
            }
        }
        _ => found.push(name.clone()),
    }
}

fn within(name: &mut String, part: &str, inner: impl FnOnce(&mut String)) {
    let length = name.len();
    if !name.is_empty() {
        name.push('.');
    }
    name.push_str(part);
    inner(name);
    name.truncate(length);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::difference;

    #[test]
    fn names_the_parts_that_differ() {
        let before = json!({ "kind": "a", "parameters": { "sigma": 1.0, "radius": 3 }, "inputs": ["x", "y"] });
        let after = json!({ "kind": "a", "parameters": { "sigma": 2.0, "radius": 3 }, "inputs": ["x", "z", "w"] });
        assert_eq!(
            difference(&before, &after),
            ["inputs.1", "inputs.2", "parameters.sigma"]
        );
        assert_eq!(difference(&before, &before), Vec::<String>::new());
        assert_eq!(difference(&json!({ "model": "h1" }), &json!({})), ["model"]);
        assert_eq!(difference(&json!(1), &json!("1")), [""]);
    }
}
