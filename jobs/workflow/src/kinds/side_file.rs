//! Small files that an operator keeps beside the workflow: lists of plates, tags of images.

use std::io::Read;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use crate::error::{Failure, FailureClass};
use crate::recent::Recent;

/// Largest such file that is read: a line for each of a million images.
const LARGEST: u64 = 128 << 20;

/// The bytes of a file; `None` where there is none. Asked for whenever an image set is planned, so the last ones are remembered.
pub(super) fn read(path: &Path) -> Result<Option<Arc<Vec<u8>>>, Failure> {
    static RECENT: OnceLock<Recent<Vec<u8>>> = OnceLock::new();
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(path, &error)),
        Ok(_) => {}
    }
    RECENT
        .get_or_init(Recent::default)
        .get(path, "", || read_whole(path))
        .map(Some)
}

fn read_whole(path: &Path) -> Result<Vec<u8>, Failure> {
    let file = plate::foreign::open(path).map_err(|e| unreadable(path, &e))?;
    let mut bytes = Vec::new();
    file.take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| unreadable(path, &e))?;
    if bytes.len() as u64 > LARGEST {
        let what = format!("it has more than {} MiB", LARGEST >> 20);
        return Err(refuse(path, &what, "name the right file"));
    }
    Ok(bytes)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure {
        class: FailureClass::Environment,
        code: "file-unreadable".to_owned(),
        message: format!("cannot read `{}`: {error}", path.display()),
        remedy: "make the file readable; the job is then tried again".to_owned(),
        path: Some(path.display().to_string()),
    }
}

/// A file whose content cannot be used.
pub(super) fn refuse(path: &Path, what: &str, remedy: &str) -> Failure {
    Failure {
        class: FailureClass::Permanent,
        code: "bad-file".to_owned(),
        message: format!("`{}`: {what}", path.display()),
        remedy: remedy.to_owned(),
        path: Some(path.display().to_string()),
    }
}
