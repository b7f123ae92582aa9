//! Files with a secret on their first line.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// A longer file is something else.
const LONGEST: u64 = 64 << 10;

/// Why a file with a secret is not used.
#[derive(Debug)]
pub enum Unfit {
    /// It cannot be read, or is no text.
    Unreadable(io::Error),
    /// Everybody on this machine can read it.
    Exposed,
}

impl From<io::Error> for Unfit {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error)
    }
}

/// The first line of a file that not everybody can read, without the space around it.
///
/// # Errors
/// It cannot be read, or everybody can read it.
pub fn first_line_of_private_file(path: &Path) -> Result<String, Unfit> {
    let file = File::open(path)?;
    if file.metadata()?.permissions().mode() & 0o007 != 0 {
        return Err(Unfit::Exposed);
    }
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text)?;
    Ok(text.lines().next().unwrap_or_default().trim().to_owned())
}
