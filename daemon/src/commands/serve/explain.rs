//! Where a file stands: what the watching sees of it now, and what the queue has recorded.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use engine::Engine;
use jiff::Timestamp;
use queue::{FileRow, RootRow, SubjectState};
use serde_json::{Map, Value, json};
use watch::FileStatus;

/// Everything that is known about a path; nothing if it lies below no root.
pub fn explain(engine: &Engine, path: &Path) -> Option<Value> {
    let (root, status) = engine.explain_path(path)?;
    let roots = engine.store().roots().unwrap_or_default();
    let root = roots.into_iter().find(|row| row.id == root)?;
    let relative = path.strip_prefix(&root.path).ok()?;
    let file = engine.store().find_file(root.id, relative).ok().flatten();
    let mut answer = Map::new();
    let (state, detail) = standing(&root, &status, file.as_ref());
    answer.insert("state".into(), state.into());
    answer.insert("detail".into(), detail.into());
    answer.insert("path".into(), path.display().to_string().into());
    if path.to_str().is_none() {
        // The text above has lost bytes: this one has all of them.
        answer.insert("path_bytes".into(), json!(path.as_os_str().as_bytes()));
    }
    answer.insert("root".into(), root.id.0.into());
    if let FileStatus::Settling { since, .. } = &status
        && let Ok(since) = Timestamp::try_from(*since)
    {
        answer.insert("first_seen".into(), since.to_string().into());
    }
    if let Some(file) = &file {
        answer.insert("recorded".into(), recorded(file).into());
        answer.extend(followed(engine, file));
    }
    Some(answer.into())
}

/// A word for programs and a sentence for people.
fn standing(root: &RootRow, status: &FileStatus, file: Option<&FileRow>) -> (&'static str, String) {
    let state = |file: &FileRow| file.state.as_str();
    match status {
        FileStatus::UnknownRoot => ("unknown", "the root is not watched".to_owned()),
        FileStatus::OutsideRoot => (
            "outside",
            format!("it does not lie inside `{}`", root.path.display()),
        ),
        FileStatus::RootOffline { reason } => (
            "offline",
            format!("its root is offline: {reason}; it is looked at when the root is back"),
        ),
        FileStatus::Ignored { rule } => ("ignored", format!("ignored by rule: {rule}")),
        FileStatus::Missing => match file {
            Some(file) => {
                let since = file.vanished_at.map_or_else(
                    || "the next scan will note that".to_owned(),
                    |at| format!("noted {at:.0}"),
                );
                let stay = "what came of it stays, and nothing runs again if it returns as it was";
                ("vanished", format!("it is gone ({since}); {stay}"))
            }
            None => ("missing", "there is no such file".to_owned()),
        },
        FileStatus::NotAFile => (
            "not_a_file",
            "it is a folder, a socket or a device".to_owned(),
        ),
        FileStatus::Inaccessible { reason } => ("inaccessible", reason.clone()),
        FileStatus::Settling { waiting_for, .. } => {
            ("settling", format!("it is waited for: {waiting_for}"))
        }
        FileStatus::Unreadable { reason } => {
            ("unreadable", format!("given up until it changes: {reason}"))
        }
        FileStatus::Reported => ("reported", "whole; it is being registered".to_owned()),
        FileStatus::Known { .. } => match file {
            Some(file) => (state(file), recorded(file)),
            None => ("registered", "registered in this state".to_owned()),
        },
        _ => match file {
            // Recorded in another state than it is in now, or one that every scan looks at again.
            Some(file) if file.vanished_at.is_none() => (state(file), recorded(file)),
            _ => ("unseen", "not seen yet; the next scan finds it".to_owned()),
        },
    }
}

fn recorded(file: &FileRow) -> String {
    let first = match file.revision {
        1 => file.state.as_str().to_owned(),
        n => format!("{}, content number {n}", file.state.as_str()),
    };
    let parts = [Some(first), file.reason.clone(), file.remedy.clone()];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// The image set that a file is part of, and what that is waiting for.
fn followed(engine: &Engine, file: &FileRow) -> Map<String, Value> {
    let mut answer = Map::new();
    let store = engine.store();
    let Some(set) = file.subject.and_then(|id| store.subject(id).ok()) else {
        return answer;
    };
    let Ok(plate) = store.plate(set.subject.plate) else {
        return answer;
    };
    answer.insert("plate".into(), plate.plate.name.into());
    answer.insert("plate_state".into(), plate.plate.state.as_str().into());
    answer.insert("image_set".into(), set.subject.name.into());
    let tasks = set.tasks;
    let next = match set.subject.state {
        SubjectState::Arriving => {
            let missing: Vec<&str> = set
                .subject
                .missing
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            if missing.is_empty() {
                "waits until the plate is complete: nothing says which planes it will have".into()
            } else {
                format!("waits for {}", missing.join(", "))
            }
        }
        SubjectState::Incomplete => format!("the plate completed without {}", set.subject.missing),
        SubjectState::Complete if tasks.dead() > 0 => format!("{} tasks failed", tasks.dead()),
        SubjectState::Complete if tasks.pending() == 0 => "all its tasks have ended".into(),
        SubjectState::Complete => format!(
            "{} tasks wait, {} are ready, {} run, {} are tried again",
            tasks.waiting, tasks.ready, tasks.running, tasks.retrying
        ),
    };
    answer.insert("image_set_state".into(), next.into());
    answer
}
