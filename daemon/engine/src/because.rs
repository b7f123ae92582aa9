//! Why a task was set back, in words.

use serde_json::Value;

/// The ingredients of its key that differ, or the queue's own note; `None` for a task that was not set back.
pub(crate) fn words(because: &Value) -> Option<String> {
    let changed = because["changed"].as_array();
    if let Some(changed) = changed.filter(|all| !all.is_empty()) {
        let names: Vec<&str> = changed.iter().filter_map(Value::as_str).collect();
        return Some(format!("changed: {}", names.join(", ")));
    }
    if because["requeued"] == true {
        return Some("requeued".to_owned());
    }
    because.as_object().filter(|all| !all.is_empty())?;
    Some(because.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reasons_are_words() {
        let changed = json!({ "changed": ["parameters.sigma", "upstream.blur"] });
        assert_eq!(
            words(&changed).as_deref(),
            Some("changed: parameters.sigma, upstream.blur")
        );
        assert_eq!(
            words(&json!({ "requeued": true })).as_deref(),
            Some("requeued")
        );
        assert_eq!(
            words(&json!({ "plate": "stale" })).as_deref(),
            Some("{\"plate\":\"stale\"}")
        );
        assert_eq!(words(&json!(null)), None);
        assert_eq!(words(&json!({})), None);
    }
}
