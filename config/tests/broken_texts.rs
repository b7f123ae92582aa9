//! Whatever is done to a text: the answer is a workflow or an explanation, never a panic, and never after a long time.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::time::{Duration, Instant};

use config::{DaemonConfig, LoadOptions, WorkflowFile};

const GENERIC: &str = include_str!("workflows/generic.toml");
const FACILITY: &str = include_str!("../examples/wellspring.toml");

/// The text cut off everywhere, and with one byte replaced everywhere; whole characters only.
fn spoilt(text: &str) -> impl Iterator<Item = String> {
    let cut = (0..text.len())
        .filter(|i| text.is_char_boundary(*i))
        .map(|i| text[..i].to_owned());
    let replaced = text.char_indices().flat_map(|(i, c)| {
        ['"', '[', ']', '=', '\n', '.', '0', '{', 'é', '\0', '#'].map(|new| {
            let mut spoilt = text.to_owned();
            spoilt.replace_range(i..i + c.len_utf8(), &new.to_string());
            spoilt
        })
    });
    cut.chain(replaced)
}

#[test]
fn a_spoilt_workflow_is_read_or_explained() {
    let (mut read, mut explained) = (0, 0);
    // Every cut and every replacement would take minutes on a busy machine; 7 shares no factor with the 11 replacements.
    for text in spoilt(GENERIC).step_by(7) {
        match WorkflowFile::from_str(&text, Path::new("/base")) {
            Ok(workflow) => {
                let sent = serde_json::to_string(&workflow).unwrap();
                let received: WorkflowFile = serde_json::from_str(&sent).unwrap();
                assert_eq!(
                    received.to_canonical_json(),
                    workflow.to_canonical_json(),
                    "{text}"
                );
                read += 1;
            }
            Err(error) => {
                assert!(
                    !error.problems().is_empty() && !error.to_string().is_empty(),
                    "{text}"
                );
                explained += 1;
            }
        }
    }
    assert!(
        read > 200 && explained > 200,
        "{read} read, {explained} explained"
    );
}

#[test]
fn a_spoilt_configuration_is_read_or_explained() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wellspring.toml");
    // The workflow text has shown every byte; here every eleventh will do.
    for text in spoilt(FACILITY).step_by(11) {
        std::fs::write(&file, &text).unwrap();
        if let Err(error) = DaemonConfig::load(LoadOptions::new().file(&file)) {
            assert!(
                !error.problems().is_empty() && !error.to_string().is_empty(),
                "{text}"
            );
        }
    }
}

#[test]
fn a_hostile_text_takes_no_time() {
    let many_keys: String = (0..60_000).map(|i| format!("k{i} = 1\n")).collect();
    let one_line: String = (0..60_000).map(|i| format!("k{i}=1,")).collect();
    let head = "name = \"w\"\nversion = \"1\"\n[[job]]\nid = \"a\"\nkind = \"k\"\n";
    for text in [
        format!("{head}{many_keys}"),
        format!("{head}p = {{ {one_line} z=1 }}\n"),
        many_keys.clone(),
        format!("{head}p = {}", "[".repeat(100_000)),
        format!("{head}{}", "a.".repeat(100_000)),
    ] {
        // Seconds here, on a machine that has nothing else to do; hours if every line were compared with every other.
        let start = Instant::now();
        let result = WorkflowFile::from_str(&text, Path::new("/base"));
        let shown = result.map_or_else(|e| e.to_string(), |w| w.to_canonical_json());
        assert!(!shown.is_empty());
        assert!(
            start.elapsed() < Duration::from_secs(120),
            "{:?} for {}…",
            start.elapsed(),
            &text[text.len() - 20..]
        );
    }
}
