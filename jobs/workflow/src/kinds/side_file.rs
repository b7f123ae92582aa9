//! Small files that an operator keeps beside the workflow: lists of plates, tags of images.

use std::io::Read;
use std::path::Path;

use crate::error::{Failure, FailureClass};

/// Largest such file that is read: a line for each of a million images.
const LARGEST: u64 = 128 << 20;

/// The bytes of a file; `None` where there is none.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, Failure> {
    let told = |error: &std::io::Error| Failure {
        class: FailureClass::Environment,
        code: "file-unreadable".to_owned(),
        message: format!("cannot read `{}`: {error}", path.display()),
        remedy: "make the file readable; the job is then tried again".to_owned(),
        path: Some(path.display().to_string()),
    };
    let file = match plate::foreign::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(told(&error)),
    };
    let mut bytes = Vec::new();
    file.take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| told(&e))?;
    if bytes.len() as u64 > LARGEST {
        let what = format!("it has more than {} MiB", LARGEST >> 20);
        return Err(refuse(path, &what, "name the right file"));
    }
    Ok(Some(bytes))
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
