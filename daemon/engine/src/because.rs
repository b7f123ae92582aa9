//! Why a task was set back, in words.

use serde_json::Value;

/// The ingredients that differ, of its own key or of that of another job on which `job` depends, or the queue's own note;
/// `None` for a task that was not set back.
pub(crate) fn words(because: &Value, job: &str) -> Option<String> {
    let changed = because["changed"].as_array();
    if let Some(changed) = changed.filter(|all| !all.is_empty()) {
        let names: Vec<&str> = changed.iter().filter_map(Value::as_str).collect();
        let other = because["job"].as_str().filter(|other| *other != job);
        let of = other.map_or_else(String::new, |other| format!(" of {other}"));
        return Some(format!("changed: {}{of}", names.join(", ")));
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
        let changed = json!({ "job": "blur", "changed": ["parameters.sigma", "files"] });
        assert_eq!(
            words(&changed, "blur").as_deref(),
            Some("changed: parameters.sigma, files")
        );
        assert_eq!(
            words(&changed, "measure").as_deref(),
            Some("changed: parameters.sigma, files of blur")
        );
        assert_eq!(
            words(&json!({ "requeued": true }), "blur").as_deref(),
            Some("requeued")
        );
        assert_eq!(
            words(&json!({ "plate": "stale" }), "blur").as_deref(),
            Some("{\"plate\":\"stale\"}")
        );
        assert_eq!(words(&json!(null), "blur"), None);
        assert_eq!(words(&json!({}), "blur"), None);
    }
}
