//! Secrets that lie in files: read when they are needed, so that a new one counts at once.

use std::path::Path;

use config::{Unfit, first_line_of_private_file};

use crate::error::{Error, Result};

/// The first line of a file that not everybody can read.
pub(crate) fn first_line(path: &Path, what: &'static str) -> Result<String> {
    let line = first_line_of_private_file(path).map_err(|unfit| match unfit {
        Unfit::Unreadable(source) => Error::SecretFile {
            path: path.to_owned(),
            source,
        },
        Unfit::Exposed => Error::Exposed {
            path: path.to_owned(),
        },
    })?;
    if line.is_empty() || line.chars().any(char::is_control) {
        return Err(Error::Content {
            path: path.to_owned(),
            what,
        });
    }
    Ok(line)
}
