//! Why the server ended.

use std::io;

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the server could not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The listening socket is of no use.
    #[error("the http server cannot use its listening socket: {0}")]
    Socket(#[from] io::Error),
}

impl Error {
    /// What a person can do, in one sentence.
    #[must_use]
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::Socket(_) => {
                "check `listen` in `[server]`, and that no other program uses that address"
            }
        }
    }
}
