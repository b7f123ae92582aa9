//! Messages between daemon and worker.

use std::io::BufRead;

use worker::{FromWorker, ToWorker};

/// Lines for a worker. Passes are only read: running them would write where they say.
pub(super) fn to_worker(input: &[u8]) {
    let mut lines = Vec::new();
    for line in input.split(|byte| *byte == b'\n') {
        match serde_json::from_slice::<ToWorker>(line) {
            Ok(ToWorker::Pass { request, .. }) => {
                let text = serde_json::to_string(&request).unwrap_or_default();
                assert!(serde_json::from_str::<workflow::pass::PassRequest>(&text).is_ok());
            }
            _ => lines.extend([line, b"\n"].concat()),
        }
    }
    let mut answers = Vec::new();
    // Not an error of the worker: its input ended, or is no text.
    let _ = worker::serve(lines.as_slice(), &mut answers, None);
    for answer in answers.lines().map_while(Result::ok) {
        assert!(
            serde_json::from_str::<FromWorker>(&answer).is_ok(),
            "{answer}"
        );
    }
}

/// Lines from a worker that may have been taken over.
pub(super) fn from_worker(input: &[u8]) {
    for line in input.split(|byte| *byte == b'\n') {
        if let Ok(message) = serde_json::from_slice::<FromWorker>(line) {
            let text = serde_json::to_string(&message).unwrap_or_default();
            assert!(serde_json::from_str::<FromWorker>(&text).is_ok(), "{text}");
        }
    }
}
