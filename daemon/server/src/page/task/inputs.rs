//! What a task reads: the files of its subject.

use queue::{Cursor, FileFilter, FileRow, FileState, RootRow, TaskRow};

use super::super::show::{bytes, encode};
use super::super::tone::{Pill, Tone};
use crate::app::Inner;

/// Files that are listed; a stack has thousands.
const FILES: u32 = 50;

/// The files of a subject.
pub(in crate::page) struct Inputs {
    pub files: Vec<FileItem>,
    /// Where the rest of them is listed; empty if there is none.
    pub more: String,
}

pub(in crate::page) struct FileItem {
    pub path: String,
    /// What is known about it.
    pub link: String,
    pub size: String,
    pub pill: Pill,
    pub reason: String,
}

impl Inputs {
    pub(in crate::page) fn of(
        inner: &Inner,
        task: &TaskRow,
        roots: &[RootRow],
    ) -> queue::Result<Self> {
        let filter = FileFilter {
            subject: Some(task.subject),
            ..FileFilter::default()
        };
        let page = inner.store.files(&filter, Cursor::first(FILES))?;
        Ok(Self {
            more: match page.next {
                Some(_) => format!("/api/v1/files?subject={}", task.subject),
                None => String::new(),
            },
            files: page
                .items
                .into_iter()
                .map(|file| item(file, roots))
                .collect(),
        })
    }
}

fn item(file: FileRow, roots: &[RootRow]) -> FileItem {
    let root = roots.iter().find(|root| root.id == file.root);
    let path = root.map_or_else(|| file.path.clone(), |root| root.path.join(&file.path));
    let path = path.to_string_lossy().into_owned();
    let tone = match file.state {
        FileState::Registered => Tone::Done,
        FileState::Unreadable => Tone::Failed,
        FileState::Unmatched => Tone::Missing,
        FileState::Ignored | FileState::Superseded => Tone::Cancelled,
    };
    FileItem {
        link: format!("/api/v1/files/explain?path={}", encode(&path)),
        path,
        size: bytes(file.size),
        pill: match file.vanished_at {
            Some(_) => Pill::new(Tone::Missing, "gone"),
            None => Pill::new(tone, file.state.as_str()),
        },
        reason: file.reason.unwrap_or_default(),
    }
}
