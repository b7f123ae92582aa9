//! Reads one file that the watcher found whole: what its name and its header say, and the hash of its content.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use faults::Point;
use image_io::acquisition;
use plate::{ParsedName, Verdict};
use queue::{FileRecord, FileState, RootId, Store};
use watch::FileIdentity;

use crate::error::Result;
use crate::facility::{Facility, Prepared, RootSettings};
use crate::hash::hash_file;
use crate::image_set::{InputFile, Plane};
use crate::planes::contribution;
use crate::records;

/// What to tell people about a file that cannot be read.
const COPY_AGAIN: &str = "copy the file again from the instrument; it is taken up when it changes";

/// A file as the watcher saw it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Path below the root.
    pub relative: PathBuf,
    /// Its state on disk.
    pub identity: FileIdentity,
    /// Why the file is probably not readable: it never became whole. It is registered all the same, so that it is listed
    /// with its reason and can be requeued.
    pub doubt: Option<String>,
}

/// A file that brings planes to an image set.
pub(crate) struct Arrival {
    pub seen: Seen,
    pub parsed: ParsedName,
    pub prepared: Arc<Prepared>,
    pub content: String,
    pub planes: Vec<Plane>,
}

/// What becomes of a file.
pub(crate) enum Reading {
    /// Nothing: the naming scheme says that it is no image.
    Nothing,
    /// It is listed, and nothing follows from it.
    Listed(FileRecord),
    /// It belongs to an image set.
    Arrived(Arrival),
}

impl Arrival {
    /// The file as a part of its image set.
    pub fn input(&self) -> InputFile {
        InputFile {
            path: self.seen.relative.clone(),
            content: self.content.clone(),
            planes: self.planes.clone(),
        }
    }

    /// The file's row, but for the image set's number.
    pub fn record(&self, root: RootId) -> FileRecord {
        let doubt = &self.seen.doubt;
        FileRecord {
            content: Some(self.content.clone()),
            state: FileState::Registered,
            reason: doubt.clone(),
            remedy: doubt.as_ref().map(|_| COPY_AGAIN.to_owned()),
            parsed: serde_json::to_value(&self.parsed).unwrap_or_default(),
            ..listed(root, &self.seen, FileState::Registered, "", "")
        }
    }
}

/// Reads a file.
///
/// # Errors
/// The queue fails. What is wrong with the file itself is told by the reading.
pub(crate) fn read(
    store: &Store,
    facility: &Facility,
    settings: &RootSettings,
    seen: Seen,
) -> Result<Reading> {
    let listed = |state, reason: &str, remedy: &str| {
        Reading::Listed(listed(settings.id, &seen, state, reason, remedy))
    };
    let parsed = match settings.naming.parse(&seen.relative) {
        Verdict::Image(parsed) => parsed,
        Verdict::Ignored(_) => return Ok(Reading::Nothing),
        Verdict::Unmatched(why) => {
            return Ok(listed(
                FileState::Unmatched,
                &why,
                "choose another `naming` for the root; `wellspring names test FOLDER` shows what a scheme reads",
            ));
        }
    };
    if let Some(start) = settings.ignore_before
        && was_there_before(store, settings.id, &seen, start)?
    {
        return Ok(listed(
            FileState::Ignored,
            "was there before the folder was watched, and `existing` is \"ignore\"",
            "set `existing = \"process\"` to take such files",
        ));
    }
    let (content, planes) = if seen.doubt.is_some() {
        doubtful(&seen.identity, &parsed)
    } else {
        match read_file(&settings.path, &seen, &parsed) {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(Reading::Nothing),
            Err(reason) => return Ok(listed(FileState::Unreadable, &reason, COPY_AGAIN)),
        }
    };
    faults::point(Point::IntakeHashed);
    if let Some(known) = store.find_file(settings.id, &seen.relative)?
        && known.state == FileState::Registered
        && known.content.as_deref() == Some(content.as_str())
    {
        // Touched, moved away and back, or its mode changed: nothing to compute.
        return Ok(Reading::Listed(records::file_record(known, seen.identity)));
    }
    match facility.workflow_for(settings, &parsed.acquisition) {
        Ok(prepared) => Ok(Reading::Arrived(Arrival {
            seen,
            parsed,
            prepared,
            content,
            planes,
        })),
        Err(reason) => Ok(listed(
            FileState::Unreadable,
            &reason,
            "correct the channel mapping; the file is taken up at the next scan",
        )),
    }
}

/// Whether a file was there before its root was watched. Its mtime alone does not tell: copies keep that of the original. Once
/// known as such it stays so when only its mode or its name changes.
fn was_there_before(store: &Store, root: RootId, seen: &Seen, start: i64) -> Result<bool> {
    let identity = seen.identity;
    if identity.mtime_ns.max(identity.ctime_ns) < start {
        return Ok(true);
    }
    let known = store.find_file(root, &seen.relative)?;
    Ok(known.is_some_and(|file| {
        file.state == FileState::Ignored
            && (file.size, file.mtime_ns) == (identity.size, identity.mtime_ns)
    }))
}

fn listed(root: RootId, seen: &Seen, state: FileState, reason: &str, remedy: &str) -> FileRecord {
    let identity = seen.identity;
    FileRecord {
        root,
        path: seen.relative.clone(),
        size: identity.size,
        mtime_ns: identity.mtime_ns,
        ctime_ns: identity.ctime_ns,
        inode: identity.inode,
        device: identity.device,
        content: None,
        state,
        reason: Some(reason.to_owned()),
        remedy: Some(remedy.to_owned()),
        subject: None,
        parsed: serde_json::Value::Null,
    }
}

/// A file that cannot be read stands for the planes that its name promises.
fn doubtful(identity: &FileIdentity, parsed: &ParsedName) -> (String, Vec<Plane>) {
    let plane = |(plane, channel): (usize, &String)| Plane {
        plane,
        channel: channel.clone(),
        z: parsed.z,
        pixels: 0,
    };
    let planes = parsed.channels.iter().enumerate().map(plane).collect();
    let content = format!("unreadable:{}:{}", identity.size, identity.mtime_ns);
    (content, planes)
}

/// Content hash and planes of a readable file; the reason as text where it is not. Nothing where it was written to meanwhile:
/// header and hash would speak of different contents. The watcher sees that too, and reports the file anew.
fn read_file(
    root: &Path,
    seen: &Seen,
    parsed: &ParsedName,
) -> Result<Option<(String, Vec<Plane>)>, String> {
    let path = &seen.relative;
    let info = acquisition::probe_below(root, path).map_err(|e| e.to_string())?;
    let found = contribution(parsed, &info)?;
    let hashed = acquisition::open_below(root, path).and_then(|file| {
        let content = hash_file(&file)?;
        Ok((content, FileIdentity::of(&file.metadata()?)))
    });
    let (content, now) =
        hashed.map_err(|e| format!("cannot read `{}`: {e}", root.join(path).display()))?;
    let before = &seen.identity;
    if (now.size, now.mtime_ns) != (before.size, before.mtime_ns) {
        tracing::debug!(path = %path.display(), "the file was written to while it was read");
        return Ok(None);
    }
    Ok(Some((content, found.planes)))
}
