//! Secrets that lie in files: read when they are needed, so that a new one counts at once.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::error::{Error, Result};

/// A longer file is something else.
const LONGEST: u64 = 64 << 10;

/// The first line of a file that not everybody can read.
pub(crate) fn first_line(path: &Path, what: &'static str) -> Result<String> {
    let failed = |source| Error::SecretFile {
        path: path.to_owned(),
        source,
    };
    let file = std::fs::File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.permissions().mode();
    if mode & 0o007 != 0 {
        return Err(Error::Exposed {
            path: path.to_owned(),
        });
    }
    let mut text = String::new();
    file.take(LONGEST)
        .read_to_string(&mut text)
        .map_err(failed)?;
    let line = text.lines().next().unwrap_or_default().trim();
    if line.is_empty() || line.chars().any(char::is_control) {
        return Err(Error::Content {
            path: path.to_owned(),
            what,
        });
    }
    Ok(line.to_owned())
}
